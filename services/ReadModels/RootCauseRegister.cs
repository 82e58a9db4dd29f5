using CapaEngine.Contracts;
using CapaEngine.Hosting;
using static CapaEngine.Contracts.RootCauseEvent;

namespace CapaEngine.ReadModels;

/// <summary>Root cause analyses and their causes, refuted ones included.</summary>
public sealed class RootCauseRegister : IReadModel
{
    private static readonly string[] Cause = ["root_cause_id", "cause_id"];
    private static readonly string[] Factor = ["root_cause_id", "factor_id"];
    private static readonly string[] Why = ["root_cause_id", "why_id"];
    private static readonly string[] Contrast = ["root_cause_id", "revision"];

    /// <inheritdoc/>
    public string Name => "root-cause-register";

    /// <inheritdoc/>
    public int Version => 3;

    /// <inheritdoc/>
    public IReadOnlyList<Family> Families { get; } = [Contracts.Families.RootCause];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tables { get; } =
        ["root_cause_analysis", "cause", "cause_factor", "cause_why", "cause_contrast"];

    /// <inheritdoc/>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => events.SelectMany(Project);

    /// <summary>The statements of one event. One that changes no column still moves the row's revision.</summary>
    public static IEnumerable<SqlStatement> Project(IncomingEvent e) => e.Fact switch
    {
        Started f => [Insert(e, f)],
        OwnerChanged f => [Update(e, "owner = $6", f.Owner)],
        CategoriesChosen f => [Update(e, "categories = $6::text[]", (object)f.Categories.ToArray())],
        FactorNoted f => [Row.InsertPart(e, "cause_factor", Factor, """
            root_cause_id, revision, position, noted_at, factor_id, category, statement, noted_by
            """, "$1, $2, $3, $4, $6, $7, $8, $9", null, f.FactorId, f.Category, f.Statement, f.NotedBy), Update(e)],
        WhyAnswered f => [Row.InsertPart(e, "cause_why", Why, """
            root_cause_id, revision, position, answered_at, why_id, asks_after, answer, answered_by
            """, "$1, $2, $3, $4, $6, $7, $8, $9", null, f.WhyId, f.AsksAfter, f.Answer, f.AnsweredBy), Update(e)],
        ContrastNoted f => [Row.InsertPart(e, "cause_contrast", Contrast, """
            root_cause_id, revision, position, noted_at, aspect, is_so, is_not_so, distinction, noted_by
            """, "$1, $2, $3, $4, $6, $7, $8, $9, $10", null, Wire.Name(f.Aspect), f.Is, f.IsNot, f.Distinction,
            f.NotedBy), Update(e)],
        CauseProposed f => [InsertCause(e, f), Update(e)],
        CauseVerified f => [Decide(e, f.CauseId, "verified", f.Method, f.Evidence, f.VerifiedBy), Update(e)],
        CauseRefuted f => [Decide(e, f.CauseId, "refuted", f.Method, f.Evidence, f.RefutedBy), Update(e)],
        CauseDeclaredUnknown f => [Update(e, "unknown_justification = $6", f.Justification)],
        ExtentChecked f => [Update(e, """
            extent_query = $6, extent_hits = $7::jsonb, extent_checked_by = $8, extent_checked_at = $4
            """, f.Query, Wire.Json(f.Hits), f.CheckedBy)],
        Completed f => [Update(e, """
            status = 'in-approval', completed_at = $4, completed_by = $6, human_error_reason = $7, human_factors = $8
            """, f.CompletedBy, f.HumanErrorReason, f.HumanFactors)],
        SentBack => [Update(e, "status = 'open', completed_at = null, completed_by = null")],
        Approved f => [Update(e, "status = 'approved', approved_at = $4, approved_by = $6", f.ApprovedBy)],
        // What was verified did not hold: it is a hypothesis again, and the extent is asked anew. The journal of the
        // case keeps the former cycle readable.
        Reopened f => [VerifiedNoMore(e), Update(e, """
            status = 'open', cycle = $6, completed_at = null, completed_by = null, approved_at = null,
            approved_by = null, unknown_justification = null, extent_query = null, extent_hits = null,
            extent_checked_by = null, extent_checked_at = null, human_error_reason = null
            """, f.Cycle)],
        _ => [Update(e)],
    };

    private static RowChange Update(IncomingEvent e, string? set = null, params object?[] more) =>
        Row.Update(e, "root_cause_analysis", set, more);

    private static RowChange Decide(
        IncomingEvent e, Guid causeId, string status, VerificationMethod method, string evidence, string person) =>
        Row.UpdatePart(e, "cause", Cause, """
            status = $7, method = $8, evidence = $9, decided_by = $10, decided_at = $4
            """, causeId, status, Wire.Name(method), evidence, person);

    private static RowChange VerifiedNoMore(IncomingEvent e) => Row.UpdateParts(
        e, "cause", Cause,
        "status = 'hypothesis', method = null, evidence = null, decided_by = null, decided_at = null",
        "status = 'verified'");

    private static RowChange Insert(IncomingEvent e, Started f) => Row.Insert(e, "root_cause_analysis", """
        id, revision, position, occurred_at, recorded_at, started_at, imported, status, cycle, capa_id,
        nonconformity_id, site, owner, problem, escaped
        """, "$1, $2, $3, $4, $5, $4, $6, 'open', 1, $7, $8, $9, $10, $11, $12", e.Metadata.Imported, f.CapaId,
        f.NonconformityId, f.Site, f.Owner, f.Problem, f.Escaped);

    // The cycle a cause was proposed in is the analysis' at that moment, which its own row tells.
    private static RowChange InsertCause(IncomingEvent e, CauseProposed f) => Row.InsertPart(e, "cause", Cause, """
        root_cause_id, revision, position, proposed_at, cause_id, kind, code, statement, why_chain, status, proposed_by,
        why_id, factor_id, cycle
        """, "$1, $2, $3, $4, $6, $7, $8, $9, $10, 'hypothesis', $11, $12::uuid, $13::uuid, p.cycle",
        "root_cause_analysis", f.CauseId, Wire.Name(f.Kind), f.Code, f.Statement, f.WhyChain.ToArray(), f.ProposedBy,
        f.WhyId, f.FactorId);
}
