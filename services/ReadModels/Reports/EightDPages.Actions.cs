using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Reports;

/// <summary>The disciplines of action as people read them: D5 to D7.</summary>
internal static partial class EightDPages
{
    private static void Chosen(Sections sections, ChosenActions d5)
    {
        sections.Begin("D5 Chosen permanent actions").Open(d5.Open)
            .Table(
                "Actions and the causes they cover",
                ["Action:2", "Kind", "Cycle", "What is to be done:3", "Owner", "Due:2", "Covers:3"],
                d5.Actions, action =>
                [
                    new Said(action.Title, action.CancelReason is null ? Tone.Plain : Tone.Ended),
                    Wording.Words(action.Kind), $"{action.Cycle}", action.Description, action.Owner, Due(action),
                    action.CancelReason is { } reason
                        ? new Said($"cancelled: {reason}" + (action.ReplacedBy is { } next ? $" (by {next:D})" : ""),
                            Tone.Ended)
                        : Said.OrNone(string.Join("; ", action.Covers)),
                ], "None is chosen yet.");
        if (d5.UncoveredCauses.Count > 0)
            sections.Lines(new Line(
                "Causes not covered", new Said(string.Join("; ", d5.UncoveredCauses), Tone.Open)));
        Risk(sections, "Risk before action", d5.Risk);
        FailureModes(sections, "Failure modes before action", d5.FailureModes);
        sections.Lines(
                new("Does harm elsewhere", Said.OrOpen(
                    d5.DoesHarm is { } harm ? Wording.YesNo(harm) : null, "not checked in this cycle")),
                new("What the check found", Said.OrNone(d5.AdverseEffects)))
            .Signatures("Approval of the plan", d5.Approvals, "Not yet approved.");
    }

    private static string Due(ChosenAction action) => action.ExtensionCount == 0
        ? Wording.Day(action.DueOn)
        : $"{Wording.Day(action.DueOn)} (first {Wording.Day(action.OriginalDueOn)}, "
            + $"{action.ExtensionCount} extensions)";

    private static void Implemented(Sections sections, Implementation d6)
    {
        sections.Begin("D6 Implementation and effectiveness").Open(d6.Open);
        Progress(sections, "Actions as carried out and verified", d6.Actions, "None is carried out yet.");
        sections.Table(
            "Removal of the interim containment", ["Nonconformity:2", "By:2", "At:2", "Reason:4"],
            d6.ContainmentRemovals, removal =>
                [removal.Case, removal.By, Wording.Time(removal.At), Said.OrNone(removal.Reason)],
            "None was removed yet.");
        foreach (var cycle in d6.Cycles) CycleOf(sections, cycle);
    }

    private static void CycleOf(Sections sections, EffectivenessCycle cycle)
    {
        sections.Table(
            $"Cycle {cycle.Cycle}: criteria as locked",
            ["Locked:2", "Approved by", "Baseline:3", "Expected reduction", "Significance", "Window", "Counted by:2"],
            cycle.Criteria, locked => CriteriaCells(locked));
        sections.Lines(
            new Line($"Cycle {cycle.Cycle}", Wording.Words(cycle.Status)),
            new Line("Monitoring window", Said.OrOpen(
                cycle is { WindowFrom: { } from, WindowTo: { } to } ? $"{Wording.Time(from)} to {Wording.Time(to)}"
                    : null, "not yet open")),
            new Line("Recurrences", Said.OrNone(Wording.Joined(
                [.. cycle.Recurrences.Select(id => id.ToString("D"))]))));
        if (cycle.Window is { } window) Counts(sections, cycle, window);
        sections.Lines(
                new Line("Evaluated", Said.OrOpen(
                    Wording.ByAt(cycle.EvaluatedBy, cycle.EvaluatedAt), "not yet evaluated")),
                new Line("Ended early by a recurrence", Said.OrNone(
                    cycle.EarlyOnRecurrence is { } early ? Wording.YesNo(early) : null)),
                new Line("Verdict the numbers propose", Said.OrOpen(cycle.Proposed, "not yet evaluated")),
                new Line("Verdict decided", Said.OrOpen(cycle.Verdict)),
                new Line("Reason against the numbers", Said.OrNone(cycle.ReasonAgainstNumbers)))
            .Signatures($"Cycle {cycle.Cycle}: signature of the verdict", cycle.Decisions, "Not yet signed.");
    }

    private static IReadOnlyList<Said> CriteriaCells(LockedCriteria locked)
    {
        var criteria = locked.Criteria;
        return
        [
            Wording.Time(locked.LockedAt), locked.ApprovedBy,
            $"{Wording.Time(criteria.BaselineFrom)} to {Wording.Time(criteria.BaselineTo)}"
                + (criteria.BaselineReason is { } moved ? $", moved: {moved}" : ""),
            Wording.Percent(criteria.ExpectedReduction), Wording.Number(criteria.Significance),
            $"{criteria.WindowDays} days",
            criteria.SuccessRun is { } run
                ? $"success run: {Wording.Percent(run.Reliability)} reliable with {Wording.Percent(run.Confidence)} "
                    + "confidence"
                : Wire.Name(criteria.ExposureUnit),
        ];
    }

    private static void Counts(Sections sections, EffectivenessCycle cycle, ReviewedCount window)
    {
        var counts = new List<(string Period, ReviewedCount Count, double? Rate)>();
        if (cycle.Baseline is { } baseline) counts.Add(("baseline", baseline, cycle.Numbers?.BaselineRate));
        counts.Add(("window", window, cycle.Numbers?.WindowRate));
        sections.Table(
            $"Cycle {cycle.Cycle}: what was counted",
            ["Period", "From:2", "To:2", "Deviations", "Exposure", "Rate", "SHA-256 of the deviation ids:3"], counts,
            row =>
            [
                row.Period, Wording.Time(row.Count.From), Wording.Time(row.Count.To), $"{row.Count.Deviations}",
                Wording.Number(row.Count.Exposure), Said.OrNone(row.Rate is { } rate ? Wording.Small(rate) : null),
                row.Count.DeviationIdsHash,
            ]);
        if (cycle.Numbers is { } numbers)
            sections.Lines(
                new("Rate ratio", Wording.Small(numbers.RateRatio)),
                new("Lower limit of the ratio", Wording.Small(numbers.RateRatioLower)),
                new("Upper limit of the ratio", numbers.RateRatioUpper is { } upper
                    ? Wording.Small(upper) : "unbounded"),
                new("p", Wording.Small(numbers.PValue)));
        if (cycle.SuccessRun is { } run)
            sections.Lines(
                new("Units needed without a failure", Said.OrNone(run.UnitsNeeded?.ToString(
                    System.Globalization.CultureInfo.InvariantCulture))),
                new("Lower limit of the reliability", Said.OrNone(Wording.Number(run.ReliabilityLower))),
                new("Upper limit of the reliability", Said.OrNone(Wording.Number(run.ReliabilityUpper))));
    }

    private static void Prevented(Sections sections, Prevention d7)
    {
        sections.Begin("D7 Prevention of recurrence").Open(d7.Open).Lines(
            new("Risks and opportunities updated", Answered(d7.Answers?.RiskUpdate)),
            new("Quality system changed", Answered(d7.Answers?.QmsChange)),
            new("FMEA updated", Answered(d7.Answers?.FmeaUpdate)),
            new("Control plan updated", Said.OrNone(AnswerOf(d7.Answers?.ControlPlanUpdate))),
            new("Passed on to suppliers", Said.OrNone(AnswerOf(d7.Answers?.FlowDown))),
            new("Lessons", Said.OrOpen(d7.Answers?.Lessons, "not yet answered")));
        Risk(sections, "Risk that remains", d7.ResidualRisk);
        FailureModes(sections, "Failure modes after action", d7.FailureModes);
        sections.Table(
            "Carried over to other processes", ["Process:2", "Carried over", "Reference or reason:4", "Answered:2"],
            d7.Deployments, one =>
            [
                one.Process, Said.OrOpen(one.Deployed is { } done ? Wording.YesNo(done) : null, "not yet answered"),
                Said.OrNone(one.Reference), Said.OrNone(Wording.ByAt(one.AnsweredBy, one.AnsweredAt)),
            ], "No other process was named.");
        if (d7.Extent is not { } extent) return;
        sections.Lines(
                new("Is there more of it: asked for", extent.Query),
                new("Checked", Wording.ByAt(extent.CheckedBy, extent.CheckedAt)!))
            .Table("Hits and the decision on each", ["Hit:2", "Decision", "Reason:4"], extent.Hits, hit =>
                [hit.Reference, Wording.Words(Wire.Name(hit.Decision)), hit.Reason], "There were no hits.");
    }

    private static Said Answered(Answer? answer) => Said.OrOpen(AnswerOf(answer), "not yet answered");

    private static string? AnswerOf(Answer? answer) =>
        answer is null ? null : $"{Wording.YesNo(answer.Yes)}: {answer.Reference}";

    private static void Risk(Sections sections, string name, RiskView risk) => sections.Lines(new Line(
        name, Said.OrOpen(
            risk is { Severity: { } severity, Likelihood: { } likelihood }
                ? $"severity {severity}, likelihood {likelihood}" + (risk.Class is { } rated ? $", {rated}" : "")
                : null, "not rated")));

    private static void FailureModes(Sections sections, string caption, IEnumerable<RatedFailureMode> modes) =>
        sections.Table(
            caption, ["Failure mode:3", "S", "O", "D", "Priority", "Table:2", "Rated:2"], modes, mode =>
            [
                mode.FailureMode, $"{mode.Severity}", $"{mode.Occurrence}", $"{mode.Detection}", mode.Priority,
                mode.PriorityTable, Wording.ByAt(mode.RatedBy, mode.RatedAt)!,
            ]);
}
