using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Contracts.ActionPlanEvent;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.ActionPlanEvent>;

namespace CapaEngine.ActionPlans.Domain;

/// <summary>A process the action is to be carried over to, and what came of it; null until then.</summary>
public sealed record Deployment(string Process, Answer? Answer = null);

/// <summary>What a plan says beside its actions: risk, harm, and where else it is carried over to.</summary>
public sealed record PlanContent
{
    /// <summary>Nothing yet.</summary>
    public static readonly PlanContent Empty = new();

    public RiskRated? Risk { get; init; }
    public ResidualRiskRated? ResidualRisk { get; init; }

    /// <summary>The last rating of each failure mode at each moment.</summary>
    public ValueList<FailureModeRated> FailureModes { get; init; } = [];

    public AdverseEffectsChecked? AdverseEffects { get; init; }
    public ValueList<Deployment> Deployments { get; init; } = [];

    /// <summary>The first process that nobody has answered for.</summary>
    public string? OpenDeployment => Deployments.FirstOrDefault(one => one.Answer is null)?.Process;

    /// <summary>The content after one more fact; throws on a fact that no part of a plan knows.</summary>
    public static PlanContent Evolve(PlanContent content, ActionPlanEvent fact) => fact switch
    {
        RiskRated e => content with { Risk = e },
        ResidualRiskRated e => content with { ResidualRisk = e },
        FailureModeRated e => content with
        {
            FailureModes = content.FailureModes.Where(one => !IsSame(one, e)).Append(e).ToValueList(),
        },
        AdverseEffectsChecked e => content with { AdverseEffects = e },
        DeploymentPlanned e => content with
        {
            Deployments = content.Deployments.AddRange(e.Processes.Select(process => new Deployment(process))),
        },
        DeploymentAnswered e => content with
        {
            Deployments = content.Deployments.Replace(
                one => one.Process == e.Process, one => one with { Answer = e.Answer }),
        },
        _ => throw new InvalidOperationException($"{fact.GetType().Name} is no fact of an action plan."),
    };

    /// <summary>The rules of the content, as a decision table; whatever is not in it does not fit the stage.</summary>
    internal static Decision<ActionPlanEvent> Decide(
        ActionPlanCommand command, ActionPlan plan, CommandContext context) => (plan.Stage, command) switch
    {
        (PlanStage.AwaitingCause or PlanStage.Planning, ActionPlanCommand.RateRisk c) => PlanRules.Unless(
            plan.Content.Risk, new RiskRated(new RiskRating(c.Severity, c.Likelihood), context.Person)
            {
                Class = c.Class,
            }),
        (PlanStage.Monitoring or PlanStage.InEffectivenessReview, ActionPlanCommand.RateResidualRisk c) =>
            RateResidual(c, plan.Content, context),
        (PlanStage.AwaitingCause or PlanStage.Planning, ActionPlanCommand.RateFailureMode c) =>
            Rate(c, RatingMoment.Before, plan.Content, context),
        (PlanStage.Monitoring or PlanStage.InEffectivenessReview, ActionPlanCommand.RateFailureMode c) =>
            Rate(c, RatingMoment.After, plan.Content, context),
        (PlanStage.Planning, ActionPlanCommand.CheckAdverseEffects c) => PlanRules.Unless(
            plan.Content.AdverseEffects, new AdverseEffectsChecked(c.DoesHarm, c.Finding, context.Person)),
        (not PlanStage.AwaitingCause, ActionPlanCommand.PlanDeployment c) => Plan(c, plan.Content, context),
        (not PlanStage.AwaitingCause, ActionPlanCommand.AnswerDeployment c) => Answer(c, plan.Content, context),
        _ => PlanRules.WrongStage(plan),
    };

    /// <summary>Why the content stands in the way of closing (G16); null where it does not.</summary>
    internal Decision<ActionPlanEvent>? WhyNotClosed(ProfileRules rules)
    {
        if (rules.ControlPlanIsReviewed && FailureModes.FirstOrDefault(one => one.Moment == RatingMoment.Before
                && !FailureModes.Any(other => other.FailureMode == one.FailureMode
                    && other.Moment == RatingMoment.After)) is { } left)
            return Reject("failure-mode-open", $"The failure mode '{left.FailureMode}' was not rated again.");
        if (OpenDeployment is { } process)
            return Reject("deployment-open", $"Whether it was carried over to '{process}' is not answered.");
        return ResidualRisk is { Rating: var after } && Risk is { Rating: var before }
            && (after.Severity > before.Severity || after.Likelihood > before.Likelihood)
            ? Reject("risk-increased", "The risk after the action is rated higher than before it.")
            : null;
    }

    private static Decision<ActionPlanEvent> RateResidual(
        ActionPlanCommand.RateResidualRisk c, PlanContent content, CommandContext context) =>
        c.Class is { } riskClass
            ? PlanRules.Unless(content.ResidualRisk, new ResidualRiskRated(
                new RiskRating(c.Severity, c.Likelihood), riskClass, context.Person))
            : Reject("table-missing", "The risk matrix was not looked up.");

    private static Decision<ActionPlanEvent> Rate(
        ActionPlanCommand.RateFailureMode c, RatingMoment moment, PlanContent content, CommandContext context)
    {
        if (c.Priority is not { } priority)
            return Reject("table-missing", "The action-priority table was not looked up.");
        var fact = new FailureModeRated(
            c.FailureMode, moment, new FailureRating(c.Severity, c.Occurrence, c.Detection), priority, context.Person);
        // What was not rated before has nothing to be compared with.
        if (moment == RatingMoment.After && content.FailureModes.All(one => one.FailureMode != c.FailureMode))
            return Reject("unknown-failure-mode", "The failure mode was not rated before the action.");
        return content.FailureModes.Contains(fact) ? Accept() : Accept(fact);
    }

    private static Decision<ActionPlanEvent> Plan(
        ActionPlanCommand.PlanDeployment c, PlanContent content, CommandContext context)
    {
        if (c.Processes.Any(string.IsNullOrWhiteSpace))
            return Reject("process-missing", "A process to carry the action over to has a name.");
        var further = c.Processes.Except(content.Deployments.Select(one => one.Process)).ToValueList();
        return further.Count == 0 ? Accept() : Accept(new DeploymentPlanned(further, context.Person));
    }

    private static Decision<ActionPlanEvent> Answer(
        ActionPlanCommand.AnswerDeployment c, PlanContent content, CommandContext context)
    {
        if (content.Deployments.FirstOrDefault(one => one.Process == c.Process) is not { } known)
            return Reject("unknown-process", "The action is not to be carried over to this process.");
        if (string.IsNullOrWhiteSpace(c.Answer.Reference))
            return Reject("answer-missing", "A yes needs its reference, a no its reason.");
        return known.Answer == c.Answer
            ? Accept()
            : Accept(new DeploymentAnswered(c.Process, c.Answer, context.Person));
    }

    private static bool IsSame(FailureModeRated one, FailureModeRated other) =>
        one.FailureMode == other.FailureMode && one.Moment == other.Moment;
}
