using System.Globalization;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using Grpc.Core;
using Google.Protobuf;

namespace CapaEngine.EventStore;

/// <summary>
/// Writes that are a call of their own: an append to a store that cannot pipeline, and the removal of streams. Their
/// failures are statuses with trailers, where pipelined appends have answers.
/// </summary>
internal sealed class Unary(NodeSelector nodes, EventStoreSettings settings)
{
    public async Task<AppendResult> AppendAsync(
        string stream, ExpectedRevision expected, IReadOnlyList<NewEvent> events, CancellationToken ct)
    {
        Node? node = null;
        try
        {
            node = await nodes.SelectAsync(ct);
            using var call = new Streams.StreamsClient(node.Invoker).Append(nodes.Call(ct, settings.DefaultDeadline));
            await SendAsync(call.RequestStream, stream, expected, events, ct);
            return Result(await call);
        }
        catch (EventStoreUnavailableException nobody)
        {
            return new AppendResult.ServerBusy(nobody.Message);
        }
        catch (RpcException failure)
        {
            nodes.Report(node!, failure);
            return Refused(failure, ct);
        }
    }

    public Task<RemovalResult> DeleteAsync(string stream, ExpectedRevision expected, CancellationToken ct)
    {
        var options = new DeleteReq.Types.Options { StreamIdentifier = Wire.Stream(stream) };
        Expect(
            expected, () => options.NoStream = new(), () => options.Any = new(), () => options.StreamExists = new(),
            revision => options.Revision = revision);
        return RemoveAsync(
            async (streams, call) =>
            {
                var at = (await streams.DeleteAsync(new DeleteReq { Options = options }, call)).Position;
                return new LogPosition(at?.CommitPosition ?? 0, at?.PreparePosition ?? 0);
            },
            ct);
    }

    public Task<RemovalResult> TombstoneAsync(string stream, ExpectedRevision expected, CancellationToken ct)
    {
        var options = new TombstoneReq.Types.Options { StreamIdentifier = Wire.Stream(stream) };
        Expect(
            expected, () => options.NoStream = new(), () => options.Any = new(), () => options.StreamExists = new(),
            revision => options.Revision = revision);
        return RemoveAsync(
            async (streams, call) =>
            {
                var at = (await streams.TombstoneAsync(new TombstoneReq { Options = options }, call)).Position;
                return new LogPosition(at?.CommitPosition ?? 0, at?.PreparePosition ?? 0);
            },
            ct);
    }

    private static async Task SendAsync(
        IClientStreamWriter<AppendReq> requests, string stream, ExpectedRevision expected,
        IReadOnlyList<NewEvent> events, CancellationToken ct)
    {
        try
        {
            await requests.WriteAsync(new AppendReq { Options = Options(stream, expected) }, ct);
            foreach (var e in events)
            {
                await requests.WriteAsync(new AppendReq { ProposedMessage = Proposed(e) }, ct);
            }

            await requests.CompleteAsync();
        }
        catch (Exception answered) when (answered is InvalidOperationException or RpcException)
        {
            // The store may refuse before it has heard everything; its answer tells why.
        }
    }

    private async Task<RemovalResult> RemoveAsync(
        Func<Streams.StreamsClient, CallOptions, Task<LogPosition>> remove, CancellationToken ct)
    {
        var node = await nodes.SelectAsync(ct);
        try
        {
            return new RemovalResult.Removed(await remove(
                new Streams.StreamsClient(node.Invoker), nodes.Call(ct, settings.DefaultDeadline)));
        }
        catch (RpcException failure)
        {
            nodes.Report(node, failure);
            return Refused(failure, ct) switch
            {
                AppendResult.WrongExpectedRevision conflict =>
                    new RemovalResult.WrongExpectedRevision(conflict.Actual),
                AppendResult.StreamDeleted => new RemovalResult.StreamDeleted(),
                AppendResult.AccessDenied => new RemovalResult.AccessDenied(),
                var other => new RemovalResult.OutcomeUnknown($"{other}"),
            };
        }
    }

    private static AppendReq.Types.Options Options(string stream, ExpectedRevision expected)
    {
        var options = new AppendReq.Types.Options { StreamIdentifier = Wire.Stream(stream) };
        Expect(
            expected, () => options.NoStream = new(), () => options.Any = new(), () => options.StreamExists = new(),
            revision => options.Revision = revision);
        return options;
    }

    // Three messages of the protocol say the same, each with members of its own.
    private static void Expect(
        ExpectedRevision expected, Action noStream, Action any, Action streamExists, Action<ulong> revision)
    {
        if (expected.Value >= 0)
        {
            revision((ulong)expected.Value);
        }
        else if (expected == ExpectedRevision.Any)
        {
            any();
        }
        else if (expected == ExpectedRevision.StreamExists)
        {
            streamExists();
        }
        else
        {
            noStream();
        }
    }

    private static AppendReq.Types.ProposedMessage Proposed(NewEvent e) => new()
    {
        Id = Wire.Uuid(e.Id),
        Metadata = { { "type", e.Type }, { "content-type", "application/json" } },
        Data = UnsafeByteOperations.UnsafeWrap(e.Data),
        CustomMetadata = UnsafeByteOperations.UnsafeWrap(e.Metadata),
    };

    private static AppendResult Result(AppendResp answer) => answer switch
    {
        { Success: { } success } => new AppendResult.Appended(
            success.HasCurrentRevision ? (long)success.CurrentRevision : -1,
            success.Position is { } at ? new LogPosition(at.CommitPosition, at.PreparePosition) : LogPosition.Start),
        { WrongExpectedVersion: { } conflict } =>
            new AppendResult.WrongExpectedRevision(conflict.HasCurrentRevision ? (long)conflict.CurrentRevision : -1),
        _ => new AppendResult.OutcomeUnknown("The store answered neither success nor a conflict."),
    };

    private static AppendResult Refused(RpcException failure, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var trailers = failure.Trailers;
        return trailers.GetValue("exception") switch
        {
            "wrong-expected-version" => new AppendResult.WrongExpectedRevision(
                Number(trailers, "actual-version") ?? -1),
            "stream-deleted" => new AppendResult.StreamDeleted(),
            "access-denied" => new AppendResult.AccessDenied(),
            "maximum-append-size-exceeded" => new AppendResult.TooLarge(Number(trailers, "maximum-append-size") ?? 0),
            "maximum-append-event-size-exceeded" => new AppendResult.TooLarge(
                Number(trailers, "maximum-append-event-size") ?? 0),
            "not-leader" => new AppendResult.ServerBusy("Another node leads; it is asked next."),
            _ when NodeSelector.IsDenied(failure) => new AppendResult.AccessDenied(),
            _ when failure.StatusCode is StatusCode.InvalidArgument =>
                throw new InvalidOperationException(
                    $"The store refused the call as malformed: {failure.Status.Detail}"),
            _ => new AppendResult.OutcomeUnknown($"{failure.StatusCode}: {failure.Status.Detail}"),
        };
    }

    private static long? Number(Metadata trailers, string name) =>
        long.TryParse(trailers.GetValue(name), CultureInfo.InvariantCulture, out var number) ? number : null;
}
