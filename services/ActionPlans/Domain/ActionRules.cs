using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Contracts.ActionPlanEvent;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.ActionPlanEvent>;

namespace CapaEngine.ActionPlans.Domain;

/// <summary>The guards of the single action: planned, handed over, extended, done and verified by others.</summary>
internal static class ActionRules
{
    /// <summary>The rules of the single action, as a decision table.</summary>
    public static Decision<ActionPlanEvent> Decide(
        ActionPlanCommand command, ActionPlan plan, CommandContext context) => command switch
    {
        ActionPlanCommand.StartAction c => Work(
            new ActionStarted(c.ActionId, context.Person), c.ActionId, ActionStatus.Planned, plan, context),
        ActionPlanCommand.CompleteAction c => Work(
            new ActionCompleted(c.ActionId, context.Person, c.Evidence),
            c.ActionId, ActionStatus.InProgress, plan, context),
        ActionPlanCommand.VerifyAction c => Work(
            new ActionVerified(c.ActionId, context.Person, c.Finding), c.ActionId, ActionStatus.Done, plan, context),
        ActionPlanCommand.ReturnAction c => Work(
            new ActionReturned(c.ActionId, context.Person, c.Reason), c.ActionId, ActionStatus.Done, plan, context),
        ActionPlanCommand.CancelAction c => Cancel(c, plan, context),
        ActionPlanCommand.ReplaceAction c => Replace(c, plan, context),
        ActionPlanCommand.ChangeActionOwner c => ChangeOwner(c, plan, context),
        ActionPlanCommand.RequestExtension c => RequestExtension(c, plan, context),
        ActionPlanCommand.GrantExtension c => DecideExtension(c.ActionId, null, plan, context),
        ActionPlanCommand.RefuseExtension c => DecideExtension(c.ActionId, c.Reason, plan, context),
        _ => PlanContent.Decide(command, plan, context),
    };

    public static Decision<ActionPlanEvent> Plan(
        ActionPlanCommand.PlanAction c, ActionPlan plan, CommandContext context)
    {
        var id = context.DeriveId("action");
        if (plan.Find(id) is not null) return Accept();
        if (c.DueOn < Today(context)) return Reject("due-in-the-past", "An action cannot be due before today.");
        if (c.Causes.Any(cause => plan.Causes.All(known => known.CauseId != cause)))
            return Reject("unknown-cause", "The action names a cause that the analysis did not verify.");
        return Accept(new ActionPlanned(id, c.Kind, c.Title, c.Description, c.Owner, c.DueOn, c.Causes));
    }

    private static Decision<ActionPlanEvent> Cancel(
        ActionPlanCommand.CancelAction c, ActionPlan plan, CommandContext context)
    {
        var fact = new ActionCancelled(c.ActionId, context.Person, c.Reason);
        if (plan.Find(c.ActionId) is not { } action) return UnknownAction();
        if (action.LastFact == fact) return Accept();
        if (!IsChangeable(plan, action)) return PlanRules.WrongStage(plan, action);
        var after = ActionPlan.Evolve(plan, fact);
        // An approved plan must still act on every cause it was approved for.
        if (plan.Stage == PlanStage.Implementing && PlanRules.WhyUncovered(after) is { } uncovered) return uncovered;
        return WithMonitoring(fact, after, context);
    }

    /// <summary>
    /// Cancels an action in favour of a new one against the same causes. A successor that is due later would be an
    /// extension nobody granted; in an approved plan it takes somebody who has no part in the work.
    /// </summary>
    private static Decision<ActionPlanEvent> Replace(
        ActionPlanCommand.ReplaceAction c, ActionPlan plan, CommandContext context)
    {
        var successorId = context.DeriveId("action");
        if (plan.Find(c.ActionId) is not { } action) return UnknownAction();
        if (action.LastFact is ActionReplaced replaced && replaced.SuccessorId == successorId) return Accept();
        if (!IsChangeable(plan, action)) return PlanRules.WrongStage(plan, action);
        if (plan.Stage == PlanStage.Implementing)
        {
            if (c.DueOn > action.DueOn)
                return Reject("due-date-moved", $"The successor is due by {action.DueOn:O}; ask for an extension.");
            if (plan.IsWorkOf(context.Person) || context.Person == c.Owner || plan.Approvers.Contains(c.Owner))
                return Reject("self-approval", "An approved action is replaced by somebody who has no part in it.");
        }
        else if (c.DueOn < Today(context))
        {
            return Reject("due-in-the-past", "An action cannot be due before today.");
        }

        return Accept(
            new ActionPlanned(successorId, c.Kind, c.Title, c.Description, c.Owner, c.DueOn, action.Causes),
            new ActionReplaced(c.ActionId, successorId, context.Person, c.Reason));
    }

    private static Decision<ActionPlanEvent> ChangeOwner(
        ActionPlanCommand.ChangeActionOwner c, ActionPlan plan, CommandContext context)
    {
        if (plan.Find(c.ActionId) is not { } action) return UnknownAction();
        if (!IsChangeable(plan, action)) return PlanRules.WrongStage(plan, action);
        if (action.Owner == c.Owner) return Accept();
        return plan.Approvers.Contains(c.Owner)
            ? Reject("self-approval", "Who approved the plan cannot become the owner of an action.")
            : Accept(new ActionOwnerChanged(c.ActionId, c.Owner, context.Person, c.Reason));
    }

    // G21.
    private static Decision<ActionPlanEvent> RequestExtension(
        ActionPlanCommand.RequestExtension c, ActionPlan plan, CommandContext context)
    {
        var fact = new ExtensionRequested(c.ActionId, c.DueOn, context.Person, c.Reason);
        if (plan.Find(c.ActionId) is not { } action) return UnknownAction();
        if (action.Extension == fact) return Accept();
        if (!IsOpen(plan, action)) return PlanRules.WrongStage(plan, action);
        if (action.Extension is ExtensionRequested)
            return Reject("extension-pending", "An extension is asked for and not yet decided on.");
        if (c.DueOn <= action.DueOn)
            return Reject("not-an-extension", $"The action is due on {action.DueOn:O} already.");
        return c.DueOn < Today(context)
            ? Reject("due-in-the-past", "An action cannot be due before today.")
            : Accept(fact);
    }

    // G21: nobody grants time to themselves.
    private static Decision<ActionPlanEvent> DecideExtension(
        Guid actionId, string? refusal, ActionPlan plan, CommandContext context)
    {
        if (plan.Find(actionId) is not { } action) return UnknownAction();
        if (IsDecided(action.Extension, refusal, context.Person)) return Accept();
        if (!IsOpen(plan, action)) return PlanRules.WrongStage(plan, action);
        if (action.Extension is not ExtensionRequested request)
            return Reject("no-extension-requested", "Nobody has asked for a later due date.");
        if (request.RequestedBy == context.Person || plan.IsWorkOf(context.Person))
            return Reject("self-approval", "Who asked for it, or has a part in the work, does not decide on time.");
        return Accept(refusal is null
            ? new ExtensionGranted(actionId, request.DueOn, context.Person)
            : new ExtensionRefused(actionId, context.Person, refusal));
    }

    /// <summary>One step of an action: from the status it needs, by a person who may take it (G12, G13).</summary>
    private static Decision<ActionPlanEvent> Work(
        ActionPlanEvent fact, Guid actionId, ActionStatus from, ActionPlan plan, CommandContext context)
    {
        if (plan.Find(actionId) is not { } action) return UnknownAction();
        if (action.LastFact == fact) return Accept();
        if (plan.Stage != PlanStage.Implementing || action.Status != from) return PlanRules.WrongStage(plan, action);
        if (fact is ActionStarted && plan.Approvers.Contains(context.Person))
            return Reject("self-approval", "Who approved the plan does not work on it.");
        if (fact is ActionCompleted && context.Person != action.Owner)
            return Reject("not-the-action-owner", "Only the owner of an action completes it.");
        if (fact is ActionVerified or ActionReturned && action.People.Contains(context.Person))
            return Reject("self-verification", "Who has owned an action or worked on it does not verify it.");
        return WithMonitoring(fact, ActionPlan.Evolve(plan, fact), context);
    }

    private static bool IsDecided(ActionPlanEvent? extension, string? refusal, string person) => extension switch
    {
        ExtensionGranted granted => refusal is null && granted.GrantedBy == person,
        ExtensionRefused refused => refusal == refused.Reason && refused.RefusedBy == person,
        _ => false,
    };

    private static bool IsChangeable(ActionPlan plan, PlannedAction action) =>
        plan.Stage is PlanStage.Planning or PlanStage.Implementing && action.Cycle == plan.Cycle
        && action.Status is not (ActionStatus.Verified or ActionStatus.Cancelled);

    // Before the approval a date is planned anew instead; what is done has no due date to move.
    private static bool IsOpen(ActionPlan plan, PlannedAction action) =>
        plan.Stage == PlanStage.Implementing && action.Cycle == plan.Cycle
        && action.Status is ActionStatus.Planned or ActionStatus.InProgress;

    private static DateOnly Today(CommandContext context) => DateOnly.FromDateTime(context.Now.UtcDateTime);

    private static Decision<ActionPlanEvent> UnknownAction() =>
        Reject("unknown-action", "The CAPA has no such action.");

    // G14: monitoring starts by itself, with the step that leaves every standing action verified.
    private static Decision<ActionPlanEvent> WithMonitoring(
        ActionPlanEvent fact, ActionPlan after, CommandContext context) =>
        after is { Stage: PlanStage.Implementing, IsImplemented: true, Effectiveness: { } effectiveness }
            ? Accept(fact, new MonitoringStarted(
                after.Cycle, context.Now, context.Now.AddDays(effectiveness.Criteria.WindowDays)))
            : Accept(fact);
}
