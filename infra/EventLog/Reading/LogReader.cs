using System.Runtime.CompilerServices;

namespace CapaEngine.EventLog.Reading;

/// <summary>A step of a subscription: events, perhaps a place to resume after, and whether it is live now.</summary>
internal sealed record Step(IReadOnlyList<LogEvent> Events, long? Checkpoint, bool CaughtUp);

/// <summary>Reads and follows the log during one term, from the tail in memory where it can.</summary>
internal sealed class LogReader(Term term, EventTable table, TimeProvider clock)
{
    // An idle log still tells a filtered subscription how far it is, or every restart would consider it all again.
    private static readonly TimeSpan IdleCheckpointAfter = TimeSpan.FromSeconds(1);

    public async IAsyncEnumerable<IReadOnlyList<LogEvent>> ForwardsAsync(
        long after, long countMax, EventFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        var (head, left) = (term.Tail.Head, countMax);
        while (after < head && left > 0)
        {
            var page = await table.AfterAsync(after, head, left, filter, ct);
            (after, left) = (page.Considered, left - page.Events.Count);
            yield return page.Events;
        }
    }

    public async IAsyncEnumerable<IReadOnlyList<LogEvent>> BackwardsAsync(
        long before, long countMax, EventFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        (before, var left) = (Math.Min(before, term.Tail.Head + 1), countMax);
        while (before > 1 && left > 0)
        {
            var page = await table.BeforeAsync(before, left, filter, ct);
            (before, left) = (page.Considered, left - page.Events.Count);
            yield return page.Events;
        }
    }

    public async IAsyncEnumerable<IReadOnlyList<LogEvent>> StreamAsync(
        string stream, long first, long last, bool backwards, long countMax,
        [EnumeratorCancellation] CancellationToken ct)
    {
        var age = term.Limits.Find(stream)?.MaxAgeSeconds;
        var createdSince = age is { } seconds ? clock.GetUtcNow().UtcDateTime.AddSeconds(-seconds) : default;
        var left = countMax;
        while (first <= last && left > 0)
        {
            var events = await table.OfStreamAsync(stream, first, last, backwards, left, createdSince, ct);
            if (events.Count == 0)
            {
                yield break;
            }

            yield return events;
            left -= events.Count;
            (first, last) = backwards ? (first, events[^1].Revision - 1) : (events[^1].Revision + 1, last);
        }
    }

    /// <summary>Everything after a position, for ever.</summary>
    /// <param name="checkpointEvery">How many events may be considered without saying how far.</param>
    public async IAsyncEnumerable<Step> FollowAsync(
        long after, EventFilter filter, long checkpointEvery, [EnumeratorCancellation] CancellationToken ct)
    {
        var (considered, reported, checkpointed, live) = (after, after, after, false);
        while (true)
        {
            var idle = await IsIdleAsync(considered, reported, live, ct);
            var page = await NextAsync(considered, filter, ct);
            considered = page.Considered;
            var goesLive = !live && considered >= term.Tail.Head;
            live = considered >= term.Tail.Head || (live && page.FromTail);
            var checkpoint = (goesLive || idle || considered - checkpointed >= checkpointEvery) && considered > 0;
            checkpointed = checkpoint ? considered : checkpointed;
            reported = checkpoint ? considered : page.Events.Count > 0 ? page.Events[^1].Position : reported;
            yield return new Step(page.Events, checkpoint ? considered : null, goesLive);
        }
    }

    /// <summary>The events of one stream after a revision, for ever.</summary>
    public async IAsyncEnumerable<Step> FollowStreamAsync(
        string stream, long afterRevision, [EnumeratorCancellation] CancellationToken ct)
    {
        // Whatever commits while the table is read lies after this position and is seen by following the log.
        var (head, last) = (term.Tail.Head, afterRevision);
        var end = await table.LastOfAsync(stream, ct);
        var first = Math.Max(afterRevision + 1, term.Limits.Find(stream)?.FirstVisible(end?.Revision ?? -1) ?? 0);
        await foreach (var events in StreamAsync(stream, first, long.MaxValue, backwards: false, long.MaxValue, ct))
        {
            last = events[^1].Revision;
            yield return new Step(events, null, CaughtUp: false);
        }

        var newer = EventFilter.ByStream(stream, e => e.Revision > last);
        await foreach (var step in FollowAsync(head, newer, long.MaxValue, ct))
        {
            yield return step with { Checkpoint = null };
        }
    }

    private async ValueTask<(IReadOnlyList<LogEvent> Events, long Considered, bool FromTail)> NextAsync(
        long after, EventFilter filter, CancellationToken ct)
    {
        if (term.Tail.TryRead(after, EventTable.PageMax, out var recent))
        {
            return ([.. recent.Where(filter.Passes)], after + recent.Count, FromTail: true);
        }

        var page = await table.AfterAsync(after, term.Tail.Head, EventTable.PageMax, filter, ct);
        return (page.Events, page.Considered, FromTail: false);
    }

    /// <summary>Waits for more, but not for long while the subscriber does not know how far it is.</summary>
    private async ValueTask<bool> IsIdleAsync(long considered, long reported, bool live, CancellationToken ct)
    {
        if (!live)
        {
            return false;
        }

        var more = term.Tail.WaitAsync(considered, ct);
        if (considered == reported)
        {
            await more;
            return false;
        }

        if (!more.IsCompleted)
        {
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ct);
            await Task.WhenAny(more, Task.Delay(IdleCheckpointAfter, clock, waiting.Token));
            await waiting.CancelAsync();
            ct.ThrowIfCancellationRequested();
        }

        return !more.IsCompleted;
    }
}
