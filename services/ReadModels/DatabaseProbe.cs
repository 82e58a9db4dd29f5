using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>Whether the database of the read models answers.</summary>
internal sealed class DatabaseProbe(NpgsqlDataSource database) : IHealthCheck
{
    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var command = database.CreateCommand("select 1");
            await command.ExecuteScalarAsync(cancellationToken);
            return HealthCheckResult.Healthy("answers");
        }
        catch (NpgsqlException unreachable)
        {
            return HealthCheckResult.Unhealthy("does not answer", unreachable);
        }
    }
}
