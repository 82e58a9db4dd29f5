using CapaEngine.EventLog.Access;
using CapaEngine.EventLog.Reading;
using CapaEngine.EventLog.Writing;
using CapaEngine.EventStore.Protocol;
using Grpc.Core;
using Revision = CapaEngine.EventStore.Protocol.AppendReq.Types.Options.ExpectedStreamRevisionOneofCase;

namespace CapaEngine.EventLog.Rpc;

/// <summary>The service <c>event_store.client.streams.Streams</c>: this half writes, the other one reads.</summary>
internal sealed partial class StreamsService(
    LogNode node, EventTable table, TimeProvider clock, Telemetry telemetry, IHostApplicationLifetime lifetime)
{
    public const int AppendBytesMax = 1024 * 1024;

    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(10);

    public async Task<AppendResp> Append(
        IAsyncStreamReader<AppendReq> requestStream, ServerCallContext context)
    {
        var ct = context.CancellationToken;
        if (!await requestStream.MoveNext(ct) || requestStream.Current.Options is not { } options)
        {
            throw Failures.BadArgument("The first message of an append is its options.");
        }

        var stream = Wire.Name(options.StreamIdentifier);
        Demand(Right.Write, stream, context);
        var expected = Expected(options.ExpectedStreamRevisionCase, options.Revision);
        var events = await ProposedAsync(requestStream, ct);
        return await WriteAsync(WriteKind.Append, stream, expected, events, ct) switch
        {
            WriteOutcome.Written written => Success(written),
            WriteOutcome.Conflict conflict => new AppendResp
            {
                WrongExpectedVersion = Conflict(expected, conflict.Actual),
            },
            var other => throw Failure(other, stream, expected),
        };
    }

    public async Task BatchAppend(
        IAsyncStreamReader<AppendFrame> requestStream, IServerStreamWriter<AppendAnswer> responseStream,
        ServerCallContext context)
    {
        // The call outlives terms, for its errors are answers; but not the process, which waits for calls to end.
        var stopping = lifetime.ApplicationStopping;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stopping);
        try
        {
            await new BatchAppendSession(node, Caller.Of(context), clock, requestStream, responseStream)
                .RunAsync(ending.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw Failures.NotReady();
        }
    }

    public async Task<DeleteResp> Delete(DeleteReq request, ServerCallContext context)
    {
        var options = request.Options ?? throw Failures.BadArgument("A delete has options.");
        var expected = Expected((Revision)options.ExpectedStreamRevisionCase, options.Revision);
        var position = await RemoveAsync(WriteKind.Delete, options.StreamIdentifier, expected, context);
        return new DeleteResp { Position = new() { CommitPosition = position, PreparePosition = position } };
    }

    public async Task<TombstoneResp> Tombstone(TombstoneReq request, ServerCallContext context)
    {
        var options = request.Options ?? throw Failures.BadArgument("A tombstone has options.");
        var expected = Expected((Revision)options.ExpectedStreamRevisionCase, options.Revision);
        var position = await RemoveAsync(WriteKind.Tombstone, options.StreamIdentifier, expected, context);
        return new TombstoneResp { Position = new() { CommitPosition = position, PreparePosition = position } };
    }

    // The three messages number the cases of their expectation alike, but each has an enumeration of its own.
    private static Expectation Expected(Revision kind, ulong revision) => kind switch
    {
        Revision.Revision when revision == ulong.MaxValue => Expectation.NoStream,
        Revision.Revision => new Expectation((long)Math.Min(revision, long.MaxValue)),
        Revision.NoStream => Expectation.NoStream,
        Revision.Any => Expectation.Any,
        Revision.StreamExists => Expectation.StreamExists,
        _ => throw Failures.BadArgument("A write says what it expects of its stream."),
    };

    private static async Task<List<ProposedEvent>> ProposedAsync(
        IAsyncStreamReader<AppendReq> requests, CancellationToken ct)
    {
        var (events, bytes) = (new List<ProposedEvent>(), 0L);
        while (await requests.MoveNext(ct))
        {
            var m = requests.Current.ProposedMessage
                ?? throw Failures.BadArgument("After the options come events.");
            var proposed = Wire.Proposed(m.Id, m.Metadata, m.Data, m.CustomMetadata)
                ?? throw Failures.MissingMetadata();
            bytes += proposed.Bytes;
            if (bytes > AppendBytesMax)
            {
                throw Failures.TooLarge(AppendBytesMax);
            }

            events.Add(proposed);
        }

        return events;
    }

    private void Demand(Right right, string stream, ServerCallContext context) =>
        Caller.Of(context).Demand(right, stream, (node.Term ?? throw Failures.NotReady()).Limits);

    private async Task<ulong> RemoveAsync(
        WriteKind kind, StreamIdentifier name, Expectation expected, ServerCallContext context)
    {
        var stream = Wire.Name(name);
        Demand(Right.Delete, stream, context);
        return await WriteAsync(kind, stream, expected, [], context.CancellationToken) switch
        {
            WriteOutcome.Written { Position: { } position } => (ulong)position,
            var other => throw Failure(other, stream, expected),
        };
    }

    private async Task<WriteOutcome> WriteAsync(
        WriteKind kind, string stream, Expectation expected, IReadOnlyList<ProposedEvent> events, CancellationToken ct)
    {
        var term = node.Term ?? throw Failures.NotReady();
        var answer = new TaskCompletionSource<WriteOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        var expiresAt = clock.GetTimestamp() + (long)(WriteTimeout.TotalSeconds * clock.TimestampFrequency);
        await term.Writer.SubmitAsync(
            new AppendRequest(kind, stream, expected, events, expiresAt, outcome => answer.TrySetResult(outcome)), ct);
        return await answer.Task.WaitAsync(ct);
    }

    private static RpcException Failure(WriteOutcome outcome, string stream, Expectation expected) => outcome switch
    {
        WriteOutcome.Conflict conflict =>
            Failures.WrongExpectedVersion(stream, expected.Revision, conflict.Actual),
        WriteOutcome.StreamDeleted => Failures.StreamDeleted(stream),
        WriteOutcome.NotReady => Failures.NotReady(),
        _ => Failures.TimedOut(),
    };

    private static AppendResp Success(WriteOutcome.Written written)
    {
        var success = new AppendResp.Types.Success();
        if (written.Revision < 0)
        {
            success.NoStream = new();
        }
        else
        {
            success.CurrentRevision = (ulong)written.Revision;
        }

        if (written.Position is { } position)
        {
            success.Position = new() { CommitPosition = (ulong)position, PreparePosition = (ulong)position };
        }
        else
        {
            success.NoPosition = new();
        }

        return new AppendResp { Success = success };
    }

    // Told twice: clients of before 20.10 know only the first pair.
    private static AppendResp.Types.WrongExpectedVersion Conflict(Expectation expected, long actual)
    {
        var conflict = new AppendResp.Types.WrongExpectedVersion();
        if (actual < 0)
        {
            (conflict.NoStream2060, conflict.CurrentNoStream) = (new(), new());
        }
        else
        {
            (conflict.CurrentRevision2060, conflict.CurrentRevision) = ((ulong)actual, (ulong)actual);
        }

        if (expected == Expectation.Any)
        {
            (conflict.Any2060, conflict.ExpectedAny) = (new(), new());
        }
        else if (expected == Expectation.StreamExists)
        {
            (conflict.StreamExists2060, conflict.ExpectedStreamExists) = (new(), new());
        }
        else if (expected == Expectation.NoStream)
        {
            (conflict.ExpectedRevision2060, conflict.ExpectedNoStream) = (ulong.MaxValue, new());
        }
        else
        {
            var revision = (ulong)expected.Revision;
            (conflict.ExpectedRevision2060, conflict.ExpectedRevision) = (revision, revision);
        }

        return conflict;
    }
}
