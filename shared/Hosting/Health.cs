using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CapaEngine.Hosting;

/// <summary>
/// Alive: the process answers. Ready: what it needs to serve answers, too, which are the checks tagged
/// <see cref="ReadyTag"/>.
/// </summary>
public static class Health
{
    /// <summary>The tag of checks that decide whether the service is ready.</summary>
    public const string ReadyTag = "ready";

    private const string Path = "/health";
    private const string MetricsPath = "/metrics";

    internal static void MapHealth(this WebApplication app)
    {
        app.MapHealthChecks($"{Path}/live", Checks(_ => false)).AllowAnonymous();
        app.MapHealthChecks($"{Path}/ready", Checks(check => check.Tags.Contains(ReadyTag))).AllowAnonymous();
        app.MapPrometheusScrapingEndpoint(MetricsPath).AllowAnonymous();
    }

    /// <summary>Whether the request is one of the operator's probes, which are neither traced nor limited.</summary>
    internal static bool IsProbe(HttpContext http) =>
        http.Request.Path.StartsWithSegments(Path, StringComparison.OrdinalIgnoreCase)
        || http.Request.Path.StartsWithSegments(MetricsPath, StringComparison.OrdinalIgnoreCase);

    private static HealthCheckOptions Checks(Func<HealthCheckRegistration, bool> which) =>
        new() { Predicate = which, ResponseWriter = WriteAsync };

    // Descriptions only: an exception may name hosts and users.
    private static Task WriteAsync(HttpContext http, HealthReport report) => http.Response.WriteAsJsonAsync(
        new HealthAnswer(
            Name(report.Status),
            report.Entries.ToDictionary(
                entry => entry.Key,
                entry => new HealthPart(
                    Name(entry.Value.Status), entry.Value.Description,
                    (long)entry.Value.Duration.TotalMilliseconds,
                    entry.Value.Data.Count > 0 ? entry.Value.Data : null))),
        StrictJson.Requests, http.RequestAborted);

    private static string Name(HealthStatus status) => JsonNamingPolicy.CamelCase.ConvertName(status.ToString());

    private sealed record HealthAnswer(string Status, IReadOnlyDictionary<string, HealthPart> Parts);

    private sealed record HealthPart(
        string Status, string? Detail, long DurationMs, IReadOnlyDictionary<string, object>? Data);
}

/// <summary>Whether the event store answers a read.</summary>
internal sealed class EventStoreProbe(IEventStore store) : IHealthCheck
{
    public const string Stream = "health-probe";

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken ct = default)
    {
        try
        {
            await foreach (var _ in store.ReadStreamBackwardsAsync(Stream, 1, ct)) { }
            return HealthCheckResult.Healthy("reads");
        }
        catch (Exception unreachable) when (!ct.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy("does not answer", unreachable);
        }
    }
}
