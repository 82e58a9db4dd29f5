using System.ComponentModel.DataAnnotations.Schema;
using System.Text.Json;
using CapaEngine.ReadModels.AsOf;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>A proposed cause and what became of it.</summary>
public sealed record CauseView(
    [property: Column("cause_id")] Guid Id, int Cycle, string Kind, string Code, string Statement, string[] WhyChain,
    string Status, string? Method, string? Evidence, string ProposedBy, DateTimeOffset ProposedAt, string? DecidedBy,
    DateTimeOffset? DecidedAt, Guid? WhyId, Guid? FactorId);

/// <summary>An answer to "why?"; it was asked after the problem where <c>AsksAfter</c> is null.</summary>
public sealed record WhyView(
    [property: Column("why_id")] Guid Id, Guid? AsksAfter, string Answer, string AnsweredBy,
    DateTimeOffset AnsweredAt);

/// <summary>A possible influence under its category.</summary>
public sealed record FactorView(
    [property: Column("factor_id")] Guid Id, string Category, string Statement, string NotedBy,
    DateTimeOffset NotedAt);

/// <summary>Where the problem is and is not.</summary>
public sealed record ContrastView(
    string Aspect, [property: Column("is_so")] string Is, [property: Column("is_not_so")] string IsNot,
    string Distinction, string NotedBy, DateTimeOffset NotedAt);

/// <summary>A cause code of a version of the tree.</summary>
public sealed record CauseCodeView(string Code, string? Parent, string Title);

/// <summary>A version of the tree of cause codes.</summary>
public sealed record CauseCodesDetail(int Version, IReadOnlyList<CauseCodeView> Codes);

/// <summary>A root cause analysis.</summary>
public sealed record AnalysisSummary(
    [property: Column("root_cause_id")] Guid Id, Guid CapaId, Guid? NonconformityId, string Site, string Owner,
    string Problem, bool Escaped, string Status, int Cycle, string? UnknownJustification, string? ExtentQuery,
    JsonElement? ExtentHits, string? ExtentCheckedBy, DateTimeOffset? ExtentCheckedAt, string? HumanErrorReason,
    DateTimeOffset StartedAt, DateTimeOffset? CompletedAt, string? CompletedBy, DateTimeOffset? ApprovedAt,
    string? ApprovedBy, bool Imported, long Revision, long Position, DateTimeOffset OccurredAt,
    DateTimeOffset RecordedAt, DateTimeOffset UpdatedAt, string[]? Categories);

/// <summary>A root cause analysis with its causes, refuted ones included.</summary>
public sealed record AnalysisDetail(
    Guid Id, string Status, int Cycle, AnalysisSummary Summary, IReadOnlyList<CauseView> Causes,
    IReadOnlyList<WhyView> Whys, IReadOnlyList<FactorView> Factors, IReadOnlyList<ContrastView> Contrasts);

/// <summary>Queries on root cause analyses.</summary>
public sealed class RootCauseQueries(NpgsqlDataSource database)
{
    /// <summary>One analysis, or null where the caller may see none of this id.</summary>
    public async Task<AnalysisDetail?> FindAsync(
        Guid id, string? callerSite, Moment? moment, CancellationToken ct)
    {
        var conditions = new Conditions().And("root_cause_id = {0}", id).And("site = {0}", callerSite);
        var source = conditions.Source("root_cause_analysis", moment);
        var analysis = await database.FindAsync<AnalysisSummary>(new SqlStatement(
            $"select {Rows.ColumnsOf<AnalysisSummary>()} from {source} {conditions.Where}", conditions.Values), ct);
        if (analysis is null) return null;
        return new AnalysisDetail(
            analysis.Id, analysis.Status, analysis.Cycle, analysis,
            await OfAsync<CauseView>("cause", "proposed_at, cause_id", id, moment, ct),
            await OfAsync<WhyView>("cause_why", "answered_at, revision", id, moment, ct),
            await OfAsync<FactorView>("cause_factor", "noted_at, revision", id, moment, ct),
            await OfAsync<ContrastView>("cause_contrast", "noted_at, revision", id, moment, ct));
    }

    /// <summary>A version of the cause codes, the one in force where none is named; null where there is none.</summary>
    public async Task<CauseCodesDetail?> CodesAsync(int? version, CancellationToken ct)
    {
        var found = await database.QueryAsync<VersionRow>(new SqlStatement("""
            select version from reporting.cause_code where version = coalesce($1::integer, version)
            order by version desc limit 1
            """, version), ct);
        if (found.Count == 0) return null;
        return new CauseCodesDetail(found[0].Version, await database.QueryAsync<CauseCodeView>(new SqlStatement($"""
            select {Rows.ColumnsOf<CauseCodeView>()} from reporting.cause_code where version = $1 order by code
            """, found[0].Version), ct));
    }

    private Task<List<T>> OfAsync<T>(string view, string order, Guid id, Moment? moment, CancellationToken ct)
    {
        var conditions = new Conditions().And("root_cause_id = {0}", id);
        return database.QueryAsync<T>(new SqlStatement($"""
            select {Rows.ColumnsOf<T>()} from {conditions.Source(view, moment)} {conditions.Where} order by {order}
            """, conditions.Values), ct);
    }

    private sealed record VersionRow(int Version);
}
