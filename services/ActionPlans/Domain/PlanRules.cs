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

    /// <summary>Another owner, who must not be the one that signed the plan: that would be their own work.</summary>
    public static Decision<ActionPlanEvent> ChangeOwner(
        ActionPlanCommand.ChangeOwner c, ActionPlan plan, CommandContext context)
    {
        if (plan.Owners[^1] == c.Owner) return Accept();
        return plan.Approvers.Contains(c.Owner)
            ? Reject("self-approval", "Who approved the plan cannot become its owner.")
            : Accept(new OwnerChanged(c.Owner, context.Person, c.Reason));
    }

    /// <summary>G11, as far as the plan itself goes; null where nothing is missing.</summary>
    public static Decision<ActionPlanEvent>? WhyIncomplete(ActionPlan plan, Profile profile)
    {
        if (plan.Analysis is not { ExtentIsChecked: true })
            return Reject("extent-not-checked", "Whether similar nonconformities exist or could occur is not checked.");
        if (WhyUncovered(plan) is { } uncovered) return uncovered;
        if (plan.Effectiveness is null)
            return Reject("criteria-missing", "It is not defined how effectiveness will be judged.");
        if (plan.Content.Risk is not { } risk)
            return Reject("risk-not-rated", "The risk before action is not rated.");
        var demand = profile.DemandOf(risk.Class?.Value);
        if (demand.CauseKinds.Except(plan.Causes.Select(cause => cause.Kind)).ToList() is [var missing, ..])
            return Reject("cause-depth-missing",
                $"A {demand.Class} risk needs a verified {Words(missing.ToString())} cause, too ({profile.Name}).");
        if (profile.Rules.AdverseEffectsAreChecked && plan.Content.AdverseEffects is null)
            return Reject("adverse-effects-not-checked",
                $"Whether the action does harm elsewhere is not checked ({profile.Name}).");
        return plan.Content.AdverseEffects is { DoesHarm: true }
            ? Reject("adverse-effect-open", "The action was found to do harm elsewhere: plan another one, check again.")
            : null;
    }

    // G11. A grave risk takes several persons (§10.2.1, proportionate); the last of them puts the plan into force.
    public static Decision<ActionPlanEvent> Approve(
        ActionPlanCommand.Approve c, ActionPlan plan, CommandContext context)
    {
        if (plan.IsWorkOf(context.Person) || plan.SubmittedBy == context.Person)
            return Reject("self-approval", "Who owns the plan or an action, or submitted it, does not approve it.");
        if (plan.Approvers.Contains(context.Person)) return Accept();
        if (WhyIncomplete(plan, context.Profile) is { } incomplete) return incomplete;
        if (context.Profile.Rules.RationaleIsGiven && string.IsNullOrWhiteSpace(c.Rationale))
            return Reject("rationale-missing", $"Why the plan is right is to be said ({context.Profile.Name}).");
        var signature = context.Sign(SignatureMeaning.Approved);
        var demand = context.Profile.DemandOf(plan.Content.Risk!.Class?.Value);
        return plan.Approvers.Count + 1 < demand.ApprovalCount
            ? Accept(new ApprovalGiven(plan.Cycle, context.Person, c.Rationale, signature))
            : Accept(new Approved(
                plan.Cycle, context.Person, plan.Effectiveness!.Criteria,
                plan.Actions.SelectMany(action => action.People).Distinct().ToValueList(), signature)
            {
                Rationale = c.Rationale,
            });
    }

    /// <summary>A closed CAPA that recurred begins its next cycle; the old one stays readable.</summary>
    public static Decision<ActionPlanEvent> Reopen(
        ActionPlanCommand.Reopen c, ActionPlan plan, CommandContext context) => plan.IsWorkOf(context.Person)
        ? Reject("self-approval", "Who owns the plan or one of its actions does not reopen it.")
        : Accept(new Reopened(context.Person, c.Reason), new CycleStarted(plan.Cycle + 1));

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
        var rules = context.Profile.Rules;
        if ((rules.ControlPlanIsReviewed && c.Answers.ControlPlanUpdate is null)
            || (rules.FlowDownIsAnswered && c.Answers.FlowDown is null))
            return Reject("answer-missing",
                $"Control plan and flow-down to suppliers are to be answered as {context.Profile.Name} asks.");
        Answer?[] answers =
        [
            c.Answers.RiskUpdate, c.Answers.QmsChange, c.Answers.FmeaUpdate, c.Answers.ControlPlanUpdate,
            c.Answers.FlowDown,
        ];
        if (answers.OfType<Answer>().Any(answer => string.IsNullOrWhiteSpace(answer.Reference)))
            return Reject("answer-missing", "A yes needs its reference, a no its reason.");
        if (string.IsNullOrWhiteSpace(c.Answers.Lessons))
            return Reject("answer-missing", "What was learnt is missing.");
        return plan.Content.WhyNotClosed(rules)
            ?? Accept(new Closed(context.Person, c.Answers, context.Sign(SignatureMeaning.Approved)));
    }

    /// <summary>Accepts the fact unless it is the one that holds already.</summary>
    public static Decision<ActionPlanEvent> Unless<TFact>(TFact? current, TFact fact) where TFact : ActionPlanEvent =>
        fact.Equals(current) ? Accept() : Accept(fact);

    public static Decision<ActionPlanEvent> WrongStage(ActionPlan plan, PlannedAction? action = null)
    {
        var where = action is null ? "" : $" while the action is {Words(action.Status.ToString())}";
        return Reject("wrong-stage", $"Not possible in the stage {Words(plan.Stage.ToString())}{where}.");
    }

    /// <summary>G11: why a cause stands without action; null where each has one.</summary>
    public static Decision<ActionPlanEvent>? WhyUncovered(ActionPlan plan)
    {
        if (!plan.Actions.Any()) return Reject("no-action", "The plan holds no action.");
        var covered = plan.Actions.SelectMany(action => action.Causes).ToHashSet();
        return plan.Causes.FirstOrDefault(cause => !covered.Contains(cause.CauseId)) is { } cause
            ? Reject("cause-not-covered", $"No action is planned against the verified cause '{cause.Statement}'.")
            : null;
    }

    private static string Words(string stage) =>
        System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(stage);
}
