using System.Diagnostics;
using System.Threading.Channels;
using CapaEngine.EventLog.Reading;

namespace CapaEngine.EventLog.Writing;

/// <summary>
/// The only writer while its epoch lasts. It decides what gathers in the queue against the streams' heads, writes it in
/// one transaction and only then answers; while a transaction is under way it decides for the next one. Any failure
/// ends it: what was in a transaction is of unknown outcome, and its successor reads everything from the database.
/// </summary>
internal sealed class Writer(
    long epoch, WriterTables tables, LogTail tail, LimitsOfStreams limits, TimeProvider clock, Telemetry telemetry)
{
    private const int QueuedMax = 20_000;
    private const int HeadsPerGeneration = 50_000;

    private readonly Judge _judge = new(tables);
    private readonly StreamHeads _heads = new(HeadsPerGeneration);

    private readonly Channel<AppendRequest> _queue = Channel.CreateBounded<AppendRequest>(
        new BoundedChannelOptions(QueuedMax) { SingleReader = true });

    // The batch before the one that is being gathered; it is being written, or was.
    private WriteBatch _before = new(tail.Head, clock.GetUtcNow());
    private Task<bool>? _more;

    /// <summary>
    /// Waits for room in the queue. A request that comes too late, or whose caller stops waiting, is answered as not
    /// ready: whoever counts its unanswered requests would wait for this one for ever.
    /// </summary>
    public async ValueTask SubmitAsync(AppendRequest request, CancellationToken ct)
    {
        try
        {
            await _queue.Writer.WriteAsync(request, ct);
        }
        catch (Exception ended) when (ended is ChannelClosedException or OperationCanceledException)
        {
            request.Answer(new WriteOutcome.NotReady());
            ct.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Writes until it is cancelled or fails. Afterwards every request it took has been answered.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var (writing, gathered) = (Task.CompletedTask, _before);
        try
        {
            while (true)
            {
                gathered = new WriteBatch(_before.LastPosition, clock.GetUtcNow());
                await GatherAsync(gathered, writing, ct);
                await writing;
                foreach (var head in _before.Heads)
                {
                    head.Committed(_before.LastPosition);
                }

                _before = gathered;
                writing = WriteAsync(gathered, ct);
            }
        }
        finally
        {
            _queue.Writer.TryComplete();
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            gathered.Abandon();
            while (_queue.Reader.TryRead(out var request))
            {
                request.Answer(new WriteOutcome.NotReady());
            }
        }
    }

    /// <summary>
    /// Decides what comes while the batch before is being written: at least one request, and all until that is done.
    /// </summary>
    private async Task GatherAsync(WriteBatch batch, Task writing, CancellationToken ct)
    {
        while (!batch.IsFull)
        {
            var more = _more ??= _queue.Reader.WaitToReadAsync(ct).AsTask();
            if (!more.IsCompleted)
            {
                if (!writing.IsCompleted)
                {
                    await Task.WhenAny(more, writing);
                    continue;
                }

                // Nobody else is there, or the batch before has failed: then this one must not wait for more.
                if (!batch.IsEmpty || !writing.IsCompletedSuccessfully)
                {
                    return;
                }
            }

            await more;
            _more = null;
            await TakeAsync(batch, ct);
        }
    }

    private async Task TakeAsync(WriteBatch batch, CancellationToken ct)
    {
        var requests = new List<AppendRequest>();
        while (!batch.IsFull && _queue.Reader.TryRead(out var request))
        {
            if (clock.GetTimestamp() > request.ExpiresAt)
            {
                request.Answer(new WriteOutcome.TimedOut());
                continue;
            }

            batch.Take(request);
            requests.Add(request);
        }

        await LoadHeadsAsync(requests, ct);
        foreach (var request in requests)
        {
            batch.Settle(await DecideAsync(request, batch, ct));
        }
    }

    private async Task WriteAsync(WriteBatch batch, CancellationToken ct)
    {
        try
        {
            var started = Stopwatch.GetTimestamp();
            if (batch.Events.Count > 0)
            {
                if (!await tables.WriteAsync(epoch, batch.Events, batch.Limits, ct))
                {
                    throw new InvalidOperationException($"Epoch {epoch} is over: another node writes.");
                }

                limits.Apply(batch.Limits, batch.AccessDefaults);
                tail.Append(batch.Events);
            }

            batch.Answer();
            telemetry.Wrote(batch.Requests, batch.Events.Count, Stopwatch.GetElapsedTime(started));
        }
        finally
        {
            batch.Abandon();
        }
    }

    private async Task<WriteOutcome> DecideAsync(AppendRequest request, WriteBatch batch, CancellationToken ct)
    {
        var head = HeadOf(request.Stream);
        var limit = MetadataOf(request.Stream, batch);
        var owner = SystemNames.StreamOfMetadata(request.Stream);
        if (owner is not null && HeadOf(owner).IsTombstoned)
        {
            return new WriteOutcome.StreamDeleted();
        }

        if (await _judge.DecideAsync(request, head, limit, ct) is { } settled)
        {
            return settled;
        }

        switch (request.Kind)
        {
            case WriteKind.Tombstone:
                batch.AddTombstone(request.Stream, head);
                return new WriteOutcome.Written(head.Last, head.LastPosition);
            case WriteKind.Delete:
                await WriteMetadataAsync(request.Stream, StreamLimits.Deleted, batch, ct);
                return new WriteOutcome.Written(head.Last, batch.LastPosition);
            default:
                return await AppendAsync(request, head, limit is { IsDeleted: true }, batch, ct);
        }
    }

    private async Task<WriteOutcome> AppendAsync(
        AppendRequest request, StreamHead head, bool isDeleted, WriteBatch batch, CancellationToken ct)
    {
        var owner = SystemNames.StreamOfMetadata(request.Stream);
        var ownerIsDeleted = owner is not null && IsDeleted(owner, batch);
        if (isDeleted)
        {
            await CreateAnewAsync(request.Stream, batch, ct);
        }

        foreach (var e in request.Events)
        {
            batch.Add(request.Stream, head, e);
        }

        var written = new WriteOutcome.Written(head.Last, request.Events.Count > 0 ? head.LastPosition : null);
        if (ownerIsDeleted && !IsDeleted(owner!, batch))
        {
            // New metadata of a deleted stream must not bring its events back.
            await CreateAnewAsync(owner!, batch, ct);
        }

        return written;
    }

    private bool IsDeleted(string stream, WriteBatch batch) =>
        MetadataOf(stream, batch) is { IsDeleted: true };

    // What is about to be written to a stream holds for what follows.
    private StreamLimits? MetadataOf(string stream, WriteBatch batch) =>
        batch.Limits.GetValueOrDefault(stream) ?? _before.Limits.GetValueOrDefault(stream)
        ?? limits.MetadataOf(stream);

    /// <summary>What was deleted stays hidden; what comes is seen.</summary>
    private Task CreateAnewAsync(string stream, WriteBatch batch, CancellationToken ct)
    {
        var next = HeadOf(stream).Last + 1;
        return WriteMetadataAsync(stream, current => StreamLimits.WithTruncateBefore(current, next), batch, ct);
    }

    /// <summary>Deleting softly, and creating anew, are events of the metadata stream.</summary>
    private async Task WriteMetadataAsync(
        string stream, Func<ReadOnlyMemory<byte>, byte[]> change, WriteBatch batch, CancellationToken ct)
    {
        var metadataStream = SystemNames.MetadataStreamOf(stream);
        await LoadHeadsAsync([metadataStream], ct);
        var head = HeadOf(metadataStream);
        var current = head.Uncommitted.Count > 0
            ? head.Uncommitted[^1].Data
            : await tables.DataAsync(metadataStream, head.Last, ct);
        batch.Add(metadataStream, head, new ProposedEvent(
            Guid.NewGuid(), SystemNames.MetadataType, IsJson: true, change(current), default));
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

    // Whether metadata may be written depends on the stream that they belong to.
    private Task LoadHeadsAsync(List<AppendRequest> requests, CancellationToken ct) =>
        LoadHeadsAsync(
            requests.Select(request => request.Stream)
                .Concat(requests.Select(request => SystemNames.StreamOfMetadata(request.Stream)).OfType<string>()), ct);

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
