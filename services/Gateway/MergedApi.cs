using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using CapaEngine.Hosting;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace CapaEngine.Gateway;

/// <summary>
/// One OpenAPI document for the whole API. A service's last known document stands in while it does not answer; as long
/// as one was never seen, there is no document rather than a silent part of it.
/// </summary>
internal sealed class MergedApi(
    Destinations destinations, IHttpClientFactory clients,
    [FromKeyedServices("v1")] IOpenApiDocumentProvider own, TimeProvider clock)
{
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<string, JsonObject> lastKnown = new(StringComparer.Ordinal);
    private (DateTimeOffset At, string Json)? merged;

    /// <summary>The document, or the names of the services that never gave theirs.</summary>
    public async Task<(string? Json, IReadOnlyList<string> Missing)> GetAsync(CancellationToken ct)
    {
        if (merged is { } fresh && clock.GetUtcNow() - fresh.At < FreshFor) return (fresh.Json, []);
        await Task.WhenAll(destinations.All.Select(destination => FetchAsync(destination, ct)));
        string[] missing = [.. destinations.All.Select(to => to.Name).Where(name => !lastKnown.ContainsKey(name))];
        if (missing.Length > 0) return (null, missing);
        var described = destinations.All.Select(to => (to.Name, lastKnown[to.Name])).Append(
            (nameof(Gateway), await DescribeOwnAsync(ct)));
        var json = ApiMerge.Merge([.. described]).ToJsonString();
        merged = (clock.GetUtcNow(), json);
        return (json, []);
    }

    private async Task<JsonObject> DescribeOwnAsync(CancellationToken ct)
    {
        var document = await own.GetOpenApiDocumentAsync(ct);
        var described = JsonNode.Parse(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1, ct))!;
        // Landing page, tokens and this document are not part of the API.
        var paths = described["paths"]!.AsObject();
        var others = paths.Select(path => path.Key).Where(path => !path.StartsWith("/api/", StringComparison.Ordinal));
        foreach (var path in others.ToList()) paths.Remove(path);
        return described.AsObject();
    }

    private async Task FetchAsync(Destination destination, CancellationToken ct)
    {
        try
        {
            using var client = clients.CreateClient(nameof(MergedApi));
            var json = await client.GetStringAsync(new Uri(destination.Address, "/openapi/v1.json"), ct);
            lastKnown[destination.Name] = JsonNode.Parse(json)!.AsObject();
        }
        catch (Exception unreadable) when (unreadable is HttpRequestException or JsonException
            || (unreadable is TaskCanceledException && !ct.IsCancellationRequested))
        {
            // The last known document stands in, or the caller hears that it is missing.
        }
    }
}

/// <summary>Registers and serves the merged document.</summary>
internal static class MergedApiEndpoint
{
    private static readonly TimeSpan FetchTimeout = TimeSpan.FromSeconds(10);

    public static void AddMergedApi(this WebApplicationBuilder builder, Destinations destinations)
    {
        builder.Services.AddHttpClient(nameof(MergedApi), client => client.Timeout = FetchTimeout);
        builder.Services.AddSingleton(destinations);
        builder.Services.AddSingleton<MergedApi>();
    }

    public static void MapMergedApi(this WebApplication app) =>
        app.MapGet("/openapi/v1.json", async (MergedApi api, CancellationToken ct) =>
        {
            var (json, missing) = await api.GetAsync(ct);
            return json is not null
                ? Results.Text(json, "application/json")
                : HttpResults.Unavailable(
                    "service-unavailable", $"The description needs {string.Join(", ", missing)}, which do not answer.");
        }).AllowAnonymous();
}
