using System.ComponentModel.DataAnnotations.Schema;
using System.Text.Json;
using CapaEngine.ReadModels.AsOf;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>A CAPA as lists, the board and the dossier show it.</summary>
public sealed record CapaSummary(
    [property: Column("capa_id")] Guid Id, string? Number, string Site, string Title, string Owner, string Reason,
    string Stage, string? Pdca, DateTimeOffset StageSince, int Cycle, string? Product, string? Process,
    string? Station, string? Characteristic, string? DefectCode, bool Escaped, Guid[] NonconformityIds,
    Guid? RootCauseId, bool? ExtentIsChecked, int? RiskSeverity, int? RiskLikelihood, DateTimeOffset? BaselineFrom,
    DateTimeOffset? BaselineTo, double? ExpectedReduction, double? Significance, int? WindowDays, string? ExposureUnit,
    long? BaselineDeviations, double? BaselineExposure, long ActionCount, long OpenActionCount, DateOnly? NextDueOn,
    DateTimeOffset OpenedAt, DateTimeOffset? SubmittedAt, DateTimeOffset? ApprovedAt, string? ApprovedBy,
    DateTimeOffset? ImplementedAt, DateTimeOffset? MonitoringFrom, DateTimeOffset? MonitoringTo, string? Verdict,
    DateTimeOffset? VerdictAt, DateTimeOffset? ClosedAt, string? ClosedBy, DateTimeOffset? CancelledAt,
    JsonElement? ClosingAnswers, double AgeDays, bool Overdue, bool Imported, long Revision, long Position,
    DateTimeOffset OccurredAt, DateTimeOffset RecordedAt, DateTimeOffset UpdatedAt, string? RiskClass,
    int? ResidualSeverity, int? ResidualLikelihood, string? ResidualRiskClass, bool? DoesHarm, string? AdverseEffects);

/// <summary>A failure mode as last rated before or after action.</summary>
public sealed record RatedFailureMode(
    string FailureMode, string Moment, int Severity, int Occurrence, int Detection, string Priority,
    string PriorityTable, string RatedBy, DateTimeOffset RatedAt);

/// <summary>A process the action is to be carried over to; unanswered where <c>Deployed</c> is null.</summary>
public sealed record DeploymentView(
    string Process, bool? Deployed, string? Reference, string? AnsweredBy, DateTimeOffset? AnsweredAt);

/// <summary>An action of a CAPA.</summary>
public sealed record PlannedAction(
    [property: Column("action_id")] Guid Id, int Cycle, string Kind, string Title, string Description, string Owner,
    DateOnly DueOn, Guid[] Causes, string Status, bool Overdue, DateTimeOffset PlannedAt, DateTimeOffset? StartedAt,
    DateTimeOffset? CompletedAt, string? CompletedBy, string? Evidence, DateTimeOffset? VerifiedAt, string? VerifiedBy,
    string? Finding, DateTimeOffset? CancelledAt, string? CancelReason, int ReturnCount, DateOnly OriginalDueOn,
    DateOnly? RequestedDueOn, int ExtensionCount, bool? OnTime, Guid? ReplacedBy);

/// <summary>A CAPA with its actions of all cycles, its failure modes and where it is carried over to.</summary>
public sealed record CapaDetail(
    Guid Id, string? Number, string Stage, int Cycle, CapaSummary Summary, IReadOnlyList<PlannedAction> Actions,
    IReadOnlyList<RatedFailureMode> FailureModes, IReadOnlyList<DeploymentView> Deployments);

/// <summary>A CAPA on the board.</summary>
/// <param name="AgeDays">Days since it was opened.</param>
/// <param name="StageAgeDays">Days in its stage.</param>
/// <param name="DueOn">The nearest due date of an open action, or the end of the monitoring window.</param>
public sealed record BoardCard(
    [property: Column("capa_id")] Guid Id, string? Number, string Site, string Title, string Owner, string Stage,
    string Pdca, int Cycle, double AgeDays, double StageAgeDays, DateOnly? DueOn, bool Overdue, long OpenActionCount,
    string? Verdict, Guid[] NonconformityIds);

/// <summary>How many CAPAs each column of the board holds, shown or not.</summary>
public sealed record BoardCounts(long Plan, long Do, long Check, long Act);

/// <summary>The CAPAs by stage of plan, do, check, act.</summary>
public sealed record Board(
    IReadOnlyList<BoardCard> Plan, IReadOnlyList<BoardCard> Do, IReadOnlyList<BoardCard> Check,
    IReadOnlyList<BoardCard> Act, BoardCounts Counts);

/// <summary>Which CAPAs are asked for; null asks for any.</summary>
public sealed record CapaFilter(string? Stage, string? Pdca, string? Site, string? Owner);

/// <summary>Queries on CAPAs and their actions.</summary>
public sealed class ActionBoardQueries(NpgsqlDataSource database)
{
    private const int ColumnCardsMax = 200;

    // A board shows what is to be done; what was closed stays on it for a month, so that people see it arrive.
    private const string OnBoard = "(stage <> 'closed' or recorded_at > now() - interval '30 days')";

    private static readonly string Select = $"select {Rows.ColumnsOf<CapaSummary>()} from";

    /// <summary>One page of those the caller may see.</summary>
    public async Task<Page<CapaSummary>> ListAsync(
        CapaFilter filter, string? callerSite, PageRequest page, CancellationToken ct)
    {
        var conditions = new Conditions()
            .And("site = {0}", callerSite)
            .And("site = {0}", filter.Site)
            .And("stage = {0}", filter.Stage)
            .And("pdca = {0}", filter.Pdca)
            .And("owner = {0}", filter.Owner);
        var rows = await database.QueryAsync<CapaSummary>(
            page.Complete(
                $"{Select} {conditions.Source("capa", page.Moment)}", ("opened_at", "capa_id"), conditions), ct);
        return page.PageOf(rows, row => (row.OpenedAt, row.Id));
    }

    /// <summary>One CAPA, or null where the caller may see none of this id.</summary>
    public async Task<CapaDetail?> FindAsync(Guid id, string? callerSite, Moment? moment, CancellationToken ct)
    {
        var conditions = new Conditions().And("capa_id = {0}", id).And("site = {0}", callerSite);
        var source = conditions.Source("capa", moment);
        var capa = await database.FindAsync<CapaSummary>(
            new SqlStatement($"{Select} {source} {conditions.Where}", conditions.Values), ct);
        if (capa is null) return null;
        return new CapaDetail(
            capa.Id, capa.Number, capa.Stage, capa.Cycle, capa,
            await PartsAsync<PlannedAction>("action", "planned_at, action_id", id, moment, ct),
            await PartsAsync<RatedFailureMode>("failure_mode", "failure_mode, moment desc", id, moment, ct),
            await PartsAsync<DeploymentView>("deployment", "process", id, moment, ct));
    }

    /// <summary>The CAPAs of a nonconformity, those opened for it and those it joined, in the order opened.</summary>
    public Task<List<CapaSummary>> OfNonconformityAsync(
        Guid nonconformityId, Moment? moment, CancellationToken ct)
    {
        var values = new Conditions();
        var id = values.Parameter(nonconformityId);
        return database.QueryAsync<CapaSummary>(new SqlStatement($"""
            {Select} {values.Source("capa", moment)} where capa_id in (
              select l.capa_id from {values.TableSource("capa_nonconformity", moment)} l where l.nonconformity_id = {id}
              union select l.capa_id from {values.TableSource("nonconformity_capa", moment)} l
                where l.nonconformity_id = {id})
            order by opened_at, capa_id
            """, values.Values), ct);
    }

    /// <summary>The board, most urgent cards first in each column.</summary>
    public async Task<Board> BoardAsync(string? callerSite, CancellationToken ct)
    {
        var conditions = new Conditions().And("site = {0}", callerSite).And(OnBoard).And("pdca is not null");
        var columns = await Task.WhenAll(((string[])["plan", "do", "check", "act"]).Select(
            pdca => CardsAsync(pdca, callerSite, ct)));
        var counts = (await database.QueryAsync<BoardCounts>(new SqlStatement($"""
            select count(*) filter (where pdca = 'plan'), count(*) filter (where pdca = 'do'),
              count(*) filter (where pdca = 'check'), count(*) filter (where pdca = 'act')
            from reporting.capa {conditions.Where}
            """, conditions.Values), ct)).Single();
        return new Board(columns[0], columns[1], columns[2], columns[3], counts);
    }

    private Task<List<T>> PartsAsync<T>(
        string view, string order, Guid capaId, Moment? moment, CancellationToken ct)
    {
        var conditions = new Conditions().And("capa_id = {0}", capaId);
        return database.QueryAsync<T>(new SqlStatement($"""
            select {Rows.ColumnsOf<T>()} from {conditions.Source(view, moment)} {conditions.Where} order by {order}
            """, conditions.Values), ct);
    }

    private Task<List<BoardCard>> CardsAsync(string pdca, string? callerSite, CancellationToken ct)
    {
        var conditions = new Conditions().And("site = {0}", callerSite).And(OnBoard).And("pdca = {0}", pdca);
        return database.QueryAsync<BoardCard>(new SqlStatement($"""
            select {Rows.ColumnsOf<BoardCard>()} from (
              select *, round((extract(epoch from coalesce(closed_at, now()) - stage_since) / 86400)::numeric, 2)
                  ::double precision as stage_age_days,
                case when stage = 'monitoring' then (monitoring_to at time zone 'utc')::date
                  else next_due_on end as due_on
              from reporting.capa {conditions.Where}) card
            order by overdue desc, due_on nulls last, opened_at, capa_id limit {ColumnCardsMax}
            """, conditions.Values), ct);
    }
}
