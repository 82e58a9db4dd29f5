using System.Diagnostics;
using CapaEngine.EventStore;
using CapaEngine.Integration.Infrastructure;

namespace CapaEngine.Benchmarks;

/// <summary>A local event log of its own, started as an installation starts it, and one client of it.</summary>
internal sealed class EventLogUnderTest : IAsyncDisposable
{
    private readonly ServiceProcess _node;

    private EventLogUnderTest(ServiceProcess node, string database, EventStoreClient client) =>
        (_node, Database, Client) = (node, database, client);

    /// <summary>The connection string of the node's database.</summary>
    public string Database { get; }

    public EventStoreClient Client { get; }

    public static async Task<EventLogUnderTest> StartAsync(CancellationToken ct)
    {
        var (port, healthPort) = (ServiceProcess.FreePort(), ServiceProcess.FreePort());
        var database = await TestServers.CreateDatabaseAsync(ct);
        var environment = new Dictionary<string, string>
        {
            ["EventLog__Url"] = $"http://127.0.0.1:{port}",
            ["EventLog__HealthUrl"] = $"http://127.0.0.1:{healthPort}",
            ["ConnectionStrings__Postgres"] = database,
        };
        var ready = new Uri($"http://127.0.0.1:{healthPort}/health/ready");
        var node = await ServiceProcess.StartReadyAsync("infra/EventLog", environment, ready, ct);
        return new EventLogUnderTest(
            node, database, EventStoreClient.Create($"esdb://127.0.0.1:{port}?tls=false"));
    }

    /// <summary>Processor time that this process and the node have used so far.</summary>
    public (TimeSpan Client, TimeSpan Server) Cpu()
    {
        using var client = Process.GetCurrentProcess();
        using var server = Process.GetProcessById(_node.ProcessId);
        return (client.TotalProcessorTime, server.TotalProcessorTime);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _node.DisposeAsync();
    }
}
