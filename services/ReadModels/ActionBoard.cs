using CapaEngine.Contracts;
using CapaEngine.Hosting;
using static CapaEngine.Contracts.ActionPlanEvent;

namespace CapaEngine.ReadModels;

/// <summary>CAPAs by stage, their nonconformities and actions.</summary>
public sealed class ActionBoard : IReadModel
{
    private static readonly string[] Action = ["capa_id", "action_id"];
    private static readonly string[] Case = ["capa_id", "nonconformity_id"];
    private static readonly string[] FailureMode = ["capa_id", "failure_mode", "moment"];
    private static readonly string[] Deployment = ["capa_id", "process"];

    /// <inheritdoc/>
    public string Name => "action-board";

    /// <inheritdoc/>
    public int Version => 3;

    /// <inheritdoc/>
    public IReadOnlyList<Family> Families { get; } = [Contracts.Families.ActionPlan];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tables { get; } =
        ["capa", "capa_nonconformity", "action", "capa_failure_mode", "capa_deployment"];

    /// <inheritdoc/>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => events.SelectMany(Project);

    /// <summary>The statements of one event. One that changes no column still moves the row's revision.</summary>
    public static IEnumerable<SqlStatement> Project(IncomingEvent e) => e.Fact switch
    {
        Opened f => f.NonconformityId is { } first ? [Insert(e, f), Join(e, first)] : [Insert(e, f)],
        NonconformityJoined f => [Join(e, f.NonconformityId), Update(e)],
        CausesReceived f => [Enter(e, PlanStage.Planning, "root_cause_id = $7, extent_is_checked = $8",
            f.RootCauseId, f.ExtentIsChecked)],
        RiskRated f => [Update(e, "risk_severity = $6, risk_likelihood = $7, risk_class = $8",
            f.Rating.Severity, f.Rating.Likelihood, f.Class?.Value)],
        ResidualRiskRated f => [Update(e, """
            residual_severity = $6, residual_likelihood = $7, residual_risk_class = $8
            """, f.Rating.Severity, f.Rating.Likelihood, f.Class.Value)],
        FailureModeRated f => [RateFailureMode(e, f), Update(e)],
        AdverseEffectsChecked f => [Update(e, "does_harm = $6, adverse_effects = $7", f.DoesHarm, f.Finding)],
        DeploymentPlanned f => [.. f.Processes.Select(process => PlanDeployment(e, process)), Update(e)],
        DeploymentAnswered f => [AnswerDeployment(e, f), Update(e)],
        EffectivenessCriteriaDefined f => [SetCriteria(e, f.Criteria, f.Baseline)],
        CriteriaChanged f => [SetCriteria(e, f.Criteria, f.Baseline)],
        Submitted => [Enter(e, PlanStage.PlanInApproval, "submitted_at = $4")],
        SentBack => [Enter(e, PlanStage.Planning, "approvals = '[]'")],
        ApprovalGiven f => [Update(e, """
            approvals = approvals || jsonb_build_object('approvedBy', $6::text, 'approvedAt', $7::text, 'rationale',
              $8::text)
            """, f.ApprovedBy, Utc(e), f.Rationale)],
        Approved f => [Enter(e, PlanStage.Implementing, """
            approved_at = $4, approved_by = $7, rationale = $8, approvals = approvals || jsonb_build_object(
              'approvedBy', $7::text, 'approvedAt', $9::text, 'rationale', $8::text)
            """, f.ApprovedBy, f.Rationale, Utc(e))],

        ActionPlanned f => [InsertAction(e, f), Update(e)],
        ActionCancelled f => [UpdateAction(e, f.ActionId, """
            status = 'cancelled', cancelled_at = $4, cancel_reason = $7
            """, f.Reason), Update(e)],
        ActionReplaced f => [UpdateAction(e, f.ActionId, """
            status = 'cancelled', cancelled_at = $4, cancel_reason = $7, replaced_by = $8
            """, f.Reason, f.SuccessorId), Update(e)],
        ActionOwnerChanged f => [UpdateAction(e, f.ActionId, "owner = $7", f.Owner), Update(e)],
        OwnerChanged f => [Update(e, "owner = $6", f.Owner)],
        ExtensionRequested f => [UpdateAction(e, f.ActionId, "requested_due_on = $7", f.DueOn), Update(e)],
        ExtensionGranted f => [UpdateAction(e, f.ActionId, """
            due_on = $7, requested_due_on = null, extension_count = extension_count + 1
            """, f.DueOn), Update(e)],
        ExtensionRefused f => [UpdateAction(e, f.ActionId, "requested_due_on = null"), Update(e)],
        ActionStarted f => [UpdateAction(e, f.ActionId, "status = 'in-progress', started_at = $4"), Update(e)],
        ActionCompleted f => [UpdateAction(e, f.ActionId, """
            status = 'done', completed_at = $4, completed_by = $7, evidence = $8
            """, f.CompletedBy, f.Evidence), Update(e)],
        ActionVerified f => [UpdateAction(e, f.ActionId, """
            status = 'verified', verified_at = $4, verified_by = $7, finding = $8
            """, f.VerifiedBy, f.Finding), Update(e)],
        ActionReturned f => [UpdateAction(e, f.ActionId, """
            status = 'in-progress', completed_at = null, completed_by = null, return_count = return_count + 1
            """), Update(e)],

        MonitoringStarted f => [Enter(e, PlanStage.Monitoring,
            "implemented_at = $7, monitoring_from = $7, monitoring_to = $8", f.From, f.To)],
        EffectivenessReviewStarted => [Enter(e, PlanStage.InEffectivenessReview)],
        VerdictReceived { Verdict: Verdict.Inconclusive } f => [Enter(e, PlanStage.Monitoring,
            "verdict = 'inconclusive', verdict_at = $4, monitoring_to = coalesce($7, monitoring_to)", f.WindowTo)],
        VerdictReceived f => [Update(e, "verdict = $6, verdict_at = $4", Wire.Name(f.Verdict))],
        CycleStarted f => [Enter(e, PlanStage.AwaitingCause, """
            cycle = $7, verdict = null, verdict_at = null, submitted_at = null, approved_at = null, approved_by = null,
            approvals = '[]', rationale = null, closed_at = null, closed_by = null, closing_answers = null,
            implemented_at = null, monitoring_from = null, monitoring_to = null, residual_severity = null,
            residual_likelihood = null, residual_risk_class = null, does_harm = null, adverse_effects = null
            """, f.Cycle)],
        Reopened => [Update(e, "reopened_at = $4")],
        Closed f => [Enter(e, PlanStage.Closed, "closed_at = $4, closed_by = $7, closing_answers = $8::jsonb",
            f.ClosedBy, Wire.Json(f.Answers))],
        Cancelled => [Enter(e, PlanStage.Cancelled, "cancelled_at = $4")],
        _ => [Update(e)],
    };

    // Written here and not by the database, whose text of a time depends on its session's time zone.
    private static string Utc(IncomingEvent e) => Rfc3339.Text(e.Metadata.OccurredAt);

    private static RowChange Update(IncomingEvent e, string? set = null, params object?[] more) =>
        Row.Update(e, "capa", set, more);

    private static RowChange Enter(IncomingEvent e, PlanStage stage, string? set = null, params object?[] more) =>
        Update(e, $"stage = $6, stage_since = $4{(set is null ? "" : ", " + set)}", [Wire.Name(stage), .. more]);

    private static RowChange UpdateAction(IncomingEvent e, Guid actionId, string set, params object?[] more) =>
        Row.UpdatePart(e, "action", Action, set, actionId, more);

    private static RowChange Insert(IncomingEvent e, Opened f) => Row.Insert(e, "capa", """
        id, revision, position, occurred_at, recorded_at, opened_at, stage_since, imported, stage, site, title, owner,
        reason, product, process, station, characteristic, defect_code, escaped
        """, "$1, $2, $3, $4, $5, $4, $4, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17",
        e.Metadata.Imported, Wire.Name(PlanStage.AwaitingCause), f.Site, f.Title, f.Owner, f.Reason, f.Subject?.Product,
        f.Subject?.Process, f.Subject?.Station, f.Subject?.Characteristic, f.Subject?.DefectCode, f.Escaped);

    private static RowChange Join(IncomingEvent e, Guid nonconformityId) => Row.InsertPart(
        e, "capa_nonconformity", Case, "capa_id, revision, position, joined_at, nonconformity_id",
        "$1, $2, $3, $4, $6", null, nonconformityId);

    private static RowChange SetCriteria(
        IncomingEvent e, EffectivenessCriteria criteria, EvidenceCount baseline) => Update(e, """
        baseline_from = $6, baseline_to = $7, expected_reduction = $8, significance = $9, window_days = $10,
        exposure_unit = $11, baseline_deviations = $12, baseline_exposure = $13
        """,
        criteria.BaselineFrom, criteria.BaselineTo, criteria.ExpectedReduction, criteria.Significance,
        criteria.WindowDays, Wire.Name(criteria.ExposureUnit), baseline.Deviations, baseline.Exposure);

    private static RowChange RateFailureMode(IncomingEvent e, FailureModeRated f) => Row.ReplacePart(
        e, "capa_failure_mode", FailureMode, """
        capa_id, revision, position, rated_at, failure_mode, moment, severity, occurrence, detection, priority,
        priority_table, rated_by
        """, "$1, $2, $3, $4, $6, $7, $8, $9, $10, $11, $12, $13", f.FailureMode, Wire.Name(f.Moment),
        f.Rating.Severity, f.Rating.Occurrence, f.Rating.Detection, f.Priority.Value, f.Priority.Table, f.RatedBy);

    private static RowChange PlanDeployment(IncomingEvent e, string process) => Row.InsertPart(
        e, "capa_deployment", Deployment, "capa_id, revision, position, planned_at, process", "$1, $2, $3, $4, $6",
        null, process);

    private static RowChange AnswerDeployment(IncomingEvent e, DeploymentAnswered f) => Row.UpdatePart(
        e, "capa_deployment", Deployment, "deployed = $7, reference = $8, answered_by = $9, answered_at = $4",
        f.Process, f.Answer.Yes, f.Answer.Reference, f.AnsweredBy);

    // The cycle an action belongs to is the plan's at that moment, which the plan's own row tells.
    private static RowChange InsertAction(IncomingEvent e, ActionPlanned f) => Row.InsertPart(e, "action", Action, """
        capa_id, revision, position, planned_at, action_id, kind, title, description, owner, due_on, original_due_on,
        causes, status, cycle
        """, "$1, $2, $3, $4, $6, $7, $8, $9, $10, $11, $11, $12, 'planned', p.cycle", "capa", f.ActionId,
        Wire.Name(f.Kind), f.Title, f.Description, f.Owner, f.DueOn, f.Causes.ToArray());
}
