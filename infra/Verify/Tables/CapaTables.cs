using CapaEngine.Contracts;
using Plan = CapaEngine.Contracts.ActionPlanEvent;
using Review = CapaEngine.Contracts.EffectivenessEvent;

namespace CapaEngine.Verify.Tables;

/// <summary>CAPAs: stage, cycle, verdict and window, the actions by status, the cases served.</summary>
internal sealed class CapaFold() : TableFold(
    Families.ActionPlan, "read_models.capa",
    [
        "site", "title", "reason", "escaped", "imported", "product", "process", "station", "characteristic",
        "defect_code",
    ],
    [
        "owner", "stage", "cycle", "verdict", "monitoring_from", "monitoring_to",
        Column.Parts("actions", "action", "capa_id"),
        new Column("cases", "(select count(*) from read_models.capa_nonconformity n where n.capa_id = t.id)"),
    ])
{
    /// <inheritdoc/>
    protected override object?[]? Begin(in Happening e) => e.Fact is Plan.Opened f
        ?
        [
            f.Site, f.Title, f.Reason, f.Escaped, e.Metadata.Imported, f.Subject?.Product, f.Subject?.Process,
            f.Subject?.Station, f.Subject?.Characteristic, f.Subject?.DefectCode,
        ]
        : null;

    /// <inheritdoc/>
    protected override void Change(RowDraft row, in Happening e)
    {
        switch (e.Fact)
        {
            case Plan.Opened f:
                row.Set("owner", f.Owner);
                row.Set("stage", PlanStage.AwaitingCause);
                row.Set("cycle", 1);
                row.Set("cases", f.NonconformityId is null ? 0 : 1);
                break;
            case Plan.NonconformityJoined:
                row.Add("cases", 1);
                break;
            case Plan.OwnerChanged f:
                row.Set("owner", f.Owner);
                break;
            default:
                ChangeStage(row, (Plan)e.Fact);
                ChangeAction(row, (Plan)e.Fact);
                break;
        }
    }

    private static void ChangeStage(RowDraft row, Plan fact)
    {
        switch (fact)
        {
            case Plan.CausesReceived or Plan.SentBack:
                row.Set("stage", PlanStage.Planning);
                break;
            case Plan.Submitted:
                row.Set("stage", PlanStage.PlanInApproval);
                break;
            case Plan.Approved:
                row.Set("stage", PlanStage.Implementing);
                break;
            case Plan.MonitoringStarted f:
                row.Set("stage", PlanStage.Monitoring);
                row.Set("monitoring_from", f.From);
                row.Set("monitoring_to", f.To);
                break;
            case Plan.EffectivenessReviewStarted:
                row.Set("stage", PlanStage.InEffectivenessReview);
                break;
            case Plan.VerdictReceived f:
                row.Set("verdict", f.Verdict);
                if (f.Verdict != Verdict.Inconclusive) break;
                row.Set("stage", PlanStage.Monitoring);
                if (f.WindowTo is { } to) row.Set("monitoring_to", to);
                break;
            case Plan.CycleStarted f:
                row.Set("stage", PlanStage.AwaitingCause);
                row.Set("cycle", f.Cycle);
                foreach (var column in (string[])["verdict", "monitoring_from", "monitoring_to"]) row.Set(column, null);
                break;
            case Plan.Closed:
                row.Set("stage", PlanStage.Closed);
                break;
            case Plan.Cancelled:
                row.Set("stage", PlanStage.Cancelled);
                break;
        }
    }

    private static void ChangeAction(RowDraft row, Plan fact)
    {
        var (action, status) = fact switch
        {
            Plan.ActionPlanned f => (f.ActionId, "planned"),
            Plan.ActionStarted f => (f.ActionId, "in-progress"),
            Plan.ActionCompleted f => (f.ActionId, "done"),
            Plan.ActionVerified f => (f.ActionId, "verified"),
            Plan.ActionReturned f => (f.ActionId, "in-progress"),
            Plan.ActionCancelled f => (f.ActionId, "cancelled"),
            Plan.ActionReplaced f => (f.ActionId, "cancelled"),
            _ => (Guid.Empty, ""),
        };
        if (status.Length > 0) row.SetPart("actions", action, status);
    }
}

/// <summary>Analyses: owner, status, cycle, and the causes by status.</summary>
internal sealed class AnalysisFold() : TableFold(
    Families.RootCause, "read_models.root_cause_analysis",
    ["capa_id", "nonconformity_id", "site", "problem", "escaped", "imported"],
    ["owner", "status", "cycle", Column.Parts("causes", "cause", "root_cause_id")])
{
    /// <inheritdoc/>
    protected override object?[]? Begin(in Happening e) => e.Fact is RootCauseEvent.Started f
        ? [f.CapaId, f.NonconformityId, f.Site, f.Problem, f.Escaped, e.Metadata.Imported]
        : null;

    /// <inheritdoc/>
    protected override void Change(RowDraft row, in Happening e)
    {
        switch (e.Fact)
        {
            case RootCauseEvent.Started f:
                row.Set("owner", f.Owner);
                row.Set("status", "open");
                row.Set("cycle", 1);
                break;
            case RootCauseEvent.OwnerChanged f:
                row.Set("owner", f.Owner);
                break;
            case RootCauseEvent.CauseProposed f:
                row.SetPart("causes", f.CauseId, "hypothesis");
                break;
            case RootCauseEvent.CauseVerified f:
                row.SetPart("causes", f.CauseId, "verified");
                break;
            case RootCauseEvent.CauseRefuted f:
                row.SetPart("causes", f.CauseId, "refuted");
                break;
            case RootCauseEvent.Completed:
                row.Set("status", "in-approval");
                break;
            case RootCauseEvent.SentBack:
                row.Set("status", "open");
                break;
            case RootCauseEvent.Approved:
                row.Set("status", "approved");
                break;
            case RootCauseEvent.Reopened f:
                row.Set("status", "open");
                row.Set("cycle", f.Cycle);
                row.MoveParts("causes", "verified", "hypothesis");
                break;
        }
    }
}

/// <summary>Effectiveness reviews: status, window, the numbers' verdict and the person's.</summary>
internal sealed class ReviewFold() : TableFold(
    Families.Effectiveness, "read_models.effectiveness_review",
    ["capa_id", "cycle", "site", "plan_approved_by", "imported"],
    [
        "status", "window_from", "window_to", "proposed_verdict", "window_deviations", "evaluated_by", "verdict",
        "approved_by", new Column("recurrence_count", "cardinality(recurrences)"),
    ])
{
    /// <inheritdoc/>
    protected override object?[]? Begin(in Happening e) => e.Fact is Review.CriteriaLocked f
        ? [f.CapaId, f.Cycle, f.Site, f.PlanApprovedBy, e.Metadata.Imported]
        : null;

    /// <inheritdoc/>
    protected override void Change(RowDraft row, in Happening e)
    {
        switch (e.Fact)
        {
            case Review.CriteriaLocked:
                row.Set("status", "criteria-locked");
                row.Set("recurrence_count", 0);
                break;
            case Review.WindowOpened f:
                row.Set("status", "monitoring");
                row.Set("window_from", f.From);
                row.Set("window_to", f.To);
                break;
            case Review.RecurrenceDetected:
                row.Add("recurrence_count", 1);
                break;
            case Review.Evaluated f:
                Propose(row, f.Proposed, f.Window, f.EvaluatedBy);
                break;
            case Review.SuccessRunEvaluated f:
                Propose(row, f.Proposed, f.Window, f.EvaluatedBy);
                break;
            case Review.Approved f:
                row.Set("status", f.Verdict == Verdict.Inconclusive ? "monitoring" : "decided");
                row.Set("verdict", f.Verdict);
                row.Set("approved_by", f.ApprovedBy);
                if (f is { Verdict: Verdict.Inconclusive, WindowTo: { } to }) row.Set("window_to", to);
                break;
        }
    }

    private static void Propose(RowDraft row, Verdict proposed, EvidenceCount window, string evaluatedBy)
    {
        row.Set("status", "in-approval");
        row.Set("proposed_verdict", proposed);
        row.Set("window_deviations", window.Deviations);
        row.Set("evaluated_by", evaluatedBy);
    }
}
