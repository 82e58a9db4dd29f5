using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace CapaEngine.ReadModels.Deadlines.Delivery;

/// <summary>Whether people get what is sent to them: degraded for a day after a notification was given up.</summary>
internal sealed class DeliveryHealth(DeliverySettings settings, DeliveryQueries queries, TimeProvider clock)
    : IHealthCheck
{
    private static readonly TimeSpan TellsFor = TimeSpan.FromDays(1);

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (!settings.SendsAnything) return HealthCheckResult.Healthy("nothing is configured to be sent");
        try
        {
            var count = await queries.GivenUpSinceAsync(clock.GetUtcNow() - TellsFor, cancellationToken);
            return count == 0 ? HealthCheckResult.Healthy("nothing was given up within a day")
                : HealthCheckResult.Degraded($"{count} notifications were given up within a day");
        }
        catch (NpgsqlException unreachable)
        {
            // That the database does not answer is another check's finding.
            return HealthCheckResult.Degraded("not known, the database does not answer", unreachable);
        }
    }
}
