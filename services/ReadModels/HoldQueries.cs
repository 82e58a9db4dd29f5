using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>A lot that must not be used or delivered, or that was released.</summary>
public sealed record Hold(
    Guid HoldId, string Lot, Guid NonconformityId, string? NonconformityNumber, string Site, string? Product,
    string Severity, string Status, bool Active, DateTimeOffset HeldSince, DateTimeOffset? ReleasedAt, Guid? MovedTo,
    double DisposedQuantity, string? Unit, long Revision, long Position);

/// <summary>Which holds are asked for; null asks for any.</summary>
public sealed record HoldFilter(string? Lot, string? Site, string? Product, bool? Active);

/// <summary>Queries on lots on hold: what a shipping desk asks before it lets a lot go (ISO 9001 §8.7.1).</summary>
public sealed class HoldQueries(NpgsqlDataSource database)
{
    private static readonly string Select = $"select {Rows.ColumnsOf<Hold>()} from reporting.hold";

    /// <summary>One page of those the caller may see.</summary>
    /// <param name="callerSite">The caller's site; null where the caller sees all.</param>
    public async Task<Page<Hold>> ListAsync(
        HoldFilter filter, string? callerSite, PageRequest page, CancellationToken ct)
    {
        var conditions = new Conditions()
            .And("site = {0}", callerSite)
            .And("site = {0}", filter.Site)
            .And("product = {0}", filter.Product)
            .And("active = {0}", filter.Active)
            // The second part finds the few cases of the lot by index; the first alone would look into every case.
            .And("""
                lot = {0} and nonconformity_id in (
                  select id from read_models.nonconformity where lots @> array[{0}]::text[])
                """, filter.Lot);
        var rows = await database.QueryAsync<Hold>(page.Complete(Select, ("held_since", "hold_id"), conditions), ct);
        return page.PageOf(rows, row => (row.HeldSince, row.HoldId));
    }
}
