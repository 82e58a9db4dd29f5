using CapaEngine.Kernel;
using Shouldly;

namespace CapaEngine.Integration.EventStore;

/// <summary>The judge of the crash test, on histories that are known to be wrong: it must find each fault.</summary>
public sealed class RecordedHistoryTests
{
    private static readonly Attempt First = Acknowledged(new("s", -1, [Guid.NewGuid(), Guid.NewGuid()], 0), 2, 1);
    private static readonly Attempt Second = Acknowledged(new("s", 1, [Guid.NewGuid()], 2), 3, 3);
    private static readonly Attempt Unknown = new("t", -1, [Guid.NewGuid(), Guid.NewGuid()], 4);

    [Fact]
    public void a_whole_log_has_no_problem()
    {
        Problems([First, Second, Unknown], Written(First, 1), Written(Second, 3)).ShouldBeEmpty();
        Problems([First, Second, Unknown], Written(First, 1), Written(Second, 3), Written(Unknown, 4)).ShouldBeEmpty();
    }

    [Fact]
    public void what_is_lost_is_found_out() =>
        Problems([First, Second], Written(First, 1)).ShouldHaveSingleItem().ShouldContain("lost");

    [Fact]
    public void what_is_there_twice_is_found_out() =>
        Problems([First, Second], Written(First, 1), Written(Second, 3), Written(Second, 4))
            .ShouldContain(problem => problem.Contains("twice"));

    [Fact]
    public void half_an_append_is_found_out() =>
        Problems([First, Second, Unknown], Written(First, 1), Written(Second, 3), Written(Unknown, 4)[..1])
            .ShouldHaveSingleItem().ShouldContain("in part");

    [Fact]
    public void what_nobody_appended_is_found_out() =>
        Problems([First], Written(First, 1), Written(Second, 3)).ShouldHaveSingleItem().ShouldContain("nobody");

    [Fact]
    public void a_gap_in_a_stream_is_found_out() =>
        Problems([First, Second], Written(First, 1), [Written(Second, 3)[0] with { Revision = 3 }])
            .ShouldContain(problem => problem.Contains("gap"));

    [Fact]
    public void an_acknowledged_position_that_is_another_ones_is_found_out() =>
        Problems([First, Second], Written(First, 1), Written(Second, 7))
            .ShouldHaveSingleItem().ShouldContain("elsewhere");

    [Fact]
    public void an_order_that_turns_what_callers_saw_around_is_found_out()
    {
        var late = Acknowledged(new("u", -1, [Guid.NewGuid()], 4), 1, 5);
        var early = Acknowledged(new("v", -1, [Guid.NewGuid()], 2), 2, 3);

        Problems([early, late], Written(late, 1), Written(early, 2))
            .ShouldHaveSingleItem().ShouldContain("answered before");
    }

    [Fact]
    public void a_stream_that_disagrees_with_all_is_found_out()
    {
        var log = Written(First, 1);
        var streams = new Dictionary<string, IReadOnlyList<RecordedEvent>> { ["s"] = log[..1] };

        RecordedHistory.Problems([First], log, streams).ShouldHaveSingleItem().ShouldContain("differently");
        RecordedHistory.Problems([Unknown], [], new Dictionary<string, IReadOnlyList<RecordedEvent>>
        {
            ["t"] = Written(Unknown, 1),
        }).ShouldHaveSingleItem().ShouldContain("not in $all");
    }

    private static Attempt Acknowledged(Attempt attempt, ulong position, long ended)
    {
        attempt.Acknowledge(LogPosition.At(position), ended);
        return attempt;
    }

    private static RecordedEvent[] Written(Attempt attempt, ulong firstPosition) => [.. attempt.Ids.Select((id, i) =>
        new RecordedEvent(
            attempt.Stream, attempt.Expected + 1 + i, LogPosition.At(firstPosition + (ulong)i), id, "t", default,
            default, default))];

    private static List<string> Problems(IReadOnlyList<Attempt> attempts, params RecordedEvent[][] written)
    {
        var log = written.SelectMany(events => events).ToList();
        return RecordedHistory.Problems(attempts, log, log.GroupBy(e => e.Stream).ToDictionary(
            stream => stream.Key, IReadOnlyList<RecordedEvent> (stream) => [.. stream]));
    }
}
