using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Contracts.ActionPlanEvent;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.ActionPlanEvent>;

namespace CapaEngine.ActionPlans.Domain;

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

    /// <summary>Everybody who has owned the CAPA; the last one owns it.</summary>
    public ValueList<string> Owners { get; init; } = [];

    /// <summary>Everybody who owned or worked on an action since the plan of this cycle was approved.</summary>
    public ValueList<string> Workers { get; init; } = [];

    public CausesReceived? Analysis { get; init; }
    public PlanContent Content { get; init; } = PlanContent.Empty;
    public ValueList<PlannedAction> AllActions { get; init; } = [];
    public EffectivenessCriteriaDefined? Effectiveness { get; init; }
    public CriteriaChangeProposed? ProposedChange { get; init; }
    public CriteriaChanged? LastChange { get; init; }
    public CriteriaChangeRefused? LastRefusal { get; init; }
    public string? SubmittedBy { get; init; }
    public SentBack? LastSendBack { get; init; }

    /// <summary>Who has approved the plan of this cycle so far, as long as the risk demands more persons.</summary>
    public ValueList<string> Approvers { get; init; } = [];

    public Approved? Approval { get; init; }
    public VerdictReceived? LastVerdict { get; init; }
    public Closed? Closing { get; init; }
    public Reopened? LastReopening { get; init; }
    public Cancelled? Cancellation { get; init; }

    /// <summary>The causes that need action in this cycle.</summary>
    public ValueList<VerifiedCause> Causes => Analysis?.Causes ?? [];

    /// <summary>The actions of this cycle that stand; those of earlier cycles stay readable beside them.</summary>
    public IEnumerable<PlannedAction> Actions =>
        AllActions.Where(action => action.Cycle == Cycle && action.Status != ActionStatus.Cancelled);

    /// <summary>G14: every action that stands is verified.</summary>
    public bool IsImplemented => Actions.Any() && Actions.All(action => action.Status == ActionStatus.Verified);

    /// <summary>
    /// Whether the person owns or has owned the plan or an action, or has worked on one, and so does not judge it; also
    /// an action that was cancelled or handed over after the approval, because somebody may have worked on it.
    /// </summary>
    public bool IsWorkOf(string person) =>
        Owners.Contains(person) || Workers.Contains(person) || Actions.Any(action => action.People.Contains(person));

    /// <summary>The action with this id.</summary>
    public PlannedAction? Find(Guid actionId) => AllActions.FirstOrDefault(action => action.Id == actionId);

    /// <summary>The state after one more fact.</summary>
    public static ActionPlan Evolve(ActionPlan plan, ActionPlanEvent fact) => fact switch
    {
        Opened e => NotOpened with
        {
            Opening = e, Nonconformities = e.NonconformityId is { } first ? [first] : [], Owners = [e.Owner],
        },
        OwnerChanged e => plan with { Owners = plan.Owners.Add(e.Owner) },
        NonconformityJoined e => plan with { Nonconformities = plan.Nonconformities.Add(e.NonconformityId) },
        CausesReceived e => plan with { Stage = PlanStage.Planning, Analysis = e },
        EffectivenessCriteriaDefined e => plan with { Effectiveness = e },
        CriteriaChangeProposed e => plan with { ProposedChange = e },
        CriteriaChangeRefused e => plan with { ProposedChange = null, LastRefusal = e },
        CriteriaChanged e => plan with
        {
            Effectiveness = new EffectivenessCriteriaDefined(
                e.Criteria, e.Baseline, plan.ProposedChange?.ProposedBy ?? e.ApprovedBy),
            ProposedChange = null, LastChange = e,
        },
        Submitted e => plan with { Stage = PlanStage.PlanInApproval, SubmittedBy = e.SubmittedBy },
        SentBack e => plan with
        {
            Stage = PlanStage.Planning, SubmittedBy = null, LastSendBack = e, Approvers = [],
        },
        ApprovalGiven e => plan with { Approvers = plan.Approvers.Add(e.ApprovedBy) },
        Approved e => plan with
        {
            Stage = PlanStage.Implementing, Approval = e, Workers = e.ActionOwners,
            Approvers = plan.Approvers.Add(e.ApprovedBy),
        },
        MonitoringStarted => plan with { Stage = PlanStage.Monitoring, ProposedChange = null },
        EffectivenessReviewStarted => plan with { Stage = PlanStage.InEffectivenessReview },
        VerdictReceived e => plan with
        {
            LastVerdict = e,
            Stage = e.Verdict == Verdict.Inconclusive ? PlanStage.Monitoring : PlanStage.InEffectivenessReview,
        },
        CycleStarted e => plan with
        {
            Cycle = e.Cycle, Stage = PlanStage.AwaitingCause, Analysis = null, Effectiveness = null,
            SubmittedBy = null, LastSendBack = null, Approval = null, LastVerdict = null, Workers = [],
            LastChange = null, LastRefusal = null, Approvers = [], Closing = null,
            Content = plan.Content with { ResidualRisk = null, AdverseEffects = null },
        },
        Closed e => plan with { Stage = PlanStage.Closed, Closing = e },
        Reopened e => plan with { LastReopening = e },
        Cancelled e => plan with { Stage = PlanStage.Cancelled, Cancellation = e },
        _ => EvolveAction(plan, fact),
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
        (PlanStage.Closed, ActionPlanCommand.Reopen c) => PlanRules.Reopen(c, plan, context),
        (_, ActionPlanCommand.Reopen c) when plan.Stage != PlanStage.Cancelled
            && plan.LastReopening == new Reopened(context.Person, c.Reason) => Accept(),
        (PlanStage.Closed or PlanStage.Cancelled, _) or (_, ActionPlanCommand.Reopen) => PlanRules.WrongStage(plan),

        (_, ActionPlanCommand.JoinNonconformity c) => Accept(new NonconformityJoined(c.NonconformityId)),
        (_, ActionPlanCommand.ReceiveCauses c) => PlanRules.ReceiveCauses(c, plan),
        (PlanStage.Planning, ActionPlanCommand.PlanAction c) => ActionRules.Plan(c, plan, context),
        (PlanStage.Planning, ActionPlanCommand.DefineEffectivenessCriteria c) => CriteriaRules.Define(c, plan, context),
        (PlanStage.Implementing, ActionPlanCommand.ProposeCriteriaChange c) =>
            CriteriaRules.ProposeChange(c, plan, context),
        (PlanStage.Implementing, ActionPlanCommand.ApproveCriteriaChange) => CriteriaRules.ApproveChange(plan, context),
        (PlanStage.Implementing, ActionPlanCommand.RefuseCriteriaChange c) =>
            CriteriaRules.RefuseChange(c, plan, context),
        (PlanStage.Monitoring or PlanStage.InEffectivenessReview,
            ActionPlanCommand.ProposeCriteriaChange or ActionPlanCommand.ApproveCriteriaChange
            or ActionPlanCommand.RefuseCriteriaChange) =>
            Reject("criteria-locked", "The window is open: other criteria take another cycle (G22)."),
        (PlanStage.Planning, ActionPlanCommand.Submit) =>
            PlanRules.WhyIncomplete(plan, context.Profile) ?? Accept(new Submitted(context.Person)),
        (PlanStage.PlanInApproval, ActionPlanCommand.Submit) when plan.SubmittedBy == context.Person => Accept(),
        (PlanStage.PlanInApproval, ActionPlanCommand.SendBack c) => Accept(new SentBack(context.Person, c.Reason)),
        (PlanStage.Planning, ActionPlanCommand.SendBack c)
            when plan.LastSendBack == new SentBack(context.Person, c.Reason) => Accept(),
        (PlanStage.PlanInApproval, ActionPlanCommand.Approve c) => PlanRules.Approve(c, plan, context),
        (_, ActionPlanCommand.Approve) when plan.Approval is not null && plan.Approvers.Contains(context.Person) =>
            Accept(),

        (PlanStage.PlanInApproval, ActionPlanCommand.ChangeOwner) => PlanRules.WrongStage(plan),
        (_, ActionPlanCommand.ChangeOwner c) => PlanRules.ChangeOwner(c, plan, context),

        (_, ActionPlanCommand.StartEffectivenessReview c) => PlanRules.StartReview(c, plan),
        (_, ActionPlanCommand.ReceiveVerdict c) => PlanRules.ReceiveVerdict(c, plan),
        (PlanStage.InEffectivenessReview, ActionPlanCommand.Close c) => PlanRules.Close(c, plan, context),
        (_, ActionPlanCommand.Cancel) when plan.IsWorkOf(context.Person) =>
            Reject("self-approval", "Who owns the plan or one of its actions does not cancel it."),
        (_, ActionPlanCommand.Cancel c) => Accept(new Cancelled(context.Person, c.Reason)),

        _ => ActionRules.Decide(command, plan, context),
    };

    private static ActionPlan EvolveAction(ActionPlan plan, ActionPlanEvent fact) => fact switch
    {
        ActionPlanned e => plan.WithWorker(e.Owner) with
        {
            AllActions = plan.AllActions.Add(PlannedAction.From(e, plan.Cycle)),
        },
        ActionCancelled e => plan.Note(e.ActionId, ActionStatus.Cancelled, e),
        ActionReplaced e => plan.Note(e.ActionId, ActionStatus.Cancelled, e),
        ActionOwnerChanged e => plan.WithWorker(e.Owner).With(e.ActionId, action => action with
        {
            Owner = e.Owner, People = action.People.Add(e.Owner),
        }),
        ExtensionRequested e => plan.With(e.ActionId, action => action with { Extension = e }),
        ExtensionGranted e => plan.With(e.ActionId, action => action with { DueOn = e.DueOn, Extension = e }),
        ExtensionRefused e => plan.With(e.ActionId, action => action with { Extension = e }),
        ActionStarted e => plan.WithWorker(e.StartedBy).With(
            e.ActionId, action => action with { People = action.People.Add(e.StartedBy) })
            .Note(e.ActionId, ActionStatus.InProgress, e),
        ActionCompleted e => plan.Note(e.ActionId, ActionStatus.Done, e),
        ActionVerified e => plan.Note(e.ActionId, ActionStatus.Verified, e),
        ActionReturned e => plan.Note(e.ActionId, ActionStatus.InProgress, e),
        _ => plan with { Content = PlanContent.Evolve(plan.Content, fact) },
    };

    private ActionPlan Note(Guid actionId, ActionStatus status, ActionPlanEvent fact) =>
        With(actionId, action => action with { Status = status, LastFact = fact });

    private ActionPlan With(Guid actionId, Func<PlannedAction, PlannedAction> change) => this with
    {
        AllActions = AllActions.Replace(action => action.Id == actionId, change),
    };

    // Before the approval nobody works on an action, so one that is taken back leaves nobody behind.
    private ActionPlan WithWorker(string person) =>
        Stage == PlanStage.Implementing ? this with { Workers = Workers.Add(person) } : this;
}
