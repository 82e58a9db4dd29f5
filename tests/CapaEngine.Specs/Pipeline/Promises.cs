using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Intake;

namespace CapaEngine.Specs.Pipeline;

/// <summary>What must hold at every moment of a simulated world, held against it as things happen.</summary>
internal sealed class Promises
{
    private readonly SimulatedLog log;
    private readonly SimulatedDatabase database;
    private readonly int partitionCount;
    private readonly Dictionary<string, SortedSet<ulong>> unpublished = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> published = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<RecordedEvent>> withoutRow = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ulong> checkpoints = new(StringComparer.Ordinal);
    private readonly HashSet<Guid> caused = [];

    public Promises(
        SimulatedLog log, SimulatedBroker broker, SimulatedDatabase database, SimulatedClients clients,
        int partitionCount)
    {
        (this.log, this.database, this.partitionCount) = (log, database, partitionCount);
        log.Written = Written;
        broker.Taken = Taken;
        database.Committed = Committed;
        clients.Answered = Answered;
    }

    /// <summary>Reactions that were set aside at some time.</summary>
    public Dictionary<Guid, ParkingEvent.Parked> Parked { get; } = [];

    /// <summary>Reactions that are set aside now.</summary>
    public HashSet<Guid> StillParked { get; } = [];

    /// <summary>The last event of each routing key, as followers name it, and the service that relays it.</summary>
    public Dictionary<string, (string Service, ulong Position)> LastOfKeys { get; } = new(StringComparer.Ordinal);

    /// <summary>Every event of a service has been published, as far as its relay's checkpoint says.</summary>
    public ulong CheckpointOf(string service) => checkpoints.GetValueOrDefault($"relay-{service}");

    private void Written(RecordedEvent recorded)
    {
        if (Families.Of(recorded.Stream) is { } family)
        {
            if (family.Owner is ServiceNames.Nonconformities or ServiceNames.ActionPlans)
            {
                Of(unpublished, family.Owner).Add(recorded.Position.Commit);
                var key = KeyOf(recorded);
                LastOfKeys[key] = (family.Owner, recorded.Position.Commit);
                Of(withoutRow, key).Add(recorded);
            }

            if (family == Families.RootCause)
                caused.Add(Guid.Parse(EventCatalog.Metadata(recorded.Metadata.Span).CausationId!));
            return;
        }

        switch (EventCatalog.Deserialize(recorded.Type, recorded.Data.Span))
        {
            case CheckpointEvent.Relay relay: RelayCheckpoint(recorded.Stream, relay); break;
            case CheckpointEvent.Follower { Positions: var positions } when recorded.Stream == "follower-root-causes":
                foreach (var position in positions) ReactedThrough(position);
                break;
            case ParkingEvent.Parked parked:
                Parked[parked.EventId] = parked;
                StillParked.Add(parked.EventId);
                break;
            case ParkingEvent.Released released: StillParked.Remove(released.EventId); break;
        }
    }

    private void RelayCheckpoint(string stream, CheckpointEvent.Relay relay)
    {
        var service = stream["relay-".Length..];
        if (Of(unpublished, service) is { Count: > 0 } left && left.Min <= relay.Commit)
            throw new PromiseBrokenException(
                "relay-checkpoint", $"{service} says {relay.Commit}, but {left.Min} was never published.");
        if (relay.Commit < checkpoints.GetValueOrDefault(stream))
            throw new PromiseBrokenException(
                "checkpoint-goes-forward", $"{service} goes back to {relay.Commit} from {checkpoints[stream]}.");
        checkpoints[stream] = relay.Commit;
    }

    private void ReactedThrough(FollowerPosition position)
    {
        foreach (var recorded in log.Events)
        {
            if (recorded.Position.Commit > position.Position) break;
            if (Families.Of(recorded.Stream) != Families.ActionPlan || KeyOf(recorded) != position.RoutingKey) continue;
            if (!caused.Contains(recorded.Id) && !Parked.ContainsKey(recorded.Id))
                throw new PromiseBrokenException(
                    "follower-checkpoint",
                    $"{position.RoutingKey} says {position.Position}; nobody reacted to {recorded.Position.Commit}.");
        }
    }

    private void Taken(EventBatch batch)
    {
        foreach (var envelope in batch.Events)
        {
            var last = published.GetValueOrDefault(envelope.Stream, -1);
            if (envelope.Revision > last + 1)
                throw new PromiseBrokenException(
                    "publish-order", $"{envelope.Stream} {envelope.Revision} was published right after {last}.");
            published[envelope.Stream] = Math.Max(last, envelope.Revision);
            Of(unpublished, Families.Of(envelope.Stream)!.Owner).Remove(envelope.Position);
        }
    }

    private void Committed(string routingKey, ulong through)
    {
        var waiting = Of(withoutRow, routingKey);
        foreach (var recorded in waiting.TakeWhile(recorded => recorded.Position.Commit <= through))
        {
            if (database.Parked.TryGetValue(recorded.Stream, out var parked) && parked.Revision <= recorded.Revision)
                continue;
            var row = database.Rows.GetValueOrDefault(recorded.Stream) ?? [];
            if (row.Count <= recorded.Revision || row[(int)recorded.Revision].EventId != recorded.Id)
                throw new PromiseBrokenException(
                    "rows-with-position",
                    $"{routingKey} is at {through}, but the row of {recorded.Stream} has no {recorded.Revision}.");
        }

        waiting.RemoveAll(recorded => recorded.Position.Commit <= through);
    }

    private void Answered(SentMessage message, Receipt receipt)
    {
        var first = log.Read(message.Machine.Stream, 0, long.MaxValue)
            .Find(recorded => IntakeLog.PayloadHashOf(recorded) == message.Machine.PayloadHash);
        var isTrue = first is not null && first.Position.Commit == receipt.Position
            && (receipt.Outcome == IntakeOutcome.Conflict) == (first.Revision > 0);
        if (!isTrue)
            throw new PromiseBrokenException(
                "receipt-is-true", $"{message.Number}.{message.Variant} was answered {receipt.Outcome} at "
                    + $"{receipt.Position}; the log has it at {first?.Position.Commit}.");
    }

    private string KeyOf(RecordedEvent recorded) =>
        Partitions.RoutingKey(Families.Of(recorded.Stream)!.Name, Partitions.Of(recorded.Stream, partitionCount))
        + $".of{partitionCount}";

    private static TValue Of<TValue>(Dictionary<string, TValue> all, string key) where TValue : new() =>
        all.TryGetValue(key, out var value) ? value : all[key] = new TValue();
}
