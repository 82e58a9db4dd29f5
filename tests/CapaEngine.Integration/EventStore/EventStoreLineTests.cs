using CapaEngine.EventStore;
using CapaEngine.Kernel;
using Shouldly;

namespace CapaEngine.Integration.EventStore;

/// <summary>The client and the local event log with a line between them that fails in every way a line can.</summary>
public sealed class EventStoreLineTests(EventLogFixture log) : IClassFixture<EventLogFixture>, IAsyncLifetime
{
    // A client finds a dead line by keep-alive, here two seconds; the product's default is twenty.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);
    private FaultyLine _line = null!;
    private EventStoreClient _client = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public ValueTask InitializeAsync()
    {
        _line = new FaultyLine(new Uri(log.ConnectionString).Port);
        _client = EventStoreClient.Create(
            $"esdb://127.0.0.1:{_line.Port}?tls=false&defaultDeadline=3000"
            + "&keepAliveInterval=1000&keepAliveTimeout=1000");
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _line.DisposeAsync();
    }

    [Fact]
    public async Task a_line_that_is_cut_again_and_again_loses_and_repeats_nothing()
    {
        await using var load = new Load(_client, "cut");
        await using var subscription = Subscribe("cut");
        for (var cut = 1; cut <= 8; cut++)
        {
            await load.UntilAppendedAsync(cut * 150, Patience);
            _line.Cut();
        }

        await load.UntilAppendedAsync(1_500, Patience);
        await EventLogFaultTests.CheckAsync(log.Client, subscription, await load.StopAsync(), "cut");
        _line.Connections.ShouldBeGreaterThan(8);
    }

    [Fact]
    public async Task a_line_that_swallows_everything_is_given_up_and_nothing_is_missed()
    {
        await EventLogFaultTests.RetriedAsync(
            _client, "dead-a", ExpectedRevision.NoStream, EventLogFaultTests.Event());
        await using var subscription = Subscribe("dead");
        await subscription.UntilAsync<LogMessage.CaughtUp>();

        // Neither end learns that the other does not hear it any more.
        _line.Swallow();
        var lost = await _client.AppendAsync("dead-b", ExpectedRevision.NoStream, [EventLogFaultTests.Event()], Ct);
        await EventLogFaultTests.RetriedAsync(
            log.Client, "dead-a", ExpectedRevision.At(0), EventLogFaultTests.Event());
        _line.Mend();

        lost.ShouldBeOfType<AppendResult.OutcomeUnknown>();
        (await subscription.UntilAsync<LogMessage.Event>()).OfType<LogMessage.Event>()
            .ShouldHaveSingleItem().Recorded.Revision.ShouldBe(1);
        (await log.Client.ReadStreamAsync("dead-b", 0, 1, Ct).ToListAsync(Ct)).ShouldBeEmpty();
        await EventLogFaultTests.RetriedAsync(
            _client, "dead-b", ExpectedRevision.NoStream, EventLogFaultTests.Event());
    }

    [Fact]
    public async Task an_append_whose_answer_is_lost_is_written_once_however_often_it_is_repeated()
    {
        await EventLogFaultTests.RetriedAsync(
            _client, "unheard-a", ExpectedRevision.NoStream, EventLogFaultTests.Event());
        var e = EventLogFaultTests.Event();

        _line.SwallowAnswers();
        var unheard = await _client.AppendAsync("unheard-a", ExpectedRevision.At(0), [e], Ct);
        _line.Mend();

        unheard.ShouldBeOfType<AppendResult.OutcomeUnknown>();
        (await EventLogFaultTests.RetriedAsync(_client, "unheard-a", ExpectedRevision.At(0), e)).Revision.ShouldBe(1);
        (await EventLogFaultTests.RetriedAsync(_client, "unheard-a", ExpectedRevision.At(0), e)).Revision.ShouldBe(1);
        (await log.Client.ReadStreamAsync("unheard-a", 0, 10, Ct).ToListAsync(Ct)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task a_read_that_is_cut_in_the_middle_goes_on_where_it_was()
    {
        NewEvent[] events = [.. Enumerable.Range(0, 1_000).Select(_ => EventLogFaultTests.Event())];
        for (var n = 0; n < 6; n++)
        {
            (await log.Client.AppendAsync("interrupted-a", ExpectedRevision.At((n * 1_000) - 1), events, Ct))
                .ShouldBeOfType<AppendResult.Appended>();
            events = [.. events.Select(e => e with { Id = Guid.NewGuid() })];
        }

        var (forwards, all, backwards) = (new List<long>(), new List<long>(), new List<long>());
        await foreach (var e in _client.ReadStreamAsync("interrupted-a", 0, long.MaxValue, Ct))
        {
            forwards.Add(e.Revision);
            CutAt(forwards.Count);
        }

        await foreach (var e in _client.ReadAllAsync(LogPosition.Start, ["interrupted-"], Ct))
        {
            all.Add(e.Revision);
            CutAt(all.Count);
        }

        await foreach (var e in _client.ReadStreamBackwardsAsync("interrupted-a", long.MaxValue, Ct))
        {
            backwards.Add(e.Revision);
            CutAt(backwards.Count);
        }

        forwards.ShouldBe(Enumerable.Range(0, 6_000).Select(n => (long)n));
        all.ShouldBe(forwards);
        backwards.ShouldBe(forwards.AsEnumerable().Reverse());
        _line.Connections.ShouldBeGreaterThan(3);

        void CutAt(int count)
        {
            if (count % 2_500 == 0)
            {
                _line.Cut();
            }
        }
    }

    [Fact]
    public async Task a_handler_that_takes_its_time_is_neither_dropped_nor_does_it_miss_anything()
    {
        const int appends = 25, eventsEach = 1_000;
        await using var subscription = Subscribe("slow");
        await subscription.UntilAsync<LogMessage.CaughtUp>();

        // More than the log keeps in memory, and than all the buffers between it and the handler can hold.
        for (var n = 0; n < appends; n++)
        {
            NewEvent[] events = [.. Enumerable.Range(0, eventsEach).Select(_ => EventLogFaultTests.Event())];
            (await log.Client.AppendAsync("slow-a", ExpectedRevision.At((n * eventsEach) - 1), events, Ct))
                .ShouldBeOfType<AppendResult.Appended>();
        }

        var seen = new List<long>();
        while (seen.Count < appends * eventsEach)
        {
            if (await subscription.NextAsync() is LogMessage.Event e)
            {
                seen.Add(e.Recorded.Revision);
            }
        }

        seen.ShouldBe(Enumerable.Range(0, appends * eventsEach).Select(n => (long)n));
        _line.Connections.ShouldBe(1);
    }

    private Subscriber Subscribe(string family) =>
        new(_client.SubscribeToAllAsync(LogPosition.Start, [family], CancellationToken.None), Patience);
}
