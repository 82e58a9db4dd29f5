using System.Diagnostics;
using System.Runtime.CompilerServices;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using ReadDirection = CapaEngine.EventStore.Protocol.ReadReq.Types.Options.Types.ReadDirection;
using ReadOptions = CapaEngine.EventStore.Protocol.ReadReq.Types.Options;
using RecordedEvent = CapaEngine.Kernel.RecordedEvent;

namespace CapaEngine.EventStore;

/// <summary>
/// The event store behind a connection string, over the published gRPC protocol. One instance serves the whole
/// process: appends share one duplex call, reads and subscriptions share its connection.
/// </summary>
public sealed class EventStoreClient : IEventStore, IAsyncDisposable
{
    /// <summary>The name of the activity source of this client.</summary>
    public const string ActivitySourceName = "CapaEngine.EventStore";

    // How many events the store considers before it tells a filtered subscription how far it has come.
    private const uint CheckpointEvery = 500;

    private static readonly ActivitySource Activities = new(ActivitySourceName);

    private readonly NodeSelector _nodes;
    private readonly AppendPipeline _appends;
    private readonly EventReader _reader;

    public EventStoreClient(EventStoreSettings settings, TimeProvider clock)
    {
        _nodes = new NodeSelector(settings, clock);
        _appends = new AppendPipeline(_nodes, settings, clock);
        _reader = new EventReader(_nodes, settings, clock);
    }

    /// <summary>The client for a connection string. It connects when it is first used.</summary>
    public static EventStoreClient Create(string connectionString) =>
        new(EventStoreSettings.Parse(connectionString), TimeProvider.System);

    /// <inheritdoc/>
    public async Task<AppendResult> AppendAsync(
        string stream, ExpectedRevision expected, IReadOnlyList<NewEvent> events, CancellationToken ct)
    {
        using var activity = Start("append", stream);
        activity?.SetTag("db.operation.batch.size", events.Count);
        var result = await _appends.AppendAsync(stream, expected, events, ct);
        if (result is not AppendResult.Appended)
        {
            activity?.SetTag("error.type", result.GetType().Name);
            activity?.SetStatus(ActivityStatusCode.Error);
        }

        return result;
    }

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
    public async IAsyncEnumerable<RecordedEvent> ReadStreamBackwardsAsync(
        string stream, long countMax, [EnumeratorCancellation] CancellationToken ct)
    {
        using var activity = Start("read", stream);
        var from = new ReadOptions.Types.StreamOptions { StreamIdentifier = Wire.Stream(stream), End = new() };
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

    /// <inheritdoc/>
    public async IAsyncEnumerable<RecordedEvent> ReadAllAsync(
        LogPosition after, IReadOnlyList<string> streamPrefixes, [EnumeratorCancellation] CancellationToken ct)
    {
        using var activity = Start("read", "$all");
        var cursor = after;
        ReadReq Request() => Read(new ReadOptions
        {
            All = From(cursor),
            Count = ulong.MaxValue,
            Filter = Wire.Filter(streamPrefixes, CheckpointEvery),
        });

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

    /// <inheritdoc/>
    public async IAsyncEnumerable<LogMessage> SubscribeToAllAsync(
        LogPosition after, IReadOnlyList<string> streamPrefixes, [EnumeratorCancellation] CancellationToken ct)
    {
        var cursor = after;
        ReadReq Request() => Read(new ReadOptions
        {
            All = From(cursor),
            Subscription = new(),
            Filter = Wire.Filter(streamPrefixes, CheckpointEvery),
        });

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

    /// <inheritdoc/>
    public Task SetMaxCountAsync(string stream, long countMax, CancellationToken ct) =>
        StreamRetention.SetMaxCountAsync(this, stream, countMax, ct);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _appends.DisposeAsync();
        _nodes.Dispose();
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

    /// <summary>Tagged with the stream's family, never its id: that would be a tag with a million values.</summary>
    private static Activity? Start(string operation, string stream)
    {
        var activity = Activities.StartActivity($"streams.{operation}", ActivityKind.Client);
        activity?.SetTag("db.system.name", "eventstoredb");
        activity?.SetTag("db.operation.name", operation);
        activity?.SetTag("db.collection.name", Family(stream));
        return activity;
    }

    private static string Family(string stream) =>
        stream.IndexOf('-', StringComparison.Ordinal) is > 0 and var dash ? stream[..dash] : stream;
}
