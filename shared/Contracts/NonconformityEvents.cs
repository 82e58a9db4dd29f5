namespace CapaEngine.Contracts;

/// <summary>The life of a nonconformity: its material (§8.7) and its cause decision (§10.2.1) are two tracks.</summary>
public abstract record NonconformityEvent
{
    private NonconformityEvent() { }

    /// <summary>A requirement was not met (G01).</summary>
    /// <param name="AffectedQuantity">Units affected, 0 where no output is affected.</param>
    /// <param name="SignatureCycle">Which case of its subject this is; null where it has no subject.</param>
    [EventType("nonconformity.reported.v1")]
    public sealed record Reported(
        string Site, string Title, string Description, RequirementRef Requirement, NonconformitySource Source,
        DetectionStage DetectionStage, string? Product, string? Process, ValueList<string> Lots,
        double AffectedQuantity, string? Unit, Severity Severity, DateTimeOffset DetectedAt, string ReportedBy,
        DeviationSubject? Subject, int? SignatureCycle, int? PolicyVersion, DateTimeOffset? CountWindowFrom)
        : NonconformityEvent
    {
        /// <summary>The serial numbers affected, where units have their own.</summary>
        public ValueList<string>? Serials { get; init; }

        /// <summary>The finding, where an audit is the source.</summary>
        public AuditFinding? Finding { get; init; }

        /// <summary>The supplier whose delivery it is about; null where it concerns none.</summary>
        public string? Supplier { get; init; }
    }

    /// <summary>
    /// A case of another system was taken over as one fact, in that system's words. What was done about it was done
    /// there: nothing of it is verified or signed here.
    /// </summary>
    /// <param name="SourceSystem">The CloudEvents source; with <paramref name="SourceId"/> unique.</param>
    /// <param name="Supplier">Who made or delivered the product.</param>
    /// <param name="Cause">The cause that the source determined.</param>
    /// <param name="CauseCode">The code under which the source's causes are counted.</param>
    /// <param name="Action">What was done about it.</param>
    /// <param name="SourceStatus">The source's own word for where it stands.</param>
    /// <param name="IsClosed">Whether the source is done with it; then it is closed, by the source.</param>
    /// <param name="ClosedOn">Null while it is open, and where the source does not say when it ended.</param>
    /// <param name="PayloadHash">SHA-256 of the RFC 8785 JSON of type, subject and data, in hexadecimal.</param>
    [EventType("nonconformity.imported.v1")]
    public sealed record Imported(
        string SourceSystem, string SourceId, string Site, string Title, string Description, string? Product,
        string? ProductCode, string? Process, string? Supplier, string? Cause, string? CauseCode, string? Action,
        double? Quantity, string? Unit, Severity? Severity, string? Remarks, string SourceStatus, bool IsClosed,
        DateOnly OpenedOn, DateOnly? ClosedOn, string PayloadHash) : NonconformityEvent;

    /// <summary>The source told of the imported case again, and otherwise; kept as received.</summary>
    /// <param name="Payload">The JSON of the later event, as text.</param>
    [EventType("nonconformity.import-conflict-received.v1")]
    public sealed record ImportConflictReceived(string PayloadHash, string Payload) : NonconformityEvent;

    /// <summary>Deviations were attached: at most 500 in one event.</summary>
    [EventType("nonconformity.deviations-attached.v1")]
    public sealed record DeviationsAttached(
        ValueList<Guid> Deviations, DateTimeOffset DetectedFrom, DateTimeOffset DetectedTo) : NonconformityEvent;

    /// <summary>A quality engineer accepted it as a nonconformity (G02).</summary>
    [EventType("nonconformity.accepted.v1")]
    public sealed record Accepted(string AcceptedBy, Severity Severity, int? ContainmentDueHours) : NonconformityEvent;

    /// <summary>It was rejected as unfounded (G02).</summary>
    [EventType("nonconformity.rejected.v1")]
    public sealed record Rejected(string RejectedBy, string Reason) : NonconformityEvent;

    /// <summary>Whoever reported it withdrew the report before it was accepted.</summary>
    [EventType("nonconformity.withdrawn.v1")]
    public sealed record Withdrawn(string WithdrawnBy, string Reason) : NonconformityEvent;

    /// <summary>This case is about to take in a duplicate; until that is settled it cannot end (G20).</summary>
    [EventType("nonconformity.merge-prepared.v1")]
    public sealed record MergePrepared(Guid MergeId, Guid FromId) : NonconformityEvent;

    /// <summary>It is a duplicate of another case, which goes on (G20).</summary>
    /// <param name="AdditionalQuantity">What it adds to the quantity affected by the other case.</param>
    [EventType("nonconformity.merged.v1")]
    public sealed record Merged(Guid MergeId, Guid IntoId, string MergedBy, string Reason, double AdditionalQuantity)
        : NonconformityEvent;

    /// <summary>What a duplicate held has become this case's: its lots, its hold; its deviations follow.</summary>
    /// <param name="Hold">The containment the duplicate had planned or in place; null where it had none.</param>
    /// <param name="HoldIsInPlace">Whether that containment was in place.</param>
    [EventType("nonconformity.duplicate-absorbed.v1")]
    public sealed record DuplicateAbsorbed(
        Guid MergeId, Guid FromId, ValueList<string> Lots, double AdditionalQuantity, string? Hold, int? HoldDueHours,
        bool HoldIsInPlace) : NonconformityEvent;

    /// <summary>A merge that was prepared here was given up.</summary>
    [EventType("nonconformity.merge-abandoned.v1")]
    public sealed record MergeAbandoned(Guid MergeId) : NonconformityEvent;

    /// <summary>A merge of this case was given up before it was decided; it never will be.</summary>
    [EventType("nonconformity.merge-lapsed.v1")]
    public sealed record MergeLapsed(Guid MergeId) : NonconformityEvent;

    /// <summary>A closed case was opened again (G18). What was done stays done.</summary>
    [EventType("nonconformity.reopened.v1")]
    public sealed record Reopened(string ReopenedBy, string Reason) : NonconformityEvent;

    /// <summary>What was written was corrected (G19). Members given change; the old ones stay in the log.</summary>
    /// <param name="SupersedesSignature">Whether a signature over the older text no longer covers the case.</param>
    [EventType("nonconformity.corrected.v1")]
    public sealed record Corrected(
        string CorrectedBy, string Reason, string? Title, string? Description, RequirementRef? Requirement,
        string? Product, string? Process, bool SupersedesSignature) : NonconformityEvent;

    /// <summary>Containment is needed and planned.</summary>
    [EventType("nonconformity.containment-planned.v1")]
    public sealed record ContainmentPlanned(string Description, int DueHours) : NonconformityEvent;

    /// <summary>Containment was decided not to be needed.</summary>
    [EventType("nonconformity.containment-not-needed.v1")]
    public sealed record ContainmentNotNeeded(string Justification) : NonconformityEvent;

    /// <summary>Containment is in place and verified.</summary>
    /// <param name="CleanPoint">The lot or time from which output is known to be good.</param>
    [EventType("nonconformity.containment-confirmed.v1")]
    public sealed record ContainmentConfirmed(string ConfirmedBy, string Evidence, string CleanPoint)
        : NonconformityEvent;

    /// <summary>Containment was lifted.</summary>
    [EventType("nonconformity.containment-lifted.v1")]
    public sealed record ContainmentLifted(string LiftedBy, string Reason) : NonconformityEvent;

    /// <summary>The review ended with containment decided; the case is open.</summary>
    [EventType("nonconformity.review-completed.v1")]
    public sealed record ReviewCompleted(string ReviewedBy) : NonconformityEvent;

    /// <summary>An authority decided what happens to a quantity (G05).</summary>
    [EventType("nonconformity.disposition-decided.v1")]
    public sealed record DispositionDecided(
        Guid LineId, DispositionKind Kind, double Quantity, string? Lot, string AuthorityId, string Reason)
        : NonconformityEvent
    {
        /// <summary>The concession drawn for this line (G06); null where the kind needs none.</summary>
        public Guid? ConcessionId { get; init; }

        /// <summary>What was considered before rework or repair; null where nobody asked.</summary>
        public ReworkAssessment? Assessment { get; init; }
    }

    /// <summary>A line for which a concession was drawn was given up before it was decided; it never will be.</summary>
    [EventType("nonconformity.concession-draw-lapsed.v1")]
    public sealed record ConcessionDrawLapsed(Guid LineId, Guid ConcessionId) : NonconformityEvent;

    /// <summary>A decided line was carried out.</summary>
    [EventType("nonconformity.disposition-executed.v1")]
    public sealed record DispositionExecuted(Guid LineId, string ExecutedBy, string Evidence) : NonconformityEvent
    {
        /// <summary>How scrap was destroyed or marked for good, so that nobody can use it (G08).</summary>
        public string? Destruction { get; init; }
    }

    /// <summary>Conformity after rework or repair was verified, or a line confirmed (G07, §8.7.1).</summary>
    [EventType("nonconformity.disposition-verified.v1")]
    public sealed record DispositionVerified(Guid LineId, string VerifiedBy, string Method, string Result)
        : NonconformityEvent;

    /// <summary>The re-verification failed; the line must be carried out again.</summary>
    [EventType("nonconformity.disposition-failed-verification.v1")]
    public sealed record DispositionFailedVerification(Guid LineId, string VerifiedBy, string Method, string Result)
        : NonconformityEvent;

    /// <summary>The customer need not be told.</summary>
    [EventType("nonconformity.customer-notice-not-needed.v1")]
    public sealed record CustomerNoticeNotNeeded(string Justification) : NonconformityEvent
    {
        /// <summary>The approver who waived it although it was found after delivery; null where it was not.</summary>
        public string? WaivedBy { get; init; }
    }

    /// <summary>The customer must be told.</summary>
    [EventType("nonconformity.customer-notice-required.v1")]
    public sealed record CustomerNoticeRequired(DateOnly DueOn) : NonconformityEvent;

    /// <summary>The customer was told.</summary>
    [EventType("nonconformity.customer-informed.v1")]
    public sealed record CustomerInformed(string InformedBy, string Reference) : NonconformityEvent;

    /// <summary>Corrective action is needed: a CAPA is opened or joined (§10.2.1 b).</summary>
    /// <param name="CapaNumber">The n-th CAPA of this nonconformity, from 1.</param>
    /// <param name="Escaped">Whether it was detected after delivery, so that an escape cause is due (G10).</param>
    [EventType("nonconformity.corrective-action-required.v1")]
    public sealed record CorrectiveActionRequired(
        Guid CapaId, CapaLink Link, int CapaNumber, string CapaOwner, string Reason, string Site, string Title,
        DeviationSubject? Subject, DateTimeOffset? CountWindowFrom, bool Escaped) : NonconformityEvent;

    /// <summary>Corrective action is not needed, with its justification (G09).</summary>
    /// <param name="OverriddenBy">Who overrode the recurrence rule, with <paramref name="OverrideReason"/>.</param>
    [EventType("nonconformity.corrective-action-not-required.v1")]
    public sealed record CorrectiveActionNotRequired(
        string DecidedBy, string Justification, string? OverriddenBy, string? OverrideReason) : NonconformityEvent;

    /// <summary>A linked CAPA reached a stage; a fact of another service, copied by reaction.</summary>
    [EventType("nonconformity.capa-stage-noted.v1")]
    public sealed record CapaStageNoted(Guid CapaId, PlanStage Stage, int Cycle, Verdict? Verdict) : NonconformityEvent;

    /// <summary>Every track is terminal and the case is closed, signed (G17).</summary>
    [EventType("nonconformity.closed.v1")]
    public sealed record Closed(string ClosedBy, Signature Signature) : NonconformityEvent;
}

/// <summary>
/// What is considered before material is reworked or repaired (ISO 13485 §8.3.4, IATF 16949 §8.7.1.4).
/// </summary>
/// <param name="Instruction">The instruction it is done by.</param>
/// <param name="Harm">What harm the work could do, and what is done against it.</param>
public sealed record ReworkAssessment(string Instruction, string Harm);
