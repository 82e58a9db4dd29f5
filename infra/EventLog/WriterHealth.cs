using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CapaEngine.EventLog;

/// <summary>Ready means: this node is the writer, and the database answers now.</summary>
internal sealed class WriterHealth(LogNode node, Databases databases) : IHealthCheck
{
    public const string Tag = "ready";
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (node.Term is not { } term)
        {
            return HealthCheckResult.Unhealthy("This node is not the writer.");
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerWithin);
        try
        {
            await using var command = databases.Reads.CreateCommand("select 1");
            await command.ExecuteScalarAsync(limit.Token);
            return HealthCheckResult.Healthy($"Writing as epoch {term.Epoch}, at position {term.Tail.Head}.");
        }
        catch (Exception failure)
        {
            return HealthCheckResult.Unhealthy("The database does not answer.", failure);
        }
    }
}
