using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Contracts.ActionPlanEvent;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.ActionPlanEvent>;

namespace CapaEngine.ActionPlans.Domain;

/// <summary>How far an action is.</summary>
public enum ActionStatus { Planned, InProgress, Done, Verified, Cancelled }

/// <summary>An action of the plan.</summary>
/// <param name="LastFact">The last fact on it, by which a resend is told from a second attempt.</param>
public sealed record PlannedAction(
    Guid Id, int Cycle, string Owner, ValueList<Guid> Causes, ActionStatus Status, ActionPlanEvent LastFact);

/// <summary>A CAPA: why it is open, what is planned, done and verified, and what came of it (§10.2.1).</summary>
public sealed record ActionPlan
{
    /// <summary>Before the first event.</summary>
    public static readonly ActionPlan NotOpened = new();

    /// <summary>The rules of the family.</summary>
    public static readonly Decider<ActionPlan, ActionPlanCommand, ActionPlanEvent> Decider = new(
        Families.ActionPlan, NotOpened, Decide, Evolve, plan => plan.Opening?.Site);

    /// <summary>How the CAPA was opened; null before.</summary>
    public Opened? Opening { get; init; }

    public PlanStage Stage { get; init; }
    public int Cycle { get; init; } = 1;
    public ValueList<Guid> Nonconformities { get; init; } = [];
    public CausesReceived? Analysis { get; init; }
    public RiskRated? Risk { get; init; }
    public ValueList<PlannedAction> AllActions { get; init; } = [];
    public EffectivenessCriteriaDefined? Effectiveness { get; init; }
    public string? SubmittedBy { get; init; }
    public SentBack? LastSendBack { get; init; }
    public Approved? Approval { get; init; }
    public VerdictReceived? LastVerdict { get; init; }
    public Closed? Closing { get; init; }
    public Cancelled? Cancellation { get; init; }

    /// <summary>The causes that need action in this cycle.</summary>
    public ValueList<VerifiedCause> Causes => Analysis?.Causes ?? [];

    /// <summary>The actions of this cycle that stand; those of earlier cycles stay readable beside them.</summary>
    public IEnumerable<PlannedAction> Actions =>
        AllActions.Where(action => action.Cycle == Cycle && action.Status != ActionStatus.Cancelled);

    /// <summary>G14: every action that stands is verified.</summary>
    public bool IsImplemented => Actions.Any() && Actions.All(action => action.Status == ActionStatus.Verified);

    /// <summary>
    /// Whether the person owns the plan or one of its actions, and so does not judge it; also an action that was
    /// cancelled after the approval, because its owner may have worked on it.
    /// </summary>
    public bool IsWorkOf(string person) =>
        Opening?.Owner == person || Actions.Any(action => action.Owner == person)
        || Approval?.ActionOwners.Contains(person) == true;

    /// <summary>The action with this id.</summary>
    public PlannedAction? Find(Guid actionId) => AllActions.FirstOrDefault(action => action.Id == actionId);

    /// <summary>The state after one more fact.</summary>
    public static ActionPlan Evolve(ActionPlan plan, ActionPlanEvent fact) => fact switch
    {
        Opened e => NotOpened with
        {
            Opening = e, Nonconformities = e.NonconformityId is { } first ? [first] : [],
        },
        NonconformityJoined e => plan with { Nonconformities = plan.Nonconformities.Add(e.NonconformityId) },
        CausesReceived e => plan with { Stage = PlanStage.Planning, Analysis = e },
        RiskRated e => plan with { Risk = e },
        ActionPlanned e => plan with
        {
            AllActions = plan.AllActions.Add(
                new PlannedAction(e.ActionId, plan.Cycle, e.Owner, e.Causes, ActionStatus.Planned, e)),
        },
        ActionCancelled e => plan.Note(e.ActionId, ActionStatus.Cancelled, e),
        EffectivenessCriteriaDefined e => plan with { Effectiveness = e },
        Submitted e => plan with { Stage = PlanStage.PlanInApproval, SubmittedBy = e.SubmittedBy },
        SentBack e => plan with { Stage = PlanStage.Planning, SubmittedBy = null, LastSendBack = e },
        Approved e => plan with { Stage = PlanStage.Implementing, Approval = e },
        ActionStarted e => plan.Note(e.ActionId, ActionStatus.InProgress, e),
        ActionCompleted e => plan.Note(e.ActionId, ActionStatus.Done, e),
        ActionVerified e => plan.Note(e.ActionId, ActionStatus.Verified, e),
        ActionReturned e => plan.Note(e.ActionId, ActionStatus.InProgress, e),
        MonitoringStarted => plan with { Stage = PlanStage.Monitoring },
        EffectivenessReviewStarted => plan with { Stage = PlanStage.InEffectivenessReview },
        VerdictReceived e => plan with
        {
            LastVerdict = e,
            Stage = e.Verdict == Verdict.Inconclusive ? PlanStage.Monitoring : PlanStage.InEffectivenessReview,
        },
        CycleStarted e => plan with
        {
            Cycle = e.Cycle, Stage = PlanStage.AwaitingCause, Analysis = null, Effectiveness = null,
            SubmittedBy = null, LastSendBack = null, Approval = null, LastVerdict = null,
        },
        Closed e => plan with { Stage = PlanStage.Closed, Closing = e },
        Cancelled e => plan with { Stage = PlanStage.Cancelled, Cancellation = e },
        _ => throw new InvalidOperationException($"{fact.GetType().Name} is no fact of an action plan."),
    };

    /// <summary>The rules, read as a decision table.</summary>
    public static Decision<ActionPlanEvent> Decide(
        ActionPlanCommand command, ActionPlan plan, CommandContext context) => (plan.Stage, command) switch
    {
        (_, ActionPlanCommand.Open c) => PlanRules.Open(
            new Opened(c.Site, c.Title, c.Owner, null, c.Reason, c.Subject, null, Escaped: false), plan),
        (_, ActionPlanCommand.OpenForNonconformity c) => PlanRules.Open(
            new Opened(c.Site, c.Title, c.Owner, c.NonconformityId, c.Reason, c.Subject, c.CountWindowFrom, c.Escaped),
            plan),
        _ when plan.Opening is null => NotFound(),

        (_, ActionPlanCommand.Cancel c) when plan.Cancellation == new Cancelled(context.Person, c.Reason) => Accept(),
        (_, ActionPlanCommand.Close c) when plan.Closing is { } closing
            && closing.ClosedBy == context.Person && closing.Answers == c.Answers => Accept(),
        (_, ActionPlanCommand.JoinNonconformity c) when plan.Nonconformities.Contains(c.NonconformityId) => Accept(),
        // What other streams report of a CAPA that was given up changes nothing.
        (PlanStage.Cancelled, ActionPlanCommand.ReceiveCauses or ActionPlanCommand.StartEffectivenessReview
            or ActionPlanCommand.ReceiveVerdict) => Accept(),
        (PlanStage.Closed or PlanStage.Cancelled, _) => PlanRules.WrongStage(plan),

        (_, ActionPlanCommand.JoinNonconformity c) => Accept(new NonconformityJoined(c.NonconformityId)),
        (_, ActionPlanCommand.ReceiveCauses c) => PlanRules.ReceiveCauses(c, plan),
        (PlanStage.AwaitingCause or PlanStage.Planning, ActionPlanCommand.RateRisk c) => PlanRules.Unless(
            plan.Risk, new RiskRated(new RiskRating(c.Severity, c.Likelihood), context.Person)),

        (PlanStage.Planning, ActionPlanCommand.PlanAction c) => PlanRules.PlanAction(c, plan, context),
        (PlanStage.Planning, ActionPlanCommand.DefineEffectivenessCriteria c) => PlanRules.Define(c, plan, context),
        (PlanStage.Planning, ActionPlanCommand.Submit) =>
            PlanRules.WhyIncomplete(plan) ?? Accept(new Submitted(context.Person)),
        (PlanStage.PlanInApproval, ActionPlanCommand.Submit) when plan.SubmittedBy == context.Person => Accept(),
        (PlanStage.PlanInApproval, ActionPlanCommand.SendBack c) => Accept(new SentBack(context.Person, c.Reason)),
        (PlanStage.Planning, ActionPlanCommand.SendBack c)
            when plan.LastSendBack == new SentBack(context.Person, c.Reason) => Accept(),
        (PlanStage.PlanInApproval, ActionPlanCommand.Approve) => PlanRules.Approve(plan, context),
        (_, ActionPlanCommand.Approve) when plan.Approval?.ApprovedBy == context.Person => Accept(),

        (_, ActionPlanCommand.StartAction c) => PlanRules.Work(
            new ActionStarted(c.ActionId, context.Person), c.ActionId, ActionStatus.Planned, plan, context),
        (_, ActionPlanCommand.CompleteAction c) => PlanRules.Work(
            new ActionCompleted(c.ActionId, context.Person, c.Evidence),
            c.ActionId, ActionStatus.InProgress, plan, context),
        (_, ActionPlanCommand.VerifyAction c) => PlanRules.Work(
            new ActionVerified(c.ActionId, context.Person, c.Finding), c.ActionId, ActionStatus.Done, plan, context),
        (_, ActionPlanCommand.ReturnAction c) => PlanRules.Work(
            new ActionReturned(c.ActionId, context.Person, c.Reason), c.ActionId, ActionStatus.Done, plan, context),
        (_, ActionPlanCommand.CancelAction c) => PlanRules.CancelAction(c, plan, context),

        (_, ActionPlanCommand.StartEffectivenessReview c) => PlanRules.StartReview(c, plan),
        (_, ActionPlanCommand.ReceiveVerdict c) => PlanRules.ReceiveVerdict(c, plan),
        (PlanStage.InEffectivenessReview, ActionPlanCommand.Close c) => PlanRules.Close(c, plan, context),
        (_, ActionPlanCommand.Cancel) when plan.IsWorkOf(context.Person) =>
            Reject("self-approval", "Who owns the plan or one of its actions does not cancel it."),
        (_, ActionPlanCommand.Cancel c) => Accept(new Cancelled(context.Person, c.Reason)),

        _ => PlanRules.WrongStage(plan),
    };

    private ActionPlan Note(Guid actionId, ActionStatus status, ActionPlanEvent fact) => this with
    {
        AllActions = AllActions.Replace(
            action => action.Id == actionId, action => action with { Status = status, LastFact = fact }),
    };
}

/// <summary>What may be asked of a CAPA.</summary>
public abstract record ActionPlanCommand
{
    private ActionPlanCommand() { }

    /// <summary>Opens a CAPA without a nonconformity: preventive action.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record Open(
        [property: Required, StringLength(100)] string Site, [property: Required, StringLength(200)] string Title,
        [property: Required, StringLength(100)] string Owner, [property: Required, StringLength(4000)] string Reason,
        DeviationSubject? Subject = null) : ActionPlanCommand;

    /// <summary>Opens the CAPA that a nonconformity requires.</summary>
    [Allow(Roles.Service)]
    public sealed record OpenForNonconformity(
        Guid NonconformityId, string Site, string Title, string Owner, string Reason, DeviationSubject? Subject,
        DateTimeOffset? CountWindowFrom, bool Escaped) : ActionPlanCommand;

    /// <summary>Lets a further nonconformity join.</summary>
    [Allow(Roles.Service)]
    public sealed record JoinNonconformity(Guid NonconformityId) : ActionPlanCommand;

    /// <summary>Takes over what an approved analysis found.</summary>
    [Allow(Roles.Service)]
    public sealed record ReceiveCauses(
        Guid RootCauseId, int Cycle, ValueList<VerifiedCause> Causes, bool ExtentIsChecked) : ActionPlanCommand;

    /// <summary>Rates the risk before action, 1 to 5 each.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record RateRisk([property: Range(1, 5)] int Severity, [property: Range(1, 5)] int Likelihood)
        : ActionPlanCommand;

    /// <summary>Plans an action against verified causes.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record PlanAction(
        ActionKind Kind, [property: Required, StringLength(200)] string Title,
        [property: Required, StringLength(4000)] string Description,
        [property: Required, StringLength(100)] string Owner, DateOnly DueOn,
        [property: MaxLength(50)] ValueList<Guid> Causes) : ActionPlanCommand;

    /// <summary>Takes an action back before approval, or cancels it after.</summary>
    [Allow(Roles.QualityEngineer, Roles.Approver)]
    public sealed record CancelAction(Guid ActionId, [property: Required, StringLength(4000)] string Reason)
        : ActionPlanCommand;

    /// <summary>Defines how effectiveness is judged. The baseline is looked up, never sent by the caller.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record DefineEffectivenessCriteria(
        DateTimeOffset BaselineFrom, DateTimeOffset BaselineTo,
        [property: Range(0d, 1d, MinimumIsExclusive = true)] double ExpectedReduction,
        [property: Range(0d, 0.5, MinimumIsExclusive = true, MaximumIsExclusive = true)] double Significance,
        [property: Range(1, 3650)] int WindowDays, ExposureUnit ExposureUnit, DeviationSubject? Subject = null,
        [property: StringLength(4000)] string? BaselineReason = null) : ActionPlanCommand
    {
        [JsonIgnore]
        public Evidence? Baseline { get; init; }
    }

    /// <summary>Submits the plan for approval.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record Submit : ActionPlanCommand;

    /// <summary>Sends the plan back.</summary>
    [Allow(Roles.Approver)]
    public sealed record SendBack([property: Required, StringLength(4000)] string Reason) : ActionPlanCommand;

    /// <summary>Approves the plan with a signature (G11).</summary>
    [Allow(Roles.Approver), Signs]
    public sealed record Approve : ActionPlanCommand;

    /// <summary>Begins work on an action.</summary>
    [Allow(Roles.ActionOwner, Roles.QualityEngineer)]
    public sealed record StartAction(Guid ActionId) : ActionPlanCommand;

    /// <summary>Reports an action done, with evidence (G12).</summary>
    [Allow(Roles.ActionOwner, Roles.QualityEngineer)]
    public sealed record CompleteAction(Guid ActionId, [property: Required, StringLength(4000)] string Evidence)
        : ActionPlanCommand;

    /// <summary>Verifies that an action was implemented (G13).</summary>
    [Allow(Roles.Verifier)]
    public sealed record VerifyAction(Guid ActionId, [property: Required, StringLength(4000)] string Finding)
        : ActionPlanCommand;

    /// <summary>Returns an action that was not implemented as reported.</summary>
    [Allow(Roles.Verifier)]
    public sealed record ReturnAction(Guid ActionId, [property: Required, StringLength(4000)] string Reason)
        : ActionPlanCommand;

    /// <summary>Notes that the effectiveness was evaluated.</summary>
    [Allow(Roles.Service)]
    public sealed record StartEffectivenessReview(int Cycle, Guid ReviewId, Verdict Proposed) : ActionPlanCommand;

    /// <summary>Takes over the signed verdict of a cycle.</summary>
    [Allow(Roles.Service)]
    public sealed record ReceiveVerdict(int Cycle, Guid ReviewId, Verdict Verdict, DateTimeOffset? WindowTo)
        : ActionPlanCommand;

    /// <summary>Closes the CAPA as effective with a signature (G16).</summary>
    [Allow(Roles.Approver), Signs]
    public sealed record Close(ClosingAnswers Answers) : ActionPlanCommand;

    /// <summary>Gives the CAPA up.</summary>
    [Allow(Roles.Approver)]
    public sealed record Cancel([property: Required, StringLength(4000)] string Reason) : ActionPlanCommand;
}
