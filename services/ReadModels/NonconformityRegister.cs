using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.ReadModels.AsOf;
using static CapaEngine.Contracts.NonconformityEvent;

namespace CapaEngine.ReadModels;

/// <summary>Nonconformities with their tracks, disposition lines, deviations and CAPAs.</summary>
public sealed class NonconformityRegister : IReadModel
{
    private const string Period =
        "deviations_from = least(deviations_from, $6), deviations_to = greatest(deviations_to, $7)";

    private static readonly string[] Line = ["nonconformity_id", "line_id"];
    private static readonly string[] Capa = ["nonconformity_id", "capa_id"];

    /// <inheritdoc/>
    public string Name => "nonconformity-register";

    /// <inheritdoc/>
    public int Version => 4;

    /// <inheritdoc/>
    public IReadOnlyList<Family> Families { get; } = [Contracts.Families.Nonconformity];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tables { get; } =
        ["nonconformity", "disposition_line", "nonconformity_capa", "nonconformity_deviation"];

    /// <inheritdoc/>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => events.SelectMany(Project);

    /// <summary>The statements of one event. One that changes no column still moves the row's revision.</summary>
    public static IEnumerable<SqlStatement> Project(IncomingEvent e) => e.Fact switch
    {
        Reported f => [Insert(e, f)],
        Imported f => [Insert(e, f)],
        ImportConflictReceived => [Update(e, "conflict_count = conflict_count + 1")],
        DeviationsAttached f => AttachDeviations(e, f),
        Accepted f => [Update(e, """
            status = 'under-review', accepted_at = $4, accepted_by = $6, severity = $7,
            containment_due_at = $4 + make_interval(hours => $8)
            """, f.AcceptedBy, Wire.Name(f.Severity), f.ContainmentDueHours)],
        Rejected => [Update(e, "status = 'rejected', rejected_at = $4")],
        ReviewCompleted => [Update(e, "status = 'open', reviewed_at = $4")],
        Closed f => [Update(e, """
            status = 'closed', closed_at = $4, closed_by = $6, signature_superseded = false
            """, f.ClosedBy)],
        Withdrawn => [Update(e, "status = 'withdrawn', withdrawn_at = $4")],
        Merged f => [Update(e, "status = 'merged', merged_at = $4, merged_into = $6", f.IntoId)],
        DuplicateAbsorbed f => [Absorb(e, f)],
        Reopened => [Update(e, """
            status = 'open', reopened_at = $4, reopen_count = reopen_count + 1, closed_at = null, closed_by = null,
            signature_superseded = false
            """)],
        Corrected f => [Correct(e, f)],

        ContainmentPlanned f => [Update(e, """
            containment = 'planned', containment_ended_at = null,
            containment_due_at = $4 + make_interval(hours => $6)
            """, f.DueHours)],
        ContainmentNotNeeded => [Update(e, "containment = 'not-needed', containment_ended_at = $4")],
        ContainmentConfirmed => [Update(e, "containment = 'in-place', containment_confirmed_at = $4")],
        ContainmentLifted => [Update(e, "containment = 'lifted', containment_ended_at = $4")],

        DispositionDecided f => [InsertLine(e, f), Update(e)],
        DispositionExecuted f => [UpdateLine(e, f.LineId, """
            status = 'executed', executed_at = $4, executed_by = $7, destruction = $8,
            finished_at = case when kind in ('rework', 'repair') then null else $4 end
            """, f.ExecutedBy, f.Destruction), Update(e)],
        DispositionVerified f => [UpdateLine(e, f.LineId, """
            status = 'verified', verified_at = $4, verified_by = $7, finished_at = coalesce(finished_at, $4)
            """, f.VerifiedBy), Update(e)],
        DispositionFailedVerification f => [UpdateLine(e, f.LineId, """
            status = 'decided', executed_at = null, executed_by = null, finished_at = null
            """), Update(e)],

        CustomerNoticeNotNeeded => [Update(e, "customer_notice = 'not-needed'")],
        CustomerNoticeRequired f => [Update(e, "customer_notice = 'due', customer_notice_due_on = $6", f.DueOn)],
        CustomerInformed => [Update(e, "customer_notice = 'sent', customer_informed_at = $4")],

        CorrectiveActionRequired f => [InsertCapa(e, f), Update(e, """
            cause_decision = 'corrective-action', cause_decided_at = coalesce(cause_decided_at, $4)
            """)],
        CorrectiveActionNotRequired => [Update(e, "cause_decision = 'no-corrective-action', cause_decided_at = $4")],
        _ => [Update(e)],
    };

    private static RowChange Update(IncomingEvent e, string? set = null, params object?[] more) =>
        Row.Update(e, "nonconformity", set, more);

    // A hold moves with the goods: the stricter of the two is what the case has.
    private static RowChange Absorb(IncomingEvent e, DuplicateAbsorbed f) => Update(e, """
        lots = array(
          select lot from unnest(lots || $6::text[]) with ordinality as listed (lot, place)
          group by lot order by min(place)),
        affected_quantity = affected_quantity + $7,
        containment = case when $8 then 'in-place' when $9 and containment <> 'in-place' then 'planned'
          else containment end,
        containment_ended_at = case when $8 or $9 then null else containment_ended_at end
        """, f.Lots.ToArray(), f.AdditionalQuantity, f.HoldIsInPlace, f.Hold is not null);

    private static RowChange Correct(IncomingEvent e, Corrected f) => Update(e, """
        corrected_at = $4, correction_count = correction_count + 1, title = coalesce($6::text, title),
        description = coalesce($7::text, description), product = coalesce($8::text, product),
        process = coalesce($9::text, process),
        requirement_standard = coalesce($10::text, requirement_standard),
        requirement_edition = coalesce($11::text, requirement_edition),
        requirement_clause = coalesce($12::text, requirement_clause),
        requirement_text = case when $10::text is null then requirement_text else $13::text end,
        signature_superseded = signature_superseded or $14
        """, f.Title, f.Description, f.Product, f.Process, f.Requirement?.Standard, f.Requirement?.Edition,
        f.Requirement?.Clause, f.Requirement?.Text, f.SupersedesSignature);

    private static RowChange UpdateLine(IncomingEvent e, Guid lineId, string set, params object?[] more) =>
        Row.UpdatePart(e, "disposition_line", Line, set, lineId, more);

    private static RowChange Insert(IncomingEvent e, Reported f) => Row.Insert(e, "nonconformity", """
        id, revision, position, occurred_at, recorded_at, opened_at, status, imported, site, title, description,
        requirement_standard, requirement_edition, requirement_clause, requirement_text, source, detection_stage,
        product, process, lots, affected_quantity, unit, severity, detected_at, reported_by, subject_station,
        subject_characteristic, subject_defect_code, signature_id, signature_cycle, policy_version, count_window_from,
        serials, finding_audit, finding_evidence, finding_grade, finding_criteria, supplier
        """, """
        $1, $2, $3, $4, $5, $4, 'reported', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
        $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35::jsonb, $36
        """,
        e.Metadata.Imported, f.Site, f.Title, f.Description, f.Requirement.Standard, f.Requirement.Edition,
        f.Requirement.Clause, f.Requirement.Text, Wire.Name(f.Source), Wire.Name(f.DetectionStage),
        f.Product ?? f.Subject?.Product, f.Process ?? f.Subject?.Process, f.Lots.ToArray(), f.AffectedQuantity, f.Unit,
        Wire.Name(f.Severity), f.DetectedAt, f.ReportedBy, f.Subject?.Station, f.Subject?.Characteristic,
        f.Subject?.DefectCode, f.Subject?.SignatureId(), f.SignatureCycle, f.PolicyVersion, f.CountWindowFrom,
        f.Serials?.ToArray() ?? [], f.Finding?.Audit, f.Finding?.Evidence, f.Finding?.Grade,
        f.Finding is null ? null : Wire.Json(f.Finding.Criteria),
        f.Supplier);

    // What the source does not say stays null; its days are days of the calendar in UTC.
    private static RowChange Insert(IncomingEvent e, Imported f) => Row.Insert(e, "nonconformity", """
        id, revision, position, occurred_at, recorded_at, opened_at, detected_at, imported, site, title, description,
        product, process, lots, affected_quantity, unit, severity, reported_by, status, closed_at, closed_by,
        source_system, source_id, source_status, supplier, product_code, stated_cause, stated_cause_code, stated_action,
        remarks
        """, """
        $1, $2, $3, $4, $5, $6, $6, true, $7, $8, $9, $10, $11, '{}', $12, $13, $14, $15, $16, $17, $18, $15, $19, $20,
        $21, $22, $23, $24, $25, $26
        """,
        BeginOf(f.OpenedOn), f.Site, f.Title, f.Description, f.Product, f.Process, f.Quantity, f.Unit,
        Wire.Name(f.Severity), f.SourceSystem, f.IsClosed ? "closed" : "imported", BeginOf(f.ClosedOn),
        f.IsClosed ? "by-source" : null, f.SourceId, f.SourceStatus, f.Supplier, f.ProductCode, f.Cause, f.CauseCode,
        f.Action, f.Remarks);

    private static DateTimeOffset? BeginOf(DateOnly? day) =>
        day is { } date ? new DateTimeOffset(date, TimeOnly.MinValue, TimeSpan.Zero) : null;

    // A deviation counts once, however often lists name it; the rows just written are what is counted.
    private static IEnumerable<SqlStatement> AttachDeviations(IncomingEvent e, DeviationsAttached f) =>
    [
        Row.Statement(e, """
            insert into read_models.nonconformity_deviation (nonconformity_id, deviation_id, revision, position)
            select $1, deviation_id, $2, $3 from unnest($6::uuid[]) as deviation_id
            on conflict do nothing
            """, (object)f.Deviations.ToArray()),
        Row.UpdateWithPast(e, "nonconformity", $"""
            deviation_count = (
              select count(*) from read_models.nonconformity_deviation a where a.nonconformity_id = $1), {Period}
            """, $"deviation_count = {StateIntervals.AttachedCount}, {Period}", f.DetectedFrom, f.DetectedTo),
    ];

    private static RowChange InsertLine(IncomingEvent e, DispositionDecided f) => Row.InsertPart(
        e, "disposition_line", Line, """
        nonconformity_id, revision, position, decided_at, line_id, kind, quantity, lot, authority_id, reason,
        concession_id, instruction, possible_harm, status
        """, "$1, $2, $3, $4, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'decided'", null, f.LineId,
        Wire.Name(f.Kind), f.Quantity, f.Lot, f.AuthorityId, f.Reason, f.ConcessionId,
        f.Assessment?.Instruction, f.Assessment?.Harm);

    private static RowChange InsertCapa(IncomingEvent e, CorrectiveActionRequired f) => Row.InsertPart(
        e, "nonconformity_capa", Capa,
        "nonconformity_id, revision, position, required_at, capa_id, link, capa_number",
        "$1, $2, $3, $4, $6, $7, $8", null, f.CapaId, Wire.Name(f.Link), f.CapaNumber);
}
