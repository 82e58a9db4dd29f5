namespace CapaEngine.Contracts;

/// <summary>The CAPA: plan, approval, implementation, monitoring, closing.</summary>
public abstract record ActionPlanEvent
{
    private ActionPlanEvent() { }

    /// <summary>A CAPA was opened and awaits its cause.</summary>
    [EventType("actionplan.opened.v1")]
    public sealed record Opened(
        string Site, string Title, string Owner, Guid? NonconformityId, string Reason, DeviationSubject? Subject,
        DateTimeOffset? CountWindowFrom, bool Escaped) : ActionPlanEvent;

    /// <summary>A further nonconformity joined this CAPA.</summary>
    [EventType("actionplan.nonconformity-joined.v1")]
    public sealed record NonconformityJoined(Guid NonconformityId) : ActionPlanEvent;

    /// <summary>The approved analysis arrived: what must be acted on.</summary>
    [EventType("actionplan.causes-received.v1")]
    public sealed record CausesReceived(
        Guid RootCauseId, int Cycle, ValueList<VerifiedCause> Causes, bool ExtentIsChecked) : ActionPlanEvent;

    /// <summary>The risk before action was rated; its class decides how deep the work goes (§10.2.1).</summary>
    [EventType("actionplan.risk-rated.v1")]
    public sealed record RiskRated(RiskRating Rating, string RatedBy) : ActionPlanEvent
    {
        /// <summary>The class by the matrix in force; null where it was rated before there was one.</summary>
        public TableAnswer? Class { get; init; }
    }

    /// <summary>The risk that remains after action was rated.</summary>
    [EventType("actionplan.residual-risk-rated.v1")]
    public sealed record ResidualRiskRated(RiskRating Rating, TableAnswer Class, string RatedBy) : ActionPlanEvent;

    /// <summary>A failure mode was rated, before or after action.</summary>
    [EventType("actionplan.failure-mode-rated.v1")]
    public sealed record FailureModeRated(
        string FailureMode, RatingMoment Moment, FailureRating Rating, TableAnswer Priority, string RatedBy)
        : ActionPlanEvent;

    /// <summary>Whether the planned action does harm elsewhere was checked (ISO 13485 §8.5.2).</summary>
    [EventType("actionplan.adverse-effects-checked.v1")]
    public sealed record AdverseEffectsChecked(bool DoesHarm, string Finding, string CheckedBy) : ActionPlanEvent;

    /// <summary>Processes were named to which the action is to be carried over.</summary>
    [EventType("actionplan.deployment-planned.v1")]
    public sealed record DeploymentPlanned(ValueList<string> Processes, string PlannedBy) : ActionPlanEvent;

    /// <summary>One of them was answered: carried over, or why not.</summary>
    [EventType("actionplan.deployment-answered.v1")]
    public sealed record DeploymentAnswered(string Process, Answer Answer, string AnsweredBy) : ActionPlanEvent;

    /// <summary>An action was planned.</summary>
    [EventType("actionplan.action-planned.v1")]
    public sealed record ActionPlanned(
        Guid ActionId, ActionKind Kind, string Title, string Description, string Owner, DateOnly DueOn,
        ValueList<Guid> Causes) : ActionPlanEvent;

    /// <summary>A planned action was taken back before approval, or cancelled after.</summary>
    [EventType("actionplan.action-cancelled.v1")]
    public sealed record ActionCancelled(Guid ActionId, string CancelledBy, string Reason) : ActionPlanEvent;

    /// <summary>An action was cancelled in favour of another one against the same causes.</summary>
    [EventType("actionplan.action-replaced.v1")]
    public sealed record ActionReplaced(Guid ActionId, Guid SuccessorId, string ReplacedBy, string Reason)
        : ActionPlanEvent;

    /// <summary>An action went to another owner.</summary>
    [EventType("actionplan.action-owner-changed.v1")]
    public sealed record ActionOwnerChanged(Guid ActionId, string Owner, string ChangedBy, string Reason)
        : ActionPlanEvent;

    /// <summary>The CAPA went to another owner.</summary>
    [EventType("actionplan.owner-changed.v1")]
    public sealed record OwnerChanged(string Owner, string ChangedBy, string Reason) : ActionPlanEvent;

    /// <summary>Somebody asked for a later due date (G21).</summary>
    [EventType("actionplan.extension-requested.v1")]
    public sealed record ExtensionRequested(Guid ActionId, DateOnly DueOn, string RequestedBy, string Reason)
        : ActionPlanEvent;

    /// <summary>Another person granted it: the only fact that moves a due date (G21).</summary>
    [EventType("actionplan.extension-granted.v1")]
    public sealed record ExtensionGranted(Guid ActionId, DateOnly DueOn, string GrantedBy) : ActionPlanEvent;

    /// <summary>Another person refused it; the due date stays.</summary>
    [EventType("actionplan.extension-refused.v1")]
    public sealed record ExtensionRefused(Guid ActionId, string RefusedBy, string Reason) : ActionPlanEvent;

    /// <summary>How effectiveness will be judged was defined.</summary>
    [EventType("actionplan.effectiveness-criteria-defined.v1")]
    public sealed record EffectivenessCriteriaDefined(
        EffectivenessCriteria Criteria, EvidenceCount Baseline, string DefinedBy) : ActionPlanEvent;

    /// <summary>Other criteria were proposed after the approval, while the window is not open yet (G22).</summary>
    [EventType("actionplan.criteria-change-proposed.v1")]
    public sealed record CriteriaChangeProposed(
        EffectivenessCriteria Criteria, EvidenceCount Baseline, string ProposedBy, string Reason) : ActionPlanEvent;

    /// <summary>Another person approved and signed them; they are the locked ones from here on (G22).</summary>
    [EventType("actionplan.criteria-changed.v1")]
    public sealed record CriteriaChanged(
        int Cycle, EffectivenessCriteria Criteria, EvidenceCount Baseline, string ApprovedBy, Signature Signature)
        : ActionPlanEvent;

    /// <summary>The other criteria were refused; those that were approved stay (G22).</summary>
    [EventType("actionplan.criteria-change-refused.v1")]
    public sealed record CriteriaChangeRefused(string RefusedBy, string Reason) : ActionPlanEvent;

    /// <summary>The plan was submitted for approval.</summary>
    [EventType("actionplan.submitted.v1")]
    public sealed record Submitted(string SubmittedBy) : ActionPlanEvent;

    /// <summary>The plan was sent back with a reason.</summary>
    [EventType("actionplan.sent-back.v1")]
    public sealed record SentBack(string SentBackBy, string Reason) : ActionPlanEvent;

    /// <summary>One of several persons whose approval the risk demands approved and signed the plan (G11).</summary>
    [EventType("actionplan.approval-given.v1")]
    public sealed record ApprovalGiven(int Cycle, string ApprovedBy, string? Rationale, Signature Signature)
        : ActionPlanEvent;

    /// <summary>The plan was approved and signed; its criteria are locked from here on (G11, G22).</summary>
    [EventType("actionplan.approved.v1")]
    public sealed record Approved(
        int Cycle, string ApprovedBy, EffectivenessCriteria Criteria, ValueList<string> ActionOwners,
        Signature Signature) : ActionPlanEvent
    {
        /// <summary>Why the plan is right; null where nobody asked (ISO 13485 §8.5.2).</summary>
        public string? Rationale { get; init; }
    }

    /// <summary>Work on an action began.</summary>
    [EventType("actionplan.action-started.v1")]
    public sealed record ActionStarted(Guid ActionId, string StartedBy) : ActionPlanEvent;

    /// <summary>An action was done, with evidence (G12).</summary>
    [EventType("actionplan.action-completed.v1")]
    public sealed record ActionCompleted(Guid ActionId, string CompletedBy, string Evidence) : ActionPlanEvent;

    /// <summary>Another person verified that the action was implemented (G13).</summary>
    [EventType("actionplan.action-verified.v1")]
    public sealed record ActionVerified(Guid ActionId, string VerifiedBy, string Finding) : ActionPlanEvent;

    /// <summary>The verification failed; the action is in progress again.</summary>
    [EventType("actionplan.action-returned.v1")]
    public sealed record ActionReturned(Guid ActionId, string ReturnedBy, string Reason) : ActionPlanEvent;

    /// <summary>Every action is verified; the effectiveness window is open (G14).</summary>
    /// <param name="From">When the last action was verified: the start of the window.</param>
    /// <param name="To">The end of the window.</param>
    [EventType("actionplan.monitoring-started.v1")]
    public sealed record MonitoringStarted(int Cycle, DateTimeOffset From, DateTimeOffset To) : ActionPlanEvent;

    /// <summary>The effectiveness was evaluated and awaits a decision.</summary>
    [EventType("actionplan.effectiveness-review-started.v1")]
    public sealed record EffectivenessReviewStarted(int Cycle, Guid ReviewId, Verdict Proposed) : ActionPlanEvent;

    /// <summary>The verdict of a cycle arrived.</summary>
    /// <param name="WindowTo">The new end of the window where the verdict is inconclusive.</param>
    [EventType("actionplan.verdict-received.v1")]
    public sealed record VerdictReceived(int Cycle, Guid ReviewId, Verdict Verdict, DateTimeOffset? WindowTo)
        : ActionPlanEvent;

    /// <summary>An ineffective verdict began the next cycle: the cause is sought again.</summary>
    [EventType("actionplan.cycle-started.v1")]
    public sealed record CycleStarted(int Cycle) : ActionPlanEvent;

    /// <summary>The CAPA was closed as effective, signed, with its answers (G16).</summary>
    [EventType("actionplan.closed.v1")]
    public sealed record Closed(string ClosedBy, ClosingAnswers Answers, Signature Signature) : ActionPlanEvent;

    /// <summary>A closed CAPA was opened again; its next cycle follows.</summary>
    [EventType("actionplan.reopened.v1")]
    public sealed record Reopened(string ReopenedBy, string Reason) : ActionPlanEvent;

    /// <summary>The CAPA was cancelled.</summary>
    [EventType("actionplan.cancelled.v1")]
    public sealed record Cancelled(string CancelledBy, string Reason) : ActionPlanEvent;
}

/// <summary>A yes/no answer of the standard with the reference that backs a yes, or the reason for a no.</summary>
public sealed record Answer(bool Yes, string Reference);

/// <summary>What must be answered before a CAPA closes (§10.2.1 e, f; lessons).</summary>
public sealed record ClosingAnswers(Answer RiskUpdate, Answer QmsChange, Answer FmeaUpdate, string Lessons)
{
    /// <summary>Whether the control plan changed (IATF 16949 §10.2.3); null where nobody asked.</summary>
    public Answer? ControlPlanUpdate { get; init; }

    /// <summary>Whether suppliers were told what to change (AS9100 §10.2.1); null where nobody asked.</summary>
    public Answer? FlowDown { get; init; }
}
