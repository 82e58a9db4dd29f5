using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Shouldly;

namespace CapaEngine.Integration.Pipeline;

/// <summary>One process leads; when it is gone another one does within seconds.</summary>
public sealed class LeaderTests
{
    private const string Queue = "capa.watch.nonconformities";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task one_of_three_leads_and_each_successor_takes_over_within_ten_seconds()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        var running = 0;
        var hosts = new List<PipelineHost>();
        for (var n = 0; n < 3; n++) hosts.Add(await StartAsync(broker, WorkAsync));
        while (hosts.Count > 0)
        {
            await Eventually.HoldsAsync(() => hosts.Exists(host => host.Leader(Queue).IsLeading), "a leader", Ct, 10);
            hosts.Count(host => host.Leader(Queue).IsLeading).ShouldBe(1);
            await Eventually.HoldsAsync(() => Volatile.Read(ref running) == 1, "its work runs", Ct);
            var leader = hosts.Single(host => host.Leader(Queue).IsLeading);
            hosts.Remove(leader);
            await leader.StopAsync();
            Volatile.Read(ref running).ShouldBeLessThanOrEqualTo(1);
        }

        running.ShouldBe(0);

        async Task WorkAsync(CancellationToken ct)
        {
            Interlocked.Increment(ref running);
            try
            {
                await ForEverAsync(ct);
            }
            finally
            {
                Interlocked.Decrement(ref running);
            }
        }
    }

    [Fact]
    public async Task work_that_fails_is_begun_again_and_seen_in_readiness()
    {
        var attempts = 0;
        var mended = new TaskCompletionSource();
        await using var host = await StartAsync(await TestServers.CreateVirtualHostAsync(Ct), async ct =>
        {
            Interlocked.Increment(ref attempts);
            if (!mended.Task.IsCompleted) throw new InvalidOperationException("The work is broken.");
            await ForEverAsync(ct);
        });
        await host.ReportsAsync(Queue, HealthStatus.Unhealthy, Ct);
        (await host.ReadinessAsync()).Entries[Queue].Description.ShouldNotBeNull().ShouldContain("The work is broken.");
        attempts.ShouldBeGreaterThan(1);
        mended.SetResult();
        await host.ReportsAsync(Queue, HealthStatus.Healthy, Ct);
    }

    [Fact]
    public async Task a_dead_background_task_is_seen_in_readiness()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        var host = await StartAsync(broker, ForEverAsync);
        await host.ReportsAsync(Queue, HealthStatus.Healthy, Ct);
        await host.Leader(Queue).StopAsync(Ct);
        (await host.ReadinessAsync()).Entries[Queue].Status.ShouldBe(HealthStatus.Unhealthy);
        await host.StopAsync();
    }

    private static Task ForEverAsync(CancellationToken ct) => new TaskCompletionSource().Task.WaitAsync(ct);

    private static Task<PipelineHost> StartAsync(string broker, Func<CancellationToken, Task> work) =>
        PipelineHost.StartAsync(
            new MemoryEventStore(TimeProvider.System), broker,
            builder => builder.AddLeader("watch", ServiceNames.Nonconformities, _ => work), ("StalledAfterMs", "300"));
}
