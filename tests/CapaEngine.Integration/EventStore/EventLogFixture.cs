using CapaEngine.EventStore;
using CapaEngine.Integration.Infrastructure;

namespace CapaEngine.Integration.EventStore;

/// <summary>An event log node of its own, with an empty database, and one client of it.</summary>
public sealed class EventLogFixture : IAsyncLifetime
{
    private readonly int _port = ServiceProcess.FreePort();
    private readonly int _healthPort = ServiceProcess.FreePort();

    /// <summary>Configuration beyond what every node has; to be filled before the node starts.</summary>
    public IDictionary<string, string> Settings { get; } = new Dictionary<string, string>();

    /// <summary>Whether clients connect with TLS; the settings then name a certificate.</summary>
    public bool Tls { get; init; }

    /// <summary>What stands before the host in the connection string: nothing, or <c>user:password@</c>.</summary>
    public string Credentials { get; init; } = "";

    /// <summary>More options of the connection string, each with an ampersand before it.</summary>
    public string Options { get; init; } = "";

    /// <summary>A superuser's connection string of the server for the database; that of the run by default.</summary>
    public string? Server { get; init; }

    /// <summary>The running node; another process after a restart.</summary>
    public ServiceProcess Node { get; private set; } = null!;

    /// <summary>The client that the tests share, as the services of a process do.</summary>
    public EventStoreClient Client { get; private set; } = null!;

    /// <summary>The node's database.</summary>
    public string Database { get; private set; } = "";

    /// <summary>Where a client finds the node.</summary>
    public string ConnectionString => $"esdb://{Credentials}127.0.0.1:{_port}?tls={(Tls ? "true" : "false")}"
        + $"&keepAliveInterval=1000&keepAliveTimeout=1000{Options}";

    /// <summary>Where the node listens for gRPC.</summary>
    public Uri Url => new($"{(Tls ? "https" : "http")}://127.0.0.1:{_port}");

    /// <summary>Answers 200 while the node is the writer.</summary>
    public Uri Ready => new($"http://127.0.0.1:{_healthPort}/health/ready");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        Database = await TestServers.CreateDatabaseAsync(TestContext.Current.CancellationToken, Server);
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
        // Either is missing when the node has not started; the reason for that is what the test should report.
        await (Client?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (Node?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private Dictionary<string, string> Configuration(int port, int healthPort) => new(Settings)
    {
        ["EventLog__Url"] = $"{Url.Scheme}://127.0.0.1:{port}",
        ["EventLog__HealthUrl"] = $"http://127.0.0.1:{healthPort}",
        ["ConnectionStrings__Postgres"] = Database,
    };
}
