using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.ReadModels.Deadlines;

/// <summary>
/// Whether the rows of a stream are level with the log. Nobody is told that something is overdue from rows that have
/// not seen the event that did it.
/// </summary>
public sealed class ProjectedStreams(IEventStore store, RevisionWait rows)
{
    /// <summary>Whether the rows have seen the last event of the stream.</summary>
    public async Task<bool> AreLevelAsync(string stream, CancellationToken ct)
    {
        var family = Families.Of(stream)
            ?? throw new InvalidOperationException($"The stream '{stream}' belongs to no family.");
        await foreach (var last in store.ReadStreamBackwardsAsync(stream, 1, ct))
            return await rows.HasReachedAsync(family, family.IdOf(stream), last.Revision, ct);
        return true;
    }

    /// <summary>Those of the streams whose rows are level, each asked for once.</summary>
    public async Task<HashSet<string>> LevelAsync(IEnumerable<string> streams, CancellationToken ct)
    {
        HashSet<string> level = new(StringComparer.Ordinal);
        foreach (var stream in streams.Distinct(StringComparer.Ordinal))
            if (await AreLevelAsync(stream, ct)) level.Add(stream);
        return level;
    }
}
