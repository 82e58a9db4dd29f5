using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Integration.ReadModels;
using CapaEngine.Kernel;
using CapaEngine.ReadModels;
using CapaEngine.ReadModels.Deadlines;
using CapaEngine.Specs;
using Microsoft.Extensions.Logging.Abstractions;

namespace CapaEngine.Integration.Deadlines;

/// <summary>
/// A log, the read models in a database of their own, and a clock that stands where the test puts it. Rows follow the
/// log only when the test says so, which is how a projector lags.
/// </summary>
public sealed class DeadlineStand : IAsyncDisposable
{
    public static readonly Guid CapaId = NameBasedId.From("deadline capa");
    public static readonly Guid CaseId = NameBasedId.From("deadline case");

    private LogPosition projectedTo = LogPosition.Start;
    private Projector projector;

    private DeadlineStand(ReadModelDatabase database)
    {
        Database = database;
        projector = database.Projector();
        Store = new CuttableStore(new MemoryEventStore(TimeProvider.System));
    }

    public ReadModelDatabase Database { get; private set; }

    public CuttableStore Store { get; }

    public SettableClock Clock { get; } = new() { Now = new DateTimeOffset(2026, 3, 2, 8, 0, 0, TimeSpan.Zero) };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<DeadlineStand> CreateAsync() => new(await ReadModelDatabase.CreateAsync(Ct));

    /// <summary>A scheduler as a process of its own would have it.</summary>
    public EscalationClock Scheduler() => new(
        Store,
        new DeciderHandler<EscalationPolicy, EscalationPolicyCommand, EscalationPolicyEvent>(
            Store, EscalationPolicy.Decider, Clock, new BuiltInProfiles()),
        new DeadlineQueries(Database.Source), Projected(), Clock, NullLogger<EscalationClock>.Instance);

    /// <summary>The comparison of rows and log.</summary>
    public ProjectedStreams Projected() => new(Store, new RevisionWait(Database.Source, Clock));

    /// <summary>Records facts in the stream of an id, without showing them to the read models.</summary>
    public async Task RecordAsync(Family family, Guid id, params object[] facts)
    {
        var stream = family.Stream(id);
        long revision = -1;
        await foreach (var last in Store.ReadStreamBackwardsAsync(stream, 1, Ct)) revision = last.Revision;
        var events = facts.Select(fact => NewEvent.Of(Guid.NewGuid(), fact, hash => new EventMetadata(
            new EventActor("quinn", ["quality-engineer"], "*"), Clock.Now, Clock.Now, hash, Imported: IsImport)))
            .ToList();
        if (await Store.AppendAsync(stream, ExpectedRevision.At(revision), events, Ct) is not AppendResult.Appended)
            throw new InvalidOperationException($"{stream} was not written.");
    }

    /// <summary>Whether what is recorded from now on comes from an import.</summary>
    public bool IsImport { get; set; }

    /// <summary>Records facts and lets the read models follow.</summary>
    public async Task HappenAsync(Family family, Guid id, params object[] facts)
    {
        await RecordAsync(family, id, facts);
        await ProjectAsync();
    }

    /// <summary>Lets the read models follow the log to its end.</summary>
    public async Task ProjectAsync()
    {
        List<IncomingEvent> events = [];
        await foreach (var recorded in Store.ReadAllAsync(projectedTo, [], Ct))
        {
            projectedTo = recorded.Position;
            if (Families.Of(recorded.Stream) is not null) events.Add(EventEnvelope.Of(recorded).ToIncoming());
        }

        await ReadModelDatabase.ApplyAsync(projector, events, 50, Ct);
    }

    /// <summary>Begins with an empty database that has seen nothing of the log.</summary>
    public async Task LoseReadModelsAsync()
    {
        await Database.DisposeAsync();
        Database = await ReadModelDatabase.CreateAsync(Ct);
        projector = Database.Projector();
        projectedTo = LogPosition.Start;
    }

    /// <summary>A plan with one action of <c>oscar</c>.</summary>
    public Task PlanAsync(Guid actionId, DateOnly dueOn, string title = "Replace the rail") => HappenAsync(
        Families.ActionPlan, CapaId,
        new ActionPlanEvent.Opened("plant-1", "Bores too wide", "quinn", null, "It recurs.", null, null, false),
        new ActionPlanEvent.ActionPlanned(
            actionId, ActionKind.Corrective, title, "As said.", "oscar", dueOn, []));

    /// <summary>All escalations in the log, as level, urgency and superseding level.</summary>
    public async Task<List<EscalationEvent.Raised>> RaisedAsync()
    {
        List<EscalationEvent.Raised> raised = [];
        await foreach (var recorded in Store.ReadAllAsync(LogPosition.Start, [Families.Escalation.Prefix], Ct))
            raised.Add((EscalationEvent.Raised)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span));
        return raised;
    }

    /// <summary>The events of all notifications in the log.</summary>
    public async Task<List<(Guid Id, NotificationEvent Fact)>> NotificationsAsync()
    {
        List<(Guid, NotificationEvent)> all = [];
        await foreach (var recorded in Store.ReadAllAsync(LogPosition.Start, [Families.Notification.Prefix], Ct))
            all.Add((Families.Notification.IdOf(recorded.Stream),
                (NotificationEvent)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span)));
        return all;
    }

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
