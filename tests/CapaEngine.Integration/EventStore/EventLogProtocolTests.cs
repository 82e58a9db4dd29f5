using System.Text;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Shouldly;
using Empty = CapaEngine.EventStore.Protocol.Empty;
using Options = CapaEngine.EventStore.Protocol.ReadReq.Types.Options;

namespace CapaEngine.Integration.EventStore;

/// <summary>What the local event log answers to clients that use more of the protocol than ours does.</summary>
public sealed class EventLogProtocolTests : IClassFixture<EventLogFixture>, IDisposable
{
    private readonly EventLogFixture _log;
    private readonly GrpcChannel _channel;
    private readonly Streams.StreamsClient _streams;
    private readonly string _stream = $"protocol{Guid.NewGuid():N}-a";

    public EventLogProtocolTests(EventLogFixture log)
    {
        _log = log;
        _channel = GrpcChannel.ForAddress($"http://{log.ConnectionString.Split('/', '?')[2]}");
        _streams = new Streams.StreamsClient(_channel);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task an_append_that_is_never_finished_leaves_nothing()
    {
        using (var call = _streams.BatchAppend(cancellationToken: Ct))
        {
            await call.RequestStream.WriteAsync(Batch(final: false), Ct);
        }

        await SeedAsync(1);
        (await StreamAsync()).ShouldHaveSingleItem().StreamRevision.ShouldBe(0UL);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public async Task an_append_whose_deadline_has_passed_is_answered_and_not_written(int seconds)
    {
        var late = Batch(final: true);
        late.Options.Deadline = Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));

        var answer = await AnswerAsync(late);

        answer.CorrelationId.ShouldBe(late.CorrelationId);
        answer.Error.Details.Is(CapaEngine.EventStore.Protocol.Timeout.Descriptor).ShouldBeTrue();
        (await StreamAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task a_malformed_append_is_answered_and_the_call_goes_on()
    {
        var malformed = Enumerable.Range(0, 7).Select(_ => Batch(final: true)).ToArray();
        malformed[0].Options.StreamIdentifier = null;
        malformed[1].Options.StreamIdentifier.StreamName = ByteString.CopyFromUtf8("zero-\0");
        malformed[2].Options.StreamIdentifier.StreamName = ByteString.CopyFromUtf8(new string('x', 3_000));
        malformed[3].ProposedMessages[0].Metadata.Remove("type");
        malformed[4].ProposedMessages[0].Metadata["type"] = "zero.\0";
        malformed[5].ProposedMessages[0].Id = null;
        malformed[6].Options.ClearExpectedStreamPosition();
        var good = Batch(final: true);

        using var call = _streams.BatchAppend(cancellationToken: Ct);
        foreach (var request in malformed.Append(good))
        {
            await call.RequestStream.WriteAsync(request, Ct);
        }

        await call.RequestStream.CompleteAsync();
        var answers = await call.ResponseStream.ReadAllAsync(Ct).ToListAsync(Ct);
        answers.Count.ShouldBe(malformed.Length + 1);
        answers.SkipLast(1).ShouldAllBe(a => a.Error.Details.Is(BadRequest.Descriptor));
        // Clients take the stream's name from the answer, whatever the answer is.
        answers.ShouldAllBe(a => a.StreamIdentifier != null);
        answers[^1].Success.CurrentRevision.ShouldBe(0UL);
    }

    [Fact]
    public async Task a_single_append_answers_a_conflict_as_a_value_in_both_generations_of_fields()
    {
        await SeedAsync(2);

        var conflict = (await AppendAsync(o => o.Revision = 7)).WrongExpectedVersion;

        (conflict.CurrentRevision, conflict.CurrentRevision2060).ShouldBe((1UL, 1UL));
        (conflict.ExpectedRevision, conflict.ExpectedRevision2060).ShouldBe((7UL, 7UL));
        (await AppendAsync(o => o.Any = new Empty())).Success.CurrentRevision.ShouldBe(2UL);
    }

    [Fact]
    public async Task a_read_names_the_end_of_the_stream_and_its_beginning_when_that_is_gone()
    {
        await SeedAsync(5);
        await _log.Client.SetMaxCountAsync(_stream, 2, Ct);

        var all = await ReadAsync(FromStart(o => o.UuidOption = new() { String = new() }));
        var truncated = await ReadAsync(FromStart(o => o.Count = 1, revision: 0));

        all.Where(m => m.Event is not null).Select(m => m.Event.Event.StreamRevision).ShouldBe([3UL, 4UL]);
        all.First().Event.Event.Id.ValueCase.ShouldBe(UUID.ValueOneofCase.String);
        all.Last().LastStreamPosition.ShouldBe(4UL);
        truncated.First().Event.Event.StreamRevision.ShouldBe(3UL);
    }

    [Fact]
    public async Task a_deleted_stream_is_not_found_and_continues_its_numbers_when_it_is_written_again()
    {
        await SeedAsync(3);
        await _streams.DeleteAsync(
            new() { Options = new() { StreamIdentifier = Name(), Revision = 2 } }, cancellationToken: Ct);

        (await ReadAsync(FromStart())).ShouldHaveSingleItem().StreamNotFound.ShouldNotBeNull();
        (await Should.ThrowAsync<RpcException>(() => AppendAsync(o => o.StreamExists = new Empty())))
            .Trailers.GetValue("exception").ShouldBe("stream-deleted");
        (await AppendAsync(o => o.NoStream = new Empty())).Success.CurrentRevision.ShouldBe(3UL);

        (await StreamAsync()).ShouldHaveSingleItem().StreamRevision.ShouldBe(3UL);
    }

    [Fact]
    public async Task metadata_that_is_no_metadata_limits_nothing_and_breaks_nothing()
    {
        await SeedAsync(2);
        var nonsense = new NewEvent(Guid.NewGuid(), "$metadata", Encoding.UTF8.GetBytes("nonsense"), default);
        (await _log.Client.AppendAsync("$$" + _stream, ExpectedRevision.NoStream, [nonsense], Ct))
            .ShouldBeOfType<AppendResult.Appended>();

        (await StreamAsync()).Count.ShouldBe(2);
        await _streams.DeleteAsync(
            new() { Options = new() { StreamIdentifier = Name(), Any = new() } }, cancellationToken: Ct);

        (await StreamAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task a_tombstone_ends_a_stream_for_ever()
    {
        await SeedAsync(1);
        var wrong = await Should.ThrowAsync<RpcException>(async () => await _streams.TombstoneAsync(
            new() { Options = new() { StreamIdentifier = Name(), Revision = 5 } }, cancellationToken: Ct));
        wrong.Trailers.GetValue("exception").ShouldBe("wrong-expected-version");
        await _streams.TombstoneAsync(
            new() { Options = new() { StreamIdentifier = Name(), Any = new() } }, cancellationToken: Ct);

        var read = await Should.ThrowAsync<RpcException>(() => ReadAsync(FromStart()));
        read.StatusCode.ShouldBe(StatusCode.FailedPrecondition);
        read.Trailers.GetValue("exception").ShouldBe("stream-deleted");
        (await _log.Client.AppendAsync(_stream, ExpectedRevision.Any, [EventLogFaultTests.Event()], Ct))
            .ShouldBe(new AppendResult.StreamDeleted());
        (await _log.Client.ReadStreamAsync(_stream, 0, 10, Ct).ToListAsync(Ct)).ShouldBeEmpty();
    }

    [Fact]
    public async Task the_log_is_read_backwards_and_filtered_by_type_and_pattern()
    {
        await SeedAsync(3);
        var end = (await StreamAsync()).Last().CommitPosition;
        Options All(Action<Options> change) => With(new Options { All = new() { End = new() }, Count = 2 }, change);

        var backwards = await ReadAsync(All(o =>
        {
            o.ReadDirection = Options.Types.ReadDirection.Backwards;
            o.NoFilter = new();
        }));
        var pattern = await ReadAsync(All(o =>
        {
            (o.All, o.Count) = (new() { Start = new() }, 100);
            o.Filter = new() { Max = 32, StreamIdentifier = new() { Regex = $"^{_stream}$" } };
        }));
        var type = await ReadAsync(All(o =>
        {
            o.All = new() { Position = new() { CommitPosition = end, PreparePosition = end } };
            o.Filter = new() { Max = 32, EventType = new() { Prefix = { "protocol." } } };
        }));

        backwards.Select(m => m.Event.Event.CommitPosition).ShouldBe([end, end - 1]);
        pattern.Select(m => m.Event.Event.StreamRevision).ShouldBe([0UL, 1UL, 2UL]);
        type.ShouldHaveSingleItem().Event.CommitPosition.ShouldBe(end);
    }

    [Fact]
    public async Task a_subscription_to_a_stream_that_does_not_exist_waits_for_it()
    {
        var request = FromStart(o => o.Subscription = new());
        using var call = _streams.Read(new ReadReq { Options = request }, cancellationToken: Ct);
        var cases = new List<ReadResp.ContentOneofCase>();
        while (cases.LastOrDefault() != ReadResp.ContentOneofCase.CaughtUp)
        {
            (await call.ResponseStream.MoveNext(Ct)).ShouldBeTrue();
            cases.Add(call.ResponseStream.Current.ContentCase);
        }

        await SeedAsync(1);
        (await call.ResponseStream.MoveNext(Ct)).ShouldBeTrue();

        cases.ShouldBe([ReadResp.ContentOneofCase.Confirmation, ReadResp.ContentOneofCase.CaughtUp]);
        call.ResponseStream.Current.Event.Event.StreamRevision.ShouldBe(0UL);
    }

    [Fact]
    public async Task what_makes_no_sense_is_refused()
    {
        Options[] senseless =
        [
            FromStart(o => o.UuidOption = null),
            FromStart(o => o.Filter = new() { Max = 1, StreamIdentifier = new() { Prefix = { "a" } } }),
            FromStart(o =>
            {
                o.Subscription = new();
                o.ReadDirection = Options.Types.ReadDirection.Backwards;
            }),
            new() { All = new() { Start = new() }, Subscription = new(), UuidOption = new() { String = new() },
                Filter = new() { Max = 1, StreamIdentifier = new() { Prefix = { "a" } } } },
            new() { All = new() { Position = new() { CommitPosition = 1UL << 40 } }, Count = 1,
                UuidOption = new() { String = new() } },
        ];
        foreach (var options in senseless)
        {
            (await Should.ThrowAsync<RpcException>(() => ReadAsync(options)))
                .StatusCode.ShouldBe(StatusCode.InvalidArgument, options.ToString());
        }
    }

    [Fact]
    public async Task it_says_what_it_can_do_and_what_it_cannot()
    {
        var features = await new ServerFeatures.ServerFeaturesClient(_channel)
            .GetSupportedMethodsAsync(new Empty(), cancellationToken: Ct);
        var cluster = await new Gossip.GossipClient(_channel).ReadAsync(new Empty(), cancellationToken: Ct);
        var marshaller = Marshallers.Create(bytes => bytes, bytes => bytes);
        var list = new Method<byte[], byte[]>(
            MethodType.Unary, "event_store.client.persistent_subscriptions.PersistentSubscriptions", "List",
            marshaller, marshaller);
        var unimplemented = await Should.ThrowAsync<RpcException>(async () =>
            await _channel.CreateCallInvoker().AsyncUnaryCall(list, null, new CallOptions(), []));

        features.Methods.Single(m => m.MethodName == "batchappend").Features.ShouldContain("deadline_duration");
        cluster.Members.ShouldHaveSingleItem().State.ShouldBe(MemberInfo.Types.VNodeState.Leader);
        $"{cluster.Members[0].HttpEndPoint.Address}:{cluster.Members[0].HttpEndPoint.Port}".ShouldBe(_channel.Target);
        unimplemented.StatusCode.ShouldBe(StatusCode.Unimplemented);
    }

    public void Dispose() => _channel.Dispose();

    private StreamIdentifier Name() => new() { StreamName = ByteString.CopyFromUtf8(_stream) };

    private BatchAppendReq Batch(bool final) => new()
    {
        CorrelationId = new UUID { String = $"{Guid.NewGuid()}" },
        Options = new() { StreamIdentifier = Name(), Any = new() },
        IsFinal = final,
        ProposedMessages =
        {
            new BatchAppendReq.Types.ProposedMessage
            {
                Id = new UUID { String = $"{Guid.NewGuid()}" },
                Metadata = { { "type", "protocol.tested" }, { "content-type", "application/json" } },
                Data = ByteString.CopyFrom("{}", Encoding.UTF8),
            },
        },
    };

    private async Task<BatchAppendResp> AnswerAsync(BatchAppendReq request)
    {
        using var call = _streams.BatchAppend(cancellationToken: Ct);
        await call.RequestStream.WriteAsync(request, Ct);
        await call.RequestStream.CompleteAsync();
        return (await call.ResponseStream.ReadAllAsync(Ct).ToListAsync(Ct)).ShouldHaveSingleItem();
    }

    private async Task SeedAsync(int count)
    {
        for (var n = 0; n < count; n++)
        {
            (await AnswerAsync(Batch(final: true))).Success.ShouldNotBeNull();
        }
    }

    private async Task<AppendResp> AppendAsync(Action<AppendReq.Types.Options> expect)
    {
        using var call = _streams.Append(cancellationToken: Ct);
        var options = new AppendReq.Types.Options { StreamIdentifier = Name() };
        expect(options);
        await call.RequestStream.WriteAsync(new() { Options = options }, Ct);
        await call.RequestStream.WriteAsync(new()
        {
            ProposedMessage = new()
            {
                Id = new UUID { String = $"{Guid.NewGuid()}" },
                Metadata = { { "type", "protocol.tested" }, { "content-type", "application/octet-stream" } },
            },
        }, Ct);
        await call.RequestStream.CompleteAsync();
        return await call;
    }

    private static Options With(Options options, Action<Options>? change)
    {
        options.UuidOption = new() { Structured = new() };
        change?.Invoke(options);
        return options;
    }

    private Options FromStart(Action<Options>? change = null, ulong? revision = null)
    {
        var from = new Options.Types.StreamOptions { StreamIdentifier = Name() };
        if (revision is { } number)
        {
            from.Revision = number;
        }
        else
        {
            from.Start = new();
        }

        return With(
            new Options { Stream = from, Count = 100, NoFilter = new(), ControlOption = new() { Compatibility = 1 } },
            change);
    }

    private async Task<List<ReadResp>> ReadAsync(Options options)
    {
        using var call = _streams.Read(new ReadReq { Options = options }, cancellationToken: Ct);
        return await call.ResponseStream.ReadAllAsync(Ct).ToListAsync(Ct);
    }

    private async Task<List<ReadResp.Types.ReadEvent.Types.RecordedEvent>> StreamAsync() =>
        [.. (await ReadAsync(FromStart())).Where(m => m.Event is not null).Select(m => m.Event.Event)];
}
