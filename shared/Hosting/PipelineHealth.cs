using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace CapaEngine.Hosting;

/// <summary>
/// Whether a background part is alive and gets on. A dead or failing part is unhealthy. A broker that takes nothing
/// only degrades: the log is the truth, commands are taken meanwhile and published later.
/// </summary>
internal static class PipelineHealth
{
    /// <summary>The election and the work that the leader does.</summary>
    public static HealthCheckResult Of(Leader leader, PipelineOptions options, TimeProvider clock)
    {
        var data = new Dictionary<string, object> { ["leads"] = leader.IsLeading };
        if (Died(leader) is { } death) return HealthCheckResult.Unhealthy(death, data: data);
        return leader.WorkFailure is { } failure && HasLasted(failure, options, clock)
            ? HealthCheckResult.Unhealthy(Tell("The leader's work fails", failure), data: data)
            : HealthCheckResult.Healthy(data: data);
    }

    /// <summary>The leader of a relay and what the broker answers it.</summary>
    public static HealthCheckResult Of(Leader leader, Relay relay, PipelineOptions options, TimeProvider clock)
    {
        var result = Of(leader, options, clock);
        return result.Status == HealthStatus.Healthy && relay.Stalled is { } stalled
               && HasLasted(stalled, options, clock)
            ? HealthCheckResult.Degraded(Tell("The broker does not take events", stalled), data: result.Data)
            : result;
    }

    /// <summary>A follower, its queues and, where it has one, its parking lot.</summary>
    public static HealthCheckResult Of(
        Follower follower, FollowerQueues queues, PipelineOptions options, TimeProvider clock, int parkedCount)
    {
        var data = new Dictionary<string, object>
        {
            ["caughtUp"] = follower.HasCaughtUp, ["queuesRead"] = queues.AreRead, ["parked"] = parkedCount,
        };
        if (Died(follower) is { } death && !follower.HasCaughtUp)
            return HealthCheckResult.Unhealthy(death, data: data);
        if (Died(queues) is { } end) return HealthCheckResult.Unhealthy(end, data: data);
        if (follower.Failing is { } failure && HasLasted(failure, options, clock))
            return HealthCheckResult.Unhealthy(Tell("Events cannot be applied", failure), data: data);
        if (queues.Failing is { } away && HasLasted(away, options, clock))
            return HealthCheckResult.Degraded(Tell("The queues are not read", away), data: data);
        return parkedCount == 0 ? HealthCheckResult.Healthy(data: data)
            : HealthCheckResult.Degraded(
                string.Create(CultureInfo.InvariantCulture, $"{parkedCount} reactions are parked."), data: data);
    }

    /// <summary>A background task that must run as long as the process.</summary>
    public static HealthCheckResult Of(BackgroundService service) =>
        Died(service) is { } death ? HealthCheckResult.Unhealthy(death) : HealthCheckResult.Healthy();

    private static string? Died(BackgroundService service) => service.ExecuteTask switch
    {
        null => "It has not been started.",
        { IsCompleted: true } task => $"It has ended: {task.Exception?.GetBaseException().Message ?? "cancelled"}",
        _ => null,
    };

    private static bool HasLasted(Failure failure, PipelineOptions options, TimeProvider clock) =>
        (clock.GetUtcNow() - failure.Since).TotalMilliseconds >= options.StalledAfterMs;

    private static string Tell(string what, Failure failure) => string.Create(
        CultureInfo.InvariantCulture, $"{what} since {failure.Since.UtcDateTime:O}: {failure.Reason}");
}

/// <summary>A health check that is one function.</summary>
internal sealed class HealthFunction(Func<HealthCheckResult> check) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(check());
}
