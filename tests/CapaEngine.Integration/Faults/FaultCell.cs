namespace CapaEngine.Integration.Faults;

/// <summary>What is broken.</summary>
public enum Part
{
    /// <summary>The service that records machine events, and the way to it.</summary>
    Intake,

    /// <summary>The node of the event log.</summary>
    LogNode,

    /// <summary>The leader of relay, reactions and numbers, beside which a second process waits.</summary>
    Relay,

    /// <summary>RabbitMQ.</summary>
    Broker,

    /// <summary>The database of the event log and of the read models.</summary>
    PostgreSql,

    /// <summary>The service that writes the read models.</summary>
    Projector,

    /// <summary>The service of analyses.</summary>
    RootCauses,

    /// <summary>The service of CAPAs and their effectiveness.</summary>
    ActionPlans,

    /// <summary>The gateway.</summary>
    Gateway,
}

/// <summary>How it is broken.</summary>
public enum Fault
{
    /// <summary><c>kill -9</c>, and started again.</summary>
    Kill,

    /// <summary>Stands still for 15 s.</summary>
    Stop,

    /// <summary>Every connection to it ends, five times within two seconds.</summary>
    Cut,
}

/// <summary>What is going on meanwhile.</summary>
public enum Traffic
{
    /// <summary>Nothing; afterwards, something again.</summary>
    Idle,

    /// <summary>Some fifty events a second and a command a second.</summary>
    Steady,

    /// <summary>Events as fast as they are taken, over four connections, and a command a second.</summary>
    Burst,
}

/// <summary>One run of the matrix.</summary>
public sealed record FaultCell(Part Part, Fault Fault, Traffic Traffic)
{
    /// <summary>All of them.</summary>
    public static IEnumerable<FaultCell> All =>
        from part in Enum.GetValues<Part>()
        from fault in Enum.GetValues<Fault>()
        from traffic in Enum.GetValues<Traffic>()
        select new FaultCell(part, fault, traffic);

    /// <summary>Those of every test run: what all others depend on.</summary>
    public static IEnumerable<FaultCell> Sample =>
    [
        new(Part.LogNode, Fault.Kill, Traffic.Burst),
        new(Part.PostgreSql, Fault.Kill, Traffic.Steady),
        new(Part.Relay, Fault.Stop, Traffic.Burst),
        new(Part.Broker, Fault.Cut, Traffic.Steady),
    ];

    /// <summary>Those of this run: all, those of one part, or the sample, as <c>CAPA_TEST_FAULTS</c> says.</summary>
    public static IEnumerable<FaultCell> Chosen => Environment.GetEnvironmentVariable("CAPA_TEST_FAULTS") switch
    {
        null or "" => Sample,
        "all" => All,
        var part => All.Where(cell => cell.Part == Enum.Parse<Part>(part, ignoreCase: true)),
    };

    /// <inheritdoc/>
    public override string ToString() => $"{Part} {Fault} {Traffic}";
}
