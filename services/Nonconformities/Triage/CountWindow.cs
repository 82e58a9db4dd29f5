using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Nonconformities.Triage;

/// <summary>A deviation as triage remembers it.</summary>
/// <param name="Position">Its place in the log, which orders the counting.</param>
/// <param name="After">The place before it: reading after this delivers it again.</param>
public sealed record Sighting(
    Guid Id, DeviationSubject Subject, Severity Severity, DateTimeOffset DetectedAt, DateTimeOffset RecordedAt,
    bool IsImported, Guid EventId, LogPosition Position, LogPosition After);

/// <summary>The count that opens a case.</summary>
/// <param name="WindowFrom">Start of the count window: its length before the newest deviation counted.</param>
public sealed record RuleHit(TriageRule Rule, DateTimeOffset WindowFrom, IReadOnlyList<Sighting> Counted);

/// <summary>
/// Whether the deviations of one subject reach a rule of the policy. A rule counts the deviations of its severity and
/// above whose detection lies within its window. Two deviations count together only if they also arrived within the
/// policy's horizon of each other: what may be forgotten follows from this and from nothing else.
/// </summary>
public static class CountWindow
{
    private static readonly TimeSpan Lateness = TimeSpan.FromDays(1);

    /// <summary>The horizon of the widest window there may be.</summary>
    public static readonly TimeSpan HorizonMax = TimeSpan.FromDays(366) + Lateness;

    /// <summary>How far apart two deviations may arrive and still count: the widest window and a day.</summary>
    public static TimeSpan HorizonOf(IEnumerable<TriageRule> rules) =>
        TimeSpan.FromDays(rules.Max(rule => rule.WindowDays)) + Lateness;

    /// <summary>The gravest rule that <paramref name="latest"/> makes true together with what came before it.</summary>
    public static RuleHit? Hit(
        IReadOnlyList<TriageRule> rules, IReadOnlyList<Sighting> before, Sighting latest)
    {
        var horizon = HorizonOf(rules);
        foreach (var rule in rules.Where(rule => rule.Severity <= latest.Severity)
                     .OrderByDescending(rule => rule.Severity))
        {
            var window = TimeSpan.FromDays(rule.WindowDays);
            var near = before.Where(other => other.Severity >= rule.Severity
                    && (other.DetectedAt - latest.DetectedAt).Duration() <= window
                    && latest.RecordedAt - other.RecordedAt <= horizon)
                .Append(latest).OrderBy(sighting => sighting.DetectedAt).ThenBy(sighting => sighting.Position).ToList();
            if (Fullest(near, window, latest) is { } counted && counted.Count >= rule.CountMin)
                return new RuleHit(rule, counted[^1].DetectedAt - window, counted);
        }

        return null;
    }

    // Deviations may arrive out of order, so the newcomer may lie anywhere in the window that it fills.
    private static List<Sighting> Fullest(List<Sighting> ordered, TimeSpan window, Sighting latest)
    {
        var fullest = new List<Sighting>();
        for (var last = ordered.IndexOf(latest); last < ordered.Count; last++)
        {
            var from = ordered[last].DetectedAt - window;
            if (latest.DetectedAt < from) break;
            var inside = ordered.Take(last + 1).Where(sighting => sighting.DetectedAt >= from).ToList();
            if (inside.Count > fullest.Count) fullest = inside;
        }

        return fullest;
    }
}
