using CapaEngine.Contracts;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace CapaEngine.Nonconformities.Intake.Mapping;

/// <summary>
/// The mappings in force: those of the product and those of the installation's folder, read again when they change. A
/// wrong file stops the start; later it leaves the former mappings in force and degrades readiness.
/// </summary>
public sealed class Mappings : BackgroundService, IHealthCheck
{
    private static readonly string Shipped = Path.Combine(AppContext.BaseDirectory, "Mappings");

    private readonly IntakeOptions options;
    private readonly TimeProvider clock;
    private readonly ILogger<Mappings> logger;
    private readonly Dictionary<(string Name, int Version), string> versions = [];
    private IReadOnlyList<MappingText> texts = [];
    private volatile MappingSet current = MappingSet.Empty;
    private volatile string? trouble;

    /// <summary>Reads all mappings. Throws <see cref="WrongMappingException"/>.</summary>
    public Mappings(IOptions<IntakeOptions> options, TimeProvider clock, ILogger<Mappings> logger)
    {
        (this.options, this.clock, this.logger) = (options.Value, clock, logger);
        ReadAgain();
    }

    /// <summary>The mappings by which messages are understood now.</summary>
    public MappingSet Current => current;

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken ct = default) =>
        Task.FromResult(trouble is { } wrong
            ? HealthCheckResult.Degraded($"The former mappings are in force: {wrong}")
            : HealthCheckResult.Healthy($"{current.All.Count} mappings"));

    /// <summary>Reads the files and, where one changed, puts all of them in force.</summary>
    public void ReadAgain()
    {
        var read = Folders()
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal))
            .Select(file => new MappingText(file, File.ReadAllBytes(file))).ToList();
        if (trouble is null && IsSame(read)) return;
        var mappings = MappingSet.Read(read);
        var references = mappings.All.Select(mapping => mapping.Reference).ToList();
        if (references.Find(IsOtherText) is { } changed)
            throw new WrongMappingException(
                $"{changed.Name}: version",
                $"{changed.Version} is another text already; a changed mapping is a new version");
        foreach (var reference in references) Keep(reference);
        (texts, current, trouble) = (read, mappings, null);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Looked at from time to time: what tells of changes at once does not work on every mounted folder.
        using var period = new PeriodicTimer(TimeSpan.FromMilliseconds(options.MappingsPeriodMs), clock);
        while (await period.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                ReadAgain();
            }
            catch (Exception wrong) when (wrong is WrongMappingException or IOException or UnauthorizedAccessException)
            {
                if (trouble != wrong.Message)
                    logger.LogError("The former mappings stay in force: {Reason}", wrong.Message);
                trouble = wrong.Message;
            }
        }
    }

    private IEnumerable<string> Folders() =>
        options.MappingsFolder is { Length: > 0 } own ? [Shipped, own] : [Shipped];

    private bool IsSame(List<MappingText> read) =>
        read.Count == texts.Count && read.Zip(texts).All(pair =>
            pair.First.File == pair.Second.File && pair.First.Text.AsSpan().SequenceEqual(pair.Second.Text));

    private bool IsOtherText(MappingReference reference) =>
        versions.TryGetValue((reference.Name, reference.Version), out var hash) && hash != reference.Hash;

    private void Keep(MappingReference reference)
    {
        if (versions.TryAdd((reference.Name, reference.Version), reference.Hash))
            logger.LogInformation(
                "Mapping {Name}/{Version} is in force, SHA-256 {Hash}.",
                reference.Name, reference.Version, reference.Hash);
    }
}
