using CapaEngine.Contracts;
using Npgsql;

namespace CapaEngine.ReadModels.Reports;

/// <summary>
/// Reads what reports are composed of. Rows and events come by several queries; a report must show one state, so they
/// are read again where something was written in between.
/// </summary>
public sealed class ReportQueries(
    NpgsqlDataSource database, NonconformityQueries nonconformities, ConcessionQueries concessions,
    ActionBoardQueries capas, RootCauseQueries analyses, EffectivenessQueries reviews, DossierQueries dossiers)
{
    private const int AttemptsMax = 5;
    private const int DeviationsShownMax = 200;

    // What was found to be no deviation is no supplier's fault either.
    private const string Attached = """
        from read_models.nonconformity_deviation a join read_models.deviation d on d.id = a.deviation_id
        where a.nonconformity_id = $1 and d.dismissed_at is null
        """;

    /// <summary>One nonconformity, or null where the caller may see none of this id.</summary>
    internal Task<CaseFacts?> CaseAsync(Guid id, string? callerSite, CancellationToken ct) =>
        AgreeingAsync(() => ReadCaseAsync(id, callerSite, ct), Agrees);

    /// <summary>One CAPA with those of its nonconformities that the caller may see, or null.</summary>
    internal Task<CapaFacts?> CapaAsync(Guid id, string? callerSite, CancellationToken ct) =>
        AgreeingAsync(() => ReadCapaAsync(id, callerSite, ct), Agrees);

    /// <summary>The CAPAs of a nonconformity, or null where the caller may see none of this id.</summary>
    internal async Task<IReadOnlyList<CapaSummary>?> CapasOfAsync(
        Guid nonconformityId, string? callerSite, CancellationToken ct)
    {
        if (await nonconformities.FindAsync(nonconformityId, callerSite, null, ct) is null) return null;
        var linked = await capas.OfNonconformityAsync(nonconformityId, null, ct);
        return linked.FindAll(capa => callerSite is null || capa.Site == callerSite);
    }

    /// <summary>The suppliers that a case or its deviations name, in their order.</summary>
    internal async Task<IReadOnlyList<string>> SuppliersAsync(Guid nonconformityId, CancellationToken ct) =>
    [
        .. (await database.QueryAsync<Named>(new SqlStatement($"""
            select d.supplier as name {Attached} and d.supplier is not null
            union select supplier from read_models.nonconformity where id = $1 and supplier is not null
            order by 1
            """, nonconformityId), ct)).Select(row => row.Name),
    ];

    /// <summary>The earliest deviations of a case that name a supplier, how many there are, and their lots.</summary>
    internal async Task<SuppliedGoods> SuppliedAsync(Guid nonconformityId, string supplier, CancellationToken ct)
    {
        var shown = await database.QueryAsync<SuppliedDeviation>(new SqlStatement($"""
            select {Rows.ColumnsOf<SuppliedDeviation>()} {Attached} and d.supplier = $2
            order by d.detected_at, d.id limit {DeviationsShownMax}
            """, nonconformityId, supplier), ct);
        var totals = (await database.QueryAsync<Totals>(new SqlStatement($"""
            select count(*), coalesce(array_agg(distinct lot) filter (where lot is not null), array[]::text[]),
              coalesce(array_agg(distinct serial) filter (where serial is not null), array[]::text[])
            {Attached} and d.supplier = $2
            """, nonconformityId, supplier), ct)).Single();
        return new SuppliedGoods(shown, totals.Count, totals.Lots, totals.Serials);
    }

    private async Task<CaseFacts?> ReadCaseAsync(Guid id, string? callerSite, CancellationToken ct)
    {
        if (await dossiers.FindAsync(id, callerSite, null, ct) is not { } dossier) return null;
        if (await nonconformities.DetailAsync(id, callerSite, null, ct) is not { } detail) return null;
        var history = new CaseHistory(dossier.Events);
        var leave = new List<ConcessionDetail>();
        foreach (var concessionId in history.IdsOf(Families.Concession))
            if (await concessions.FindAsync(concessionId, null, ct) is { } concession) leave.Add(concession);
        return new CaseFacts(detail, leave, dossier.Capas, history);
    }

    private async Task<CapaFacts?> ReadCapaAsync(Guid id, string? callerSite, CancellationToken ct)
    {
        if (await capas.FindAsync(id, callerSite, null, ct) is not { } capa) return null;
        var served = new List<NonconformityDetail>();
        foreach (var nonconformityId in capa.Summary.NonconformityIds)
            if (await nonconformities.DetailAsync(nonconformityId, callerSite, null, ct) is { } one) served.Add(one);
        var history = new CaseHistory(
            await dossiers.EventsOfCapaAsync(id, [.. served.Select(one => one.Id)], ct));
        AnalysisDetail? analysis = null;
        foreach (var analysisId in history.IdsOf(Families.RootCause))
            analysis = await analyses.FindAsync(analysisId, null, null, ct);
        var cycles = new List<ReviewDetail>();
        foreach (var reviewId in history.IdsOf(Families.Effectiveness))
            if (await reviews.FindAsync(reviewId, null, null, ct) is { } review) cycles.Add(review);
        return new CapaFacts(
            capa, analysis, cycles, [.. served.Select(one => new CaseFacts(one, [], [], history))],
            capa.Summary.NonconformityIds.Length - served.Count, history);
    }

    private static async Task<T?> AgreeingAsync<T>(Func<Task<T?>> read, Predicate<T> agrees) where T : class
    {
        for (var attempt = 1; ; attempt++)
        {
            var found = await read();
            if (found is null || agrees(found)) return found;
            if (attempt == AttemptsMax) throw new StateKeepsMovingException();
        }
    }

    private static bool Agrees(CaseFacts facts) =>
        facts.History.RevisionOf(Families.Nonconformity, facts.Row.Id) == facts.Row.Revision
        && facts.Capas.All(capa => facts.History.RevisionOf(Families.ActionPlan, capa.Id) == capa.Revision)
        && facts.Concessions.All(concession =>
            facts.History.RevisionOf(Families.Concession, concession.Id) == concession.Summary.Revision);

    private static bool Agrees(CapaFacts facts) =>
        facts.History.RevisionOf(Families.ActionPlan, facts.Row.Id) == facts.Row.Revision
        && facts.Cases.All(one =>
            facts.History.RevisionOf(Families.Nonconformity, one.Row.Id) == one.Row.Revision)
        && (facts.Analysis is not { } analysis
            || facts.History.RevisionOf(Families.RootCause, analysis.Id) == analysis.Summary.Revision)
        && facts.Reviews.All(review =>
            facts.History.RevisionOf(Families.Effectiveness, review.Id) == review.Revision);

    private sealed record Named(string Name);

    private sealed record Totals(long Count, string[] Lots, string[] Serials);
}

/// <summary>The deviations of a case that name one supplier.</summary>
internal sealed record SuppliedGoods(
    IReadOnlyList<SuppliedDeviation> Shown, long Count, IReadOnlyList<string> Lots, IReadOnlyList<string> Serials);

/// <summary>So much is written about a case that no one state of it could be read; ask again.</summary>
public sealed class StateKeepsMovingException() : Exception("The case changes faster than it can be read.");
