using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Mediator;

namespace CapaEngine.ActionPlans;

/// <summary>The commands on CAPAs and their effectiveness reviews over HTTP, in the order of their life.</summary>
public static class Api
{
    /// <summary>Maps <c>/api/v1/action-plans</c>.</summary>
    public static void MapActionPlans(this IEndpointRouteBuilder app)
    {
        var plans = app.MapGroup("/api/v1/action-plans").WithTags("Action plans");
        plans.MapCreate<ActionPlanCommand.Open>(Handle);
        plans.MapCommand<ActionPlanCommand.RateRisk>("rate-risk", Handle);
        plans.MapCommand<ActionPlanCommand.RateFailureMode>("rate-failure-mode", Handle);
        plans.MapCommand<ActionPlanCommand.PlanAction>("plan-action", Handle);
        plans.MapCommand<ActionPlanCommand.CancelAction>("cancel-action", Handle);
        plans.MapCommand<ActionPlanCommand.ReplaceAction>("replace-action", Handle);
        plans.MapCommand<ActionPlanCommand.ChangeActionOwner>("change-action-owner", Handle);
        plans.MapCommand<ActionPlanCommand.ChangeOwner>("change-owner", Handle);
        plans.MapCommand<ActionPlanCommand.DefineEffectivenessCriteria>("define-effectiveness-criteria", Handle);
        plans.MapCommand<ActionPlanCommand.CheckAdverseEffects>("check-adverse-effects", Handle);
        plans.MapCommand<ActionPlanCommand.PlanDeployment>("plan-deployment", Handle);
        plans.MapCommand<ActionPlanCommand.AnswerDeployment>("answer-deployment", Handle);
        plans.MapCommand<ActionPlanCommand.Submit>("submit", Handle);
        plans.MapCommand<ActionPlanCommand.SendBack>("send-back", Handle);
        plans.MapCommand<ActionPlanCommand.Approve>("approve", Handle);
        plans.MapCommand<ActionPlanCommand.ProposeCriteriaChange>("propose-criteria-change", Handle);
        plans.MapCommand<ActionPlanCommand.ApproveCriteriaChange>("approve-criteria-change", Handle);
        plans.MapCommand<ActionPlanCommand.RefuseCriteriaChange>("refuse-criteria-change", Handle);
        plans.MapCommand<ActionPlanCommand.StartAction>("start-action", Handle);
        plans.MapCommand<ActionPlanCommand.RequestExtension>("request-extension", Handle);
        plans.MapCommand<ActionPlanCommand.GrantExtension>("grant-extension", Handle);
        plans.MapCommand<ActionPlanCommand.RefuseExtension>("refuse-extension", Handle);
        plans.MapCommand<ActionPlanCommand.CompleteAction>("complete-action", Handle);
        plans.MapCommand<ActionPlanCommand.VerifyAction>("verify-action", Handle);
        plans.MapCommand<ActionPlanCommand.ReturnAction>("return-action", Handle);
        plans.MapCommand<ActionPlanCommand.RateResidualRisk>("rate-residual-risk", Handle);
        plans.MapCommand<ActionPlanCommand.Close>("close", Handle);
        plans.MapCommand<ActionPlanCommand.Reopen>("reopen", Handle);
        plans.MapCommand<ActionPlanCommand.Cancel>("cancel", Handle);
    }

    /// <summary>Maps <c>/api/v1/effectiveness-reviews</c>.</summary>
    public static void MapEffectivenessReviews(this IEndpointRouteBuilder app)
    {
        var reviews = app.MapGroup("/api/v1/effectiveness-reviews").WithTags("Effectiveness reviews");
        reviews.MapCommand<EffectivenessCommand.Evaluate>("evaluate", Handle);
        reviews.MapCommand<EffectivenessCommand.Approve>("approve", Handle);
    }

    private static HandleActionPlan Handle(Guid id, ActionPlanCommand command, CommandContext context) =>
        new(id, command, context);

    private static HandleEffectivenessReview Handle(Guid id, EffectivenessCommand command, CommandContext context) =>
        new(id, command, context);
}

/// <summary>A command on its way to the decider of CAPAs.</summary>
public sealed record HandleActionPlan(Guid Id, ActionPlanCommand Command, CommandContext Context)
    : IHandleCommand<ActionPlanCommand>;

/// <summary>A command on its way to the decider of effectiveness reviews.</summary>
public sealed record HandleEffectivenessReview(Guid Id, EffectivenessCommand Command, CommandContext Context)
    : IHandleCommand<EffectivenessCommand>;

/// <summary>
/// The one handler of CAPAs. Criteria are decided on with the baseline's count, ratings with what the tables say of
/// them, looked up first.
/// </summary>
public sealed class ActionPlanHandler(
    DeciderHandler<ActionPlan, ActionPlanCommand, ActionPlanEvent> plans, EvidenceClient evidence, IEventStore store,
    RiskTables tables)
    : ICommandHandler<HandleActionPlan, CommandOutcome>
{
    public async ValueTask<CommandOutcome> Handle(HandleActionPlan message, CancellationToken ct)
    {
        var criteria = message.Command switch
        {
            ActionPlanCommand.DefineEffectivenessCriteria define => define,
            ActionPlanCommand.ProposeCriteriaChange change => change.Criteria,
            _ => null,
        };
        if (criteria is null || await SubjectAsync(message, criteria, ct) is not { } subject)
            return await plans.HandleAsync(message.Id, tables.Complete(message.Command), message.Context, ct);

        // The baseline lies before the CAPA: all that was recorded until it opened must have been counted.
        var opened = await store.ReadStreamAsync(Families.ActionPlan.Stream(message.Id), 0, 1, ct).FirstAsync(ct);
        var baseline = await evidence.CountAsync(
            subject, new Period(criteria.BaselineFrom, criteria.BaselineTo), criteria.ExposureUnit, opened.Position,
            ct);
        if (baseline is null) return EvidenceClient.Unavailable;
        ActionPlanCommand counted = criteria with { Baseline = baseline };
        if (message.Command is ActionPlanCommand.ProposeCriteriaChange asked)
            counted = asked with { Criteria = criteria with { Baseline = baseline } };
        return await plans.HandleAsync(message.Id, counted, message.Context, ct);
    }

    // What is to be counted; null where the rules refuse without a count, so that none is asked for.
    private async Task<DeviationSubject?> SubjectAsync(
        HandleActionPlan message, ActionPlanCommand.DefineEffectivenessCriteria criteria, CancellationToken ct)
    {
        var (plan, _) = await plans.LoadAsync(message.Id, ct);
        var stage = message.Command is ActionPlanCommand.ProposeCriteriaChange
            ? PlanStage.Implementing
            : PlanStage.Planning;
        var subject = criteria.Subject ?? plan.Opening?.Subject;
        return plan.Stage == stage && subject is not null && subject.Site == plan.Opening?.Site
            && message.Context.Actor.IsAt(subject.Site) && criteria.BaselineFrom < criteria.BaselineTo
            ? subject
            : null;
    }
}

/// <summary>The one handler of effectiveness reviews. Both counts of an evaluation are looked up first.</summary>
public sealed class EffectivenessReviewHandler(
    DeciderHandler<EffectivenessReview, EffectivenessCommand, EffectivenessEvent> reviews, EvidenceClient evidence,
    IEventStore store, TimeProvider clock)
    : ICommandHandler<HandleEffectivenessReview, CommandOutcome>
{
    public async ValueTask<CommandOutcome> Handle(HandleEffectivenessReview message, CancellationToken ct)
    {
        var command = message.Command;
        if (command is EffectivenessCommand.Evaluate evaluate)
        {
            var (review, _) = await reviews.LoadAsync(message.Id, ct);
            var now = message.Context.StatedTime ?? clock.GetUtcNow();
            if (review is { Stage: ReviewStage.Monitoring, Locked: { } locked, Criteria: { } criteria }
                && message.Context.Actor.IsAt(locked.Site) && (now >= review.WindowTo || review.HasRecurred))
            {
                var last = await store
                    .ReadStreamBackwardsAsync(Families.Effectiveness.Stream(message.Id), 1, ct).FirstAsync(ct);
                var windowTo = now < review.WindowTo ? now : review.WindowTo;
                var baseline = await evidence.CountAsync(
                    criteria.Subject, new Period(criteria.BaselineFrom, criteria.BaselineTo), criteria.ExposureUnit,
                    last.Position, ct);
                var window = baseline is null ? null : await evidence.CountAsync(
                    criteria.Subject, new Period(review.WindowFrom, windowTo), criteria.ExposureUnit, last.Position,
                    ct);
                if (window is null) return EvidenceClient.Unavailable;
                command = evaluate with { Baseline = baseline, Window = window };
            }
        }

        return await reviews.HandleAsync(message.Id, command, message.Context, ct);
    }
}
