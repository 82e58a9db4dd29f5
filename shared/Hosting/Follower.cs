using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CapaEngine.Hosting;

/// <summary>Where a follower's events end: reactions, or rows of a read model.</summary>
public interface IFollowerSink
{
    /// <summary>
    /// The positions whose effects are durable, by routing key; a key without one begins at the start of the log.
    /// Asked again whenever events are missing, because another process may have applied them.
    /// </summary>
    Task<IReadOnlyDictionary<string, ulong>> LoadPositionsAsync(CancellationToken ct);

    /// <summary>
    /// Makes the effects of the events durable, and the position <paramref name="through"/> with or after them. An
    /// event can come again. Whatever it throws, the same events are offered again until it succeeds.
    /// </summary>
    /// <param name="events">Of one routing key, in log order; none where only the position moved.</param>
    Task ApplyAsync(string routingKey, IReadOnlyList<IncomingEvent> events, ulong through, CancellationToken ct);

    /// <summary>Whether the sink begins the span of each event itself, because it treats them one by one.</summary>
    bool TracesEachEvent => false;
}

/// <summary>
/// Follows stream families: takes batches from the broker while nothing is missing, and reads from the log whatever
/// is. So the broker may lose every queue; it costs a read, not an event.
/// </summary>
public sealed class Follower(
    string name, IReadOnlyList<Family> families, IFollowerSink sink, IEventStore store, PipelineOptions options,
    TimeProvider clock, ILogger<Follower> logger) : BackgroundService
{
    private readonly ConcurrentDictionary<string, ulong> _positions = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _caughtUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Gate[] _partitions =
        [.. Enumerable.Range(0, options.PartitionCount).Select(_ => new Gate())];

    private readonly ConcurrentDictionary<int, Failure> _failures = new();
    private readonly KeyValuePair<string, object?> _tag = new("follower", name);

    // With another number of partitions the same routing key means other streams, so queues and positions are others.
    private readonly string _layout = options.PartitionCount == Partitions.CountDefault
        ? "" : string.Create(CultureInfo.InvariantCulture, $".of{options.PartitionCount}");

    /// <summary>What it is called in queues and metrics.</summary>
    public string Name { get; } = name;

    /// <summary>Whether it has read from the log what had happened before it started.</summary>
    public bool HasCaughtUp => _caughtUp.Task.IsCompletedSuccessfully;

    /// <summary>Since when a batch has been failing and why; null where nothing fails.</summary>
    public Failure? Failing => _failures.Values.MinBy(failure => failure.Since);

    /// <summary>The position reached, by routing key.</summary>
    public IReadOnlyDictionary<string, ulong> Positions => _positions;

    /// <summary>Its queues, one for each partition.</summary>
    internal IReadOnlyList<FollowerQueue> Queues => [.. Enumerable.Range(0, options.PartitionCount).Select(
        partition => new FollowerQueue(
            $"capa.{Name}.p{partition}{_layout}", partition,
            [.. families.Select(family => Partitions.RoutingKey(family.Name, partition))]))];

    /// <summary>Applies a batch; it returns, and so acknowledges, when the effects are durable.</summary>
    public async Task ConsumeAsync(int partition, string routingKey, EventBatch batch, CancellationToken ct)
    {
        // The stop of the process gives the batch back to the broker; it is nobody's error.
        try
        {
#pragma warning disable VSTHRD003 // Completed by this follower's own start.
            await _caughtUp.Task.WaitAsync(ct);
#pragma warning restore VSTHRD003
            using var turn = await _partitions[partition].EnterAsync(ct);
            await PersistAsync(partition, () => TakeAsync(partition, routingKey, batch, ct), ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw new OperationCanceledException(ct);
        }
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => StartAtTheLogAsync(stoppingToken);

    /// <summary>Reads from the log what had happened before; batches are taken from then on.</summary>
    internal async Task StartAtTheLogAsync(CancellationToken ct)
    {
        const int startUp = -1;
        await PersistAsync(startUp, () => CatchUpAsync(ct), ct);
        _caughtUp.SetResult();
        logger.LogInformation("{Follower} has caught up with the log.", Name);
    }

    // A failing sink is offered the same events again, with pauses: acknowledging or skipping would lose them.
    private async Task PersistAsync(int partition, Func<Task> attempt, CancellationToken ct)
    {
        var delays = new RetryDelays(options.RetryDelayMsMax);
        while (true)
        {
            try
            {
                await attempt();
                _failures.TryRemove(partition, out _);
                return;
            }
            catch (Exception failure) when (!ct.IsCancellationRequested)
            {
                PipelineTelemetry.Failures.Add(1, _tag);
                _failures.AddOrUpdate(
                    partition, _ => new Failure(clock.GetUtcNow(), failure.Message),
                    (_, first) => first with { Reason = failure.Message });
                logger.LogError(failure, "{Follower} could not apply events; it tries again.", Name);
                await delays.WaitAsync(clock, ct);
            }
        }
    }

    private async Task TakeAsync(int partition, string routingKey, EventBatch batch, CancellationToken ct)
    {
        if (families.FirstOrDefault(f => Partitions.RoutingKey(f.Name, partition) == routingKey) is not { } family)
        {
            logger.LogWarning("{Follower} does not follow {RoutingKey}.", Name, routingKey);
            return;
        }

        var key = KeyOf(family, partition);
        if (PositionOf(key) < batch.After) await LoadPositionsAsync(ct);
        if (PositionOf(key) < batch.After)
        {
            PipelineTelemetry.Gaps.Add(1, _tag);
            logger.LogInformation(
                "{Follower} reads {RoutingKey} from the log, after {Position} through {After}.",
                Name, key, PositionOf(key), batch.After);
            await ReadMissingAsync(family, partition, batch.After, ct);
        }

        var own = PositionOf(key);
        var events = batch.Events.Where(e => e.Position > own).Select(e => e.ToIncoming()).ToList();
        if (events.Count < batch.Events.Count)
            PipelineTelemetry.Duplicates.Add(batch.Events.Count - events.Count, _tag);
        if (batch.Through > own) await ApplyAsync(key, events, batch.Through, ct);
    }

    private async Task ReadMissingAsync(Family family, int partition, ulong through, CancellationToken ct)
    {
        var key = KeyOf(family, partition);
        var pending = new List<IncomingEvent>();
        await foreach (var recorded in store.ReadAllAsync(LogPosition.At(PositionOf(key)), [family.Prefix], ct))
        {
            if (recorded.Position.Commit > through) break;
            if (Partitions.Of(recorded.Stream, options.PartitionCount) != partition) continue;
            pending.Add(EventEnvelope.Of(recorded).ToIncoming());
            if (pending.Count < options.BatchEventsMax) continue;
            await ApplyAsync(key, pending, recorded.Position.Commit, ct);
            pending = [];
        }

        await ApplyAsync(key, pending, through, ct);
    }

    // One pass over the log for all routing keys: the start after a long absence, or ever.
    private async Task CatchUpAsync(CancellationToken ct)
    {
        await LoadPositionsAsync(ct);
        foreach (var family in families) BeginWhereOtherLayoutEnded(family);
        var keys = Enumerable.Range(0, options.PartitionCount)
            .SelectMany(partition => families.Select(family => KeyOf(family, partition))).ToList();
        var pending = keys.ToDictionary(key => key, _ => new List<IncomingEvent>());
        var (pendingCount, reached) = (0, keys.Min(PositionOf));
        var prefixes = families.Select(family => family.Prefix).ToList();
        await foreach (var recorded in store.ReadAllAsync(LogPosition.At(reached), prefixes, ct))
        {
            reached = recorded.Position.Commit;
            var partition = Partitions.Of(recorded.Stream, options.PartitionCount);
            var key = KeyOf(Families.Of(recorded.Stream)!, partition);
            if (reached <= PositionOf(key)) continue;
            pending[key].Add(EventEnvelope.Of(recorded).ToIncoming());
            if (++pendingCount < options.CatchUpEventsMax) continue;
            await ApplyAllAsync(pending, reached, ct);
            pendingCount = 0;
        }

        await ApplyAllAsync(pending, reached, ct);
    }

    private async Task ApplyAllAsync(
        Dictionary<string, List<IncomingEvent>> pending, ulong through, CancellationToken ct)
    {
        foreach (var (key, events) in pending)
        {
            if (PositionOf(key) < through) await ApplyAsync(key, events.ToList(), through, ct);
            events.Clear();
        }
    }

    private async Task ApplyAsync(
        string routingKey, List<IncomingEvent> events, ulong through, CancellationToken ct)
    {
        using var whole = PipelineTelemetry.BeginBatch(
            publishing: false, routingKey, events.Select(incoming => incoming.Metadata));
        List<Activity> spans = sink.TracesEachEvent ? []
            : [.. events.Select(incoming => PipelineTelemetry.BeginProcessing(Name, incoming)).OfType<Activity>()];
        Activity.Current = whole;
        try
        {
            await sink.ApplyAsync(routingKey, events, through, ct);
        }
        finally
        {
            foreach (var span in spans) span.Dispose();
            Activity.Current = whole;
        }

        _positions[routingKey] = through;
        var key = new KeyValuePair<string, object?>("routing_key", routingKey);
        var lag = events.Count == 0 ? 0 : (clock.GetUtcNow() - events[^1].Metadata.RecordedAt).TotalSeconds;
        PipelineTelemetry.FollowerPosition.Record((long)through, _tag, key);
        PipelineTelemetry.FollowerLag.Record(Math.Max(0, lag), _tag, key);
        PipelineTelemetry.EventsApplied.Add(events.Count, _tag);
    }

    private async Task LoadPositionsAsync(CancellationToken ct)
    {
        foreach (var (key, position) in await sink.LoadPositionsAsync(ct))
            _positions.AddOrUpdate(key, position, (_, own) => Math.Max(own, position));
    }

    // After a change of the number of partitions: what the slowest of the former ones had applied, all had.
    private void BeginWhereOtherLayoutEnded(Family family)
    {
        var own = Enumerable.Range(0, options.PartitionCount).Select(partition => KeyOf(family, partition)).ToList();
        if (own.Exists(_positions.ContainsKey)) return;
        var former = _positions.Where(position => position.Key.StartsWith($"{family.Name}.", StringComparison.Ordinal))
            .GroupBy(position => PartitionCountOf(position.Key), position => position.Value)
            .Where(layout => layout.Count() == layout.Key)
            .Select(layout => layout.Min()).DefaultIfEmpty().Max();
        foreach (var key in own.Where(_ => former > 0)) _positions[key] = former;
    }

    private static int PartitionCountOf(string key) => key.Split(".of") is [_, var count]
        ? int.Parse(count, CultureInfo.InvariantCulture) : Partitions.CountDefault;

    private string KeyOf(Family family, int partition) => Partitions.RoutingKey(family.Name, partition) + _layout;

    private ulong PositionOf(string routingKey) => _positions.GetValueOrDefault(routingKey);
}
