using System.Net;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Shouldly;

namespace CapaEngine.Integration.Journeys;

/// <summary>
/// The promise of the pipeline, counted: what was accepted is once in the log and once in the read model, whatever is
/// repeated, purged, killed or restarted in between.
/// </summary>
[Collection(nameof(SystemFixture))]
public sealed class NothingIsLost(SystemFixture system) : IDisposable
{
    private const int BatchSize = 100;

    private readonly RunningSystem running = system.Running;
    private readonly ApiClient machine = new(system.Running.Api, "line-9", "source-system");
    private readonly string source = $"urn:test:{Guid.NewGuid():N}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task purging_every_queue_while_it_runs_loses_nothing()
    {
        var sending = SendAsync(0, 2_000);
        for (var purge = 0; purge < 5; purge++)
            (await TestServers.PurgeAllQueuesAsync(running.VirtualHost, Ct)).ShouldBeGreaterThan(4);
        (await sending).ShouldBe(2_000);
        await TestServers.PurgeAllQueuesAsync(running.VirtualHost, Ct);
        await CountsAgreeAsync(2_000);

        // The same again, as a machine that is not sure repeats itself: nothing is added.
        (await SendAsync(0, 500)).ShouldBe(0);
        await CountsAgreeAsync(2_000);
    }

    [Fact]
    public async Task killing_the_projector_and_a_service_loses_nothing()
    {
        var sending = SendAsync(0, 1_000);
        await running.KillAsync("ReadModels");
        (await sending).ShouldBe(1_000);
        await running.StartAsync(Ct, "ReadModels");
        await CountsAgreeAsync(1_000);

        await running.KillAsync("Nonconformities");
        await running.StartAsync(Ct, "Nonconformities");
        (await SendAsync(1_000, 1_500)).ShouldBe(500);
        await CountsAgreeAsync(1_500);
    }

    [Fact]
    public async Task stopping_and_starting_everything_loses_nothing()
    {
        (await SendAsync(0, 300)).ShouldBe(300);
        await running.RestartAsync(Ct);
        await CountsAgreeAsync(300);
        (await SendAsync(200, 400)).ShouldBe(100);
        await CountsAgreeAsync(400);
    }

    public void Dispose() => machine.Dispose();

    // Spread over many products, so that the load opens no cases of its own.
    private async Task<int> SendAsync(int from, int to)
    {
        var accepted = 0;
        foreach (var ids in Enumerable.Range(from, to - from).Chunk(BatchSize))
        {
            var batch = ids.Select(n => DeviationJson.Event(
                source, $"d-{n}", $"L-{source[^6..]}-{n % 400}", "minor", DateTimeOffset.UnixEpoch.AddYears(55)));
            var answered = await machine.PostRawAsync(
                "deviations", $"[{string.Join(',', batch)}]", "application/cloudevents-batch+json",
                HttpStatusCode.OK, ct: Ct);
            accepted += answered.Body!.AsArray().Count(receipt => (string?)receipt!["outcome"] == "accepted");
        }

        return accepted;
    }

    private async Task CountsAgreeAsync(int expected)
    {
        await running.EventuallyAsync($"{expected} rows of {source}", async ct =>
        {
            var rows = await running.ScalarAsync<long>(
                $"select count(*) from reporting.deviation where source = '{source}'", ct);
            rows.ShouldBeLessThanOrEqualTo(expected);
            return rows == expected;
        }, Ct);
        var inLog = 0;
        await foreach (var recorded in running.Log.ReadAllAsync(LogPosition.Start, ["deviation-"], Ct))
        {
            if (recorded.Type == "deviation.received.v1"
                && Contracts.EventCatalog.Deserialize(recorded.Type, recorded.Data.Span)
                    is Contracts.DeviationEvent.Received received
                && received.Source == source)
                inLog++;
        }

        inLog.ShouldBe(expected);
    }
}
