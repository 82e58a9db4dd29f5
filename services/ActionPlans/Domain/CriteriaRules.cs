using System.Globalization;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Contracts.ActionPlanEvent;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.ActionPlanEvent>;

namespace CapaEngine.ActionPlans.Domain;

/// <summary>
/// How effectiveness will be judged: defined while planning, locked by the approval, and changed afterwards only while
/// nothing has been observed yet, and only with another approval (G22).
/// </summary>
internal static class CriteriaRules
{
    public static Decision<ActionPlanEvent> Define(
        ActionPlanCommand.DefineEffectivenessCriteria c, ActionPlan plan, CommandContext context) =>
        WhyUnusable(c, plan, context)
            ?? PlanRules.Unless(
                plan.Effectiveness,
                new EffectivenessCriteriaDefined(Criteria(c, plan), c.Baseline!.Count, context.Person));

    public static Decision<ActionPlanEvent> ProposeChange(
        ActionPlanCommand.ProposeCriteriaChange c, ActionPlan plan, CommandContext context)
    {
        if (WhyUnusable(c.Criteria, plan, context) is { } refusal) return refusal;
        var criteria = Criteria(c.Criteria, plan);
        return criteria == plan.Effectiveness?.Criteria
            ? Accept()
            : PlanRules.Unless(plan.ProposedChange, new CriteriaChangeProposed(
                criteria, c.Criteria.Baseline!.Count, context.Person, c.Reason));
    }

    public static Decision<ActionPlanEvent> ApproveChange(ActionPlan plan, CommandContext context)
    {
        if (plan.ProposedChange is not { } proposed)
            return plan.LastChange?.ApprovedBy == context.Person
                ? Accept()
                : Reject("no-change-proposed", "Nobody has proposed other criteria.");
        return proposed.ProposedBy == context.Person || plan.IsWorkOf(context.Person)
            ? Reject("self-approval", "Who proposed it, or has a part in the work, does not approve it.")
            : Accept(new CriteriaChanged(
                plan.Cycle, proposed.Criteria, proposed.Baseline, context.Person,
                context.Sign(SignatureMeaning.Approved)));
    }

    public static Decision<ActionPlanEvent> RefuseChange(
        ActionPlanCommand.RefuseCriteriaChange c, ActionPlan plan, CommandContext context)
    {
        var refused = new CriteriaChangeRefused(context.Person, c.Reason);
        if (plan.ProposedChange is not { } proposed)
            return plan.LastRefusal == refused
                ? Accept()
                : Reject("no-change-proposed", "Nobody has proposed other criteria.");
        return proposed.ProposedBy == context.Person || plan.IsWorkOf(context.Person)
            ? Reject("self-approval", "Who proposed it, or has a part in the work, does not refuse it.")
            : Accept(refused);
    }

    private static Decision<ActionPlanEvent>? WhyUnusable(
        ActionPlanCommand.DefineEffectivenessCriteria c, ActionPlan plan, CommandContext context)
    {
        var opening = plan.Opening!;
        if ((c.Subject ?? opening.Subject) is not { } subject)
            return Reject("subject-missing", "The CAPA has no subject: say which deviations are to become fewer.");
        if (subject.Site != opening.Site)
            return Reject("other-site", "The subject belongs to another site than the CAPA.");
        if (c.BaselineFrom >= c.BaselineTo || c.BaselineTo > context.Now)
            return Reject("baseline-not-past", "The baseline must be a period that has ended.");
        if (c.BaselineTo > opening.CountWindowFrom && string.IsNullOrWhiteSpace(c.BaselineReason))
            return Reject("baseline-overlaps-case", "The baseline overlaps the count window that opened the case "
                + $"({opening.CountWindowFrom:O}), which would inflate it; state the reason if it must.");
        if (c.SuccessRunConfidence is null != c.SuccessRunReliability is null)
            return Reject("success-run-incomplete", "A success run needs its confidence and its reliability.");
        if (c.SuccessRunConfidence is not null && c.ExposureUnit != ExposureUnit.Inspected)
            return Reject("units-not-counted", "A success run counts inspected units, not days.");
        if (c.Baseline is not { } baseline)
            return Reject("evidence-missing", "The criteria need the count of the baseline.");
        if (baseline.WhyUnusable("baseline") is { } gap) return Reject("exposure-missing", gap);
        return WhyTooShort(c, baseline.Count);
    }

    // A success run needs no deviations before: it shows what the units are like now, as preventive action must.
    private static Decision<ActionPlanEvent>? WhyTooShort(
        ActionPlanCommand.DefineEffectivenessCriteria c, EvidenceCount baseline)
    {
        if (SuccessRunOf(c) is { } run)
        {
            var unitsPerDay = baseline.Exposure / (baseline.To - baseline.From).TotalDays;
            var units = SuccessRunTest.UnitsNeeded(run);
            return TooShort(units / unitsPerDay, $"{units} units without a failure are needed");
        }

        return baseline.Deviations == 0
            ? Reject("nothing-to-reduce", "The baseline holds no deviation, so no reduction could be shown.")
            : TooShort(
                RateComparison.ShortestWindowDays(baseline, c.Significance),
                "Even without any recurrence the test could not show effectiveness");

        Decision<ActionPlanEvent>? TooShort(double daysMin, string why) => c.WindowDays < daysMin
            ? Reject("window-too-short", string.Create(
                CultureInfo.InvariantCulture, $"{why}: the shortest useful window is {daysMin:F2} days."))
            : null;
    }

    private static EffectivenessCriteria Criteria(
        ActionPlanCommand.DefineEffectivenessCriteria c, ActionPlan plan) =>
        new((c.Subject ?? plan.Opening!.Subject)!, c.BaselineFrom, c.BaselineTo, c.ExpectedReduction, c.Significance,
            c.WindowDays, c.ExposureUnit, c.BaselineReason)
        {
            SuccessRun = SuccessRunOf(c),
        };

    private static SuccessRun? SuccessRunOf(ActionPlanCommand.DefineEffectivenessCriteria c) =>
        c is { SuccessRunConfidence: { } confidence, SuccessRunReliability: { } reliability }
            ? new SuccessRun(confidence, reliability)
            : null;
}
