namespace CapaEngine.Contracts;

/// <summary>One cycle's review of effectiveness (§10.2.1 d).</summary>
public abstract record EffectivenessEvent
{
    private EffectivenessEvent() { }

    /// <summary>The criteria were locked at plan approval; nobody changes them any more (G22).</summary>
    /// <param name="ActionOwners">Those who may not evaluate (G15).</param>
    [EventType("effectiveness.criteria-locked.v1")]
    public sealed record CriteriaLocked(
        Guid CapaId, int Cycle, string Site, EffectivenessCriteria Criteria, ValueList<string> ActionOwners,
        string PlanApprovedBy) : EffectivenessEvent;

    /// <summary>Other criteria were approved before the window opened; the first ones stay in the log.</summary>
    [EventType("effectiveness.criteria-changed.v1")]
    public sealed record CriteriaChanged(EffectivenessCriteria Criteria, string ApprovedBy) : EffectivenessEvent;

    /// <summary>The monitoring window opened with the last verified action.</summary>
    [EventType("effectiveness.window-opened.v1")]
    public sealed record WindowOpened(DateTimeOffset From, DateTimeOffset To) : EffectivenessEvent;

    /// <summary>Further people took part in the work after the approval and do not judge it either (G15).</summary>
    [EventType("effectiveness.persons-excluded.v1")]
    public sealed record PersonsExcluded(ValueList<string> Persons) : EffectivenessEvent;

    /// <summary>A new case was opened on the subject during the window.</summary>
    [EventType("effectiveness.recurrence-detected.v1")]
    public sealed record RecurrenceDetected(Guid NonconformityId) : EffectivenessEvent;

    /// <summary>The data were evaluated: numbers, evidence and the verdict they propose (G15).</summary>
    /// <param name="EarlyOnRecurrence">True where a recurrence ended the window early.</param>
    [EventType("effectiveness.evaluated.v1")]
    public sealed record Evaluated(
        Guid CapaId, int Cycle, Verdict Proposed, EffectivenessNumbers Numbers, EvidenceCount Baseline,
        EvidenceCount Window, bool EarlyOnRecurrence, string EvaluatedBy) : EffectivenessEvent;

    /// <summary>The units of the window were judged as a success run (G15).</summary>
    /// <param name="EarlyOnRecurrence">True where a recurrence ended the window early.</param>
    [EventType("effectiveness.success-run-evaluated.v1")]
    public sealed record SuccessRunEvaluated(
        Guid CapaId, int Cycle, Verdict Proposed, SuccessRunNumbers Numbers, EvidenceCount Window,
        bool EarlyOnRecurrence, string EvaluatedBy) : EffectivenessEvent;

    /// <summary>A person decided and signed; a decision against the numbers carries its reason.</summary>
    /// <param name="WindowTo">The new end of the window where the verdict is inconclusive.</param>
    [EventType("effectiveness.approved.v1")]
    public sealed record Approved(
        Guid CapaId, int Cycle, Verdict Verdict, string? ReasonAgainstNumbers, string ApprovedBy,
        DateTimeOffset? WindowTo, Signature Signature) : EffectivenessEvent;
}
