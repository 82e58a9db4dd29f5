using System.Text.Json.Nodes;
using CapaEngine.Demo.Api;
using CapaEngine.Demo.Plant;
using CapaEngine.Demo.Recalls;
using CapaEngine.Demo.Wafers;

namespace CapaEngine.Demo.Cases;

/// <summary>
/// Tells the cases of users from those of the demonstration. The demonstration works at sites of its own only, so a
/// nonconformity or CAPA at any other site is a user's, whoever reported it and whatever opened it.
/// </summary>
public static class UserCases
{
    /// <summary>Whether the site is one that the demonstration plays at.</summary>
    public static bool IsOfDemonstration(string site) =>
        site is WaferLine.Site or RecallCases.Site || site == SimulatedPlant.SiteOfDefaultSeed
        || site.StartsWith($"{SimulatedPlant.SiteOfDefaultSeed}-", StringComparison.Ordinal);

    /// <summary>A case of a user that the system holds, in words; null where there is none.</summary>
    public static async Task<string?> FindOneAsync(CapaApi api, CancellationToken ct) =>
        await FindOneAsync(api, "nonconformities", ct) ?? await FindOneAsync(api, "action-plans", ct);

    private static async Task<string?> FindOneAsync(CapaApi api, string register, CancellationToken ct)
    {
        await foreach (var item in api.ListAsync($"{register}?limit=200", ct))
        {
            if (!IsOfDemonstration((string)item["site"]!)) return Describe(item);
        }

        return null;
    }

    private static string Describe(JsonObject item) =>
        $"{(string?)item["number"] ?? (string)item["id"]!} '{item["title"]}' at site '{item["site"]}'";
}
