using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Nonconformities.Triage;

/// <summary>Where a deviation belongs.</summary>
public enum Belonging
{
    /// <summary>To a case that was open at its place in the log.</summary>
    ToCase,

    /// <summary>To no case yet: it counts toward the next one.</summary>
    ToNextCount,

    /// <summary>To no case: it came before one that did not count it, and stays recorded.</summary>
    ToNone,
}

/// <summary>
/// What triage knows of one subject: its cases, read from the log, and the deviations that count toward the next.
/// Where a deviation belongs follows from places in the log alone, so a replay from any earlier place finds the same.
/// </summary>
public sealed class SubjectMemory
{
    private readonly List<CycleSeen> cycles = [];
    private readonly List<Sighting> counting = [];

    /// <summary>Deviations that count toward the next case, in log order.</summary>
    public IReadOnlyList<Sighting> Counting => counting;

    /// <summary>The last cycle, null before the first.</summary>
    public SignatureCycle? Last => cycles.Count == 0 ? null : cycles[^1].Cycle;

    /// <summary>The cases of this subject.</summary>
    public IEnumerable<Guid> CaseIds => cycles.Select(seen => seen.Cycle.Opened.NonconformityId);

    /// <summary>Whether the memory holds nothing that the log would not give at once.</summary>
    public bool IsIdle => counting.Count == 0;

    /// <summary>Adds a cycle; from <paramref name="decidedAt"/> on, deviations belong to its case.</summary>
    public void Add(SignatureCycle cycle, LogPosition decidedAt, LogPosition? closedAt) =>
        cycles.Add(new CycleSeen(cycle, decidedAt) { ClosedAt = closedAt });

    /// <summary>Whether the cycle is known here.</summary>
    public bool Knows(Guid nonconformityId) =>
        cycles.Any(seen => seen.Cycle.Opened.NonconformityId == nonconformityId);

    /// <summary>The case ended at this place in the log.</summary>
    public void Close(Guid nonconformityId, LogPosition at)
    {
        foreach (var seen in cycles.Where(seen => seen.Cycle.Opened.NonconformityId == nonconformityId))
            seen.ClosedAt ??= at;
    }

    /// <summary>Where a deviation at this place belongs, and to which case.</summary>
    public (Belonging Belonging, Guid NonconformityId) Place(LogPosition position)
    {
        var index = cycles.FindLastIndex(seen => seen.DecidedAt < position);
        if (index >= 0 && (cycles[index].ClosedAt is not { } closedAt || closedAt > position))
            return (Belonging.ToCase, cycles[index].Cycle.Opened.NonconformityId);
        return (index == cycles.Count - 1 ? Belonging.ToNextCount : Belonging.ToNone, Guid.Empty);
    }

    /// <summary>Remembers a deviation for the next count.</summary>
    public void Remember(Sighting sighting) => counting.Add(sighting);

    /// <summary>Forgets all that counted, and returns it.</summary>
    public IReadOnlyList<Sighting> Forget()
    {
        Sighting[] all = [.. counting];
        counting.Clear();
        return all;
    }

    /// <summary>Forgets one deviation, because a person found that it is none.</summary>
    public void Forget(Guid deviationId) => counting.RemoveAll(sighting => sighting.Id == deviationId);

    /// <summary>Forgets what arrived too long ago to count with anything that arrives from now on.</summary>
    public void Forget(DateTimeOffset recordedBefore) => counting.RemoveAll(old => old.RecordedAt < recordedBefore);

    private sealed record CycleSeen(SignatureCycle Cycle, LogPosition DecidedAt)
    {
        public LogPosition? ClosedAt { get; set; }
    }
}
