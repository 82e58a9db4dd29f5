using System.Text;
using CapaEngine.EventStore;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Npgsql;
using Shouldly;

namespace CapaEngine.Integration.EventStore;

/// <summary>
/// What the client and the local event log keep when a part of them breaks: every acknowledged append is there once,
/// in order, and a subscription that lived through it has seen each event once.
/// </summary>
public sealed class EventLogFaultTests(EventLogFixture log) : IClassFixture<EventLogFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_killed_node_loses_nothing_and_its_subscribers_skip_and_repeat_nothing()
    {
        await using var load = new Load(log.Client, "killed");
        await using var subscription = Subscribe("killed");
        for (var kill = 1; kill <= 3; kill++)
        {
            await load.UntilAppendedAsync(kill * 300, Patience);
            await log.KillAndStartAsync(Ct);
        }

        await load.UntilAppendedAsync(1_500, Patience);
        await CheckAsync(log.Client, subscription, await load.StopAsync(), "killed");
    }

    [Fact]
    public async Task a_node_that_is_asked_to_stop_stops_soon_and_loses_nothing()
    {
        await using var load = new Load(log.Client, "stopped");
        await using var subscription = Subscribe("stopped");
        for (var stop = 1; stop <= 3; stop++)
        {
            await load.UntilAppendedAsync(stop * 300, Patience);

            // Calls that never end by themselves are open, and appends are on their way: it must not wait for them.
            (await log.Node.StopAsync(TimeSpan.FromSeconds(20), Ct)).ShouldBe(0);
            await log.KillAndStartAsync(Ct);
        }

        await load.UntilAppendedAsync(1_200, Patience);
        await CheckAsync(log.Client, subscription, await load.StopAsync(), "stopped");
    }

    [Fact]
    public async Task losing_the_database_connections_loses_nothing()
    {
        await using var load = new Load(log.Client, "disconnected");
        await using var subscription = Subscribe("disconnected");
        for (var cut = 1; cut <= 3; cut++)
        {
            await load.UntilAppendedAsync(cut * 300, Patience);
            var epoch = await EpochAsync();
            (await TerminateAsync("capaengine-eventlog-%")).ShouldBeGreaterThan(0);
            await UntilAsync(async () => await EpochAsync() > epoch);
        }

        await load.UntilAppendedAsync(1_500, Patience);
        await CheckAsync(log.Client, subscription, await load.StopAsync(), "disconnected");
    }

    [Fact]
    public async Task a_second_node_waits_for_its_turn_and_then_continues_the_log()
    {
        var (second, ready, address) = log.StartSecond();
        try
        {
            await AppendedAsync(log.Client, "turns-a", ExpectedRevision.NoStream);
            await using (var hasty = EventStoreClient.Create($"{address}&defaultDeadline=500"))
            {
                (await hasty.AppendAsync("turns-b", ExpectedRevision.NoStream, [Event()], Ct))
                    .ShouldBeOfType<AppendResult.ServerBusy>();
            }

            await log.Node.KillAsync();
            await second.WaitUntilReadyAsync(ready, Patience, Ct);

            await using var client = EventStoreClient.Create(address);
            (await RetriedAsync(client, "turns-a", ExpectedRevision.At(0), Event())).Revision.ShouldBe(1);
        }
        finally
        {
            // The other tests have only the first node.
            await second.DisposeAsync();
            await log.KillAndStartAsync(Ct);
        }
    }

    [Fact]
    public async Task a_writer_that_was_asleep_while_another_took_over_writes_nothing_more()
    {
        await AppendedAsync(log.Client, "fenced-a", ExpectedRevision.NoStream);
        var (second, ready, address) = log.StartSecond();
        await using (second)
        {
            // The sleeper keeps the connection on which it writes, and loses the one that holds its lock.
            await log.Node.SignalAsync("STOP", Ct);
            await TerminateLockHolderAsync();
            await second.WaitUntilReadyAsync(ready, Patience, Ct);
            await using var client = EventStoreClient.Create(address);
            await AppendedAsync(client, "fenced-a", ExpectedRevision.At(0));

            var late = log.Client.AppendAsync("fenced-b", ExpectedRevision.NoStream, [Event()], Ct);
            await log.Node.SignalAsync("CONT", Ct);

            (await late.WaitAsync(Patience, Ct)).ShouldNotBeOfType<AppendResult.Appended>();
            (await client.ReadStreamAsync("fenced-b", 0, 10, Ct).ToListAsync(Ct)).ShouldBeEmpty();
            (await client.ReadStreamAsync("fenced-a", 0, 10, Ct).ToListAsync(Ct)).Count.ShouldBe(2);
        }

        await log.Node.WaitUntilReadyAsync(log.Ready, Patience, Ct);
    }

    [Fact]
    public async Task a_write_under_an_epoch_that_is_over_is_not_written()
    {
        await AppendedAsync(log.Client, "epoch-a", ExpectedRevision.NoStream);

        // The node still holds its lock and looks at the epoch once a second; the write itself must notice.
        var epoch = (long)(await ScalarAsync("update eventlog.epoch set epoch = epoch + 1 returning epoch"))!;
        var late = await log.Client.AppendAsync("epoch-b", ExpectedRevision.NoStream, [Event()], Ct);

        late.ShouldNotBeOfType<AppendResult.Appended>();
        await UntilAsync(async () => await EpochAsync() > epoch);
        await log.Node.WaitUntilReadyAsync(log.Ready, Patience, Ct);
        (await log.Client.ReadStreamAsync("epoch-b", 0, 10, Ct).ToListAsync(Ct)).ShouldBeEmpty();
        (await RetriedAsync(log.Client, "epoch-a", ExpectedRevision.At(0), Event())).Revision.ShouldBe(1);
    }

    [Fact]
    public async Task a_node_that_hangs_makes_the_outcome_unknown_and_does_not_stop_the_subscriptions()
    {
        await using var client = EventStoreClient.Create($"{log.ConnectionString}&defaultDeadline=1000");
        await RetriedAsync(client, "hung-a", ExpectedRevision.NoStream, Event());
        await using var subscription = new Subscriber(
            client.SubscribeToAllAsync(LogPosition.Start, ["hung"], CancellationToken.None), Patience);
        await subscription.UntilAsync<LogMessage.CaughtUp>();
        var e = Event();

        await log.Node.SignalAsync("STOP", Ct);
        var hung = await client.AppendAsync("hung-a", ExpectedRevision.At(0), [e], Ct);
        await log.Node.SignalAsync("CONT", Ct);

        hung.ShouldBeOfType<AppendResult.OutcomeUnknown>();
        var repeated = await RetriedAsync(client, "hung-a", ExpectedRevision.At(0), e);
        repeated.Revision.ShouldBe(1);
        var seen = await subscription.UntilAsync<LogMessage.Event>();
        seen.OfType<LogMessage.Event>().Single().Recorded.Id.ShouldBe(e.Id);
        (await client.ReadStreamAsync("hung-a", 0, 10, Ct).ToListAsync(Ct)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task a_repeat_without_an_expectation_is_recognised_after_a_restart()
    {
        var e = Event();
        var first = (await log.Client.AppendAsync("any-a", ExpectedRevision.Any, [e], Ct))
            .ShouldBeOfType<AppendResult.Appended>();
        await log.KillAndStartAsync(Ct);

        (await RetriedAsync(log.Client, "any-a", ExpectedRevision.Any, e)).ShouldBe(first);
    }

    [Fact]
    public async Task an_append_that_no_node_can_take_is_refused_and_was_not_written()
    {
        var nowhere = $"esdb://127.0.0.1:{ServiceProcess.FreePort()}?tls=false&defaultDeadline=500";
        await using var client = EventStoreClient.Create(nowhere);

        (await client.AppendAsync("nowhere-a", ExpectedRevision.NoStream, [Event()], Ct))
            .ShouldBeOfType<AppendResult.ServerBusy>();
    }

    internal static NewEvent Event() =>
        new(Guid.NewGuid(), "test.happened.v1", Encoding.UTF8.GetBytes("{}"), Encoding.UTF8.GetBytes("{}"));

    /// <summary>Appends until the answer is known, always with the same ids.</summary>
    internal static async Task<AppendResult.Appended> RetriedAsync(
        IEventStore store, string stream, ExpectedRevision expected, NewEvent e)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var result = await store.AppendAsync(stream, expected, [e], limit.Token);
            if (result is not (AppendResult.OutcomeUnknown or AppendResult.ServerBusy))
            {
                return result.ShouldBeOfType<AppendResult.Appended>();
            }
        }
    }

    private static async Task<AppendResult.Appended> AppendedAsync(
        EventStoreClient client, string stream, ExpectedRevision expected) =>
        (await client.AppendAsync(stream, expected, [Event()], Ct)).ShouldBeOfType<AppendResult.Appended>();

    private Subscriber Subscribe(string family) =>
        new(log.Client.SubscribeToAllAsync(LogPosition.Start, [family], CancellationToken.None), Patience);

    /// <summary>
    /// Every acknowledged append is in the log once, at its position, each stream without gaps; and the subscriber
    /// has seen exactly that.
    /// </summary>
    internal static async Task CheckAsync(
        EventStoreClient client, Subscriber subscription, IReadOnlyDictionary<Guid, LogPosition> acknowledged,
        string family)
    {
        var stored = await client.ReadAllAsync(LogPosition.Start, [family], Ct).ToListAsync(Ct);
        var seen = new List<RecordedEvent>();
        while (seen.Count < stored.Count)
        {
            if (await subscription.NextAsync() is LogMessage.Event e)
            {
                seen.Add(e.Recorded);
            }
        }

        stored.ToDictionary(e => e.Id, e => e.Position).ShouldBe(acknowledged, ignoreOrder: true);
        stored.Select(e => e.Position).ShouldBeInOrder(SortDirection.Ascending);
        seen.Select(e => e.Id).ShouldBe(stored.Select(e => e.Id));
        foreach (var stream in stored.GroupBy(e => e.Stream))
        {
            stream.Select(e => e.Revision).ShouldBe(Enumerable.Range(0, stream.Count()).Select(n => (long)n));
        }
    }

    private async Task<long> EpochAsync() => (long)(await ScalarAsync("select epoch from eventlog.epoch"))!;

    private async Task<int> TerminateAsync(string application) => Convert.ToInt32(await ScalarAsync(
        $"""
        select count(pg_terminate_backend(pid)) from pg_stat_activity
        where datname = current_database() and application_name like '{application}'
        """), System.Globalization.CultureInfo.InvariantCulture);

    private async Task TerminateLockHolderAsync()
    {
        var terminated = await ScalarAsync(
            """
            select count(pg_terminate_backend(pid)) from pg_locks
            where locktype = 'advisory' and granted
              and database = (select oid from pg_database where datname = current_database())
            """);
        terminated.ShouldBe(1L);
    }

    private async Task<object?> ScalarAsync(string sql)
    {
        var administrator = new NpgsqlConnectionStringBuilder(log.Database)
        {
            ApplicationName = "test",
            Pooling = false,
        };
        await using var connection = new NpgsqlConnection(administrator.ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Ct);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await condition())
        {
            await poll.WaitForNextTickAsync(limit.Token);
        }
    }
}
