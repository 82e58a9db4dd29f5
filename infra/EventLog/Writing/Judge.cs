namespace CapaEngine.EventLog.Writing;

/// <summary>
/// Decides what becomes of a write: it is to be written, was written before under the same event ids, or conflicts.
/// With a concrete expectation the ids are compared at their revisions, for ever; without one, over the stream's
/// last thousand events.
/// </summary>
internal sealed class Judge(WriterTables tables)
{
    // How many streams keep their recent ids at hand; more than that are loaded again.
    private const int RecentStreamsMax = 256;
    private readonly List<StreamHead> _withRecent = [];

    /// <summary>Null: to be written.</summary>
    public async ValueTask<WriteOutcome?> DecideAsync(
        AppendRequest request, StreamHead head, StreamLimits? limits, CancellationToken ct)
    {
        if (head.IsTombstoned)
        {
            return new WriteOutcome.StreamDeleted();
        }

        var expected = request.Expected;
        if (expected == Expectation.StreamExists && limits is { IsDeleted: true })
        {
            return new WriteOutcome.StreamDeleted();
        }

        if (request.Kind != WriteKind.Append)
        {
            // A tombstone can come before its stream; but a deletion deletes something, if only metadata.
            var missing = request.Kind == WriteKind.Delete && head.Last < 0 && limits is null;
            return !missing && Matches(expected, head, limits) ? null : new WriteOutcome.Conflict(head.Last);
        }

        if (expected.IsConcrete)
        {
            return await DecideConcreteAsync(request, head, limits, ct);
        }

        return Matches(expected, head, limits)
            ? await FindRecentAsync(request, head, ct)
            : new WriteOutcome.Conflict(head.Last);
    }

    private static bool Matches(Expectation expected, StreamHead head, StreamLimits? limits) =>
        expected == Expectation.Any
        // A stream that has only metadata exists.
        || (expected == Expectation.StreamExists && (head.Last >= 0 || limits is not null))
        || (expected == Expectation.NoStream && limits is { IsDeleted: true })
        || expected.Revision == head.Last;

    private async ValueTask<WriteOutcome?> DecideConcreteAsync(
        AppendRequest request, StreamHead head, StreamLimits? limits, CancellationToken ct)
    {
        var expected = request.Expected.Revision;
        if (expected == head.Last)
        {
            return null;
        }

        var last = expected + request.Events.Count;
        if (expected < head.Last && last <= head.Last && request.Events.Count > 0
            && await PositionIfSameAsync(request, head, ct) is { } position)
        {
            return new WriteOutcome.Written(last, position);
        }

        return request.Events.Count > 0 && Matches(request.Expected, head, limits)
            ? null
            : new WriteOutcome.Conflict(head.Last);
    }

    /// <summary>Where the last of these events is, if all of them follow the expected revision.</summary>
    private async ValueTask<long?> PositionIfSameAsync(AppendRequest request, StreamHead head, CancellationToken ct)
    {
        var (events, first) = (request.Events, request.Expected.Revision + 1);
        var last = first + events.Count - 1;
        if (last == head.Last && events[^1].Id != head.LastId)
        {
            return null;
        }

        // The repeat of the last append with one event is by far the most frequent, and needs no look-up.
        if (events.Count == 1 && last == head.Last)
        {
            return head.LastPosition;
        }

        var uncommittedFrom = head.Last - head.Uncommitted.Count + 1;
        var places = first < uncommittedFrom
            ? await tables.IdsAsync(request.Stream, first, Math.Min(last, uncommittedFrom - 1), ct)
            : [];
        places.AddRange(head.Uncommitted.Where(e => e.Revision >= first && e.Revision <= last)
            .Select(e => (e.Id, e.Revision, e.Position)));
        return places.Select(place => place.Id).SequenceEqual(events.Select(e => e.Id)) ? places[^1].Position : null;
    }

    private async ValueTask<WriteOutcome?> FindRecentAsync(AppendRequest request, StreamHead head, CancellationToken ct)
    {
        if (head.Last < 0 || request.Events.Count == 0)
        {
            return null;
        }

        var recent = await RecentOfAsync(request.Stream, head, ct);
        if (recent.Find(request.Events[0].Id) is null)
        {
            return null;
        }

        var places = request.Events.Select(e => recent.Find(e.Id)).ToList();
        return places.TrueForAll(place => place is not null)
            ? new WriteOutcome.Written(places[^1]!.Value.Revision, places[^1]!.Value.Position)
            : new WriteOutcome.Conflict(head.Last);
    }

    private async ValueTask<RecentIds> RecentOfAsync(string stream, StreamHead head, CancellationToken ct)
    {
        if (head.Recent is { } known)
        {
            return known;
        }

        if (_withRecent.Count == RecentStreamsMax)
        {
            _withRecent.ForEach(h => h.Recent = null);
            _withRecent.Clear();
        }

        var (recent, last) = (new RecentIds(), -1L);
        foreach (var (id, revision, position) in await tables.RecentIdsAsync(stream, ct))
        {
            recent.Add(id, revision, position);
            last = revision;
        }

        // What is being written may have been committed, and read, meanwhile.
        foreach (var e in head.Uncommitted.Where(e => e.Revision > last))
        {
            recent.Add(e.Id, e.Revision, e.Position);
        }

        head.Recent = recent;
        _withRecent.Add(head);
        return recent;
    }
}
