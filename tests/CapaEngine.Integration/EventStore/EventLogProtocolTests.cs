using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Shouldly;
using Empty = CapaEngine.EventStore.Protocol.Empty;
using Options = CapaEngine.EventStore.Protocol.ReadReq.Types.Options;

namespace CapaEngine.Integration.EventStore;

/// <summary>Where the local event log answers what other servers leave open, or otherwise than they do.</summary>
public sealed class EventLogProtocolTests : IClassFixture<EventLogFixture>, IDisposable
{
    private readonly EventLogFixture _log;
    private readonly GrpcChannel _channel;
    private readonly ProtocolStream _stream;

    public EventLogProtocolTests(EventLogFixture log)
    {
        _log = log;
        _channel = GrpcChannel.ForAddress(log.Url);
        _stream = new ProtocolStream(new Streams.StreamsClient(_channel));
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_name_that_the_database_cannot_hold_is_refused_and_the_call_goes_on()
    {
        var malformed = Enumerable.Range(0, 4).Select(_ => _stream.Batch(final: true)).ToArray();
        malformed[0].Options.StreamIdentifier = null;
        malformed[1].Options.StreamIdentifier.StreamName = ByteString.CopyFromUtf8("zero-\0");
        malformed[2].Options.StreamIdentifier.StreamName = ByteString.CopyFromUtf8(new string('x', 3_000));
        malformed[3].ProposedMessages[0].Metadata["type"] = "zero.\0";

        var answers = await _stream.AnswersAsync([.. malformed, _stream.Batch(final: true)]);

        answers.SkipLast(1).ShouldAllBe(a => a.Error.Details.Is(BadRequest.Descriptor));
        answers.ShouldAllBe(a => a.StreamIdentifier != null);
        answers[^1].Success.CurrentRevision.ShouldBe(0UL);
    }

    [Fact]
    public async Task to_our_client_a_tombstoned_stream_is_deleted_and_empty()
    {
        await _stream.SeedAsync(1);
        await _stream.TombstoneAsync(o => o.Any = new());

        (await _log.Client.AppendAsync(_stream.Name, ExpectedRevision.Any, [EventLogFaultTests.Event()], Ct))
            .ShouldBe(new AppendResult.StreamDeleted());
        (await _log.Client.ReadStreamAsync(_stream.Name, 0, 10, Ct).ToListAsync(Ct)).ShouldBeEmpty();
    }

    [Fact]
    public async Task positions_are_counted_without_gaps()
    {
        await _stream.SeedAsync(3);

        var positions = (await _stream.EventsAsync()).Select(e => e.CommitPosition).ToList();

        positions.ShouldBe([positions[0], positions[0] + 1, positions[0] + 2]);
    }

    [Fact]
    public async Task a_subscription_has_caught_up_with_a_stream_that_does_not_exist()
    {
        using var call = _stream.Open(_stream.Whole(change: o => o.Subscription = new()));

        var cases = await call.ResponseStream.ReadAllAsync(Ct).Take(2).Select(m => m.ContentCase).ToListAsync(Ct);

        cases.ShouldBe([ReadResp.ContentOneofCase.Confirmation, ReadResp.ContentOneofCase.CaughtUp]);
    }

    [Fact]
    public async Task a_client_that_leaves_in_the_middle_of_a_read_is_no_error()
    {
        var large = new byte[256 * 1024];
        for (var n = 0; n < 40; n++)
        {
            var e = new NewEvent(Guid.NewGuid(), "protocol.tested", large, default);
            (await _log.Client.AppendAsync(_stream.Name, ExpectedRevision.At(n - 1), [e], Ct))
                .ShouldBeOfType<AppendResult.Appended>();
        }

        for (var n = 0; n < 10; n++)
        {
            // More than the connection buffers: the log is still writing when the call is given up.
            using var call = _stream.Open(_stream.Whole());
            (await call.ResponseStream.MoveNext(Ct)).ShouldBeTrue();
        }

        (await _stream.ReadAsync(_stream.Whole(change: o => o.Count = 1)))[0].Event.Event.StreamRevision.ShouldBe(0UL);
        _log.Node.LogTail().ShouldNotContain("fail:");
    }

    [Fact]
    public async Task what_makes_no_sense_is_refused()
    {
        Options[] senseless =
        [
            _stream.Whole(change: o => o.UuidOption = null),
            ProtocolStream.All("a", o => (o.Subscription, o.Filter.CheckpointIntervalMultiplier) = (new(), 0)),
            ProtocolStream.All("(", o => o.Count = 1),
            // A place that this log has not reached.
            ProtocolStream.All("a", o => o.All.Position = new() { CommitPosition = 1UL << 40 }),
        ];
        foreach (var options in senseless)
        {
            (await Should.ThrowAsync<RpcException>(() => _stream.ReadAsync(options)))
                .StatusCode.ShouldBe(StatusCode.InvalidArgument, options.ToString());
        }
    }

    [Fact]
    public async Task it_is_a_cluster_of_one_and_knows_no_persistent_subscriptions()
    {
        var cluster = await new Gossip.GossipClient(_channel).ReadAsync(new Empty(), cancellationToken: Ct);
        var marshaller = Marshallers.Create(bytes => bytes, bytes => bytes);
        var list = new Method<byte[], byte[]>(
            MethodType.Unary, "event_store.client.persistent_subscriptions.PersistentSubscriptions", "List",
            marshaller, marshaller);
        var unimplemented = await Should.ThrowAsync<RpcException>(async () =>
            await _channel.CreateCallInvoker().AsyncUnaryCall(list, null, new CallOptions(), []));

        cluster.Members.ShouldHaveSingleItem().State.ShouldBe(MemberInfo.Types.VNodeState.Leader);
        $"{cluster.Members[0].HttpEndPoint.Address}:{cluster.Members[0].HttpEndPoint.Port}".ShouldBe(_channel.Target);
        unimplemented.StatusCode.ShouldBe(StatusCode.Unimplemented);
    }

    public void Dispose() => _channel.Dispose();
}
