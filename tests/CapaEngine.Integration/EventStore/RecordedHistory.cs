using CapaEngine.Kernel;

namespace CapaEngine.Integration.EventStore;

/// <summary>One append that somebody tried, perhaps several times with the same ids.</summary>
/// <param name="Began">A count that rises with every beginning and every end: who came before whom.</param>
/// <param name="Expected">The revision that was expected, -1 for a new stream.</param>
internal sealed record Attempt(string Stream, long Expected, IReadOnlyList<Guid> Ids, long Began)
{
    /// <summary>When it was acknowledged; null if nobody ever learned what became of it.</summary>
    public long? Ended { get; private set; }

    /// <summary>Where the store said that its last event is.</summary>
    public LogPosition Position { get; private set; }

    public void Acknowledge(LogPosition position, long ended) => (Position, Ended) = (position, ended);
}

/// <summary>
/// What callers did and were told, against what the log holds: every acknowledged append is there once, in its place;
/// one that was not is there whole or not at all; nobody else's events are; and who was answered before another began
/// stands before it.
/// </summary>
internal static class RecordedHistory
{
    /// <summary>Everything that is wrong; empty if nothing is.</summary>
    /// <param name="log">The events of these streams in the order of <c>$all</c>.</param>
    /// <param name="streams">The same events as reads of the single streams give them.</param>
    public static List<string> Problems(
        IReadOnlyList<Attempt> attempts, IReadOnlyList<RecordedEvent> log,
        IReadOnlyDictionary<string, IReadOnlyList<RecordedEvent>> streams)
    {
        var problems = new List<string>();
        var found = log.GroupBy(e => e.Id).ToDictionary(same => same.Key, same => same.ToList());
        problems.AddRange(found.Values.Where(same => same.Count > 1).Select(same => $"{same[0].Id} is there twice"));
        problems.AddRange(attempts.SelectMany(attempt => Misplaced(attempt, found)));
        var tried = attempts.SelectMany(attempt => attempt.Ids).ToHashSet();
        problems.AddRange(log.Where(e => !tried.Contains(e.Id)).Select(e => $"nobody appended {e.Id}"));
        problems.AddRange(log.Zip(log.Skip(1)).Where(pair => pair.First.Position >= pair.Second.Position)
            .Select(pair => $"{pair.Second.Position} comes after {pair.First.Position}"));
        problems.AddRange(log.GroupBy(e => e.Stream).SelectMany(stream => OutOfStep(stream.Key, [.. stream], streams)));
        problems.AddRange(streams.Where(s => s.Value.Count > 0 && log.All(e => e.Stream != s.Key))
            .Select(s => $"{s.Key} is not in $all"));
        problems.AddRange(Overtaken(attempts));
        return problems;
    }

    private static IEnumerable<string> Misplaced(Attempt attempt, Dictionary<Guid, List<RecordedEvent>> found)
    {
        var places = attempt.Ids.Select(id => found.GetValueOrDefault(id)?[0]).ToList();
        if (places.TrueForAll(place => place is null))
        {
            return attempt.Ended is null ? [] : [$"{attempt} was acknowledged and is lost"];
        }

        if (places.Contains(null))
        {
            return [$"{attempt} is there in part"];
        }

        var inPlace = places.Select((place, i) => place!.Stream == attempt.Stream
            && place.Revision == attempt.Expected + 1 + i).All(right => right);
        return !inPlace ? [$"{attempt} is not where it was to be"]
            : attempt.Ended is not null && places[^1]!.Position != attempt.Position ? [$"{attempt} is elsewhere"]
            : [];
    }

    private static IEnumerable<string> OutOfStep(
        string name, List<RecordedEvent> inLog, IReadOnlyDictionary<string, IReadOnlyList<RecordedEvent>> streams)
    {
        var ownReading = streams.GetValueOrDefault(name) ?? [];
        return inLog.Where((e, i) => e.Revision != i).Select(e => $"{name} has a gap or a repeat at {e.Revision}")
            .Concat(inLog.Select(e => (e.Id, e.Position)).SequenceEqual(ownReading.Select(e => (e.Id, e.Position)))
                ? []
                : [$"{name} is read differently from $all"]);
    }

    private static IEnumerable<string> Overtaken(IReadOnlyList<Attempt> attempts)
    {
        var steps = attempts.Where(a => a.Ended is not null)
            .SelectMany(a => new[] { (At: a.Began, a, IsEnd: false), (At: a.Ended!.Value, a, IsEnd: true) })
            .OrderBy(step => step.At);
        var (last, lastWhenBegun) = (LogPosition.Start, new Dictionary<Attempt, LogPosition>());
        foreach (var (_, attempt, isEnd) in steps)
        {
            if (!isEnd)
            {
                lastWhenBegun[attempt] = last;
            }
            else
            {
                if (attempt.Position <= lastWhenBegun[attempt])
                {
                    yield return $"{attempt} stands before an append that was answered before it began";
                }

                last = attempt.Position > last ? attempt.Position : last;
            }
        }
    }
}
