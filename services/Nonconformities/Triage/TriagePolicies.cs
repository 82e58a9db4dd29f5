using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Nonconformities.Triage;

/// <summary>
/// The versions of the triage policy with their places in the log. A deviation follows the last version before it, so
/// that a replay decides as the first time.
/// </summary>
public sealed class TriagePolicies(IEventStore store, IConfiguration configuration, TimeProvider clock)
{
    private static readonly string Stream = Families.TriagePolicy.Prefix;

    private static readonly ValueList<TriageRule> DefaultRules =
    [
        new(Severity.Critical, 1, 1), new(Severity.Major, 3, 7), new(Severity.Minor, 10, 7),
    ];

    private readonly List<(LogPosition Position, TriagePolicyEvent.Set Policy)> versions = [];

    // What a person decided is not undone by the configuration at the next start.
    private bool lastIsOfPerson;

    /// <summary>How long a deviation may have to be remembered under any version.</summary>
    public TimeSpan Horizon => versions.Max(version => CountWindow.HorizonOf(version.Policy.Rules));

    /// <summary>Reads the versions, and sets one where there is none or the configuration says otherwise.</summary>
    public async Task LoadAsync(CancellationToken ct)
    {
        versions.Clear();
        await foreach (var recorded in store.ReadStreamAsync(Stream, 0, long.MaxValue, ct)) Note(recorded);
        var configured = Configured();
        var last = versions.Count == 0 ? null : versions[^1].Policy;
        if (last is not null && (configured is null || lastIsOfPerson || configured.Equals(last.Rules))) return;
        var next = new TriagePolicyEvent.Set(
            (last?.Version ?? 0) + 1, configured ?? DefaultRules,
            configured is null ? "The policy of a new installation." : "The configuration of the installation.");
        // Two leaders may both try; whoever loses reads what the other set.
        await store.AppendAsync(Stream, ExpectedRevision.At(versions.Count - 1), [ToNewEvent(next)], ct);
        versions.Clear();
        await foreach (var recorded in store.ReadStreamAsync(Stream, 0, long.MaxValue, ct)) Note(recorded);
        if (versions.Count == 0) throw new InvalidOperationException("The triage policy could not be set.");
    }

    /// <summary>Takes a version that the log delivers.</summary>
    public void Note(RecordedEvent recorded)
    {
        if (versions.Count > 0 && recorded.Position <= versions[^1].Position) return;
        var policy = (TriagePolicyEvent.Set)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span);
        versions.Add((recorded.Position, policy));
        lastIsOfPerson = !EventCatalog.Metadata(recorded.Metadata.Span).Actor.Roles.Contains(Roles.Service);
    }

    /// <summary>The version in force at a place in the log; what came before the first follows the first.</summary>
    public TriagePolicyEvent.Set At(LogPosition position)
    {
        var index = versions.FindLastIndex(version => version.Position < position);
        return versions[Math.Max(index, 0)].Policy;
    }

    private ValueList<TriageRule>? Configured()
    {
        var rules = configuration.GetSection("Triage:Rules").GetChildren().Select(rule => new TriageRule(
            Enum.Parse<Severity>(rule["Severity"] ?? "", ignoreCase: true),
            int.Parse(rule["CountMin"] ?? "", System.Globalization.CultureInfo.InvariantCulture),
            double.Parse(rule["WindowDays"] ?? "", System.Globalization.CultureInfo.InvariantCulture))).ToValueList();
        if (rules.Any(rule => rule.CountMin < 1 || rule.WindowDays is not (> 0 and <= 366)))
            throw new InvalidOperationException("Triage:Rules needs counts from 1 and windows of up to 366 days.");
        return rules.Count == 0 ? null : rules;
    }

    private NewEvent ToNewEvent(TriagePolicyEvent.Set policy)
    {
        var now = clock.GetUtcNow();
        var actor = Actor.Service(ServiceNames.Nonconformities).AsRecorded;
        return NewEvent.Of(Guid.NewGuid(), policy, hash => new EventMetadata(actor, now, now, hash));
    }
}
