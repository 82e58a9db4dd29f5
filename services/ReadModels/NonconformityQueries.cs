using System.ComponentModel.DataAnnotations.Schema;
using System.Text.Json;
using CapaEngine.ReadModels.AsOf;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>A nonconformity as lists and the dossier show it.</summary>
public sealed record NonconformitySummary(
    [property: Column("nonconformity_id")] Guid Id, string? Number, string Site, string Status, string? Severity,
    string Title, string Description, string? Source, string? DetectionStage, string? Product, string? Process,
    string? Station, string? Characteristic, string? DefectCode, string[] Lots, double? AffectedQuantity, string? Unit,
    string? RequirementStandard, string? RequirementEdition, string? RequirementClause, string? RequirementText,
    string ReportedBy, string? Containment, string? Disposition, string? CustomerNotice, string? CauseDecision,
    DateTimeOffset DetectedAt, DateTimeOffset OpenedAt, DateTimeOffset? AcceptedAt, DateTimeOffset? ReviewedAt,
    DateTimeOffset? ContainmentDueAt, DateTimeOffset? ContainmentConfirmedAt, DateTimeOffset? ContainmentEndedAt,
    DateOnly? CustomerNoticeDueOn, DateTimeOffset? CustomerInformedAt, DateTimeOffset? CauseDecidedAt,
    DateTimeOffset? MaterialClosedAt, DateTimeOffset? ClosedAt, DateTimeOffset? RejectedAt, string? AcceptedBy,
    string? ClosedBy, long DeviationCount, DateTimeOffset? DeviationsFrom, DateTimeOffset? DeviationsTo, Guid[] CapaIds,
    Guid? SignatureId, int? SignatureCycle, int? PolicyVersion, double? AgeDays, bool Imported, long Revision,
    long Position, DateTimeOffset OccurredAt, DateTimeOffset RecordedAt, DateTimeOffset UpdatedAt,
    DateTimeOffset? WithdrawnAt, DateTimeOffset? MergedAt, Guid? MergedInto, DateTimeOffset? ReopenedAt,
    int ReopenCount, DateTimeOffset? CorrectedAt, int CorrectionCount, bool SignatureSuperseded,
    string[] Serials, string? FindingAudit, string? FindingEvidence, string? FindingGrade,
    JsonElement? FindingCriteria, string? SourceSystem, string? SourceId, string? SourceStatus, string? Supplier,
    string? ProductCode, string? StatedCause, string? StatedCauseCode, string? StatedAction, string? Remarks,
    int ConflictCount);

/// <summary>A decided quantity of nonconforming output.</summary>
public sealed record DispositionLine(
    Guid LineId, string Kind, double Quantity, string? Lot, string AuthorityId, string Reason, string Status,
    DateTimeOffset DecidedAt, DateTimeOffset? ExecutedAt, string? ExecutedBy, DateTimeOffset? VerifiedAt,
    string? VerifiedBy, DateTimeOffset? FinishedAt, Guid? ConcessionId, string? Destruction);

/// <summary>A nonconformity with its disposition lines.</summary>
public sealed record NonconformityDetail(
    Guid Id, string? Number, string Status, NonconformitySummary Summary, IReadOnlyList<DispositionLine> Dispositions);

/// <summary>Which nonconformities are asked for; null asks for any.</summary>
public sealed record NonconformityFilter(
    string? Status, string? Severity, string? Site, string? Product, string? Text);

/// <summary>Queries on the register of nonconformities.</summary>
public sealed class NonconformityQueries(NpgsqlDataSource database)
{
    /// <summary>How long the text of a search may be.</summary>
    public const int SearchLengthMax = 200;

    private const string PresentText = """
        nonconformity_id in (
          select id from read_models.nonconformity where search @@ websearch_to_tsquery('simple', {0})
          union all select id from read_models.nonconformity_number where number = upper({0}))
        """;

    private const string PastText = """
        (to_tsvector('simple', title || ' ' || description) @@ websearch_to_tsquery('simple', {0})
          or number = upper({0}))
        """;

    private static readonly string Select = $"select {Rows.ColumnsOf<NonconformitySummary>()} from";

    /// <summary>One page of those the caller may see.</summary>
    /// <param name="callerSite">The caller's site; null where the caller sees all.</param>
    public async Task<Page<NonconformitySummary>> ListAsync(
        NonconformityFilter filter, string? callerSite, PageRequest page, CancellationToken ct)
    {
        var conditions = new Conditions()
            .And("site = {0}", callerSite)
            .And("site = {0}", filter.Site)
            .And("status = {0}", filter.Status)
            .And("severity = {0}", filter.Severity)
            .And("product = {0}", filter.Product)
            .And(page.Moment is null ? PresentText : PastText, filter.Text);
        var rows = await database.QueryAsync<NonconformitySummary>(page.Complete(
            $"{Select} {conditions.Source("nonconformity", page.Moment)}", ("opened_at", "nonconformity_id"),
            conditions), ct);
        return page.PageOf(rows, row => (row.OpenedAt, row.Id));
    }

    /// <summary>One nonconformity, or null where the caller may see none of this id.</summary>
    public Task<NonconformitySummary?> FindAsync(
        Guid id, string? callerSite, Moment? moment, CancellationToken ct)
    {
        var conditions = new Conditions().And("nonconformity_id = {0}", id).And("site = {0}", callerSite);
        var source = conditions.Source("nonconformity", moment);
        return database.FindAsync<NonconformitySummary>(
            new SqlStatement($"{Select} {source} {conditions.Where}", conditions.Values), ct);
    }

    /// <summary>One nonconformity with its disposition lines in the order decided, or null.</summary>
    public async Task<NonconformityDetail?> DetailAsync(
        Guid id, string? callerSite, Moment? moment, CancellationToken ct)
    {
        if (await FindAsync(id, callerSite, moment, ct) is not { } summary) return null;
        var conditions = new Conditions().And("nonconformity_id = {0}", id);
        var lines = await database.QueryAsync<DispositionLine>(new SqlStatement($"""
            select {Rows.ColumnsOf<DispositionLine>()} from {conditions.Source("disposition", moment)}
            {conditions.Where} order by position, line_id
            """, conditions.Values), ct);
        return new NonconformityDetail(id, summary.Number, summary.Status, summary, lines);
    }
}
