using System.ComponentModel.DataAnnotations.Schema;
using CapaEngine.ReadModels.AsOf;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>Counts of a period as an evaluation froze them.</summary>
public sealed record ReviewedCount(
    DateTimeOffset From, DateTimeOffset To, long Deviations, double Exposure, string DeviationIdsHash);

/// <summary>The numbers of an evaluation.</summary>
public sealed record ReviewedNumbers(
    double BaselineRate, double WindowRate, double RateRatio, double RateRatioLower, double? RateRatioUpper,
    double PValue);

/// <summary>The success run that judges, and what it has shown once it was evaluated.</summary>
public sealed record ReviewedRun(
    double Confidence, double Reliability, long? UnitsNeeded, double? ReliabilityLower, double? ReliabilityUpper);

/// <summary>A cycle's review of effectiveness; its evaluation is absent until there is one.</summary>
/// <param name="Proposed">The verdict that the numbers propose.</param>
/// <param name="Verdict">The verdict that a person signed.</param>
public sealed record ReviewDetail(
    Guid Id, Guid CapaId, string? CapaNumber, int Cycle, string Site, string Product, string Process, string? Station,
    string? Characteristic, string? DefectCode, string Status, DateTimeOffset BaselineFrom, DateTimeOffset BaselineTo,
    string? BaselineReason, double ExpectedReduction, double Significance, int WindowDays, string ExposureUnit,
    string[] ActionOwners, string PlanApprovedBy, DateTimeOffset LockedAt, DateTimeOffset? WindowFrom,
    DateTimeOffset? WindowTo, Guid[] Recurrences, string? Proposed, ReviewedCount? Baseline, ReviewedCount? Window,
    ReviewedNumbers? Numbers, int? DefinitionVersion, long? LogPosition, bool? EarlyOnRecurrence, string? EvaluatedBy,
    DateTimeOffset? EvaluatedAt, string? Verdict, string? ReasonAgainstNumbers, string? ApprovedBy,
    DateTimeOffset? ApprovedAt, bool Imported, long Revision, long Position, DateTimeOffset OccurredAt,
    DateTimeOffset RecordedAt, DateTimeOffset UpdatedAt, ReviewedRun? SuccessRun);

/// <summary>Queries on the reviews of effectiveness.</summary>
public sealed class EffectivenessQueries(NpgsqlDataSource database)
{
    private static readonly string Select = $"select {Rows.ColumnsOf<ReviewRow>()} from";

    /// <summary>One page of those the caller may see, by the time their criteria were locked.</summary>
    public async Task<Page<ReviewDetail>> ListAsync(
        string? status, Guid? capaId, string? callerSite, PageRequest page, CancellationToken ct)
    {
        var conditions = new Conditions()
            .And("site = {0}", callerSite)
            .And("status = {0}", status)
            .And("capa_id = {0}", capaId);
        var rows = await database.QueryAsync<ReviewRow>(
            page.Complete(
                $"{Select} {conditions.Source("effectiveness_cycle", page.Moment)}", ("locked_at", "review_id"),
                conditions), ct);
        return page.PageOf(rows.ConvertAll(row => row.ToDetail()), row => (row.LockedAt, row.Id));
    }

    /// <summary>One review, or null where the caller may see none of this id.</summary>
    public async Task<ReviewDetail?> FindAsync(Guid id, string? callerSite, Moment? moment, CancellationToken ct)
    {
        var conditions = new Conditions().And("review_id = {0}", id).And("site = {0}", callerSite);
        var source = conditions.Source("effectiveness_cycle", moment);
        var row = await database.FindAsync<ReviewRow>(
            new SqlStatement($"{Select} {source} {conditions.Where}", conditions.Values), ct);
        return row?.ToDetail();
    }

    private sealed record ReviewRow(
        Guid ReviewId, Guid CapaId, string? CapaNumber, int Cycle, string Site, string Product, string Process,
        string? Station, string? Characteristic, string? DefectCode, string Status, DateTimeOffset BaselineFrom,
        DateTimeOffset BaselineTo, string? BaselineReason, double ExpectedReduction, double Significance,
        int WindowDays, string ExposureUnit, string[] ActionOwners, string PlanApprovedBy, DateTimeOffset LockedAt,
        DateTimeOffset? WindowFrom, DateTimeOffset? WindowTo, Guid[] Recurrences, DateTimeOffset? EvaluatedAt,
        string? EvaluatedBy, bool? EarlyOnRecurrence, long? BaselineDeviations, double? BaselineExposure,
        string? BaselineIdsHash, long? WindowDeviations, double? WindowExposure, string? WindowIdsHash,
        DateTimeOffset? CountedFrom, DateTimeOffset? CountedTo, long? CountedThroughPosition, int? DefinitionVersion,
        double? BaselineRate, double? WindowRate, double? RateRatio, double? RateRatioLower, double? RateRatioUpper,
        double? PValue, string? ProposedVerdict, string? Verdict, string? ReasonAgainstNumbers,
        DateTimeOffset? ApprovedAt, string? ApprovedBy, bool Imported, long Revision, long Position,
        DateTimeOffset OccurredAt, DateTimeOffset RecordedAt, DateTimeOffset UpdatedAt, double? RunConfidence,
        double? RunReliability, long? UnitsNeeded, double? ReliabilityLower, double? ReliabilityUpper)
    {
        public ReviewDetail ToDetail() => new(
            ReviewId, CapaId, CapaNumber, Cycle, Site, Product, Process, Station, Characteristic, DefectCode, Status,
            BaselineFrom, BaselineTo, BaselineReason, ExpectedReduction, Significance, WindowDays, ExposureUnit,
            ActionOwners, PlanApprovedBy, LockedAt, WindowFrom, WindowTo, Recurrences, ProposedVerdict,
            PValue is null ? null : new ReviewedCount(
                BaselineFrom, BaselineTo, BaselineDeviations!.Value, BaselineExposure!.Value, BaselineIdsHash!),
            EvaluatedAt is null ? null : new ReviewedCount(
                CountedFrom!.Value, CountedTo!.Value, WindowDeviations!.Value, WindowExposure!.Value, WindowIdsHash!),
            PValue is null ? null : new ReviewedNumbers(
                BaselineRate!.Value, WindowRate!.Value, RateRatio!.Value, RateRatioLower!.Value, RateRatioUpper,
                PValue.Value),
            DefinitionVersion, CountedThroughPosition, EarlyOnRecurrence, EvaluatedBy, EvaluatedAt, Verdict,
            ReasonAgainstNumbers, ApprovedBy, ApprovedAt, Imported, Revision, Position, OccurredAt, RecordedAt,
            UpdatedAt,
            RunConfidence is { } confidence && RunReliability is { } reliability
                ? new ReviewedRun(confidence, reliability, UnitsNeeded, ReliabilityLower, ReliabilityUpper)
                : null);
    }
}
