using System.Security.Claims;
using CapaEngine.Hosting;

namespace CapaEngine.ReadModels;

/// <summary>The likeness of cases over HTTP.</summary>
public static class SimilarityApi
{
    /// <summary>The routes.</summary>
    public static void MapSimilarity(this WebApplication app)
    {
        var api = app.MapGroup("/api/v1").RefuseUnknownParameters();
        api.MapGet("/nonconformities/{id:guid}/similar", GetSimilarAsync).Gives<SimilarCases>();
        api.MapGet("/reports/similarity-back-test", GetBackTestAsync).Gives<BackTest>();
    }

    private static async Task<IResult> GetSimilarAsync(
        Guid id, string? limit, ClaimsPrincipal caller, SimilarityQueries queries,
        CancellationToken ct)
    {
        const int CountDefault = 10;
        var check = new ParameterCheck();
        var page = check.Page(null, null, limit ?? $"{CountDefault}");
        if (check.Refusal is { } refusal) return refusal;
        return await queries.OfAsync(id, caller.SiteLimit(), page.Limit, ct) is { } similar
            ? Results.Ok(similar)
            : HttpResults.NotFound();
    }

    private static async Task<IResult> GetBackTestAsync(
        string? from, string? to, ClaimsPrincipal caller, SimilarityQueries queries,
        CancellationToken ct)
    {
        var check = new ParameterCheck();
        var period = check.Period(from, to);
        if (check.Refusal is { } refusal) return refusal;
        return Results.Ok(await queries.BackTestAsync(period, caller.SiteLimit(), ct));
    }
}
