using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CapaEngine.Hosting;

/// <summary>
/// Starts receive endpoints again that have given up. A connection that ends while an endpoint is being set up can
/// leave it stopped for good, beside others that work: nothing fails then, but its queue is no longer read.
/// </summary>
internal sealed class EndpointCare(IBusControl bus, TimeProvider clock, ILogger<EndpointCare> logger)
    : BackgroundService
{
    private static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(1);

    // Longer than an endpoint takes to come back by itself, which it does in nearly all cases.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);

    private readonly Dictionary<Uri, long> _outSince = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var looks = new PeriodicTimer(LookPeriod, clock);
        while (await looks.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var endpoint in bus.CheckHealth().Endpoints.Values.Where(IsDue).ToList())
                await RestartAsync(endpoint, stoppingToken);
        }
    }

    private bool IsDue(EndpointHealthResult endpoint)
    {
        if (endpoint.Status == BusHealthStatus.Healthy)
        {
            _outSince.Remove(endpoint.InputAddress);
            return false;
        }

        _outSince.TryAdd(endpoint.InputAddress, clock.GetTimestamp());
        return clock.GetElapsedTime(_outSince[endpoint.InputAddress]) >= Patience;
    }

    private async Task RestartAsync(EndpointHealthResult endpoint, CancellationToken ct)
    {
        logger.LogWarning(
            "The queue at {Address} is not read: {Description}. It is taken up again.",
            endpoint.InputAddress.AbsolutePath, endpoint.Description);
        try
        {
            // One that has given up may never answer that it stopped, either.
            await endpoint.ReceiveEndpoint.Stop(ct).WaitAsync(StopPatience, clock, ct)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            endpoint.ReceiveEndpoint.Start(ct);
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            logger.LogWarning(failure, "The queue at {Address} is not read yet.", endpoint.InputAddress.AbsolutePath);
        }

        _outSince.Remove(endpoint.InputAddress);
    }
}
