using CapaEngine.EventStore.Protocol;
using CapaEngine.Integration.Infrastructure;
using Google.Protobuf;
using Grpc.Core;
using Npgsql;
using Shouldly;
using static CapaEngine.Integration.EventStore.LogWithUsers;

namespace CapaEngine.Integration.EventStore;

/// <summary>Who may do what to the streams of a local event log with users.</summary>
public sealed class EventLogAccessTests(LogWithUsers log) : IClassFixture<LogWithUsers>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly string _stream = $"access{Guid.NewGuid():N}-a";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Operations on the stream of the test, or on what belongs to everybody.</summary>
    private static Dictionary<string, Func<EventLogAccessTests, string, Task<StatusCode>>> Operations => new()
    {
        ["read"] = (t, who) => StatusAsync(() => t.Log.ReadAsync(who, t._stream)),
        ["subscribe"] = (t, who) => StatusAsync(() => t.SubscribedAsync(who, t._stream)),
        ["append"] = (t, who) => StatusAsync(() => t.Log.AppendAsync(who, t._stream)),
        ["append in a batch"] = (t, who) => StatusAsync(() => t.BatchAppendAsync(who, t._stream)),
        ["delete"] = (t, who) => StatusAsync(() => t.DeleteAsync(who, t._stream)),
        ["tombstone"] = (t, who) => StatusAsync(() => t.TombstoneAsync(who, t._stream)),
        ["read metadata"] = (t, who) => StatusAsync(() => t.Log.ReadAsync(who, $"$${t._stream}")),
        ["write metadata"] = (t, who) => StatusAsync(() => t.Log.AppendAsync(who, $"$${t._stream}")),
        ["write metadata in a batch"] = (t, who) => StatusAsync(() => t.BatchAppendAsync(who, $"$${t._stream}")),
        ["delete metadata"] = (t, who) => StatusAsync(() => t.DeleteAsync(who, $"$${t._stream}")),
        ["read all"] = (t, who) => StatusAsync(() => t.Log.ReadAsync(who, "$all")),
        ["subscribe to all"] = (t, who) => StatusAsync(() => t.SubscribedAsync(who, "$all")),
        ["read the metadata of all"] = (t, who) => StatusAsync(() => t.Log.ReadAsync(who, "$$$all")),
        ["read a system stream"] = (t, who) => StatusAsync(() => t.Log.ReadAsync(who, $"${t._stream}")),
        ["append to a system stream"] = (t, who) => StatusAsync(() => t.Log.AppendAsync(who, $"${t._stream}")),
        ["append to all"] = (t, who) => StatusAsync(() => t.Log.AppendAsync(who, "$all")),
    };

    public static TheoryData<string, string, StatusCode, StatusCode> Cases()
    {
        var cases = new TheoryData<string, string, StatusCode, StatusCode>();
        foreach (var operation in Operations.Keys)
        {
            var general = operation.EndsWith("all", StringComparison.Ordinal) || operation.Contains("system");
            var ordinary = general ? StatusCode.PermissionDenied : StatusCode.OK;
            cases.Add(operation, Ada, ordinary, ordinary);
            cases.Add(operation, Bob, StatusCode.PermissionDenied, ordinary);
            var always = operation == "append to all" ? StatusCode.PermissionDenied : StatusCode.OK;
            cases.Add(operation, Admin, always, always);
        }

        return cases;
    }

    public static TheoryData<string> AllOperations => [.. Operations.Keys];

    private LogWithUsers Log => log;

    [Theory]
    [MemberData(nameof(AllOperations))]
    public async Task nobody_does_anything_without_the_right_password(string operation)
    {
        foreach (var outsider in new[] { Nobody, WrongPassword, Stranger })
        {
            (await Operations[operation](this, outsider)).ShouldBe(StatusCode.Unauthenticated, outsider);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task an_access_list_names_who_may_do_what(
        string operation, string who, StatusCode withList, StatusCode withoutList)
    {
        await log.AppendAsync(Admin, _stream);
        await log.SetMetadataAsync(_stream, new { });
        (await Operations[operation](this, who)).ShouldBe(withoutList);
        var listed = new EventLogAccessTests(log);
        await log.AppendAsync(Admin, listed._stream);
        await log.SetMetadataAsync(listed._stream, Only("engineers"));
        (await Operations[operation](listed, who)).ShouldBe(withList);
    }

    [Fact]
    public async Task a_token_is_not_understood_and_malformed_credentials_are_none()
    {
        foreach (var header in new[] { "Bearer abc", "Basic", "Basic %%%", "Basic bm8tY29sb24=", "Basic OnBhc3N3b3Jk" })
        {
            var options = new CallOptions([new("authorization", header)], cancellationToken: Ct);
            using var call = log.Streams.Read(ReadOf(_stream), options);
            (await StatusAsync(() => call.ResponseStream.MoveNext(Ct))).ShouldBe(StatusCode.Unauthenticated, header);
        }
    }

    [Fact]
    public async Task discovery_and_health_need_nobody()
    {
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(log.Log.Url);
        var members = await new Gossip.GossipClient(channel).ReadAsync(new Empty(), As(Nobody));
        var features = await new ServerFeatures.ServerFeaturesClient(channel)
            .GetSupportedMethodsAsync(new Empty(), As(WrongPassword));
        using var health = new HttpClient();

        members.Members.ShouldHaveSingleItem();
        features.Methods.ShouldNotBeEmpty();
        (await health.GetAsync(log.Log.Ready, Ct)).IsSuccessStatusCode.ShouldBeTrue();
        (await health.GetAsync(new Uri(log.Log.Ready, "/metrics"), Ct)).IsSuccessStatusCode.ShouldBeTrue();
    }

    [Fact]
    public async Task a_right_is_what_the_list_says_and_nobody_s_when_it_makes_no_sense()
    {
        (string Metadata, bool Reads, bool Writes)[] cases =
        [
            ("""{"$acl":{"$r":"ada","$w":["nobody"]}}""", true, false),
            ("""{"$acl":{"$r":["x","engineers"],"$w":"$all"}}""", true, true),
            ("""{"$acl":{"$r":null}}""", true, true),
            ("""{"$acl":{"$r":[],"$w":{}}}""", false, false),
            ("""{"$acl":{"$r":["ada",7]}}""", false, true),
            ("""{"$acl":"ada"}""", false, false),
            ("""{"$acl":{"$r":"a\u0000da"},"x":"\ud800"}""", false, true),
            ("""{"$acl":{"$r":"\ud800"}}""", false, true),
            ("""{"$acl":null,"$maxCount":5}""", true, true),
            ("nonsense", true, true),
        ];
        for (var i = 0; i < cases.Length; i++)
        {
            await log.AppendAsync(Admin, $"$${_stream}{i}", "$metadata", cases[i].Metadata);
        }

        for (var start = 0; start < 2; start++)
        {
            for (var i = 0; i < cases.Length; i++)
            {
                var (stream, (metadata, reads, writes)) = ($"{_stream}{i}", cases[i]);
                (await StatusAsync(() => log.ReadAsync(Ada, stream)) == StatusCode.OK).ShouldBe(reads, metadata);
                (await StatusAsync(() => BatchAppendAsync(Ada, stream)) == StatusCode.OK).ShouldBe(writes, metadata);
                (await StatusAsync(() => log.ReadAsync(Admin, stream))).ShouldBe(StatusCode.OK, metadata);
            }

            await log.Log.KillAndStartAsync(Ct);
        }
    }

    [Theory]
    [InlineData("""{"$acl":{"$r":"ada"},"x":1,"x":2}""", StatusCode.OK)]
    [InlineData("""{"$acl":{"$r":"ada"},"x":"\ud800"}""", StatusCode.OK)]
    [InlineData("""{"$acl":{"$r":"\ud800"}}""", StatusCode.PermissionDenied)]
    [InlineData("""{"$acl":{"\ud800":"ada"}}""", StatusCode.PermissionDenied)]
    [InlineData("""{"\ud800":1}""", StatusCode.PermissionDenied)]
    public async Task a_list_outlives_its_stream_whatever_else_the_metadata_say(string metadata, StatusCode read)
    {
        await log.AppendAsync(Admin, _stream);
        await log.AppendAsync(Admin, $"$${_stream}", "$metadata", metadata);
        (await Operations["read"](this, Ada)).ShouldBe(read);
        await DeleteAsync(Admin, _stream);
        (await Operations["read"](this, Ada)).ShouldBe(read);
        await log.AppendAsync(Admin, $"$${_stream}", "$metadata", metadata);
        await log.AppendAsync(Admin, _stream);

        (await Operations["read"](this, Ada)).ShouldBe(read);
        (await Operations["read"](this, Bob)).ShouldBe(StatusCode.PermissionDenied);
        (await Operations["read"](this, Admin)).ShouldBe(StatusCode.OK);
        log.Log.Node.LogTail().ShouldNotContain("The event log is not served");
    }

    [Fact]
    public async Task lists_are_read_from_the_events_of_a_database_that_had_none()
    {
        var (open, unreadable) = ($"{_stream}b", $"{_stream}c");
        await log.SetMetadataAsync(_stream, Only("nobody"));
        await log.SetMetadataAsync(_stream, Only(Ada));
        await log.AppendAsync(Admin, $"$${open}", "$metadata", "nonsense");
        await log.AppendAsync(Admin, $"$${unreadable}", "$metadata", """{"$acl":{"$r":["ada"]},"x":"\u0000"}""");
        await log.Log.Node.KillAsync();
        await using (var database = NpgsqlDataSource.Create(log.Log.Database))
        await using (var older = database.CreateCommand(
            """
            alter table eventlog.stream_limits drop column acl;
            delete from eventlog.schema_versions where scriptname like '%0002-access-lists.sql'
            """))
        {
            (await older.ExecuteNonQueryAsync(Ct)).ShouldBe(1);
        }

        await log.Log.KillAndStartAsync(Ct);

        (await StatusAsync(() => log.ReadAsync(Ada, _stream))).ShouldBe(StatusCode.OK);
        (await StatusAsync(() => log.ReadAsync(Bob, _stream))).ShouldBe(StatusCode.PermissionDenied);
        (await StatusAsync(() => log.ReadAsync(Bob, open))).ShouldBe(StatusCode.OK);
        // PostgreSQL has no zero in a text, and what cannot be read permits nothing.
        (await StatusAsync(() => log.ReadAsync(Bob, unreadable))).ShouldBe(StatusCode.PermissionDenied);
    }

    [Fact]
    public async Task the_settings_stream_changes_what_holds_without_a_list_also_after_a_restart()
    {
        var settings = """{"$userStreamAcl":{"$w":"engineers"},"$systemStreamAcl":{"$r":["bob"]}}""";
        await log.AppendAsync(Admin, "$settings", "$settings", settings);
        for (var start = 0; start < 2; start++)
        {
            (await Operations["append"](this, Ada)).ShouldBe(StatusCode.OK);
            (await Operations["append"](this, Bob)).ShouldBe(StatusCode.PermissionDenied);
            (await Operations["read"](this, Bob)).ShouldBe(StatusCode.OK);
            (await Operations["read a system stream"](this, Bob)).ShouldBe(StatusCode.OK);
            (await Operations["read all"](this, Bob)).ShouldBe(StatusCode.OK);
            (await Operations["append to a system stream"](this, Bob)).ShouldBe(StatusCode.PermissionDenied);
            (await Operations["read all"](this, Ada)).ShouldBe(StatusCode.PermissionDenied);
            await log.Log.KillAndStartAsync(Ct);
        }

        await log.AppendAsync(Admin, "$settings", "$settings", "{}");
        (await Operations["append"](this, Bob)).ShouldBe(StatusCode.OK);
        (await Operations["read all"](this, Bob)).ShouldBe(StatusCode.PermissionDenied);
    }

    [Fact]
    public async Task a_user_with_prefixes_writes_to_nothing_else_whatever_the_lists_say()
    {
        var (own, other) = ($"family-{_stream}", _stream);
        foreach (var (stream, expected) in new[] { (own, StatusCode.OK), (other, StatusCode.PermissionDenied) })
        {
            (await StatusAsync(() => log.AppendAsync(Writer, stream))).ShouldBe(expected);
            (await StatusAsync(() => BatchAppendAsync(Writer, stream))).ShouldBe(expected);
            (await StatusAsync(() => log.AppendAsync(Writer, $"$${stream}"))).ShouldBe(expected);
            (await StatusAsync(() => DeleteAsync(Writer, stream))).ShouldBe(expected);
            (await StatusAsync(() => log.ReadAsync(Writer, stream))).ShouldBe(StatusCode.OK);
        }
    }

    [Fact]
    public async Task a_call_of_many_appends_is_refused_one_by_one()
    {
        await log.SetMetadataAsync(_stream, Only("nobody"));
        using var call = log.Streams.BatchAppend(As(Bob));
        await SendAsync(call.RequestStream, [Batch(_stream), Batch($"{_stream}b"), Batch(_stream)]);
        var answers = await call.ResponseStream.ReadAllAsync(Ct).ToListAsync(Ct);

        answers.Count.ShouldBe(3);
        answers.Count(a => a.Error?.Details.Is(AccessDenied.Descriptor) is true).ShouldBe(2);
        answers.Single(a => a.Success is not null).StreamIdentifier.ShouldBe(Name($"{_stream}b"));
    }

    [Fact]
    public async Task a_revoked_right_ends_a_subscription_at_the_next_event()
    {
        await log.SetMetadataAsync(_stream, Only(Auditor));
        await log.AppendAsync(Admin, "$$$all", "$metadata", """{"$acl":{"$r":"auditor"}}""");
        using var stream = log.Streams.Read(ReadOf(_stream, subscribe: true), As(Auditor));
        using var all = log.Streams.Read(ReadOf("$all", subscribe: true), As(Auditor));
        await UntilCaughtUpAsync(stream);
        await UntilCaughtUpAsync(all);
        await log.AppendAsync(Admin, _stream);
        (await stream.ResponseStream.MoveNext(Ct)).ShouldBeTrue();

        await log.SetMetadataAsync(_stream, Only("nobody"));
        await log.AppendAsync(Admin, "$$$all", "$metadata", "{}");
        await log.AppendAsync(Admin, _stream, data: """{"secret":true}""");

        (await EndAsync(stream)).ShouldBe((StatusCode.PermissionDenied, 0));
        (await EndAsync(all)).Status.ShouldBe(StatusCode.PermissionDenied);
    }

    [Fact]
    public async Task a_user_who_is_taken_away_is_out_and_a_new_one_is_in_without_a_restart()
    {
        var name = $"guest{Guid.NewGuid():N}";
        var hash = await HashAsync("first");
        (await StatusAsync(() => ReadAsAsync(name, "first"))).ShouldBe(StatusCode.Unauthenticated);
        await log.SetUserAsync(name, hash);
        await UntilAsync(async () => await StatusAsync(() => ReadAsAsync(name, "first")) == StatusCode.OK);
        using var subscription = log.Streams.Read(ReadOf(_stream, subscribe: true), As(name, "first"));
        await UntilCaughtUpAsync(subscription);

        await log.SetUserAsync(name, await HashAsync("second"));
        await UntilAsync(async () => await StatusAsync(() => ReadAsAsync(name, "second")) == StatusCode.OK);
        (await StatusAsync(() => ReadAsAsync(name, "first"))).ShouldBe(StatusCode.Unauthenticated);
        await log.AppendAsync(Admin, _stream);
        (await EndAsync(subscription)).ShouldBe((StatusCode.PermissionDenied, 0));

        await log.SetUserAsync(name, null);
        await UntilAsync(async () =>
            await StatusAsync(() => ReadAsAsync(name, "second")) == StatusCode.Unauthenticated);
    }

    private static Dictionary<string, object> Only(string who) => new()
    {
        ["$acl"] = new Dictionary<string, string[]>
        {
            ["$r"] = [who], ["$w"] = [who], ["$d"] = [who], ["$mr"] = [who], ["$mw"] = [who],
        },
    };

    /// <summary>How something ends; a refusal of a right always says so in its trailers.</summary>
    private static async Task<StatusCode> StatusAsync(Func<Task> operation)
    {
        try
        {
            await operation();
            return StatusCode.OK;
        }
        catch (RpcException failure)
        {
            failure.Trailers.GetValue("exception").ShouldBe(
                failure.StatusCode == StatusCode.PermissionDenied ? "access-denied" : null);
            return failure.StatusCode;
        }
    }

    private static BatchAppendReq Batch(string stream) => new()
    {
        CorrelationId = new UUID { String = $"{Guid.NewGuid()}" },
        Options = new() { StreamIdentifier = Name(stream), Any = new() },
        IsFinal = true,
        ProposedMessages =
        {
            new BatchAppendReq.Types.ProposedMessage
            {
                Id = new UUID { String = $"{Guid.NewGuid()}" },
                Metadata = { { "type", "access.tested" }, { "content-type", "application/json" } },
                Data = ByteString.CopyFromUtf8("{}"),
            },
        },
    };

    private async Task BatchAppendAsync(string who, string stream)
    {
        using var call = log.Streams.BatchAppend(As(who));
        await SendAsync(call.RequestStream, [Batch(stream)]);
        await call.ResponseStream.MoveNext(Ct);
        if (call.ResponseStream.Current.Error is { } error)
        {
            error.Details.Is(AccessDenied.Descriptor).ShouldBe(error.Code == (int)StatusCode.PermissionDenied);
            throw new RpcException(
                new Status((StatusCode)error.Code, error.Message), [new("exception", "access-denied")]);
        }
    }

    private async Task DeleteAsync(string who, string stream) => await log.Streams.DeleteAsync(
        new() { Options = new() { StreamIdentifier = Name(stream), Any = new() } }, As(who));

    private async Task TombstoneAsync(string who, string stream) => await log.Streams.TombstoneAsync(
        new() { Options = new() { StreamIdentifier = Name(stream), Any = new() } }, As(who));

    private async Task SubscribedAsync(string who, string stream)
    {
        using var call = log.Streams.Read(ReadOf(stream, subscribe: true), As(who));
        await UntilCaughtUpAsync(call);
    }

    private async Task ReadAsAsync(string who, string password)
    {
        using var call = log.Streams.Read(ReadOf(_stream), As(who, password));
        await call.ResponseStream.MoveNext(Ct);
    }

    private static async Task UntilCaughtUpAsync(AsyncServerStreamingCall<ReadResp> call)
    {
        while (call.ResponseStream.Current?.ContentCase != ReadResp.ContentOneofCase.CaughtUp)
        {
            (await call.ResponseStream.MoveNext(Ct).WaitAsync(Patience, Ct)).ShouldBeTrue();
        }
    }

    /// <summary>How a subscription ends, and how many events came before.</summary>
    private static async Task<(StatusCode Status, int Events)> EndAsync(AsyncServerStreamingCall<ReadResp> call)
    {
        var events = 0;
        var status = await StatusAsync(async () =>
        {
            while (await call.ResponseStream.MoveNext(Ct).WaitAsync(Patience, Ct))
            {
                events += call.ResponseStream.Current.Event is null ? 0 : 1;
            }
        });
        return (status, events);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await condition())
        {
            await poll.WaitForNextTickAsync(limit.Token);
        }
    }
}
