using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Reports;

/// <summary>Composes the disciplines of action: D5 to D7.</summary>
internal static partial class EightDReports
{
    private static ChosenActions Chosen(CapaFacts facts)
    {
        var row = facts.Row;
        var statements = (facts.Analysis?.Causes ?? []).ToDictionary(cause => cause.Id, cause => cause.Statement);
        var actions = facts.Detail.Actions.Where(action => !IsContainment(action)).ToList();
        var covered = actions.Where(action => action.Status != "cancelled").SelectMany(action => action.Causes)
            .ToHashSet();
        var uncovered = (facts.Analysis?.Causes ?? [])
            .Where(cause => cause.Status == "verified" && !covered.Contains(cause.Id))
            .Select(cause => cause.Statement).ToList();
        return new ChosenActions(
            [.. actions.Select(action => new ChosenAction(
                action.Id, action.Cycle, action.Kind, action.Title, action.Description, action.Owner,
                action.OriginalDueOn, action.DueOn, action.ExtensionCount,
                [.. action.Causes.Select(id => statements.GetValueOrDefault(id, id.ToString("D")))],
                action.CancelReason, action.ReplacedBy))],
            uncovered, new RiskView(row.RiskSeverity, row.RiskLikelihood, row.RiskClass),
            [.. facts.Detail.FailureModes.Where(mode => mode.Moment == "before")], row.DoesHarm, row.AdverseEffects,
            [.. SignedAs<ActionPlanEvent.Approved>(facts), .. SignedAs<ActionPlanEvent.CriteriaChanged>(facts)],
            Missing(
                (actions.TrueForAll(action => action.Status == "cancelled"), "No permanent action is chosen yet."),
                (uncovered.Count > 0, "Not every verified cause is covered by an action yet."),
                (row.RiskSeverity is null, "The risk before action is not yet rated."),
                (row.ApprovedAt is null, "The plan of this cycle is not yet approved.")));
    }

    private static Implementation Implemented(CapaFacts facts)
    {
        var cycles = facts.Reviews.OrderBy(review => review.Cycle).Select(review => Cycle(review, facts)).ToList();
        var removals = facts.Cases.SelectMany(one => one.Own.Of<NonconformityEvent.ContainmentLifted>()
            .Select(lifted => new ContainmentRemoval(
                one.Describe().Name, lifted.Fact.LiftedBy, lifted.At, lifted.Fact.Reason))).ToList();
        return new Implementation(
            [.. facts.Detail.Actions.Where(action => !IsContainment(action)).Select(Progress)], removals, cycles,
            [
                .. facts.Detail.Actions.Where(action => !IsContainment(action) && IsUnfinished(action))
                    .Select(action => $"The action \"{action.Title}\" is not yet implemented and verified."),
                .. Living(facts).Where(one => one.Row.Containment is "planned" or "in-place")
                    .Select(one => $"{one.Describe().Name}: the interim containment is not yet removed."),
                .. Judged(cycles.LastOrDefault(cycle => cycle.Cycle == facts.Row.Cycle)),
            ]);
    }

    private static IReadOnlyList<string> Judged(EffectivenessCycle? current) => Missing(
        (current is null, "The criteria of effectiveness are not yet locked."),
        (current is { WindowFrom: null }, "The monitoring window is not yet open."),
        (current is { WindowFrom: not null, EvaluatedAt: null }, "The data are not yet evaluated."),
        (current is not null && current.Verdict is null or "inconclusive", "The verdict is not yet decided."));

    private static EffectivenessCycle Cycle(ReviewDetail review, CapaFacts facts)
    {
        var own = facts.History.In(Families.Effectiveness, review.Id);
        return new EffectivenessCycle(
            review.Cycle, review.Status,
            [
                .. own.Of<EffectivenessEvent.CriteriaLocked>()
                    .Select(one => new LockedCriteria(one.At, one.Fact.PlanApprovedBy, one.Fact.Criteria)),
                .. own.Of<EffectivenessEvent.CriteriaChanged>()
                    .Select(one => new LockedCriteria(one.At, one.Fact.ApprovedBy, one.Fact.Criteria)),
            ],
            review.WindowFrom, review.WindowTo, review.Recurrences, review.Baseline, review.Window, review.Numbers,
            review.SuccessRun, review.Proposed, review.EvaluatedBy, review.EvaluatedAt, review.EarlyOnRecurrence,
            review.Verdict, review.ReasonAgainstNumbers, own.Signatures());
    }

    private static Prevention Prevented(CapaFacts facts)
    {
        var row = facts.Row;
        var answers = facts.History.Of<ActionPlanEvent.Closed>().LastOrDefault()?.Fact.Answers;
        var extent = facts.History.Of<RootCauseEvent.ExtentChecked>().LastOrDefault();
        return new Prevention(
            answers, new RiskView(row.ResidualSeverity, row.ResidualLikelihood, row.ResidualRiskClass),
            [.. facts.Detail.FailureModes.Where(mode => mode.Moment == "after")], facts.Detail.Deployments,
            extent is null ? null : new ExtentCheck(
                extent.Fact.Query, extent.Fact.Hits, extent.Fact.CheckedBy, extent.At),
            [
                .. Missing(
                    (answers is null, "Whether risks, the quality system and the FMEA change is not yet answered."),
                    (extent is null, "Whether there is more of it is not yet checked.")),
                .. facts.Detail.Deployments.Where(one => one.Deployed is null)
                    .Select(one => $"Whether it is carried over to {one.Process} is not yet answered."),
            ]);
    }
}
