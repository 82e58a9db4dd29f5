using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.ReadModels;
using Microsoft.Extensions.Logging.Abstractions;

namespace CapaEngine.Integration.ReadModels;

/// <summary>A process of the read models: what it remembers of positions and parked streams is its own.</summary>
/// <param name="stranger">A stored type that this process does not know, as one of an old version would not.</param>
internal sealed class ParkedProcess(ReadModelDatabase database, IEventStore store, string? stranger = null)
{
    private readonly ParkedStreams parked = new(
        new PostgresTables(database.Source), NullLogger<ParkedStreams>.Instance);
    private Projector? projector;
    private ParkedStreamsReplay? replay;

    /// <summary>Its projector.</summary>
    public Projector Projector => projector ??= new Projector(
        new PostgresTables(database.Source), Projections.All, parked, NullLogger<Projector>.Instance);

    /// <summary>Its list of what is parked, and the replay of it.</summary>
    public ParkedStreamsReplay Replay => replay ??= new ParkedStreamsReplay(
        database.Source, parked, Projector, store, NullLogger<ParkedStreamsReplay>.Instance);

    /// <summary>Appends facts to the end of a stream.</summary>
    public static async Task AppendAsync(
        IEventStore store, string stream, CancellationToken ct, params IEnumerable<object> facts)
    {
        var last = -1L;
        await foreach (var recorded in store.ReadStreamBackwardsAsync(stream, 1, ct)) last = recorded.Revision;
        var events = facts.Select(fact => NewEvent.Of(Guid.NewGuid(), fact, hash => new EventMetadata(
            new EventActor("quinn", [], "*"), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, hash))).ToList();
        await store.AppendAsync(stream, ExpectedRevision.At(last), events, ct);
    }

    /// <summary>Projects what lies in the log between two positions, as one batch for each routing key.</summary>
    /// <returns>The end of the log.</returns>
    public async Task<ulong> FollowAsync(CancellationToken ct, ulong after = 0, ulong through = ulong.MaxValue)
    {
        List<IncomingEvent> events = [];
        await foreach (var recorded in store.ReadAllAsync(LogPosition.At(after), [], ct))
            if (recorded.Position.Commit <= through) events.Add(Received(recorded));
        foreach (var key in events.GroupBy(ReadModelDatabase.RoutingKey))
            await Projector.ApplyAsync(key.Key, [.. key], key.Max(incoming => incoming.Position.Commit), ct);
        return events.Count == 0 ? after : events.Max(incoming => incoming.Position.Commit);
    }

    private IncomingEvent Received(RecordedEvent recorded)
    {
        var incoming = EventEnvelope.Of(recorded).ToIncoming();
        return recorded.Type == stranger
            ? incoming with { Fact = new UnknownFact(recorded.Type, recorded.Data, "unknown-event-type") } : incoming;
    }
}
