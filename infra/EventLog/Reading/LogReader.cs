using System.Runtime.CompilerServices;

namespace CapaEngine.EventLog.Reading;

/// <summary>A step of a subscription: events, perhaps a place to resume after, and whether it is live now.</summary>
internal sealed record Step(IReadOnlyList<LogEvent> Events, long? Checkpoint, bool CaughtUp);

/// <summary>Reads and follows the log during one term, from the tail in memory where it can.</summary>
internal sealed class LogReader(Term term, EventTable table, TimeProvider clock)
{
    // An idle log still tells a filtered subscription how far it is, or every restart would consider it all again.
    private static readonly TimeSpan IdleCheckpointAfter = TimeSpan.FromSeconds(1);

    /// <summary>The pages after a position, up to the end of the log as it is now.</summary>
    public async IAsyncEnumerable<Page> ForwardsAsync(
        long after, long countMax, EventFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        var (head, left) = (term.Tail.Head, countMax);
        if (after >= head || left <= 0)
        {
            yield break;
        }

        var next = table.AfterAsync(after, head, left, filter, ct);
        while (true)
        {
            var page = await next;
            left -= page.Events.Count;
            var more = page.Considered < head && left > 0;
            if (more)
            {
                // The next page is fetched while the client takes this one.
                next = table.AfterAsync(page.Considered, head, left, filter, ct);
            }

            yield return page;
            if (!more)
            {
                yield break;
            }
        }
    }

    public async IAsyncEnumerable<Page> BackwardsAsync(
        long before, long countMax, EventFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        (before, var left) = (Math.Min(before, term.Tail.Head + 1), countMax);
        while (before > 1 && left > 0)
        {
            var page = await table.BeforeAsync(before, left, filter, ct);
            (before, left) = (page.Considered, left - page.Events.Count);
            yield return page;
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
        await foreach (var page in FollowPagesAsync(after, filter, ct))
        {
            var idle = live && page.Considered == considered;
            var events = page.Events;
            while (page.Considered - checkpointed > checkpointEvery)
            {
                var due = checkpointed + checkpointEvery;
                yield return new Step(Within(page.Events, checkpointed, due), due, CaughtUp: false);
                (checkpointed, events) = (due, Within(page.Events, due, page.Considered));
            }

            considered = page.Considered;
            var atEnd = considered >= term.Tail.Head;
            var goesLive = !live && atEnd;
            live = atEnd || (live && page.IsRecent);
            var checkpoint = considered > 0
                && (goesLive || (idle && considered > reported) || considered - checkpointed >= checkpointEvery);
            checkpointed = checkpoint ? considered : checkpointed;
            reported = checkpoint ? considered
                : events.Count > 0 ? events[^1].Position
                : Math.Max(reported, checkpointed);
            yield return new Step(events, checkpoint ? considered : null, goesLive);
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

    /// <summary>Pages for ever, also an empty one when nothing has come for a while, and one to begin with.</summary>
    private async IAsyncEnumerable<Page> FollowPagesAsync(
        long after, EventFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        yield return new Page([], after);
        while (true)
        {
            if (term.Tail.TryRead(after, EventTable.PageMax, out var recent))
            {
                after += recent.Count;
                yield return new Page(EventTable.Passing(recent, filter), after, IsRecent: true);
                await WaitAsync(after, ct);
                continue;
            }

            await foreach (var page in ForwardsAsync(after, long.MaxValue, filter, ct))
            {
                after = page.Considered;
                yield return page;
            }
        }
    }

    private static IReadOnlyList<LogEvent> Within(IReadOnlyList<LogEvent> events, long after, long through) =>
        [.. events.Where(e => e.Position > after && e.Position <= through)];

    /// <summary>Waits for more, but not for long: an idle subscriber is to know how far it is.</summary>
    private async ValueTask WaitAsync(long after, CancellationToken ct)
    {
        var more = term.Tail.WaitAsync(after, ct);
        if (!more.IsCompleted)
        {
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ct);
            await Task.WhenAny(more, Task.Delay(IdleCheckpointAfter, clock, waiting.Token));
            await waiting.CancelAsync();
        }

        ct.ThrowIfCancellationRequested();
    }
}
