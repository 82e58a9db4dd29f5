using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.ReadModels;
using CapaEngine.Kernel;
using CapaEngine.Verify;

namespace CapaEngine.Integration.Verify;

/// <summary>
/// A small history in a log of its own, projected as the real projector does it, with the checkpoints that relays and
/// followers would have written: a system at rest, until a test puts something wrong.
/// </summary>
internal sealed class AuditedSystem : IAsyncDisposable
{
    public static readonly Guid CaseId = NameBasedId.From("audited case");
    public static readonly Guid CapaId = NameBasedId.From("audited capa");
    private static readonly string[] Services = [.. Families.All.Select(family => family.Owner).Distinct()];
    private static readonly DateTimeOffset Day = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
    private readonly MemoryEventStore _store = new(TimeProvider.System);

    private AuditedSystem(ReadModelDatabase database) => Database = database;

    /// <summary>Where the rows are.</summary>
    public ReadModelDatabase Database { get; }

    /// <summary>The stream of the n-th deviation.</summary>
    public static string Deviation(int n) => Families.Deviation.Stream(DeviationId(n));

    /// <summary>Tells the history and brings everything to rest.</summary>
    public static async Task<AuditedSystem> CreateAsync(CancellationToken ct)
    {
        var system = new AuditedSystem(await ReadModelDatabase.CreateAsync(ct));
        await system.TellAsync(ct);
        await system.RestAsync(ct);
        return system;
    }

    /// <summary>A deviation as it was received.</summary>
    public static DeviationEvent.Received Received(int n) => new(
        "urn:audited", $"d-{n}", "plant-1", "valve", "L-1", null, "milling", "m-1", null, "bore", null, 5.2 + n, null,
        5.1, "mm", null, Severity.Major, Day.AddTicks(n), null, "hash");

    /// <summary>Appends facts to the end of a stream.</summary>
    public async Task AppendAsync(string stream, CancellationToken ct, params object[] facts)
    {
        var last = -1L;
        await foreach (var recorded in _store.ReadStreamBackwardsAsync(stream, 1, ct)) last = recorded.Revision;
        var events = facts.Select(fact => NewEvent.Of(Guid.NewGuid(), fact, hash => new EventMetadata(
            new EventActor("quinn", ["quality-engineer"], "*"), Day, Day.AddSeconds(1), hash))).ToList();
        await _store.AppendAsync(stream, ExpectedRevision.At(last), events, ct);
    }

    /// <summary>Projects what is in the log and lets every relay and follower stand at its end.</summary>
    public async Task RestAsync(CancellationToken ct)
    {
        var events = new List<IncomingEvent>();
        var end = LogPosition.Start;
        await foreach (var recorded in _store.ReadAllAsync(LogPosition.Start, [], ct))
        {
            end = recorded.Position;
            if (Families.Of(recorded.Stream) is not null) events.Add(EventEnvelope.Of(recorded).ToIncoming());
        }

        await ReadModelDatabase.ApplyAsync(Database.Projector(), events, 100, ct);
        var keys = Families.All.SelectMany(family => Enumerable.Range(0, Partitions.CountDefault)
            .Select(partition => new FollowerPosition(Partitions.RoutingKey(family.Name, partition), end.Commit)));
        foreach (var service in Services)
        {
            await AppendAsync($"relay-{service}", ct, new CheckpointEvent.Relay(end.Commit, end.Prepare));
            await AppendAsync($"follower-{service}", ct, new CheckpointEvent.Follower([.. keys]));
        }
    }

    /// <summary>Audits, with little patience.</summary>
    /// <param name="duringFirstLook">Happens after the tables' snapshot was taken and the log was read.</param>
    public Task<AuditResult> AuditAsync(CancellationToken ct, Func<Task>? duringFirstLook = null) => new Auditor(
        _store,
        async token =>
        {
            var end = await EndAsync(token);
            if (Interlocked.Exchange(ref duringFirstLook, null) is { } happen) await happen();
            return end;
        },
        Database.Source,
        new AuditOptions
        {
            Settle = TimeSpan.FromMilliseconds(200), Pause = TimeSpan.FromMilliseconds(100),
            Deadline = TimeSpan.FromSeconds(30),
        },
        TimeProvider.System).RunAsync(ct);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Database.DisposeAsync();

    private static Guid DeviationId(int n) => NameBasedId.From($"deviation\nurn:audited\nd-{n}");

    private async Task<ulong> EndAsync(CancellationToken ct)
    {
        var end = LogPosition.Start;
        await foreach (var recorded in _store.ReadAllAsync(LogPosition.Start, [], ct)) end = recorded.Position;
        return end.Commit;
    }

    private async Task TellAsync(CancellationToken ct)
    {
        foreach (var n in Enumerable.Range(0, 4)) await AppendAsync(Deviation(n), ct, Received(n));
        await AppendAsync(Deviation(3), ct, new DeviationEvent.ConflictReceived("other", "{}"));
        var subject = Received(0).Subject();
        ValueList<Guid> counted = [DeviationId(0), DeviationId(1)];
        await AppendAsync(Families.Signature.Stream(subject.SignatureId()), ct, new SignatureEvent.Opened(
            subject, 1, CaseId, 1, Day, counted));
        await AppendAsync(Families.Nonconformity.Stream(CaseId), ct,
            new NonconformityEvent.Reported(
                "plant-1", "Bores too wide", "Two of them.", new RequirementRef("drawing", "C", "4.2"),
                NonconformitySource.ProcessMonitoring, DetectionStage.InProcess, "valve", "milling", ["L-1"], 10, null,
                Severity.Major, Day, "service:nonconformities", subject, 1, 1, Day),
            new NonconformityEvent.DeviationsAttached(counted, Day, Day),
            new NonconformityEvent.Accepted("quinn", Severity.Critical, 24),
            new NonconformityEvent.CorrectiveActionRequired(
                CapaId, CapaLink.Open, 1, "quinn", "It recurs.", "plant-1", "Bores too wide", subject, Day, false));
        await AppendAsync("numbering-nc-2026", ct, new NumberingEvent.Assigned(CaseId, 1));
        await AppendAsync(Families.ActionPlan.Stream(CapaId), ct, new ActionPlanEvent.Opened(
            "plant-1", "Bores too wide", "quinn", CaseId, "It recurs.", subject, Day, false));
        await AppendAsync("numbering-capa-2026", ct, new NumberingEvent.Assigned(CapaId, 1));
        await AppendAsync(Families.RootCause.Stream(NameBasedId.From("audited analysis")), ct,
            new RootCauseEvent.Started(CapaId, CaseId, "plant-1", "quinn", "Bores too wide", subject, false));
    }
}
