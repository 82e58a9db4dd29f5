using System.ComponentModel.DataAnnotations.Schema;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>A concession or deviation permit with what is left of it.</summary>
public sealed record ConcessionSummary(
    [property: Column("concession_id")] Guid Id, string Site, string Kind, string Status, string Product,
    string[] Lots, string RequirementStandard, string RequirementEdition, string RequirementClause,
    string? RequirementText, string Departure, string Justification, Guid? NonconformityId,
    double? QuantityRequested, double? QuantityMax, double QuantityDrawn, double? QuantityRemaining, string? Unit,
    DateTimeOffset? ValidFrom, DateTimeOffset? ValidUntil, string? Authority, string? AuthorityReference,
    string? Conditions, string RequestedBy, DateTimeOffset RequestedAt, string? DecidedBy, DateTimeOffset? DecidedAt,
    string? DecisionReason, DateTimeOffset? EndedAt, bool Imported, long Revision, long Position,
    DateTimeOffset OccurredAt, DateTimeOffset RecordedAt, DateTimeOffset UpdatedAt);

/// <summary>What one disposition drew from a concession.</summary>
public sealed record ConcessionDrawView(
    Guid DrawId, Guid NonconformityId, string? Lot, double Quantity, DateTimeOffset DrawnAt,
    DateTimeOffset? ReleasedAt, string? ReleaseReason);

/// <summary>A concession with its draws, in the order drawn.</summary>
public sealed record ConcessionDetail(
    Guid Id, string Status, ConcessionSummary Summary, IReadOnlyList<ConcessionDrawView> Draws);

/// <summary>Which concessions are asked for; null asks for any.</summary>
public sealed record ConcessionFilter(
    string? Status, string? Kind, string? Site, string? Product, string? Lot, Guid? NonconformityId);

/// <summary>Queries on the register of concessions.</summary>
public sealed class ConcessionQueries(NpgsqlDataSource database)
{
    private static readonly string Select = $"select {Rows.ColumnsOf<ConcessionSummary>()} from reporting.concession";

    /// <summary>One page of those the caller may see.</summary>
    /// <param name="callerSite">The caller's site; null where the caller sees all.</param>
    public async Task<Page<ConcessionSummary>> ListAsync(
        ConcessionFilter filter, string? callerSite, PageRequest page, CancellationToken ct)
    {
        var conditions = new Conditions()
            .And("site = {0}", callerSite)
            .And("site = {0}", filter.Site)
            .And("status = {0}", filter.Status)
            .And("kind = {0}", filter.Kind)
            .And("product = {0}", filter.Product)
            .And("(lots = '{}' or {0} = any(lots))", filter.Lot)
            .And("nonconformity_id = {0}", filter.NonconformityId);
        var rows = await database.QueryAsync<ConcessionSummary>(
            page.Complete(Select, ("requested_at", "concession_id"), conditions), ct);
        return page.PageOf(rows, row => (row.RequestedAt, row.Id));
    }

    /// <summary>One concession with its draws, or null where the caller may see none of this id.</summary>
    public async Task<ConcessionDetail?> FindAsync(Guid id, string? callerSite, CancellationToken ct)
    {
        var conditions = new Conditions().And("concession_id = {0}", id).And("site = {0}", callerSite);
        var found = await database.FindAsync<ConcessionSummary>(
            new SqlStatement($"{Select} {conditions.Where}", conditions.Values), ct);
        if (found is null) return null;
        var draws = await database.QueryAsync<ConcessionDrawView>(new SqlStatement($"""
            select {Rows.ColumnsOf<ConcessionDrawView>()} from reporting.concession_draw
            where concession_id = $1 order by drawn_at, draw_id
            """, id), ct);
        return new ConcessionDetail(id, found.Status, found, draws);
    }
}
