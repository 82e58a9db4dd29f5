using System.Security.Claims;
using CapaEngine.Hosting;

namespace CapaEngine.ReadModels;

/// <summary>Reading what the installation decides by: policy and profiles; and what it could not understand.</summary>
public static class RuleApi
{
    /// <summary>The routes.</summary>
    public static void MapRules(this WebApplication app)
    {
        var api = app.MapGroup("/api/v1").RefuseUnknownParameters();
        api.MapGet("/profiles", GetProfilesAsync).Gives<IReadOnlyList<ProfileView>>();
        api.MapGet("/profiles/{name}", GetProfileAsync).Gives<ProfileView>();
        api.MapGet("/site-profiles", GetSitesAsync).Gives<IReadOnlyList<SiteProfileView>>();
        api.MapGet("/triage-policy", GetTriagePolicyAsync).Gives<TriagePolicyView>();
        api.MapGet("/quarantine", ListQuarantineAsync).Gives<Page<QuarantineView>>();
    }

    private static async Task<IResult> GetProfilesAsync(RuleQueries queries, CancellationToken ct) =>
        Results.Ok(await queries.ProfilesAsync(ct));

    private static async Task<IResult> GetProfileAsync(
        string name, int? version, RuleQueries queries, CancellationToken ct) =>
        await queries.ProfileAsync(name, version, ct) is { } found ? Results.Ok(found) : HttpResults.NotFound();

    private static async Task<IResult> GetSitesAsync(
        string? site, ClaimsPrincipal caller, RuleQueries queries, CancellationToken ct) =>
        Results.Ok(await queries.SitesAsync(site, caller.SiteLimit(), ct));

    private static async Task<IResult> GetTriagePolicyAsync(int? version, RuleQueries queries, CancellationToken ct) =>
        await queries.TriagePolicyAsync(version, ct) is { } found ? Results.Ok(found) : HttpResults.NotFound();

    // What was not understood has no site, so only who sees all sites sees it.
    private static async Task<IResult> ListQuarantineAsync(
        string? reason, string? source, string? waiting, string? sort, string? cursor, string? limit,
        ClaimsPrincipal caller, RuleQueries queries, CancellationToken ct)
    {
        var check = new ParameterCheck();
        check.OneOf("waiting", waiting, ["true", "false"]);
        var page = check.Page(sort, cursor, limit);
        if (check.Refusal is { } refusal) return refusal;
        if (caller.SiteLimit() is not null)
            return HttpResults.Problem(
                StatusCodes.Status403Forbidden, "forbidden", "What was not understood belongs to no site.");
        return Results.Ok(await queries.QuarantineAsync(
            reason, source, waiting is null ? null : waiting == "true", page, ct));
    }
}
