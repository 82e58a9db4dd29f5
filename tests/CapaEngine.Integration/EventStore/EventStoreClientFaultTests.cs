using CapaEngine.EventStore;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using Grpc.Core;
using Shouldly;
using NodeState = CapaEngine.EventStore.Protocol.MemberInfo.Types.VNodeState;

namespace CapaEngine.Integration.EventStore;

/// <summary>What the client makes of stores that misbehave, change their leader or answer as no local one.</summary>
public sealed class EventStoreClientFaultTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private ScriptedNode _a = null!;
    private ScriptedNode _b = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _a = await ScriptedNode.StartAsync(Ct);
        _b = await ScriptedNode.StartAsync(Ct);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
    }

    [Fact]
    public async Task a_busy_answer_leaves_the_code_unset_and_is_no_success()
    {
        _a.BatchAppend = call => EachAppendAsync(call, _ => new() { Error = new() { Message = "Server Is Busy" } });
        await using var client = Connect();

        (await AppendAsync(client)).ShouldBe(new AppendResult.ServerBusy("Server Is Busy"));
    }

    [Fact]
    public async Task an_append_follows_the_leader()
    {
        _a.BatchAppend = async call =>
        {
            await call.ReceiveAsync(BatchAppendReq.Parser);
            await call.EndAsNotLeaderAsync(_b.Port);
        };
        _b.BatchAppend = call => EachAppendAsync(call, _ => Success(7));
        await using var client = Connect();

        // What was on its way is of unknown outcome: the client cannot know what the first node did with it.
        (await AppendAsync(client)).ShouldBeOfType<AppendResult.OutcomeUnknown>();
        (await AppendAsync(client)).ShouldBe(new AppendResult.Appended(7, LogPosition.At(100)));
    }

    [Fact]
    public async Task a_read_follows_the_leader_and_repeats_nothing()
    {
        _a.Read = async call =>
        {
            await call.SendAsync(Event(0));
            await call.SendAsync(Event(1));
            await call.EndAsNotLeaderAsync(_b.Port);
        };
        var asked = new List<ReadReq>();
        _b.Read = async call =>
        {
            asked.Add((await call.ReceiveAsync(ReadReq.Parser))!);
            await call.SendAsync(Event(2));
            await call.EndAsync(StatusCode.OK);
        };
        await using var client = Connect();

        var read = await client.ReadStreamAsync("s", 0, 10, Ct).ToListAsync(Ct);

        read.Select(e => e.Revision).ShouldBe([0, 1, 2]);
        var options = asked.ShouldHaveSingleItem().Options;
        (options.Stream.Revision, options.Count).ShouldBe((2UL, 8UL));
    }

    [Theory]
    [InlineData("leader", NodeState.Leader, "True")]
    [InlineData("follower", NodeState.Follower, "False")]
    [InlineData("readOnlyReplica", NodeState.ReadOnlyReplica, "False")]
    public async Task the_preferred_member_of_a_cluster_is_asked(string preference, object state, string requiresLeader)
    {
        ClusterInfo Members() => new()
        {
            Members =
            {
                _a.As((NodeState)state == NodeState.Leader ? NodeState.Follower : NodeState.Leader),
                _b.As((NodeState)state),
                _b.As(NodeState.CatchingUp),
            },
        };
        (_a.Gossip, _b.Gossip) = (Members, Members);
        var header = "";
        _b.Read = async call =>
        {
            header = call.Header("requires-leader");
            await call.SendAsync(Event(0));
            await call.EndAsync(StatusCode.OK);
        };
        await using var client = EventStoreClient.Create(
            $"esdb+discover://127.0.0.1:{_a.Port}?tls=false&nodePreference={preference}");

        (await client.ReadStreamAsync("s", 0, 1, Ct).ToListAsync(Ct)).ShouldHaveSingleItem();

        header.ShouldBe(requiresLeader);
    }

    [Fact]
    public async Task when_the_leader_is_gone_the_members_are_asked_for_the_next_one()
    {
        ClusterInfo First() => new() { Members = { _a.As(NodeState.Leader), _b.As(NodeState.Follower) } };
        ClusterInfo Second() => new()
        {
            Members = { _a.As(NodeState.Leader, isAlive: false), _b.As(NodeState.Leader) },
        };
        (_a.Gossip, _b.Gossip) = (First, First);
        _a.BatchAppend = call => EachAppendAsync(call, _ => Success(1));
        _b.BatchAppend = call => EachAppendAsync(call, _ => Success(2));
        // Only the first node is named: the other one is known from what that one said.
        await using var client = EventStoreClient.Create(
            $"esdb+discover://127.0.0.1:{_a.Port}?tls=false&discoveryInterval=20&defaultDeadline=5000");
        (await AppendAsync(client)).ShouldBe(new AppendResult.Appended(1, LogPosition.At(100)));

        _b.Gossip = Second;
        await _a.DisposeAsync();
        var results = new List<AppendResult>();
        while (results.LastOrDefault() is not AppendResult.Appended)
        {
            results.Add(await AppendAsync(client));
        }

        results[^1].ShouldBe(new AppendResult.Appended(2, LogPosition.At(100)));
        results.SkipLast(1).ShouldAllBe(r => r is AppendResult.OutcomeUnknown);
    }

    [Fact]
    public async Task a_cluster_without_a_member_to_connect_to_is_named_in_the_error()
    {
        _a.Gossip = () => new() { Members = { _a.As(NodeState.CatchingUp) } };
        await using var client = EventStoreClient.Create(
            $"esdb+discover://127.0.0.1:{_a.Port}?tls=false&maxDiscoverAttempts=2&discoveryInterval=10");

        var failure = await Should.ThrowAsync<EventStoreUnavailableException>(
            async () => await client.ReadStreamAsync("s", 0, 1, Ct).ToListAsync(Ct));

        failure.Message.ShouldContain($"127.0.0.1:{_a.Port}");
    }

    [Fact]
    public async Task a_store_that_knows_no_durations_is_told_the_time_of_day()
    {
        _a.Features = new SupportedMethods();
        BatchAppendReq? seen = null;
        _a.BatchAppend = call => EachAppendAsync(call, request =>
        {
            seen = request;
            return Success(0);
        });
        await using var client = Connect();
        var before = DateTimeOffset.UtcNow;

        (await AppendAsync(client)).ShouldBeOfType<AppendResult.Appended>();

        seen!.Options.Deadline21100.ToDateTimeOffset().ShouldBeInRange(before, before.AddMinutes(1));
    }

    [Fact]
    public async Task an_answer_to_nothing_and_an_answer_twice_disturb_nobody()
    {
        _a.BatchAppend = async call =>
        {
            while (await call.ReceiveAsync(BatchAppendReq.Parser) is { } request)
            {
                var answer = Success(3);
                await call.SendAsync(answer);
                answer.CorrelationId = request.CorrelationId;
                await call.SendAsync(answer);
                await call.SendAsync(answer);
            }
        };
        await using var client = Connect();

        for (var n = 0; n < 5; n++)
        {
            (await AppendAsync(client)).ShouldBe(new AppendResult.Appended(3, LogPosition.At(100)));
        }
    }

    [Fact]
    public async Task events_that_cannot_be_sent_are_the_callers_error_and_nobody_elses()
    {
        _a.BatchAppend = call => EachAppendAsync(call, _ => Success(0));
        await using var client = Connect();
        var untyped = EventLogFaultTests.Event() with { Type = "" };

        await Should.ThrowAsync<ArgumentException>(
            () => client.AppendAsync("s", ExpectedRevision.Any, [untyped], Ct));
        await Should.ThrowAsync<ArgumentException>(
            () => client.AppendAsync("", ExpectedRevision.Any, [EventLogFaultTests.Event()], Ct));

        (await AppendAsync(client)).ShouldBeOfType<AppendResult.Appended>();
    }

    [Fact]
    public async Task a_subscription_that_breaks_again_and_again_continues_after_what_it_delivered()
    {
        var asked = new List<ulong>();
        _a.Read = async call =>
        {
            var after = (await call.ReceiveAsync(ReadReq.Parser))!.Options.All.Position?.CommitPosition ?? 0;
            asked.Add(after);
            await call.SendAsync(new ReadResp { Confirmation = new() { SubscriptionId = "s" } });

            // Some stores repeat the event at the position; the client has handled it.
            for (var n = Math.Max(1, after); n <= after + 3; n++)
            {
                await call.SendAsync(Event((long)n, n));
            }

            // The end of the number range is no place to resume, though some stores have sent it.
            await call.SendAsync(Checkpoint(ulong.MaxValue));
            if (asked.Count == 3)
            {
                await call.SendAsync(Checkpoint(after + 10));
            }

            if (asked.Count == 6)
            {
                await call.UntilGoneAsync();
            }

            // Neither a failure nor an orderly end is a reason to stop following.
            await call.EndAsync(asked.Count % 2 == 0 ? StatusCode.Unavailable : StatusCode.OK);
        };
        await using var client = Connect();
        await using var subscription = new Subscriber(
            client.SubscribeToAllAsync(LogPosition.Start, [], CancellationToken.None), Patience);

        var (events, checkpoints) = (new List<ulong>(), new List<ulong>());
        while (events.Count < 18)
        {
            switch (await subscription.NextAsync())
            {
                case LogMessage.Event e:
                    events.Add(e.Recorded.Position.Commit);
                    break;
                case LogMessage.Checkpoint c:
                    checkpoints.Add(c.Position.Commit);
                    break;
            }
        }

        asked.ShouldBe([0, 3, 6, 16, 19, 22]);
        checkpoints.ShouldBe([16]);
        events.ShouldBe([1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
    }

    private EventStoreClient Connect() => EventStoreClient.Create($"esdb://127.0.0.1:{_a.Port}?tls=false");

    private static Task<AppendResult> AppendAsync(EventStoreClient client) =>
        client.AppendAsync("s", ExpectedRevision.Any, [EventLogFaultTests.Event()], Ct);

    private static async Task EachAppendAsync(ScriptedCall call, Func<BatchAppendReq, BatchAppendResp> answer)
    {
        while (await call.ReceiveAsync(BatchAppendReq.Parser) is { } request)
        {
            var response = answer(request);
            response.CorrelationId = request.CorrelationId;
            await call.SendAsync(response);
        }
    }

    private static BatchAppendResp Success(ulong revision) => new()
    {
        CorrelationId = new() { String = Guid.NewGuid().ToString() },
        Success = new()
        {
            CurrentRevision = revision,
            Position = new() { CommitPosition = 100, PreparePosition = 100 },
        },
    };

    private static ReadResp Checkpoint(ulong position) =>
        new() { Checkpoint = new() { CommitPosition = position, PreparePosition = position } };

    private static ReadResp Event(long revision, ulong position = 1) => new()
    {
        Event = new()
        {
            CommitPosition = position,
            Event = new()
            {
                Id = new() { String = Guid.NewGuid().ToString() },
                StreamIdentifier = new() { StreamName = Google.Protobuf.ByteString.CopyFromUtf8("s") },
                StreamRevision = (ulong)revision,
                CommitPosition = position,
                PreparePosition = position,
                Metadata = { { "type", "t" }, { "created", "0" }, { "content-type", "application/json" } },
            },
        },
    };
}
