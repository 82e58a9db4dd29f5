using System.ComponentModel.DataAnnotations.Schema;
using System.Text.Json;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>A proposed cause and what became of it.</summary>
public sealed record CauseView(
    [property: Column("cause_id")] Guid Id, int Cycle, string Kind, string Code, string Statement, string[] WhyChain,
    string Status, string? Method, string? Evidence, string ProposedBy, DateTimeOffset ProposedAt, string? DecidedBy,
    DateTimeOffset? DecidedAt);

/// <summary>A root cause analysis.</summary>
public sealed record AnalysisSummary(
    [property: Column("root_cause_id")] Guid Id, Guid CapaId, Guid? NonconformityId, string Site, string Owner,
    string Problem, bool Escaped, string Status, int Cycle, string? UnknownJustification, string? ExtentQuery,
    JsonElement? ExtentHits, string? ExtentCheckedBy, DateTimeOffset? ExtentCheckedAt, string? HumanErrorReason,
    DateTimeOffset StartedAt, DateTimeOffset? CompletedAt, string? CompletedBy, DateTimeOffset? ApprovedAt,
    string? ApprovedBy, bool Imported, long Revision, long Position, DateTimeOffset OccurredAt,
    DateTimeOffset RecordedAt, DateTimeOffset UpdatedAt);

/// <summary>A root cause analysis with its causes, refuted ones included.</summary>
public sealed record AnalysisDetail(
    Guid Id, string Status, int Cycle, AnalysisSummary Summary, IReadOnlyList<CauseView> Causes);

/// <summary>Queries on root cause analyses.</summary>
public sealed class RootCauseQueries(NpgsqlDataSource database)
{
    /// <summary>One analysis, or null where the caller may see none of this id.</summary>
    public async Task<AnalysisDetail?> FindAsync(Guid id, string? callerSite, CancellationToken ct)
    {
        var conditions = new Conditions().And("root_cause_id = {0}", id).And("site = {0}", callerSite);
        var analysis = await database.FindAsync<AnalysisSummary>(new SqlStatement(
            $"select {Rows.ColumnsOf<AnalysisSummary>()} from reporting.root_cause_analysis {conditions.Where}",
            conditions.Values), ct);
        if (analysis is null) return null;
        var causes = await database.QueryAsync<CauseView>(new SqlStatement($"""
            select {Rows.ColumnsOf<CauseView>()} from reporting.cause
            where root_cause_id = $1 order by proposed_at, cause_id
            """, id), ct);
        return new AnalysisDetail(analysis.Id, analysis.Status, analysis.Cycle, analysis, causes);
    }
}
