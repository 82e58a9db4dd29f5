using CapaEngine.EventStore;
using CapaEngine.Integration.Infrastructure;

namespace CapaEngine.Integration.EventStore;

/// <summary>An event log node of its own, with an empty database, and one client of it.</summary>
public sealed class EventLogFixture : IAsyncLifetime
{
    private readonly int _port = ServiceProcess.FreePort();
    private readonly int _healthPort = ServiceProcess.FreePort();

    /// <summary>The running node; another process after a restart.</summary>
    public ServiceProcess Node { get; private set; } = null!;

    /// <summary>The client that the tests share, as the services of a process do.</summary>
    public EventStoreClient Client { get; private set; } = null!;

    /// <summary>The node's database.</summary>
    public string Database { get; private set; } = "";

    /// <summary>Where a client finds the node.</summary>
    public string ConnectionString =>
        $"esdb://127.0.0.1:{_port}?tls=false&keepAliveInterval=1000&keepAliveTimeout=1000";

    /// <summary>Answers 200 while the node is the writer.</summary>
    public Uri Ready => new($"http://127.0.0.1:{_healthPort}/health/ready");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        Database = await TestServers.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        Node = await ServiceProcess.StartReadyAsync(
            "infra/EventLog", Configuration(_port, _healthPort), Ready, TestContext.Current.CancellationToken);
        Client = EventStoreClient.Create(ConnectionString);
    }

    /// <summary>Cuts the node's power, and starts it again on the same address.</summary>
    public async Task KillAndStartAsync(CancellationToken ct)
    {
        await Node.DisposeAsync();
        Node = await ServiceProcess.StartReadyAsync("infra/EventLog", Configuration(_port, _healthPort), Ready, ct);
    }

    /// <summary>Starts a second node on the same database, which has to wait for the first.</summary>
    public (ServiceProcess Node, Uri Ready, string ConnectionString) StartSecond()
    {
        var (port, healthPort) = (ServiceProcess.FreePort(), ServiceProcess.FreePort());
        var node = ServiceProcess.Start("infra/EventLog", Configuration(port, healthPort));
        return (node, new Uri($"http://127.0.0.1:{healthPort}/health/ready"), $"esdb://127.0.0.1:{port}?tls=false");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Node.DisposeAsync();
    }

    private Dictionary<string, string> Configuration(int port, int healthPort) => new()
    {
        ["EventLog__Url"] = $"http://127.0.0.1:{port}",
        ["EventLog__HealthUrl"] = $"http://127.0.0.1:{healthPort}",
        ["ConnectionStrings__Postgres"] = Database,
    };
}
