using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CapaEngine.Gateway;

/// <summary>
/// Whether a service behind the gateway is alive. Without one of them the gateway still serves the others, so it is
/// degraded, not down.
/// </summary>
internal sealed class DestinationProbe(Destination destination, IHttpClientFactory clients) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken ct = default)
    {
        try
        {
            using var client = clients.CreateClient(nameof(DestinationProbe));
            using var answer = await client.GetAsync(new Uri(destination.Address, "/health/live"), ct);
            return answer.IsSuccessStatusCode
                ? HealthCheckResult.Healthy("answers")
                : HealthCheckResult.Degraded($"answers {(int)answer.StatusCode}");
        }
        catch (HttpRequestException)
        {
            return HealthCheckResult.Degraded("does not answer");
        }
    }
}
