using CapaEngine.Kernel;
using Shouldly;

namespace CapaEngine.Integration.EventStore;

public abstract partial class EventStoreContract
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task a_subscription_continues_after_its_position_and_then_goes_live()
    {
        var positions = new List<LogPosition>();
        for (var n = 0; n < 10; n++)
        {
            positions.Add((await AppendedAsync("a", ExpectedRevision.At(n - 1), Event())).Position);
        }

        await using var subscription = Subscribe(positions[4]);
        var caughtUp = await subscription.UntilAsync<LogMessage.CaughtUp>();
        await AppendedAsync("a", ExpectedRevision.At(9), Event());
        await AppendedAsync("b", ExpectedRevision.NoStream, Event());
        var live = new List<LogMessage>();
        while (live.OfType<LogMessage.Event>().Count() < 2)
        {
            live.Add(await subscription.NextAsync());
        }

        caughtUp.OfType<LogMessage.Event>().Select(m => m.Recorded.Revision).ShouldBe([5, 6, 7, 8, 9]);
        live.OfType<LogMessage.Event>().Select(m => (m.Recorded.Stream, m.Recorded.Revision))
            .ShouldBe([(Stream("a"), 10), (Stream("b"), 0)]);
    }

    [Fact]
    public async Task a_subscription_says_how_far_it_is_when_nothing_passes_its_filter()
    {
        await using var subscription = Subscribe(LogPosition.Start, Stream("nothing"));
        await subscription.UntilAsync<LogMessage.CaughtUp>();
        var written = new List<LogPosition>();
        for (var n = 0; n < 1_200; n += 100)
        {
            var some = Enumerable.Range(0, 100).Select(_ => Event()).ToArray();
            written.Add((await AppendedAsync("a", ExpectedRevision.At(n - 1), some)).Position);
        }

        var checkpoint = LogPosition.Start;
        while (checkpoint < written[4])
        {
            var next = (await subscription.NextAsync()).ShouldBeOfType<LogMessage.Checkpoint>().Position;
            next.ShouldBeGreaterThan(checkpoint);
            checkpoint = next;
        }

        checkpoint.ShouldBeLessThanOrEqualTo(written[^1]);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(501)]
    [InlineData(1_000)]
    public async Task a_subscription_resumed_from_any_checkpoint_neither_skips_nor_repeats(int events)
    {
        for (var n = 0; n < events; n += 250)
        {
            var some = Enumerable.Range(0, Math.Min(250, events - n)).Select(_ => Event()).ToArray();
            await AppendedAsync("a", ExpectedRevision.At(n - 1), some);
        }

        List<LogMessage> messages;
        await using (var first = Subscribe(LogPosition.Start))
        {
            messages = await first.UntilAsync<LogMessage.CaughtUp>();
        }

        var end = Positions(messages).Last();
        await AppendedAsync("a", ExpectedRevision.At(events - 1), Event());
        await using var second = Subscribe(end);

        var next = await second.UntilAsync<LogMessage.Event>();

        messages.OfType<LogMessage.Event>().Select(m => m.Recorded.Revision)
            .ShouldBe(Enumerable.Range(0, events).Select(n => (long)n));
        Positions(messages).ShouldBeInOrder(SortDirection.Ascending);
        next.OfType<LogMessage.Event>().Single().Recorded.Revision.ShouldBe(events);
    }

    [Fact]
    public async Task a_subscriber_that_reads_slowly_misses_nothing()
    {
        const int count = 6_000;
        await using var subscription = Subscribe(LogPosition.Start);
        await subscription.UntilAsync<LogMessage.CaughtUp>();

        // Nothing is taken while far more is written than any buffer on the way holds.
        var body = $$"""{"filler":"{{new string('x', 4_000)}}"}""";
        for (var n = 0; n < count; n += 200)
        {
            var some = Enumerable.Range(0, 200).Select(_ => Event(body)).ToArray();
            await AppendedAsync("a", ExpectedRevision.At(n - 1), some);
        }

        for (var n = 0; n < count;)
        {
            if (await subscription.NextAsync() is LogMessage.Event e)
            {
                e.Recorded.Revision.ShouldBe(n++);
            }
        }
    }

    protected Subscriber Subscribe(LogPosition after, string? prefix = null) =>
        new(Store.SubscribeToAllAsync(after, [prefix ?? _family], CancellationToken.None), Patience);

    private static IEnumerable<LogPosition> Positions(IEnumerable<LogMessage> messages) => messages.SelectMany(
        message => message switch
        {
            LogMessage.Event e => [e.Recorded.Position],
            LogMessage.Checkpoint c => [c.Position],
            _ => Array.Empty<LogPosition>(),
        });
}
