using System.Runtime.CompilerServices;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using ReadDirection = CapaEngine.EventStore.Protocol.ReadReq.Types.Options.Types.ReadDirection;
using ReadOptions = CapaEngine.EventStore.Protocol.ReadReq.Types.Options;
using RecordedEvent = CapaEngine.Kernel.RecordedEvent;

namespace CapaEngine.EventStore;

/// <summary>How the store is read and followed.</summary>
public sealed partial class EventStoreClient
{
    // How many events the store considers before it tells a filtered subscription how far it has come.
    private const uint CheckpointEvery = 500;

    private const string TombstoneType = "$streamDeleted";

    /// <inheritdoc/>
    public async IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
        string stream, long fromRevision, long countMax, [EnumeratorCancellation] CancellationToken ct)
    {
        using var activity = Start("read", stream);
        var (next, left) = (fromRevision, countMax);
        ReadReq Request() => Read(new ReadOptions
        {
            Stream = new() { StreamIdentifier = Wire.Stream(stream), Revision = (ulong)next },
            Count = (ulong)left,
            NoFilter = new(),
        });

        await foreach (var e in EventsAsync(Request, countMax, ct))
        {
            (next, left) = (e.Revision + 1, left - 1);
            yield return e;
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<RecordedEvent> ReadStreamBackwardsAsync(
        string stream, long countMax, CancellationToken ct) =>
        ReadStreamBackwardsAsync(stream, long.MaxValue, countMax, ct);

    /// <inheritdoc/>
    public IAsyncEnumerable<RecordedEvent> ReadAllAsync(
        LogPosition after, IReadOnlyList<string> streamPrefixes, CancellationToken ct) =>
        ReadAllAsync(after, LogFilter.Streams(streamPrefixes), ct);

    /// <inheritdoc/>
    public IAsyncEnumerable<LogMessage> SubscribeToAllAsync(
        LogPosition after, IReadOnlyList<string> streamPrefixes, CancellationToken ct) =>
        SubscribeToAllAsync(after, LogFilter.Streams(streamPrefixes), ct);

    /// <summary>Reads a stream backwards, beginning with <paramref name="fromRevision"/> or the last event.</summary>
    public async IAsyncEnumerable<RecordedEvent> ReadStreamBackwardsAsync(
        string stream, long fromRevision, long countMax, [EnumeratorCancellation] CancellationToken ct)
    {
        using var activity = Start("read", stream);
        var from = new ReadOptions.Types.StreamOptions { StreamIdentifier = Wire.Stream(stream), End = new() };
        if (fromRevision < long.MaxValue)
        {
            from.Revision = (ulong)fromRevision;
        }

        var left = countMax;
        ReadReq Request() => Read(new ReadOptions
        {
            Stream = from,
            ReadDirection = ReadDirection.Backwards,
            Count = (ulong)left,
            NoFilter = new(),
        });

        await foreach (var e in EventsAsync(Request, countMax, ct))
        {
            yield return e;
            if (e.Revision == 0)
            {
                yield break;
            }

            from.Revision = (ulong)(e.Revision - 1);
            left--;
        }
    }

    /// <summary>Reads the events after a position (exclusive) up to the end of the log.</summary>
    public async IAsyncEnumerable<RecordedEvent> ReadAllAsync(
        LogPosition after, LogFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        using var activity = Start("read", "$all");
        var cursor = after;
        ReadReq Request() => Read(filter.ApplyTo(
            new ReadOptions { All = From(cursor), Count = ulong.MaxValue }, CheckpointEvery));

        await foreach (var e in EventsAsync(Request, long.MaxValue, ct))
        {
            // On the wire a read includes the event at its position; here the position has been dealt with.
            if (e.Position > cursor || cursor == LogPosition.Start)
            {
                cursor = e.Position;
                yield return e;
            }
        }
    }

    /// <summary>Reads the last events before a position (exclusive), or of the whole log, newest first.</summary>
    public async IAsyncEnumerable<RecordedEvent> ReadAllBackwardsAsync(
        LogPosition? before, LogFilter filter, long countMax, [EnumeratorCancellation] CancellationToken ct)
    {
        using var activity = Start("read", "$all");
        var from = before is { } position ? From(position) : new ReadOptions.Types.AllOptions { End = new() };
        var left = countMax;
        ReadReq Request() => Read(filter.ApplyTo(
            new ReadOptions { All = from, ReadDirection = ReadDirection.Backwards, Count = (ulong)left },
            CheckpointEvery));

        await foreach (var e in EventsAsync(Request, countMax, ct))
        {
            // A position lies before its own event, so what is read next backwards begins before it.
            (from, left) = (From(e.Position), left - 1);
            yield return e;
        }
    }

    /// <summary>
    /// Follows the log for ever, from after a position (exclusive). Reconnects by itself from the last event or
    /// checkpoint it delivered; neither skips nor repeats.
    /// </summary>
    public async IAsyncEnumerable<LogMessage> SubscribeToAllAsync(
        LogPosition after, LogFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        var cursor = after;
        ReadReq Request() => Read(filter.ApplyTo(
            new ReadOptions { All = From(cursor), Subscription = new() }, CheckpointEvery));

        await foreach (var message in _reader.FollowAsync(Request, ct))
        {
            if (message.Event is { } e)
            {
                if (e.Position > cursor || cursor == LogPosition.Start)
                {
                    cursor = e.Position;
                    yield return new LogMessage.Event(e);
                }

                continue;
            }

            switch (message.Other!.ContentCase)
            {
                case ReadResp.ContentOneofCase.Checkpoint when Moves(message.Other.Checkpoint, cursor) is { } position:
                    cursor = position;
                    yield return new LogMessage.Checkpoint(position);
                    break;
                case ReadResp.ContentOneofCase.CaughtUp:
                    yield return new LogMessage.CaughtUp();
                    break;
            }
        }
    }

    /// <summary>
    /// Follows one stream from after a revision (exclusive; -1 from its beginning), though it may not exist yet.
    /// Reconnects by itself, and ends only when the stream is tombstoned.
    /// </summary>
    public async IAsyncEnumerable<LogMessage> SubscribeToStreamAsync(
        string stream, long afterRevision, [EnumeratorCancellation] CancellationToken ct)
    {
        var last = afterRevision;
        ReadReq Request()
        {
            var from = new ReadOptions.Types.StreamOptions { StreamIdentifier = Wire.Stream(stream), Start = new() };
            if (last >= 0)
            {
                from.Revision = (ulong)last;
            }

            return Read(new ReadOptions { Stream = from, Subscription = new(), NoFilter = new() });
        }

        await foreach (var message in _reader.FollowAsync(Request, ct))
        {
            if (message.Event is { } e)
            {
                // A tombstone is the end that the store tells next, not an event of the stream.
                if (e.Revision > last && e.Type != TombstoneType)
                {
                    last = e.Revision;
                    yield return new LogMessage.Event(e);
                }
            }
            else if (message.Other?.ContentCase is ReadResp.ContentOneofCase.CaughtUp)
            {
                yield return new LogMessage.CaughtUp();
            }
        }
    }

    private async IAsyncEnumerable<RecordedEvent> EventsAsync(
        Func<ReadReq> request, long countMax, [EnumeratorCancellation] CancellationToken ct)
    {
        var left = countMax;
        if (left <= 0)
        {
            yield break;
        }

        await foreach (var message in _reader.ReadAsync(request, ct))
        {
            if (message.Event is not { } e)
            {
                continue;
            }

            yield return e;
            if (--left == 0)
            {
                yield break;
            }
        }
    }

    private static ReadReq Read(ReadOptions options)
    {
        options.UuidOption = new() { Structured = new() };
        options.ControlOption = new() { Compatibility = 1 };
        return new ReadReq { Options = options };
    }

    private static ReadOptions.Types.AllOptions From(LogPosition position) => position == LogPosition.Start
        ? new() { Start = new() }
        : new() { Position = new() { CommitPosition = position.Commit, PreparePosition = position.Prepare } };

    // Some servers have sent the end of the number range when a filter matched nothing: that is no place to resume.
    private static LogPosition? Moves(ReadResp.Types.Checkpoint checkpoint, LogPosition cursor)
    {
        var position = new LogPosition(checkpoint.CommitPosition, checkpoint.PreparePosition);
        return position > cursor && position.Commit != ulong.MaxValue ? position : null;
    }
}
