using System.Diagnostics;
using System.Threading.Channels;
using CapaEngine.EventLog.Reading;

namespace CapaEngine.EventLog.Writing;

/// <summary>
/// The only writer while its epoch lasts. It takes what has gathered in the queue, decides it against the streams'
/// heads, writes it in one transaction and only then answers. Any failure ends it: what was in the transaction is of
/// unknown outcome, and its successor reads everything again from the database.
/// </summary>
internal sealed class Writer(
    long epoch, WriterTables tables, LogTail tail, LimitsOfStreams limits, TimeProvider clock, Telemetry telemetry)
{
    private const int QueuedMax = 20_000;
    private const int BatchEventsMax = 4_000;
    private const int BatchBytesMax = 8 * 1024 * 1024;
    private const int HeadsPerGeneration = 50_000;

    private readonly Judge _judge = new(tables);
    private readonly StreamHeads _heads = new(HeadsPerGeneration);

    private readonly Channel<AppendRequest> _queue = Channel.CreateBounded<AppendRequest>(
        new BoundedChannelOptions(QueuedMax) { SingleReader = true });

    /// <summary>Waits for room in the queue; a request that comes too late is answered as not ready.</summary>
    public async ValueTask SubmitAsync(AppendRequest request, CancellationToken ct)
    {
        try
        {
            await _queue.Writer.WriteAsync(request, ct);
        }
        catch (ChannelClosedException)
        {
            request.Answer(new WriteOutcome.NotReady());
        }
    }

    /// <summary>Writes until it is cancelled or fails. Afterwards every request it took has been answered.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (await _queue.Reader.WaitToReadAsync(ct))
            {
                await WriteAsync(TakeBatch(), ct);
            }
        }
        finally
        {
            _queue.Writer.TryComplete();
            while (_queue.Reader.TryRead(out var request))
            {
                request.Answer(new WriteOutcome.NotReady());
            }
        }
    }

    private List<AppendRequest> TakeBatch()
    {
        var (batch, events, bytes) = (new List<AppendRequest>(), 0, 0);
        while (events < BatchEventsMax && bytes < BatchBytesMax && _queue.Reader.TryRead(out var request))
        {
            if (clock.GetTimestamp() > request.ExpiresAt)
            {
                request.Answer(new WriteOutcome.TimedOut());
                continue;
            }

            batch.Add(request);
            events += request.Events.Count + 1;
            bytes += request.Events.Sum(e => e.Bytes);
        }

        return batch;
    }

    private async Task WriteAsync(List<AppendRequest> requests, CancellationToken ct)
    {
        var answered = false;
        try
        {
            var started = Stopwatch.GetTimestamp();
            await LoadHeadsAsync(requests, ct);
            var batch = new WriteBatch(tail.Head, clock.GetUtcNow());
            var outcomes = new List<WriteOutcome>(requests.Count);
            foreach (var request in requests)
            {
                outcomes.Add(await DecideAsync(request, batch, ct));
            }

            await CommitAsync(batch, ct);
            answered = true;
            for (var i = 0; i < requests.Count; i++)
            {
                requests[i].Answer(outcomes[i]);
            }

            telemetry.Wrote(requests.Count, batch.Events.Count, Stopwatch.GetElapsedTime(started));
        }
        finally
        {
            if (!answered)
            {
                requests.ForEach(request => request.Answer(new WriteOutcome.TimedOut()));
            }
        }
    }

    private async Task<WriteOutcome> DecideAsync(AppendRequest request, WriteBatch batch, CancellationToken ct)
    {
        var head = HeadOf(request.Stream);
        var limit = limits.Find(request.Stream);
        if (await _judge.DecideAsync(request, head, limit, ct) is { } settled)
        {
            return settled;
        }

        switch (request.Kind)
        {
            case WriteKind.Tombstone:
                batch.AddTombstone(request.Stream, head);
                break;
            case WriteKind.Delete:
                await TruncateAsync(request.Stream, long.MaxValue, batch, ct);
                return new WriteOutcome.Written(head.Last, batch.LastPosition);
            default:
                if (limit is { IsDeleted: true } && request.Events.Count > 0)
                {
                    await TruncateAsync(request.Stream, head.Last + 1, batch, ct);
                }

                foreach (var e in request.Events)
                {
                    batch.Add(request.Stream, head, e);
                }

                break;
        }

        return new WriteOutcome.Written(head.Last, request is { Kind: WriteKind.Append, Events.Count: 0 }
            ? null
            : head.LastPosition);
    }

    /// <summary>Deleting softly, and writing to what was deleted, are both events of the metadata stream.</summary>
    private async Task TruncateAsync(string stream, long before, WriteBatch batch, CancellationToken ct)
    {
        var metadataStream = SystemNames.MetadataStreamOf(stream);
        await LoadHeadsAsync([metadataStream], ct);
        var head = HeadOf(metadataStream);
        var current = head.Uncommitted.Count > 0
            ? head.Uncommitted[^1].Data
            : await tables.DataAsync(metadataStream, head.Last, ct);
        var data = StreamLimits.WithTruncateBefore(current, before);
        batch.Add(metadataStream, head, new ProposedEvent(
            Guid.NewGuid(), SystemNames.MetadataType, IsJson: true, data, default));
    }

    private async Task CommitAsync(WriteBatch batch, CancellationToken ct)
    {
        if (batch.Events.Count == 0)
        {
            return;
        }

        if (!await tables.WriteAsync(epoch, batch.Events, batch.Limits, ct))
        {
            throw new InvalidOperationException($"Epoch {epoch} is over: another node writes.");
        }

        limits.Apply(batch.Limits, batch.AccessDefaults);
        foreach (var head in batch.Heads)
        {
            head.Committed();
        }

        tail.Append(batch.Events);
    }

    private StreamHead HeadOf(string stream)
    {
        if (!_heads.TryGet(stream, out var head))
        {
            head = new StreamHead();
            _heads.Add(stream, head);
        }

        return head;
    }

    private Task LoadHeadsAsync(List<AppendRequest> requests, CancellationToken ct) =>
        LoadHeadsAsync(requests.Select(request => request.Stream), ct);

    private async Task LoadHeadsAsync(IEnumerable<string> streams, CancellationToken ct)
    {
        var unknown = streams.Where(stream => !_heads.TryGet(stream, out _)).Distinct(StringComparer.Ordinal).ToArray();
        if (unknown.Length > 0)
        {
            foreach (var (stream, head) in await tables.HeadsAsync(unknown, ct))
            {
                _heads.Add(stream, head);
            }
        }
    }
}
