namespace CapaEngine.Nonconformities.Intake;

/// <summary>Configuration of the intake, section <c>Intake</c>.</summary>
public sealed class IntakeOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Intake";

    /// <summary>How many bytes of requests are held at the same time; beyond it the answer is 429.</summary>
    public long RequestBytesMax { get; set; } = 256L << 20;

    /// <summary>A folder with mappings of the installation, beside those of the product.</summary>
    public string? MappingsFolder { get; set; }

    /// <summary>How often the files of mappings are looked at.</summary>
    public int MappingsPeriodMs { get; set; } = 2_000;

    /// <summary>The way in over the broker.</summary>
    public AmqpOptions Amqp { get; set; } = new();
}

/// <summary>Configuration of the way in over the broker.</summary>
public sealed class AmqpOptions
{
    /// <summary>How many messages are taken from the broker before the first of them is durable.</summary>
    public ushort PrefetchCount { get; set; } = 128;

    /// <summary>
    /// Whether messages whose sender the broker did not verify are kept in quarantine. Where it is not said, they are
    /// taken in Development only.
    /// </summary>
    public bool? RequiresUserId { get; set; }

    /// <summary>The broker's users who send; one that is not listed sends for the source of its own name.</summary>
    public Dictionary<string, AmqpUser> Users { get; set; } = new(StringComparer.Ordinal);
}

/// <summary>For whom a user of the broker may speak.</summary>
public sealed class AmqpUser
{
    /// <summary>The one source; <c>*</c> for any; the user's name where it is missing.</summary>
    public string? Source { get; set; }

    /// <summary>The one site, which events then need not name; <c>*</c> for any.</summary>
    public string Site { get; set; } = "*";
}
