using System.Security.Claims;
using CapaEngine.Contracts;
using CapaEngine.Hosting;

namespace CapaEngine.ReadModels;

/// <summary>Reading what concerns the material: concessions with what is left of them, and lots on hold.</summary>
public static class MaterialApi
{
    private static readonly string[] Statuses =
        ["requested", "granted", "refused", "exhausted", "expired", "revoked"];

    private static readonly string[] Kinds = [.. Enum.GetValues<ConcessionKind>().Select(Wire.Name)];

    /// <summary>The routes.</summary>
    public static void MapMaterial(this WebApplication app)
    {
        var api = app.MapGroup("/api/v1").RefuseUnknownParameters();
        api.MapGet("/concessions", ListConcessionsAsync).Gives<Page<ConcessionSummary>>();
        api.MapGet("/concessions/{id:guid}", GetConcessionAsync).Gives<ConcessionDetail>();
        api.MapGet("/holds", ListHoldsAsync).Gives<Page<Hold>>();
    }

    private static async Task<IResult> ListConcessionsAsync(
        string? status, string? kind, string? site, string? product, string? lot, string? nonconformityId,
        string? sort, string? cursor, string? limit, string? min, ClaimsPrincipal caller, ConcessionQueries queries,
        RevisionWait wait, CancellationToken ct)
    {
        var check = new ParameterCheck();
        check.OneOf("status", status, Statuses);
        check.OneOf("kind", kind, Kinds);
        var nonconformity = check.Id("nonconformityId", nonconformityId);
        var page = check.Page(sort, cursor, limit);
        var seen = check.Min(min);
        if (check.Refusal is { } refusal) return refusal;
        if (!await wait.ReachedAsync(seen, ct)) return Answers.NotYet();
        return Results.Ok(await queries.ListAsync(
            new ConcessionFilter(status, kind, site, product, lot, nonconformity), caller.SiteLimit(), page, ct));
    }

    private static async Task<IResult> ListHoldsAsync(
        string? lot, string? site, string? product, string? active, string? sort, string? cursor, string? limit,
        string? min, ClaimsPrincipal caller, HoldQueries queries, RevisionWait wait, CancellationToken ct)
    {
        var check = new ParameterCheck();
        check.OneOf("active", active, ["true", "false"]);
        var page = check.Page(sort, cursor, limit);
        var seen = check.Min(min);
        if (check.Refusal is { } refusal) return refusal;
        if (!await wait.ReachedAsync(seen, ct)) return Answers.NotYet();
        bool? isActive = active is null ? null : active == "true";
        return Results.Ok(await queries.ListAsync(
            new HoldFilter(lot, site, product, isActive), caller.SiteLimit(), page, ct));
    }

    private static Task<IResult> GetConcessionAsync(
        Guid id, string? minRevision, ClaimsPrincipal caller, ConcessionQueries queries, RevisionWait wait,
        CancellationToken ct) => Answers.SingleAsync(
            wait, Families.Concession, id, minRevision, () => queries.FindAsync(id, caller.SiteLimit(), ct),
            concession => concession.Summary.Revision, ct);
}
