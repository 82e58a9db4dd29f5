using CapaEngine.Contracts;
using CapaEngine.Hosting;
using static CapaEngine.Contracts.ConcessionEvent;

namespace CapaEngine.ReadModels;

/// <summary>Concessions and deviation permits with their draws.</summary>
public sealed class ConcessionRegister : IReadModel
{
    private static readonly string[] Draw = ["concession_id", "draw_id"];

    /// <inheritdoc/>
    public string Name => "concession-register";

    /// <inheritdoc/>
    public int Version => 1;

    /// <inheritdoc/>
    public IReadOnlyList<Family> Families { get; } = [Contracts.Families.Concession];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tables { get; } = ["concession", "concession_draw"];

    /// <inheritdoc/>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => events.SelectMany(Project);

    /// <summary>The statements of one event.</summary>
    public static IEnumerable<SqlStatement> Project(IncomingEvent e) => e.Fact switch
    {
        Requested f => [Insert(e, f)],
        Granted f => [Update(e, """
            status = 'granted', decided_at = $4, decided_by = $6, authority = $7, authority_reference = $8,
            conditions = $9, lots = $10, quantity_max = $11, valid_from = $12, valid_until = $13
            """, f.GrantedBy, Wire.Name(f.Authority), f.AuthorityReference, f.Conditions, f.Lots.ToArray(),
            f.QuantityMax, f.ValidFrom, f.Until)],
        Refused f => [Update(e, "status = 'refused', decided_at = $4, decided_by = $6, decision_reason = $7",
            f.RefusedBy, f.Reason)],
        Drawn f => [InsertDraw(e, f), Update(e)],
        DrawReleased f => [
            Row.UpdatePart(e, "concession_draw", Draw, "released_at = $4, release_reason = $7", f.DrawId, f.Reason),
            Update(e, """
                status = case status when 'exhausted' then 'granted' else status end,
                ended_at = case status when 'exhausted' then null else ended_at end
                """)],
        Exhausted => [Update(e, "status = 'exhausted', ended_at = $4")],
        Expired => [Update(e, "status = 'expired', ended_at = $4")],
        Revoked f => [Update(e, "status = 'revoked', ended_at = $4, decision_reason = $6", f.Reason)],
        _ => [Update(e)],
    };

    private static RowChange Update(IncomingEvent e, string? set = null, params object?[] more) =>
        Row.Update(e, "concession", set, more);

    private static RowChange Insert(IncomingEvent e, Requested f) => Row.Insert(e, "concession", """
        id, revision, position, occurred_at, recorded_at, requested_at, status, imported, site, kind, product,
        requirement_standard, requirement_edition, requirement_clause, requirement_text, departure, justification,
        nonconformity_id, lots, quantity_requested, unit, requested_by
        """, """
        $1, $2, $3, $4, $5, $4, 'requested', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20
        """,
        e.Metadata.Imported, f.Site, Wire.Name(f.Kind), f.Product, f.Requirement.Standard, f.Requirement.Edition,
        f.Requirement.Clause, f.Requirement.Text, f.Departure, f.Justification, f.NonconformityId, f.Lots.ToArray(),
        f.Quantity, f.Unit, f.RequestedBy);

    private static RowChange InsertDraw(IncomingEvent e, Drawn f) => Row.InsertPart(
        e, "concession_draw", Draw,
        "concession_id, revision, position, drawn_at, draw_id, nonconformity_id, lot, quantity",
        "$1, $2, $3, $4, $6, $7, $8, $9", null, f.DrawId, f.NonconformityId, f.Lot, f.Quantity);
}
