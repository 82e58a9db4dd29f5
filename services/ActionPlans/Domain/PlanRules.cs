using System.Globalization;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Contracts.ActionPlanEvent;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.ActionPlanEvent>;

namespace CapaEngine.ActionPlans.Domain;

/// <summary>The guards behind the decision table of <see cref="ActionPlan"/>, in the order of a CAPA's life.</summary>
internal static class PlanRules
{
    public static Decision<ActionPlanEvent> Open(Opened opening, ActionPlan plan)
    {
        if (plan.Opening is not null)
            return plan.Opening == opening ? Accept() : Reject("already-opened", "The CAPA has been opened before.");
        return opening.Subject is { } subject && subject.Site != opening.Site
            ? Reject("other-site", "The subject belongs to another site than the CAPA.")
            : Accept(opening);
    }

    public static Decision<ActionPlanEvent> ReceiveCauses(ActionPlanCommand.ReceiveCauses c, ActionPlan plan)
    {
        if (c.Cycle > plan.Cycle)
            return Reject("cycle-ahead", $"The CAPA is in cycle {plan.Cycle}, the analysis in cycle {c.Cycle}.");
        // The extent may be checked after the analysis was approved; planning then learns of it.
        var isNews = c.Cycle == plan.Cycle && plan.Stage switch
        {
            PlanStage.AwaitingCause => true,
            PlanStage.Planning => c.ExtentIsChecked && plan.Analysis is { ExtentIsChecked: false },
            _ => false,
        };
        return isNews ? Accept(new CausesReceived(c.RootCauseId, c.Cycle, c.Causes, c.ExtentIsChecked)) : Accept();
    }

    public static Decision<ActionPlanEvent> PlanAction(
        ActionPlanCommand.PlanAction c, ActionPlan plan, CommandContext context)
    {
        var id = context.DeriveId("action");
        if (plan.Find(id) is not null) return Accept();
        if (c.DueOn < DateOnly.FromDateTime(context.Now.UtcDateTime))
            return Reject("due-in-the-past", "An action cannot be due before today.");
        if (c.Causes.Any(cause => plan.Causes.All(known => known.CauseId != cause)))
            return Reject("unknown-cause", "The action names a cause that the analysis did not verify.");
        return Accept(new ActionPlanned(id, c.Kind, c.Title, c.Description, c.Owner, c.DueOn, c.Causes));
    }

    public static Decision<ActionPlanEvent> CancelAction(
        ActionPlanCommand.CancelAction c, ActionPlan plan, CommandContext context)
    {
        var fact = new ActionCancelled(c.ActionId, context.Person, c.Reason);
        if (plan.Find(c.ActionId) is not { } action) return UnknownAction();
        if (action.LastFact == fact) return Accept();
        if (plan.Stage is not (PlanStage.Planning or PlanStage.Implementing)
            || action.Status is ActionStatus.Verified or ActionStatus.Cancelled)
            return WrongStage(plan, action);
        var after = ActionPlan.Evolve(plan, fact);
        // An approved plan must still act on every cause it was approved for.
        if (plan.Stage == PlanStage.Implementing && WhyUncovered(after) is { } uncovered) return uncovered;
        return WithMonitoring(fact, after, context);
    }

    public static Decision<ActionPlanEvent> Define(
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
        if (c.Baseline is not { } baseline)
            return Reject("evidence-missing", "The criteria need the count of the baseline.");
        if (baseline.WhyUnusable("baseline") is { } gap) return Reject("exposure-missing", gap);
        if (baseline.Count.Deviations == 0)
            return Reject("nothing-to-reduce", "The baseline holds no deviation, so no reduction could be shown.");
        var daysMin = RateComparison.ShortestWindowDays(baseline.Count, c.Significance);
        if (c.WindowDays < daysMin)
            return Reject("window-too-short", "Even without any recurrence the test could not show effectiveness: the "
                + $"shortest useful window is {daysMin.ToString("F2", CultureInfo.InvariantCulture)} days.");
        return Unless(plan.Effectiveness, new EffectivenessCriteriaDefined(
            new EffectivenessCriteria(subject, c.BaselineFrom, c.BaselineTo, c.ExpectedReduction, c.Significance,
                c.WindowDays, c.ExposureUnit, c.BaselineReason),
            baseline.Count, context.Person));
    }

    /// <summary>G11, as far as the plan itself goes; null where nothing is missing.</summary>
    public static Decision<ActionPlanEvent>? WhyIncomplete(ActionPlan plan)
    {
        if (plan.Analysis is not { ExtentIsChecked: true })
            return Reject("extent-not-checked", "Whether similar nonconformities exist or could occur is not checked.");
        if (WhyUncovered(plan) is { } uncovered) return uncovered;
        if (plan.Effectiveness is null)
            return Reject("criteria-missing", "It is not defined how effectiveness will be judged.");
        return plan.Risk is null ? Reject("risk-not-rated", "The risk before action is not rated.") : null;
    }

    public static Decision<ActionPlanEvent> Approve(ActionPlan plan, CommandContext context)
    {
        if (plan.IsWorkOf(context.Person) || plan.SubmittedBy == context.Person)
            return Reject("self-approval", "Who owns the plan or an action, or submitted it, does not approve it.");
        return WhyIncomplete(plan) ?? Accept(new Approved(
            plan.Cycle, context.Person, plan.Effectiveness!.Criteria,
            plan.Actions.Select(action => action.Owner).Distinct().ToValueList(),
            context.Sign(SignatureMeaning.Approved)));
    }

    /// <summary>One step of an action: from the status it needs, by a person who may take it (G12, G13).</summary>
    public static Decision<ActionPlanEvent> Work(
        ActionPlanEvent fact, Guid actionId, ActionStatus from, ActionPlan plan, CommandContext context)
    {
        if (plan.Find(actionId) is not { } action) return UnknownAction();
        if (action.LastFact == fact) return Accept();
        if (plan.Stage != PlanStage.Implementing || action.Status != from) return WrongStage(plan, action);
        if (fact is ActionCompleted && context.Person != action.Owner)
            return Reject("not-the-action-owner", "Only the owner of an action completes it.");
        if (fact is ActionVerified or ActionReturned
            && (context.Person == action.Owner || action.LastFact is ActionCompleted done
                && done.CompletedBy == context.Person))
            return Reject("self-verification", "Who owns or completed an action does not verify it.");
        return WithMonitoring(fact, ActionPlan.Evolve(plan, fact), context);
    }

    public static Decision<ActionPlanEvent> StartReview(ActionPlanCommand.StartEffectivenessReview c, ActionPlan plan)
    {
        if (c.Cycle < plan.Cycle || plan.Stage == PlanStage.InEffectivenessReview) return Accept();
        return c.Cycle == plan.Cycle && plan.Stage == PlanStage.Monitoring
            ? Accept(new EffectivenessReviewStarted(c.Cycle, c.ReviewId, c.Proposed))
            : WrongStage(plan);
    }

    public static Decision<ActionPlanEvent> ReceiveVerdict(ActionPlanCommand.ReceiveVerdict c, ActionPlan plan)
    {
        var fact = new VerdictReceived(c.Cycle, c.ReviewId, c.Verdict, c.WindowTo);
        if (c.Cycle < plan.Cycle || plan.LastVerdict == fact) return Accept();
        if (plan.Stage == PlanStage.Monitoring)
            return Reject("review-not-started", "The verdict arrived before the evaluation that it decides on.");
        if (c.Cycle > plan.Cycle || plan.Stage != PlanStage.InEffectivenessReview) return WrongStage(plan);
        return c.Verdict == Verdict.Ineffective ? Accept(fact, new CycleStarted(plan.Cycle + 1)) : Accept(fact);
    }

    // G16.
    public static Decision<ActionPlanEvent> Close(ActionPlanCommand.Close c, ActionPlan plan, CommandContext context)
    {
        if (plan.LastVerdict is not { Verdict: Verdict.Effective })
            return Reject("not-effective", "A CAPA closes only on a signed verdict of effectiveness.");
        if (plan.IsWorkOf(context.Person))
            return Reject("self-approval", "Who owns the plan or one of its actions does not close it.");
        Answer[] answers = [c.Answers.RiskUpdate, c.Answers.QmsChange, c.Answers.FmeaUpdate];
        if (answers.Any(answer => string.IsNullOrWhiteSpace(answer.Reference)))
            return Reject("answer-missing", "A yes needs its reference, a no its reason.");
        return string.IsNullOrWhiteSpace(c.Answers.Lessons)
            ? Reject("answer-missing", "What was learnt is missing.")
            : Accept(new Closed(context.Person, c.Answers, context.Sign(SignatureMeaning.Approved)));
    }

    /// <summary>Accepts the fact unless it is the one that holds already.</summary>
    public static Decision<ActionPlanEvent> Unless<TFact>(TFact? current, TFact fact) where TFact : ActionPlanEvent =>
        fact.Equals(current) ? Accept() : Accept(fact);

    public static Decision<ActionPlanEvent> WrongStage(ActionPlan plan, PlannedAction? action = null)
    {
        var where = action is null ? "" : $" while the action is {Words(action.Status.ToString())}";
        return Reject("wrong-stage", $"Not possible in the stage {Words(plan.Stage.ToString())}{where}.");
    }

    private static Decision<ActionPlanEvent> UnknownAction() =>
        Reject("unknown-action", "The CAPA has no such action.");

    private static Decision<ActionPlanEvent>? WhyUncovered(ActionPlan plan)
    {
        if (!plan.Actions.Any()) return Reject("no-action", "The plan holds no action.");
        var covered = plan.Actions.SelectMany(action => action.Causes).ToHashSet();
        return plan.Causes.FirstOrDefault(cause => !covered.Contains(cause.CauseId)) is { } cause
            ? Reject("cause-not-covered", $"No action is planned against the verified cause '{cause.Statement}'.")
            : null;
    }

    // G14: monitoring starts by itself, with the step that leaves every standing action verified.
    private static Decision<ActionPlanEvent> WithMonitoring(
        ActionPlanEvent fact, ActionPlan after, CommandContext context) =>
        after is { Stage: PlanStage.Implementing, IsImplemented: true, Effectiveness: { } effectiveness }
            ? Accept(fact, new MonitoringStarted(
                after.Cycle, context.Now, context.Now.AddDays(effectiveness.Criteria.WindowDays)))
            : Accept(fact);

    private static string Words(string stage) =>
        System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(stage);
}
