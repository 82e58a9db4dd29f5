using CapaEngine.EventStore.Protocol;
using Grpc.Core;
using Shouldly;
using Case = CapaEngine.EventStore.Protocol.ReadResp.ContentOneofCase;
using Options = CapaEngine.EventStore.Protocol.ReadReq.Types.Options;

namespace CapaEngine.Integration.EventStore;

/// <summary>How a node of the protocol answers reads and subscriptions.</summary>
public sealed class ProtocolReadTests(ProtocolNode node) : IClassFixture<ProtocolNode>
{
    private readonly ProtocolStream _stream = new(node.Streams);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_read_names_the_end_of_the_stream_and_leaves_out_what_is_gone()
    {
        await _stream.SeedAsync(5);
        await _stream.SetMetadataAsync("""{"$maxCount":2}""");

        var all = await _stream.ReadAsync(_stream.Whole(change: o => o.UuidOption = new() { String = new() }));
        var truncated = await _stream.ReadAsync(_stream.Whole(change: o => (o.Stream.Revision, o.Count) = (0, 1)));
        var backwards = await _stream.ReadAsync(_stream.Whole(change: o =>
        {
            (o.Stream.Revision, o.ReadDirection) = (2, Options.Types.ReadDirection.Backwards);
        }));

        ProtocolStream.Events(all).Select(e => e.StreamRevision).ShouldBe([3UL, 4UL]);
        all[0].Event.Event.Id.ValueCase.ShouldBe(UUID.ValueOneofCase.String);
        all[^1].LastStreamPosition.ShouldBe(4UL);
        ProtocolStream.Events(truncated).ShouldHaveSingleItem().StreamRevision.ShouldBe(3UL);
        ProtocolStream.Events(backwards).ShouldBeEmpty();
        backwards[^1].LastStreamPosition.ShouldBe(4UL);
    }

    [Fact]
    public async Task the_log_is_read_in_both_directions_and_filtered_by_type_and_pattern()
    {
        await _stream.SeedAsync(3);
        var written = await _stream.EventsAsync();
        var last = new Options.Types.AllOptions
        {
            Position = new()
            {
                CommitPosition = written[2].CommitPosition,
                PreparePosition = written[2].PreparePosition,
            },
        };

        var forwards = await _stream.ReadAsync(ProtocolStream.All($"^{_stream.Name}$"));
        var backwards = await _stream.ReadAsync(ProtocolStream.All($"^{_stream.Name}$", o =>
            (o.All, o.ReadDirection, o.Count) = (last, Options.Types.ReadDirection.Backwards, 1)));
        var type = await _stream.ReadAsync(ProtocolStream.All("", o =>
            (o.All, o.Count, o.Filter.EventType) = (last, 1, new() { Prefix = { "protocol." } })));

        ProtocolStream.Events(forwards).Select(e => e.StreamRevision).ShouldBe([0UL, 1UL, 2UL]);
        // The position of an event lies before it: forwards the event is read, backwards it is not.
        ProtocolStream.Events(backwards).ShouldHaveSingleItem().StreamRevision.ShouldBe(1UL);
        ProtocolStream.Events(type).ShouldHaveSingleItem().Id.ShouldBe(written[2].Id);
        forwards.ShouldAllBe(m => m.Event.CommitPosition == m.Event.Event.CommitPosition);
        type[0].Event.CommitPosition.ShouldBe(written[2].CommitPosition);
    }

    [Fact]
    public async Task a_subscription_to_a_stream_that_does_not_exist_waits_for_it()
    {
        using var call = _stream.Open(_stream.Whole(change: o => o.Subscription = new()));
        (await call.ResponseStream.MoveNext(Ct)).ShouldBeTrue();
        call.ResponseStream.Current.ContentCase.ShouldBe(Case.Confirmation);

        await _stream.SeedAsync(1);

        // Whether it has caught up before there is anything differs between versions.
        var read = call.ResponseStream.ReadAllAsync(Ct).FirstAsync(m => m.ContentCase != Case.CaughtUp, Ct);
        (await read).Event.Event.StreamRevision.ShouldBe(0UL);
    }

    [Fact]
    public async Task a_subscription_tells_at_least_once_per_interval_how_far_it_has_come()
    {
        const int interval = 10;
        await _stream.SeedAsync(1);
        var start = (await _stream.EventsAsync()).Single();
        await _stream.SeedAsync(95);
        var end = (await _stream.EventsAsync())[^1].CommitPosition;
        var request = ProtocolStream.All($"{_stream.Name}-nothing", o =>
        {
            o.All.Position = new()
            {
                CommitPosition = start.CommitPosition,
                PreparePosition = start.PreparePosition,
            };
            o.Subscription = new();
            o.Filter.Max = interval;
        });

        using var call = _stream.Open(request);
        var messages = await call.ResponseStream.ReadAllAsync(Ct)
            .TakeWhile(m => m.ContentCase != Case.CaughtUp).ToListAsync(Ct);

        messages[0].ContentCase.ShouldBe(Case.Confirmation);
        var checkpoints = messages.Skip(1).Select(m => m.Checkpoint.ShouldNotBeNull().CommitPosition).ToList();
        checkpoints.ShouldBeInOrder(SortDirection.Ascending);
        checkpoints.Where(position => position <= end).Count().ShouldBeGreaterThanOrEqualTo(95 / interval);
    }

    [Fact]
    public async Task what_makes_no_sense_is_refused()
    {
        Options[] senseless =
        [
            _stream.Whole(change: o => o.Filter = new() { Max = 1, StreamIdentifier = new() { Prefix = { "a" } } }),
            _stream.Whole(change: o => o.ClearCountOption()),
            _stream.Whole(change: o => o.ClearStreamOption()),
            _stream.Whole(change: o =>
            {
                o.Subscription = new();
                o.ReadDirection = Options.Types.ReadDirection.Backwards;
            }),
            ProtocolStream.All("a", o => o.Filter.ClearWindow()),
            ProtocolStream.All("a", o => o.Filter.ClearFilter()),
        ];
        foreach (var options in senseless)
        {
            (await Should.ThrowAsync<RpcException>(() => _stream.ReadAsync(options)))
                .StatusCode.ShouldBe(StatusCode.InvalidArgument, options.ToString());
        }
    }

    [Fact]
    public async Task it_says_what_it_can_do_and_who_leads()
    {
        var features = await node.Features.GetSupportedMethodsAsync(new Empty(), cancellationToken: Ct);
        var cluster = await node.Gossip.ReadAsync(new Empty(), cancellationToken: Ct);

        features.Methods.Single(m => m.MethodName == "batchappend").Features.ShouldContain("deadline_duration");
        cluster.Members.ShouldContain(m => m.State == MemberInfo.Types.VNodeState.Leader && m.IsAlive);
    }
}
