using System.Security.Claims;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.ReadModels.AsOf;

namespace CapaEngine.ReadModels;

/// <summary>All reading over HTTP. Who is bound to a site sees that site only, as if there were no other.</summary>
public static class Api
{
    private static readonly string[] Statuses =
        ["reported", "under-review", "open", "closed", "rejected", "withdrawn", "merged"];
    private static readonly string[] ReviewStatuses = ["criteria-locked", "monitoring", "in-approval", "decided"];
    private static readonly string[] Pdca = ["plan", "do", "check", "act"];
    private static readonly string[] Severities = [.. Enum.GetValues<Severity>().Select(Wire.Name)];
    private static readonly string[] Stages = [.. Enum.GetValues<PlanStage>().Select(Wire.Name)];
    private static readonly string[] Units = [.. Enum.GetValues<ExposureUnit>().Select(Wire.Name)];

    /// <summary>The routes.</summary>
    public static void MapReadModels(this WebApplication app)
    {
        var api = app.MapGroup("/api/v1").RefuseUnknownParameters();
        api.MapGet("/nonconformities", ListNonconformitiesAsync).Gives<Page<NonconformitySummary>>();
        api.MapGet("/nonconformities/{id:guid}", GetNonconformityAsync).Gives<NonconformityDetail>();
        api.MapGet("/cases/{nonconformityId:guid}", GetDossierAsync).Gives<Dossier>();
        api.MapGet("/board", GetBoardAsync).Gives<Board>();
        api.MapGet("/action-plans", ListActionPlansAsync).Gives<Page<CapaSummary>>();
        api.MapGet("/action-plans/{id:guid}", GetActionPlanAsync).Gives<CapaDetail>();
        api.MapGet("/root-cause-analyses/{id:guid}", GetAnalysisAsync).Gives<AnalysisDetail>();
        api.MapGet("/cause-codes", GetCauseCodesAsync).Gives<CauseCodesDetail>();
        api.MapGet("/effectiveness-reviews", ListReviewsAsync).Gives<Page<ReviewDetail>>();
        api.MapGet("/effectiveness-reviews/{id:guid}", GetReviewAsync).Gives<ReviewDetail>();
        app.MapGroup("/internal/v1").RefuseUnknownParameters()
            .MapGet("/evidence", GetEvidenceAsync).Gives<EvidenceAnswer>().ExcludeFromDescription();
    }

    private static async Task<IResult> ListNonconformitiesAsync(
        string? status, string? severity, string? site, string? product, string? q, string? asOf, string? knownAt,
        string? sort, string? cursor, string? limit, string? min, ClaimsPrincipal caller, NonconformityQueries queries,
        Moments moments, RevisionWait wait, CancellationToken ct)
    {
        var check = new ParameterCheck();
        check.OneOf("status", status, Statuses);
        check.OneOf("severity", severity, Severities);
        check.Length("q", q, NonconformityQueries.SearchLengthMax);
        var page = check.Page(
            sort, cursor, limit, check.Moment(asOf, knownAt, moments.Now), knownAt is not null);
        var seen = check.Min(min);
        if (check.Refusal is { } refusal) return refusal;
        if (!await wait.ReachedAsync(seen, ct)) return Answers.NotYet();
        return Results.Ok(await queries.ListAsync(
            new NonconformityFilter(status, severity, site, product, q), caller.SiteLimit(), page, ct));
    }

    private static Task<IResult> GetNonconformityAsync(
        Guid id, string? asOf, string? knownAt, string? revision, string? minRevision, ClaimsPrincipal caller,
        NonconformityQueries queries, Moments moments, RevisionWait wait, CancellationToken ct) => moments.AnswerAsync(
            Families.Nonconformity, id, (asOf, knownAt, revision), moment => Answers.SingleAsync(
                wait, Families.Nonconformity, id, minRevision,
                () => queries.DetailAsync(id, caller.SiteLimit(), moment, ct),
                nonconformity => nonconformity.Summary.Revision, ct), ct);

    private static Task<IResult> GetDossierAsync(
        Guid nonconformityId, string? asOf, string? knownAt, string? minRevision, ClaimsPrincipal caller,
        DossierQueries queries, Moments moments, RevisionWait wait, CancellationToken ct) => moments.AnswerAsync(
            asOf, knownAt, moment => Answers.SingleAsync(
                wait, Families.Nonconformity, nonconformityId, minRevision,
                () => queries.FindAsync(nonconformityId, caller.SiteLimit(), moment, ct),
                dossier => dossier.Nonconformity.Revision, ct));

    private static async Task<IResult> GetBoardAsync(
        string? min, ClaimsPrincipal caller, ActionBoardQueries queries, RevisionWait wait, CancellationToken ct)
    {
        var check = new ParameterCheck();
        var seen = check.Min(min);
        if (check.Refusal is { } refusal) return refusal;
        if (!await wait.ReachedAsync(seen, ct)) return Answers.NotYet();
        return Results.Ok(await queries.BoardAsync(caller.SiteLimit(), ct));
    }

    private static async Task<IResult> ListActionPlansAsync(
        string? stage, string? pdca, string? site, string? owner, string? asOf, string? knownAt, string? sort,
        string? cursor, string? limit, string? min, ClaimsPrincipal caller, ActionBoardQueries queries,
        Moments moments, RevisionWait wait, CancellationToken ct)
    {
        var check = new ParameterCheck();
        check.OneOf("stage", stage, Stages);
        check.OneOf("pdca", pdca, Pdca);
        var page = check.Page(
            sort, cursor, limit, check.Moment(asOf, knownAt, moments.Now), knownAt is not null);
        var seen = check.Min(min);
        if (check.Refusal is { } refusal) return refusal;
        if (!await wait.ReachedAsync(seen, ct)) return Answers.NotYet();
        return Results.Ok(await queries.ListAsync(
            new CapaFilter(stage, pdca, site, owner), caller.SiteLimit(), page, ct));
    }

    private static Task<IResult> GetActionPlanAsync(
        Guid id, string? asOf, string? knownAt, string? revision, string? minRevision, ClaimsPrincipal caller,
        ActionBoardQueries queries, Moments moments, RevisionWait wait, CancellationToken ct) => moments.AnswerAsync(
            Families.ActionPlan, id, (asOf, knownAt, revision), moment => Answers.SingleAsync(
                wait, Families.ActionPlan, id, minRevision,
                () => queries.FindAsync(id, caller.SiteLimit(), moment, ct), capa => capa.Summary.Revision, ct), ct);

    private static Task<IResult> GetAnalysisAsync(
        Guid id, string? asOf, string? knownAt, string? revision, string? minRevision, ClaimsPrincipal caller,
        RootCauseQueries queries, Moments moments, RevisionWait wait, CancellationToken ct) => moments.AnswerAsync(
            Families.RootCause, id, (asOf, knownAt, revision), moment => Answers.SingleAsync(
                wait, Families.RootCause, id, minRevision,
                () => queries.FindAsync(id, caller.SiteLimit(), moment, ct), analysis => analysis.Summary.Revision,
                ct), ct);

    private static async Task<IResult> GetCauseCodesAsync(
        int? version, RootCauseQueries queries, CancellationToken ct) =>
        await queries.CodesAsync(version, ct) is { } codes ? Results.Ok(codes) : HttpResults.NotFound();

    private static async Task<IResult> ListReviewsAsync(
        string? status, string? capaId, string? asOf, string? knownAt, string? sort, string? cursor, string? limit,
        string? min, ClaimsPrincipal caller, EffectivenessQueries queries, Moments moments, RevisionWait wait,
        CancellationToken ct)
    {
        var check = new ParameterCheck();
        check.OneOf("status", status, ReviewStatuses);
        var capa = check.Id("capaId", capaId);
        var page = check.Page(
            sort, cursor, limit, check.Moment(asOf, knownAt, moments.Now), knownAt is not null);
        var seen = check.Min(min);
        if (check.Refusal is { } refusal) return refusal;
        if (!await wait.ReachedAsync(seen, ct)) return Answers.NotYet();
        return Results.Ok(await queries.ListAsync(status, capa, caller.SiteLimit(), page, ct));
    }

    private static Task<IResult> GetReviewAsync(
        Guid id, string? asOf, string? knownAt, string? revision, string? minRevision, ClaimsPrincipal caller,
        EffectivenessQueries queries, Moments moments, RevisionWait wait, CancellationToken ct) => moments.AnswerAsync(
            Families.Effectiveness, id, (asOf, knownAt, revision), moment => Answers.SingleAsync(
                wait, Families.Effectiveness, id, minRevision,
                () => queries.FindAsync(id, caller.SiteLimit(), moment, ct), review => review.Revision, ct), ct);

    private static async Task<IResult> GetEvidenceAsync(
        string? site, string? product, string? process, string? station, string? characteristic, string? defectCode,
        string? from, string? to, string? exposureUnit, ulong? position, ClaimsPrincipal caller, Evidence evidence,
        CancellationToken ct)
    {
        var check = new ParameterCheck();
        check.Required("site", site);
        check.Required("product", product);
        check.Required("process", process);
        check.Required("exposureUnit", exposureUnit);
        check.OneOf("exposureUnit", exposureUnit, Units);
        var period = check.Period(from, to);
        if (check.Refusal is { } refusal) return refusal;
        if (caller.SiteLimit() is { } own && own != site) return HttpResults.NotFound();
        var unit = exposureUnit == Wire.Name(ExposureUnit.Inspected) ? ExposureUnit.Inspected : ExposureUnit.Days;
        return Results.Ok(await evidence.CountAsync(
            new DeviationSubject(site!, product!, process!, station, characteristic, defectCode), period, unit,
            position ?? 0, ct));
    }
}
