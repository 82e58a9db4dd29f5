using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.EventStore;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CapaEngine.Integration.Pipeline;

/// <summary>Two processes of a service: one hangs, wakes up as a leader of the past, and is killed.</summary>
public sealed class ReplicaTests(EventLogFixture log) : IClassFixture<EventLogFixture>
{
    private const string Service = ServiceNames.Nonconformities;
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(3) };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_hanging_leader_is_replaced_and_does_no_harm_when_it_wakes_up()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        var sink = new RecordingSink();
        await using var follower = await PipelineHost.StartAsync(log.Client, broker, builder => builder
            .AddFollower<RecordingSink>("witness", Families.OwnedBy(Service)).Services.AddSingleton(sink));
        await using var first = await Replica.StartAsync(log, broker);
        await using var second = await Replica.StartAsync(log, broker);
        await Eventually.HoldsAsync(async () => await first.LeadsAsync() || await second.LeadsAsync(), "a leader", Ct);
        var (leader, standby) = await first.LeadsAsync() ? (first, second) : (second, first);
        var streams = Enumerable.Range(0, 20).Select(_ => Families.Quarantine.Stream(Guid.NewGuid())).ToList();
        await AppendAsync();

        await leader.Process.SignalAsync("STOP", Ct);
        await AppendAsync();
        // The broker misses heartbeats for twice their interval; the rest is the machine's.
        await Eventually.HoldsAsync(standby.LeadsAsync, "the standby leads", Ct, 20);
        await Eventually.HoldsAsync(() => sink.AppliedCount >= 200, "the events of both", Ct);

        await leader.Process.SignalAsync("CONT", Ct);
        await AppendAsync();
        await Eventually.HoldsAsync(async () => !await leader.LeadsAsync(), "the former leader knows", Ct);
        (await standby.LeadsAsync()).ShouldBeTrue();
        await Eventually.HoldsAsync(() => sink.AppliedCount >= 300, "the events since", Ct);

        await standby.Process.KillAsync();
        await AppendAsync();
        await Eventually.HoldsAsync(leader.LeadsAsync, "the former leader leads again", Ct, 20);
        await Eventually.HoldsAsync(() => sink.AppliedCount >= 400, "the last events", Ct);
        sink.ShouldHoldEachOnceInOrder(streams, eventsOfEach: 20);

        async Task AppendAsync()
        {
            foreach (var stream in streams) await log.Client.AppendAsync(stream, 5, Ct);
        }
    }

    /// <summary>A process of the service and what its metrics say.</summary>
    private sealed class Replica(ServiceProcess process, Uri address) : IAsyncDisposable
    {
        public ServiceProcess Process { get; } = process;

        public static async Task<Replica> StartAsync(EventLogFixture log, string broker)
        {
            var address = new Uri($"http://127.0.0.1:{ServiceProcess.FreePort()}");
            var process = await ServiceProcess.StartReadyAsync(
                "services/Nonconformities", new Dictionary<string, string>
                {
                    ["ASPNETCORE_URLS"] = address.GetLeftPart(UriPartial.Authority),
                    ["ConnectionStrings__EventStore"] = log.ConnectionString,
                    ["ConnectionStrings__RabbitMq"] = broker,
                    ["Auth__Authority"] = "http://127.0.0.1:9", ["Auth__Audience"] = "capaengine",
                },
                new Uri(address, "/health/ready"), Ct, TimeSpan.FromSeconds(60));
            return new Replica(process, address);
        }

        public async Task<bool> LeadsAsync()
        {
            try
            {
                var metrics = await Http.GetStringAsync(new Uri(address, "/metrics"), Ct);
                return metrics.Split('\n').Any(line => line.StartsWith("capa_leader{", StringComparison.Ordinal)
                    && line.Contains($"queue=\"capa.relay.{Service}\"", StringComparison.Ordinal)
                    && line.Split("} ")[1].StartsWith('1'));
            }
            catch (Exception away) when (away is HttpRequestException or TaskCanceledException
                                         && !Ct.IsCancellationRequested)
            {
                return false;
            }
        }

        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }
}
