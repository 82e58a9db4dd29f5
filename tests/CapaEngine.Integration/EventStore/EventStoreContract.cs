using System.Text;
using CapaEngine.Kernel;
using Shouldly;

namespace CapaEngine.Integration.EventStore;

/// <summary>
/// What every event store does, whatever is behind the port. Each test uses streams of its own, so that a store that
/// already holds other events passes too.
/// </summary>
public abstract partial class EventStoreContract
{
    private const int LimitBytes = 1024 * 1024;
    // A family of its own for each test: its prefix selects exactly what the test wrote.
    private readonly string _family = $"contract{Guid.NewGuid():N}";

    protected abstract IEventStore Store { get; }

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_new_stream_begins_at_revision_zero()
    {
        var appended = await AppendedAsync("a", ExpectedRevision.NoStream, Event(), Event());

        appended.Revision.ShouldBe(1);
        appended.Position.ShouldBeGreaterThan(LogPosition.Start);
        (await ReadAsync("a")).Select(e => e.Revision).ShouldBe([0, 1]);
    }

    [Fact]
    public async Task an_event_is_read_as_it_was_written()
    {
        var written = new NewEvent(
            Guid.NewGuid(), "thing.happened.v1", Utf8("""{"size":1,"text":"ä"}"""), Utf8("""{"by":"p-1"}"""));
        var before = DateTimeOffset.UtcNow.AddMinutes(-1);
        var appended = await AppendedAsync("a", ExpectedRevision.NoStream, written);

        var read = (await ReadAsync("a")).ShouldHaveSingleItem();

        read.Stream.ShouldBe(Stream("a"));
        read.Position.ShouldBe(appended.Position);
        read.Id.ShouldBe(written.Id);
        read.Type.ShouldBe(written.Type);
        read.Data.ToArray().ShouldBe(written.Data.ToArray());
        read.Metadata.ToArray().ShouldBe(written.Metadata.ToArray());
        read.Created.ShouldBeInRange(before, DateTimeOffset.UtcNow.AddMinutes(1));
    }

    [Theory]
    [InlineData(-1, false, true)] // no stream
    [InlineData(-1, true, false)]
    [InlineData(-2, false, true)] // any
    [InlineData(-2, true, true)]
    [InlineData(-4, false, false)] // stream exists
    [InlineData(-4, true, true)]
    [InlineData(0, true, true)] // the last revision
    [InlineData(0, false, false)]
    [InlineData(1, true, false)] // beyond the end
    public async Task an_append_succeeds_when_the_stream_is_as_expected(long expected, bool exists, bool succeeds)
    {
        if (exists)
        {
            await AppendedAsync("a", ExpectedRevision.NoStream, Event());
        }

        var result = await AppendAsync("a", new ExpectedRevision(expected), Event());

        if (succeeds)
        {
            result.ShouldBeOfType<AppendResult.Appended>().Revision.ShouldBe(exists ? 1 : 0);
        }
        else
        {
            result.ShouldBe(new AppendResult.WrongExpectedRevision(exists ? 0 : -1));
        }

        (await ReadAsync("a")).Count.ShouldBe((exists ? 1 : 0) + (succeeds ? 1 : 0));
    }

    [Fact]
    public async Task of_many_appends_that_expect_the_same_revision_one_wins()
    {
        await AppendedAsync("a", ExpectedRevision.NoStream, Event());

        var results = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => AppendAsync("a", ExpectedRevision.At(0), Event())));

        results.OfType<AppendResult.Appended>().ShouldHaveSingleItem().Revision.ShouldBe(1);
        results.OfType<AppendResult.WrongExpectedRevision>().Count().ShouldBe(49);
        (await ReadAsync("a")).Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(-1)] // no stream
    [InlineData(-2)] // any
    [InlineData(0)]
    public async Task an_append_repeated_with_the_same_ids_is_answered_as_before(long expected)
    {
        if (expected == 0)
        {
            await AppendedAsync("a", ExpectedRevision.NoStream, Event());
        }

        NewEvent[] events = [Event(), Event(), Event()];
        var first = await AppendedAsync("a", new ExpectedRevision(expected), events);
        await AppendedAsync("a", ExpectedRevision.At(first.Revision), Event());

        var second = await AppendedAsync("a", new ExpectedRevision(expected), events);

        second.ShouldBe(first);
        (await ReadAsync("a")).Count.ShouldBe((int)first.Revision + 2);
    }

    [Fact]
    public async Task an_append_repeated_at_once_is_written_once()
    {
        var single = Event();

        // A repeat that overtakes the replication of the first may have to be repeated once more.
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(
            _ => EventLogFaultTests.RetriedAsync(Store, Stream("a"), ExpectedRevision.NoStream, single)));

        results.Distinct().ShouldHaveSingleItem().Revision.ShouldBe(0);
        (await ReadAsync("a")).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task the_beginning_of_a_repeated_append_is_a_repeat_and_more_than_it_conflicts()
    {
        var (a, b) = (Event(), Event());
        await AppendedAsync("a", ExpectedRevision.NoStream, a, b);

        (await AppendedAsync("a", ExpectedRevision.NoStream, a)).Revision.ShouldBe(0);
        (await AppendAsync("a", ExpectedRevision.NoStream, a, b, Event()))
            .ShouldBe(new AppendResult.WrongExpectedRevision(1));
        (await AppendAsync("a", ExpectedRevision.NoStream, b)).ShouldBe(new AppendResult.WrongExpectedRevision(1));
    }

    [Fact]
    public async Task a_known_id_at_another_revision_is_a_new_event()
    {
        var known = Event();
        await AppendedAsync("a", ExpectedRevision.NoStream, known);
        await AppendedAsync("a", ExpectedRevision.At(0), Event());

        (await AppendedAsync("a", ExpectedRevision.At(1), known)).Revision.ShouldBe(2);
        (await AppendedAsync("b", ExpectedRevision.NoStream, known)).Revision.ShouldBe(0);
    }

    [Fact]
    public async Task many_appends_in_flight_are_each_written_once()
    {
        const int count = 2_000;

        var results = await Task.WhenAll(Enumerable.Range(0, count)
            .Select(n => AppendAsync($"{n}", ExpectedRevision.NoStream, Event($$"""{"n":{{n}}}"""))));

        var positions = results.Select(r => r.ShouldBeOfType<AppendResult.Appended>().Position).ToList();
        positions.Distinct().Count().ShouldBe(count);
        var read = await AllAsync(LogPosition.Start);
        read.Select(e => e.Position).ShouldBe(positions.Order());
    }

    [Fact]
    public async Task appends_of_one_caller_keep_their_order_in_the_stream()
    {
        var events = Enumerable.Range(0, 200).Select(_ => Event()).ToList();

        var results = await Task.WhenAll(events.Select((e, n) => AppendAsync("a", ExpectedRevision.At(n - 1), e)));

        results.ShouldAllBe(r => r is AppendResult.Appended);
        (await ReadAsync("a")).Select(e => e.Id).ShouldBe(events.Select(e => e.Id));
    }

    [Fact]
    public async Task an_append_without_events_writes_nothing()
    {
        (await AppendedAsync("a", ExpectedRevision.NoStream)).Revision.ShouldBe(-1);
        await AppendedAsync("a", ExpectedRevision.NoStream, Event());

        (await AppendedAsync("a", ExpectedRevision.At(0))).Revision.ShouldBe(0);
        (await ReadAsync("a")).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task an_append_up_to_the_limit_is_written()
    {
        var result = await AppendAsync("a", ExpectedRevision.NoStream, OfBytes(LimitBytes));

        result.ShouldBeOfType<AppendResult.Appended>();
        (await ReadAsync("a")).ShouldHaveSingleItem().Data.Length.ShouldBeGreaterThan(LimitBytes - 100);
    }

    [Theory]
    [InlineData(1, LimitBytes + 1)]
    [InlineData(5, LimitBytes)] // together more than one frame carries
    public async Task an_append_over_the_limit_is_refused(int events, int dataBytes)
    {
        // Over it by its data alone, for some versions of a store count nothing else.
        var tooLarge = Enumerable.Range(0, events).Select(_ => OfBytes(dataBytes, alone: true)).ToArray();

        var result = await AppendAsync("a", ExpectedRevision.NoStream, tooLarge);

        result.ShouldBe(new AppendResult.TooLarge(LimitBytes));
        (await ReadAsync("a")).ShouldBeEmpty();
    }

    [Fact]
    public async Task a_missing_stream_has_no_events()
    {
        (await ReadAsync("missing")).ShouldBeEmpty();
        (await Store.ReadStreamBackwardsAsync(Stream("missing"), 10, Ct).ToListAsync(Ct)).ShouldBeEmpty();
    }

    [Fact]
    public async Task a_stream_is_read_from_a_revision_and_backwards()
    {
        await AppendedAsync("a", ExpectedRevision.NoStream, [.. Enumerable.Range(0, 2_500).Select(_ => Event())]);

        var all = await ReadAsync("a");
        var middle = await Store.ReadStreamAsync(Stream("a"), 1_200, 3, Ct).ToListAsync(Ct);
        var last = await Store.ReadStreamBackwardsAsync(Stream("a"), 2, Ct).ToListAsync(Ct);
        var backwards = await Store.ReadStreamBackwardsAsync(Stream("a"), long.MaxValue, Ct).ToListAsync(Ct);

        all.Select(e => e.Revision).ShouldBe(Enumerable.Range(0, 2_500).Select(n => (long)n));
        middle.Select(e => e.Revision).ShouldBe([1_200, 1_201, 1_202]);
        last.Select(e => e.Revision).ShouldBe([2_499, 2_498]);
        backwards.Select(e => e.Revision).ShouldBe(all.Select(e => e.Revision).Reverse());
    }

    [Fact]
    public async Task a_stream_keeps_as_many_events_as_it_was_told_to()
    {
        await Store.SetMaxCountAsync(Stream("a"), 2, Ct);
        await Store.SetMaxCountAsync(Stream("a"), 2, Ct);
        await AppendedAsync("a", ExpectedRevision.NoStream, Event(), Event(), Event());

        (await ReadAsync("a")).Select(e => e.Revision).ShouldBe([1, 2]);
        await Store.SetMaxCountAsync(Stream("a"), 1, Ct);
        (await ReadAsync("a")).Select(e => e.Revision).ShouldBe([2]);
        (await AppendedAsync("a", ExpectedRevision.At(2), Event())).Revision.ShouldBe(3);

        var metadata = await Store.ReadStreamAsync("$$" + Stream("a"), 0, 10, Ct).ToListAsync(Ct);
        // What was said already is not said again, and of metadata only the last are shown.
        metadata.Select(e => (e.Revision, Encoding.UTF8.GetString(e.Data.Span)))
            .ShouldBe([(1, """{"$maxCount":1}""")]);
    }

    [Fact]
    public async Task the_log_is_read_in_order_from_after_a_position_and_by_prefix()
    {
        var written = new List<RecordedEvent>();
        for (var n = 0; n < 20; n++)
        {
            await AppendedAsync($"{(n % 2 == 0 ? "even" : "odd")}-{n}", ExpectedRevision.NoStream, Event());
            written.Add((await ReadAsync($"{(n % 2 == 0 ? "even" : "odd")}-{n}"))[0]);
        }

        var all = await AllAsync(LogPosition.Start);
        var after = await AllAsync(written[9].Position);
        var even = await Store.ReadAllAsync(written[1].Position, [Stream("even")], Ct).ToListAsync(Ct);
        var unfiltered = await Store.ReadAllAsync(LogPosition.Start, [], Ct).ToListAsync(Ct);

        all.Select(e => e.Id).ShouldBe(written.Select(e => e.Id));
        after.Select(e => e.Id).ShouldBe(written.Skip(10).Select(e => e.Id));
        even.Select(e => e.Id).ShouldBe(written.Where((_, n) => n % 2 == 0 && n > 1).Select(e => e.Id));
        unfiltered.Where(e => e.Stream.StartsWith(_family, StringComparison.Ordinal)).Select(e => e.Id)
            .ShouldBe(written.Select(e => e.Id));
    }

    [Fact]
    public async Task a_read_of_everything_leaves_out_the_stores_own_streams()
    {
        await Store.SetMaxCountAsync(Stream("a"), 5, Ct);
        await AppendedAsync("a", ExpectedRevision.NoStream, Event());

        var read = await Store.ReadAllAsync(LogPosition.Start, [], Ct).ToListAsync(Ct);

        read.ShouldContain(e => e.Stream == Stream("a"));
        read.ShouldNotContain(e => e.Stream.StartsWith('$'));
    }

    protected string Stream(string name) => $"{_family}-{name}";

    protected static NewEvent Event(string data = "{}") =>
        new(Guid.NewGuid(), "test.happened.v1", Utf8(data), Utf8("{}"));

    protected async Task<AppendResult> AppendAsync(
        string stream, ExpectedRevision expected, params NewEvent[] events) =>
        await Store.AppendAsync(Stream(stream), expected, events, Ct);

    protected async Task<AppendResult.Appended> AppendedAsync(
        string stream, ExpectedRevision expected, params NewEvent[] events) =>
        (await AppendAsync(stream, expected, events)).ShouldBeOfType<AppendResult.Appended>();

    protected async Task<List<RecordedEvent>> ReadAsync(string stream) =>
        await Store.ReadStreamAsync(Stream(stream), 0, long.MaxValue, Ct).ToListAsync(Ct);

    protected async Task<List<RecordedEvent>> AllAsync(LogPosition after) =>
        await Store.ReadAllAsync(after, [_family], Ct).ToListAsync(Ct);

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>An event of so many bytes: both bodies and the type twice, or its data alone.</summary>
    private static NewEvent OfBytes(int bytes, bool alone = false)
    {
        var empty = Event("""{"filler":""}""");
        var rest = alone ? 0 : empty.Metadata.Length + (2 * empty.Type.Length);
        return Event($$"""{"filler":"{{new string('x', bytes - empty.Data.Length - rest)}}"}""");
    }
}
