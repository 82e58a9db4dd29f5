using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Nonconformities.Triage;

/// <summary>A case that a policy would have opened.</summary>
/// <param name="DeviationCount">Deviations counted at the opening and attached to it until it ended.</param>
public sealed record WouldOpen(
    DeviationSubject Subject, Severity Severity, DateTimeOffset OpenedAt, DateTimeOffset WindowFrom, int CountedCount,
    int DeviationCount);

/// <summary>What a period would have looked like under another policy.</summary>
/// <param name="ActuallyOpenedCount">Cases that triage did open on deviations of the period.</param>
/// <param name="Opened">At most the first thousand of them.</param>
/// <param name="Position">How far the log was read.</param>
public sealed record WhatIfAnswer(
    DateTimeOffset From, DateTimeOffset To, long DeviationCount, int ActuallyOpenedCount, int WouldOpenCount,
    IReadOnlyList<WouldOpen> Opened, ulong Position);

/// <summary>
/// Reads the log again and counts under another policy, without writing anything. Before the period the policies that
/// were in force are followed, so that the same policy gives the same cases. A case that would have been opened ends
/// where the subject's real case ended, because nobody can say how long people would have worked on it.
/// </summary>
public sealed class TriageWhatIf(IEventStore store)
{
    private const int OpenedCountMax = 1_000;

    private static readonly string[] Followed =
    [
        Families.Deviation.Prefix, Families.Signature.Prefix, Families.Nonconformity.Prefix,
        Families.TriagePolicy.Prefix,
    ];

    /// <summary>Counts deviations detected from <paramref name="from"/> until before <paramref name="to"/>.</summary>
    public async Task<WhatIfAnswer> ReplayAsync(
        ValueList<TriageRule> rules, bool groupsByStation, DateTimeOffset from, DateTimeOffset to,
        CancellationToken ct)
    {
        var asked = new TriagePolicyEvent.Set(0, rules, "What if.") { GroupsByStation = groupsByStation };
        var replay = new Replay(asked, await FirstPolicyAsync(ct) ?? asked, from, to);
        var position = LogPosition.Start;
        await foreach (var recorded in store.ReadAllAsync(LogPosition.Start, Followed, ct))
        {
            replay.Take(recorded);
            position = recorded.Position;
        }

        return new WhatIfAnswer(
            from, to, replay.DeviationCount, replay.ActuallyOpenedCount, replay.Opened.Count,
            [.. replay.Opened.Take(OpenedCountMax).Select(open => open.ToAnswer())], position.Commit);
    }

    private async Task<TriagePolicyEvent.Set?> FirstPolicyAsync(CancellationToken ct)
    {
        await foreach (var recorded in store.ReadStreamAsync(Families.TriagePolicy.Prefix, 0, 1, ct))
            return (TriagePolicyEvent.Set)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span);
        return null;
    }

    private sealed class Replay(
        TriagePolicyEvent.Set asked, TriagePolicyEvent.Set first, DateTimeOffset from, DateTimeOffset to)
    {
        private readonly Dictionary<DeviationSubject, List<Sighting>> counting = [];
        private readonly Dictionary<DeviationSubject, Open> open = [];
        private readonly Dictionary<Guid, DeviationSubject> subjectOfCase = [];
        private readonly HashSet<Guid> inPeriod = [];
        private TriagePolicyEvent.Set inForce = first;

        public long DeviationCount => inPeriod.Count;
        public int ActuallyOpenedCount { get; private set; }
        public List<Open> Opened { get; } = [];

        public void Take(RecordedEvent recorded)
        {
            switch (recorded.Type)
            {
                case "deviation.received.v1": Count(recorded); break;
                case "deviation.dismissed.v1":
                    var dismissed = Families.Deviation.IdOf(recorded.Stream);
                    foreach (var list in counting.Values) list.RemoveAll(sighting => sighting.Id == dismissed);
                    break;
                case "triage-policy.set.v1": inForce = (TriagePolicyEvent.Set)Read(recorded); break;
                case "signature.opened.v1": Note((SignatureEvent.Opened)Read(recorded)); break;
                case "nonconformity.closed.v1" or "nonconformity.rejected.v1" or "nonconformity.withdrawn.v1"
                    or "nonconformity.merged.v1":
                    if (subjectOfCase.TryGetValue(Families.Nonconformity.IdOf(recorded.Stream), out var subject))
                    {
                        open.Remove(subject);
                        open.Remove(asked.Group(subject));
                    }

                    break;
            }
        }

        private static object Read(RecordedEvent recorded) =>
            EventCatalog.Deserialize(recorded.Type, recorded.Data.Span);

        // What people opened by hand would have been open under any policy.
        private void Note(SignatureEvent.Opened opened)
        {
            subjectOfCase[opened.NonconformityId] = opened.Subject;
            if (opened.PolicyVersion == 0)
                open.TryAdd(opened.Subject, new Open(opened.Subject, Severity.Minor, default, default, 0));
            else if (opened.Deviations.Count > 0 && inPeriod.Contains(opened.Deviations[^1])) ActuallyOpenedCount++;
        }

        private void Count(RecordedEvent recorded)
        {
            var fact = (DeviationEvent.Received)Read(recorded);
            if (fact.DetectedAt >= to) return;
            var isInPeriod = fact.DetectedAt >= from;
            var policy = isInPeriod ? asked : inForce;
            var id = Families.Deviation.IdOf(recorded.Stream);
            if (isInPeriod) inPeriod.Add(id);
            var subject = policy.Group(fact.Subject());
            if (open.TryGetValue(subject, out var already))
            {
                already.Attach();
                return;
            }

            var metadata = EventCatalog.Metadata(recorded.Metadata.Span);
            var sighting = new Sighting(
                id, subject, fact.Severity, fact.DetectedAt, metadata.RecordedAt, metadata.Imported, recorded.Id,
                recorded.Position, recorded.Position);
            if (!counting.TryGetValue(subject, out var before)) counting[subject] = before = [];
            before.RemoveAll(old => sighting.RecordedAt - old.RecordedAt > CountWindow.HorizonMax);
            if (CountWindow.Hit(policy.Rules, before, sighting) is not { } hit)
            {
                before.Add(sighting);
                return;
            }

            before.Clear();
            var opened = new Open(
                subject, hit.Counted.Max(counted => counted.Severity), fact.DetectedAt, hit.WindowFrom,
                hit.Counted.Count);
            open[subject] = opened;
            if (isInPeriod) Opened.Add(opened);
        }
    }

    private sealed class Open(
        DeviationSubject subject, Severity severity, DateTimeOffset openedAt, DateTimeOffset windowFrom, int counted)
    {
        private int attached;

        public void Attach() => attached++;

        public WouldOpen ToAnswer() => new(subject, severity, openedAt, windowFrom, counted, counted + attached);
    }
}
