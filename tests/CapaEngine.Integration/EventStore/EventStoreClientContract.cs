using System.Text;
using CapaEngine.EventStore;
using CapaEngine.Kernel;
using Shouldly;

namespace CapaEngine.Integration.EventStore;

/// <summary>
/// The contract of the port, and what the client can do beyond it, against any store that speaks the protocol.
/// </summary>
public abstract class EventStoreClientContract : EventStoreContract
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    protected abstract EventStoreClient Client { get; }

    protected override IEventStore Store => Client;

    [Fact]
    public async Task an_append_by_a_call_of_its_own_has_the_same_results()
    {
        var e = Event();
        var first = await AloneAsync("a", ExpectedRevision.NoStream, e);

        first.ShouldBeOfType<AppendResult.Appended>().Revision.ShouldBe(0);
        (await AloneAsync("a", ExpectedRevision.NoStream, e)).ShouldBe(first);
        (await AppendAsync("a", ExpectedRevision.NoStream, e)).ShouldBe(first);
        (await AloneAsync("a", ExpectedRevision.NoStream, Event())).ShouldBe(new AppendResult.WrongExpectedRevision(0));
        (await AloneAsync("b", ExpectedRevision.StreamExists, Event()))
            .ShouldBe(new AppendResult.WrongExpectedRevision(-1));
        (await AloneAsync("a", ExpectedRevision.StreamExists, Event(), Event()))
            .ShouldBeOfType<AppendResult.Appended>().Revision.ShouldBe(2);
        (await AloneAsync("a", ExpectedRevision.Any, Event())).ShouldBeOfType<AppendResult.Appended>();
        (await AloneAsync("a", ExpectedRevision.At(3), Event())).ShouldBeOfType<AppendResult.Appended>();
        (await AloneAsync("c", ExpectedRevision.Any, [.. Enumerable.Range(0, 3).Select(_ => Event(Megabyte))]))
            .ShouldBeOfType<AppendResult.TooLarge>();
        (await ReadAsync("a")).Count.ShouldBe(5);
        (await ReadAsync("c")).ShouldBeEmpty();
    }

    [Fact]
    public async Task a_deleted_stream_is_not_read_and_is_continued_by_the_next_append()
    {
        await AppendedAsync("a", ExpectedRevision.NoStream, Event(), Event());
        (await Client.DeleteAsync(Stream("a"), ExpectedRevision.At(0), Ct))
            .ShouldBe(new RemovalResult.WrongExpectedRevision(1));

        (await Client.DeleteAsync(Stream("a"), ExpectedRevision.At(1), Ct)).ShouldBeOfType<RemovalResult.Removed>();

        (await ReadAsync("a")).ShouldBeEmpty();
        (await Client.ReadStreamBackwardsAsync(Stream("a"), 5, Ct).ToListAsync(Ct)).ShouldBeEmpty();
        (await AppendedAsync("a", ExpectedRevision.NoStream, Event())).Revision.ShouldBe(2);
        (await ReadAsync("a")).Select(e => e.Revision).ShouldBe([2]);
    }

    [Fact]
    public async Task a_tombstoned_stream_is_gone_for_ever()
    {
        await AppendedAsync("a", ExpectedRevision.NoStream, Event());
        (await Client.TombstoneAsync(Stream("a"), ExpectedRevision.NoStream, Ct))
            .ShouldBe(new RemovalResult.WrongExpectedRevision(0));

        (await Client.TombstoneAsync(Stream("a"), ExpectedRevision.Any, Ct)).ShouldBeOfType<RemovalResult.Removed>();

        (await ReadAsync("a")).ShouldBeEmpty();
        foreach (var expected in new[] { ExpectedRevision.Any, ExpectedRevision.NoStream, ExpectedRevision.At(0) })
        {
            (await AppendAsync("a", expected, Event())).ShouldBe(new AppendResult.StreamDeleted());
            (await AloneAsync("a", expected, Event())).ShouldBe(new AppendResult.StreamDeleted());
        }

        (await Client.TombstoneAsync(Stream("a"), ExpectedRevision.Any, Ct))
            .ShouldBe(new RemovalResult.StreamDeleted());
        (await Client.DeleteAsync(Stream("a"), ExpectedRevision.Any, Ct)).ShouldBe(new RemovalResult.StreamDeleted());
    }

    [Fact]
    public async Task what_lies_before_a_revision_is_hidden_beside_what_is_too_old()
    {
        await AppendedAsync("a", ExpectedRevision.NoStream, [.. Enumerable.Range(0, 10).Select(_ => Event())]);
        await Client.SetTruncateBeforeAsync(Stream("a"), 4, Ct);

        (await ReadAsync("a")).Select(e => e.Revision).ShouldBe([4, 5, 6, 7, 8, 9]);
        (await Client.ReadStreamBackwardsAsync(Stream("a"), 6, 10, Ct).ToListAsync(Ct))
            .Select(e => e.Revision).ShouldBe([6, 5, 4]);

        await Client.SetMaxCountAsync(Stream("a"), 3, Ct);
        (await ReadAsync("a")).Select(e => e.Revision).ShouldBe([7, 8, 9]);
        (await Client.ReadStreamAsync("$$" + Stream("a"), 1, 1, Ct).ToListAsync(Ct))
            .Select(e => Encoding.UTF8.GetString(e.Data.Span)).ShouldBe(["""{"$tb":4,"$maxCount":3}"""]);
    }

    [Fact]
    public async Task the_log_is_read_backwards_and_by_type()
    {
        var written = new List<Guid>();
        for (var n = 0; n < 12; n++)
        {
            var e = Event() with { Type = $"{Stream(n % 3 == 0 ? "third" : "other")}.v1" };
            await AppendedAsync($"{n}", ExpectedRevision.NoStream, e);
            written.Add(e.Id);
        }

        var filter = LogFilter.Streams(Stream(""));
        var backwards = await Client.ReadAllBackwardsAsync(null, filter, 5, Ct).ToListAsync(Ct);
        var before = await Client.ReadAllBackwardsAsync(backwards[^1].Position, filter, 100, Ct).ToListAsync(Ct);
        var thirds = await Client.ReadAllAsync(LogPosition.Start, LogFilter.Types(Stream("third")), Ct).ToListAsync(Ct);
        var last = await Client.ReadAllBackwardsAsync(null, LogFilter.Types(Stream("third")), 1, Ct).ToListAsync(Ct);

        backwards.Concat(before).Select(e => e.Id).ShouldBe(written.AsEnumerable().Reverse());
        thirds.Select(e => e.Id).ShouldBe(written.Where((_, n) => n % 3 == 0));
        last.ShouldHaveSingleItem().Id.ShouldBe(written[9]);
        await Client.SetMaxCountAsync(Stream("0"), 1, Ct);
        (await Client.ReadAllBackwardsAsync(null, LogFilter.Everything, 50, Ct).ToListAsync(Ct))
            .ShouldContain(e => e.Stream == "$$" + Stream("0"));
    }

    [Fact]
    public async Task a_stream_is_followed_from_before_it_exists_until_it_is_tombstoned()
    {
        await using var fromStart = Follow("a", -1);
        // Whether it has caught up before there is anything differs between versions of the store.
        var first = fromStart.NextAsync();
        await AppendedAsync("a", ExpectedRevision.NoStream, [.. Enumerable.Range(0, 100).Select(_ => Event())]);
        await AppendedAsync("b", ExpectedRevision.NoStream, Event());
        await AppendedAsync("a", ExpectedRevision.At(99), Event());

        var seen = new List<RecordedEvent>();
        if (await first is LogMessage.Event early)
        {
            seen.Add(early.Recorded);
        }

        while (seen.Count < 101)
        {
            seen.AddRange((await fromStart.UntilAsync<LogMessage.Event>()).OfType<LogMessage.Event>()
                .Select(e => e.Recorded));
        }

        seen.Select(e => (e.Stream, e.Revision)).ShouldBe(Enumerable.Range(0, 101).Select(n => (Stream("a"), (long)n)));
        await using var fromMiddle = Follow("a", 97);
        (await fromMiddle.UntilAsync<LogMessage.CaughtUp>()).OfType<LogMessage.Event>()
            .Select(e => e.Recorded.Revision).ShouldBe([98, 99, 100]);
        await Client.TombstoneAsync(Stream("a"), ExpectedRevision.Any, Ct);
        await Should.ThrowAsync<InvalidOperationException>(() => fromStart.UntilAsync<LogMessage.Checkpoint>());
    }

    [Fact]
    public async Task the_log_is_followed_by_type()
    {
        var wanted = Stream("wanted");
        await AppendedAsync("a", ExpectedRevision.NoStream, Event(), Event() with { Type = wanted }, Event());
        await using var subscription = new Subscriber(
            Client.SubscribeToAllAsync(LogPosition.Start, LogFilter.Types(wanted), CancellationToken.None), Patience);

        var caughtUp = await subscription.UntilAsync<LogMessage.CaughtUp>();
        await AppendedAsync("a", ExpectedRevision.At(2), Event() with { Type = wanted + ".v2" });
        var live = await subscription.UntilAsync<LogMessage.Event>();

        caughtUp.Concat(live).OfType<LogMessage.Event>().Select(e => e.Recorded.Revision).ShouldBe([1, 3]);
    }

    private static string Megabyte => $"\"{new string('x', 1024 * 1024)}\"";

    private Task<AppendResult> AloneAsync(string stream, ExpectedRevision expected, params NewEvent[] events) =>
        Client.AppendAloneAsync(Stream(stream), expected, events, Ct);

    private Subscriber Follow(string stream, long after) =>
        new(Client.SubscribeToStreamAsync(Stream(stream), after, CancellationToken.None), Patience);
}
