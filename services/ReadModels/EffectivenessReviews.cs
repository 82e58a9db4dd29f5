using CapaEngine.Contracts;
using CapaEngine.Hosting;
using static CapaEngine.Contracts.EffectivenessEvent;

namespace CapaEngine.ReadModels;

/// <summary>One row for each cycle's review of effectiveness, with the numbers as the event froze them.</summary>
public sealed class EffectivenessReviews : IReadModel
{
    /// <inheritdoc/>
    public string Name => "effectiveness-reviews";

    /// <inheritdoc/>
    public int Version => 2;

    /// <inheritdoc/>
    public IReadOnlyList<Family> Families { get; } = [Contracts.Families.Effectiveness];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tables { get; } = ["effectiveness_review"];

    /// <inheritdoc/>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => events.SelectMany(Project);

    /// <summary>The statement of one event. One that changes no column still moves the row's revision.</summary>
    public static IEnumerable<SqlStatement> Project(IncomingEvent e) => e.Fact switch
    {
        CriteriaLocked f => [Insert(e, f)],
        WindowOpened f => [Update(e, "status = 'monitoring', window_from = $6, window_to = $7", f.From, f.To)],
        CriteriaChanged f => [ChangeCriteria(e, f)],
        PersonsExcluded f => [Update(e, "action_owners = action_owners || $6::text[]", (object)f.Persons.ToArray())],
        RecurrenceDetected f => [Update(e, "recurrences = recurrences || $6::uuid", f.NonconformityId)],
        Evaluated f => [Evaluate(e, f)],
        SuccessRunEvaluated f => [Update(e, """
            status = 'in-approval', evaluated_at = $4, evaluated_by = $6, early_on_recurrence = $7,
            proposed_verdict = $8, window_deviations = $9, window_exposure = $10, window_ids_hash = $11,
            counted_from = $12, counted_to = $13, counted_through_position = $14, definition_version = $15,
            units_needed = $16, reliability_lower = $17, reliability_upper = $18
            """, f.EvaluatedBy, f.EarlyOnRecurrence, Wire.Name(f.Proposed), f.Window.Deviations, f.Window.Exposure,
            f.Window.DeviationIdsHash, f.Window.From, f.Window.To, checked((long)f.Window.LogPosition),
            f.Window.DefinitionVersion, f.Numbers.UnitsNeeded, f.Numbers.ReliabilityLower,
            f.Numbers.ReliabilityUpper)],
        // An inconclusive verdict extends the window instead of deciding.
        Approved { Verdict: Verdict.Inconclusive } f => [Update(e, """
            status = 'monitoring', window_to = coalesce($6, window_to), verdict = 'inconclusive',
            reason_against_numbers = $7, approved_at = $4, approved_by = $8
            """, f.WindowTo, f.ReasonAgainstNumbers, f.ApprovedBy)],
        Approved f => [Update(e, """
            status = 'decided', verdict = $6, reason_against_numbers = $7, approved_at = $4, approved_by = $8
            """, Wire.Name(f.Verdict), f.ReasonAgainstNumbers, f.ApprovedBy)],
        _ => [Update(e)],
    };

    private static RowChange Update(IncomingEvent e, string? set = null, params object?[] more) =>
        Row.Update(e, "effectiveness_review", set, more);

    private static RowChange Insert(IncomingEvent e, CriteriaLocked f) => Row.Insert(e, "effectiveness_review", """
        id, revision, position, occurred_at, recorded_at, locked_at, imported, status, capa_id, cycle, site, product,
        process, station, characteristic, defect_code, baseline_from, baseline_to, baseline_reason, expected_reduction,
        significance, window_days, exposure_unit, action_owners, plan_approved_by, run_confidence, run_reliability
        """, """
        $1, $2, $3, $4, $5, $4, $6, 'criteria-locked', $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20, $21, $22, $23, $24, $25
        """,
        e.Metadata.Imported, f.CapaId, f.Cycle, f.Site, f.Criteria.Subject.Product, f.Criteria.Subject.Process,
        f.Criteria.Subject.Station, f.Criteria.Subject.Characteristic, f.Criteria.Subject.DefectCode,
        f.Criteria.BaselineFrom, f.Criteria.BaselineTo, f.Criteria.BaselineReason, f.Criteria.ExpectedReduction,
        f.Criteria.Significance, f.Criteria.WindowDays, Wire.Name(f.Criteria.ExposureUnit), f.ActionOwners.ToArray(),
        f.PlanApprovedBy, f.Criteria.SuccessRun?.Confidence, f.Criteria.SuccessRun?.Reliability);

    private static RowChange ChangeCriteria(IncomingEvent e, CriteriaChanged f) => Update(e, """
        product = $6, process = $7, station = $8, characteristic = $9, defect_code = $10, baseline_from = $11,
        baseline_to = $12, baseline_reason = $13, expected_reduction = $14, significance = $15, window_days = $16,
        exposure_unit = $17, run_confidence = $18, run_reliability = $19
        """,
        f.Criteria.Subject.Product, f.Criteria.Subject.Process, f.Criteria.Subject.Station,
        f.Criteria.Subject.Characteristic, f.Criteria.Subject.DefectCode, f.Criteria.BaselineFrom,
        f.Criteria.BaselineTo, f.Criteria.BaselineReason, f.Criteria.ExpectedReduction, f.Criteria.Significance,
        f.Criteria.WindowDays, Wire.Name(f.Criteria.ExposureUnit), f.Criteria.SuccessRun?.Confidence,
        f.Criteria.SuccessRun?.Reliability);

    private static RowChange Evaluate(IncomingEvent e, Evaluated f) => Update(e, """
        status = 'in-approval', evaluated_at = $4, evaluated_by = $6, early_on_recurrence = $7, proposed_verdict = $8,
        baseline_deviations = $9, baseline_exposure = $10, baseline_ids_hash = $11, window_deviations = $12,
        window_exposure = $13, window_ids_hash = $14, counted_from = $15, counted_to = $16,
        counted_through_position = $17, definition_version = $18, baseline_rate = $19, window_rate = $20,
        rate_ratio = $21, rate_ratio_lower = $22, rate_ratio_upper = $23, p_value = $24
        """,
        f.EvaluatedBy, f.EarlyOnRecurrence, Wire.Name(f.Proposed), f.Baseline.Deviations, f.Baseline.Exposure,
        f.Baseline.DeviationIdsHash, f.Window.Deviations, f.Window.Exposure, f.Window.DeviationIdsHash, f.Window.From,
        f.Window.To, checked((long)f.Window.LogPosition), f.Window.DefinitionVersion, f.Numbers.BaselineRate,
        f.Numbers.WindowRate, f.Numbers.RateRatio, f.Numbers.RateRatioLower, f.Numbers.RateRatioUpper,
        f.Numbers.PValue);
}
