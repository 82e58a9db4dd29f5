using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Hosting;

/// <summary>A batch on its way: unconfirmed until the buffer is told.</summary>
internal sealed record OutgoingBatch(string RoutingKey, EventBatch Batch);

/// <summary>
/// What a relay has read and the broker has not confirmed yet. One lane for each routing key; of a partition one
/// batch is on its way at a time, so events of a stream never overtake each other.
/// </summary>
internal sealed class RelayBuffer
{
    private readonly Lock _gate = new();
    private readonly PipelineOptions _options;
    private readonly TimeProvider _clock;
    private readonly Lane[][] _lanes;
    private readonly Signal[] _work;
    private readonly Signal _room = new();
    private LogPosition _read;
    private ulong _lastConfirmedEvent;
    private int _events;
    private long _bytes;

    public RelayBuffer(
        IReadOnlyList<Family> families, LogPosition start, PipelineOptions options, TimeProvider clock)
    {
        (_options, _clock, _read) = (options, clock, start);
        _lanes = [.. Enumerable.Range(0, options.PartitionCount).Select(partition =>
            families.Select(family => new Lane(family, partition, start.Commit, options.RetryDelayMsMax)).ToArray())];
        _work = [.. _lanes.Select(_ => new Signal())];
    }

    /// <summary>Adds the next event of the log; waits while the buffer is full.</summary>
    public async ValueTask AddAsync(RecordedEvent recorded, CancellationToken ct)
    {
        // Reading the metadata takes longer than everything that happens within the lock.
        var envelope = EventEnvelope.Of(recorded);
        while (true)
        {
            lock (_gate)
            {
                if (_events < _options.BufferedEventsMax && _bytes < _options.BufferedBytesMax)
                {
                    Add(recorded, envelope);
                    return;
                }
            }

            await _room.WaitAsync(Timeout.InfiniteTimeSpan, _clock, ct);
        }
    }

    /// <summary>Notes that the log has no further events of ours up to here.</summary>
    public void Advance(LogPosition position)
    {
        lock (_gate)
        {
            if (position > _read) _read = position;
        }
    }

    /// <summary>Everything up to here is confirmed.</summary>
    public LogPosition Confirmed
    {
        get
        {
            lock (_gate)
            {
                return Oldest()?.Before ?? _read;
            }
        }
    }

    /// <summary>The position of the last event of ours that is confirmed.</summary>
    public ulong LastConfirmedEvent => Volatile.Read(ref _lastConfirmedEvent);

    /// <summary>The failure of the lane that has been failing longest, or null.</summary>
    public Failure? Failing
    {
        get
        {
            lock (_gate)
            {
                return _lanes.SelectMany(lanes => lanes).Select(lane => lane.Failing).OfType<Failure>()
                    .MinBy(failure => failure.Since);
            }
        }
    }

    /// <summary>When the oldest unconfirmed event was appended; null when there is none.</summary>
    public DateTimeOffset? OldestCreated
    {
        get
        {
            lock (_gate)
            {
                return Oldest()?.Created;
            }
        }
    }

    /// <summary>What the partition publishes next, or null where it can only wait.</summary>
    public OutgoingBatch? Next(int partition)
    {
        lock (_gate)
        {
            var now = _clock.GetTimestamp();
            var due = _lanes[partition].Where(lane => lane.RetryAt <= now);
            var silent = due.FirstOrDefault(lane => lane.Waiting.Count == 0 && HeartbeatDue(lane) <= now);
            if (silent is not null)
                return new OutgoingBatch(silent.Key, new EventBatch(partition, silent.Through, _read.Commit, []));
            var lane = due.Where(lane => lane.Waiting.Count > 0).MinBy(lane => lane.Waiting.Peek().Envelope.Position);
            if (lane is null) return null;
            var events = Gather(lane);
            return new OutgoingBatch(lane.Key, new EventBatch(partition, lane.Through, events[^1].Position, events));
        }
    }

    /// <summary>Waits until the partition may have something to publish.</summary>
    public async Task WaitForWorkAsync(int partition, CancellationToken ct)
    {
        TimeSpan wait;
        lock (_gate)
        {
            var now = _clock.GetTimestamp();
            var next = _lanes[partition].Min(lane =>
                Math.Max(lane.RetryAt, lane.Waiting.Count > 0 ? 0 : HeartbeatDue(lane)));
            wait = next <= now ? TimeSpan.Zero : _clock.GetElapsedTime(now, next);
        }

        if (wait > TimeSpan.Zero) await _work[partition].WaitAsync(wait + TimeSpan.FromMilliseconds(1), _clock, ct);
    }

    /// <summary>The broker has the batch.</summary>
    public void Confirm(OutgoingBatch batch)
    {
        lock (_gate)
        {
            var lane = LaneOf(batch);
            for (var i = 0; i < batch.Batch.Events.Count; i++)
            {
                _bytes -= lane.Waiting.Dequeue().Bytes;
                _events--;
            }

            if (batch.Batch.Events.Count > 0)
                _lastConfirmedEvent = Math.Max(_lastConfirmedEvent, batch.Batch.Through);
            lane.Through = batch.Batch.Through;
            lane.Failing = null;
            lane.SpokeAt = _clock.GetTimestamp();
            lane.Delays.Reset();
            _room.Set();
        }
    }

    /// <summary>Nobody knows that the batch arrived; its lane pauses, then offers the same events again.</summary>
    public void Retry(OutgoingBatch batch, string reason)
    {
        lock (_gate)
        {
            var lane = LaneOf(batch);
            lane.Failing = new Failure(lane.Failing?.Since ?? _clock.GetUtcNow(), reason);
            lane.RetryAt = _clock.GetTimestamp() + (long)(lane.Delays.Next().TotalSeconds * _clock.TimestampFrequency);
        }
    }

    private void Add(RecordedEvent recorded, EventEnvelope envelope)
    {
        var partition = Partitions.Of(recorded.Stream, _options.PartitionCount);
        var lane = Array.Find(
            _lanes[partition], lane => recorded.Stream.StartsWith(lane.Family.Prefix, StringComparison.Ordinal))!;
        var bytes = recorded.Data.Length + (2 * recorded.Metadata.Length) + recorded.Stream.Length;
        lane.Waiting.Enqueue(new Waiting(envelope, _read, recorded.Created, bytes));
        _read = recorded.Position;
        _events++;
        _bytes += bytes;
        _work[partition].Set();
    }

    private List<EventEnvelope> Gather(Lane lane)
    {
        var events = new List<EventEnvelope>();
        var bytes = 0;
        foreach (var waiting in lane.Waiting)
        {
            bytes += waiting.Bytes;
            if (events.Count == _options.BatchEventsMax || (events.Count > 0 && bytes > _options.BatchBytesMax)) break;
            events.Add(waiting.Envelope);
        }

        return events;
    }

    private Waiting? Oldest() => _lanes.SelectMany(lanes => lanes).Where(lane => lane.Waiting.Count > 0)
        .Select(lane => lane.Waiting.Peek()).MinBy(waiting => waiting.Envelope.Position);

    private long HeartbeatDue(Lane lane) => lane.SpokeAt is not { } spokeAt ? 0
        : spokeAt + (_options.HeartbeatPeriodMs * _clock.TimestampFrequency / 1_000);

    private Lane LaneOf(OutgoingBatch batch) =>
        _lanes[batch.Batch.Partition].First(lane => lane.Key == batch.RoutingKey);

    private sealed record Waiting(EventEnvelope Envelope, LogPosition Before, DateTimeOffset Created, int Bytes);

    private sealed class Lane(Family family, int partition, ulong start, int retryDelayMsMax)
    {
        public Family Family { get; } = family;
        public string Key { get; } = Partitions.RoutingKey(family.Name, partition);
        public Queue<Waiting> Waiting { get; } = new();
        public ulong Through { get; set; } = start;
        public long? SpokeAt { get; set; }
        public long RetryAt { get; set; }
        public Failure? Failing { get; set; }
        public RetryDelays Delays { get; } = new(retryDelayMsMax);
    }
}
