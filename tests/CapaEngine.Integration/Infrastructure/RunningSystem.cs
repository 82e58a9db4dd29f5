using System.Diagnostics;
using CapaEngine.EventStore;
using Npgsql;

namespace CapaEngine.Integration.Infrastructure;

/// <summary>
/// The whole system as an operator runs it: the local event log and the five services, each its own process, on a
/// database and a virtual host of its own.
/// </summary>
public sealed class RunningSystem : IAsyncLifetime
{
    private static readonly (string Name, string Folder)[] Parts =
    [
        ("EventLog", "infra/EventLog"), ("Gateway", "services/Gateway"), ("ReadModels", "services/ReadModels"),
        ("Nonconformities", "services/Nonconformities"), ("RootCauses", "services/RootCauses"),
        ("ActionPlans", "services/ActionPlans"),
    ];

    private readonly Dictionary<string, ServiceProcess> processes = [];
    private readonly Dictionary<string, Uri> health = [];
    private readonly Dictionary<string, string> environment = [];

    /// <summary>Variables that a test adds before the start, such as where telemetry goes.</summary>
    public IDictionary<string, string> Extra { get; } = new Dictionary<string, string>();

    /// <summary>Servers of the test's own, as connection strings; null: those of this test run.</summary>
    public (string Postgres, string RabbitMq)? Servers { get; init; }

    /// <summary>Changes the variables of a part before it starts, such as to lead its connections elsewhere.</summary>
    public Action<string, IDictionary<string, string>>? Rewire { get; init; }

    /// <summary>The gateway's address, below which <c>/api/v1</c> lies.</summary>
    public Uri Api { get; private set; } = null!;

    /// <summary>The database of the read models and of the event log.</summary>
    public NpgsqlDataSource Database { get; private set; } = null!;

    /// <summary>The log, for looking at what was recorded.</summary>
    public EventStoreClient Log { get; private set; } = null!;

    /// <summary>The virtual host's name.</summary>
    public string VirtualHost { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        var postgres = await TestServers.CreateDatabaseAsync(ct, Servers?.Postgres);
        var rabbitMq = Servers?.RabbitMq ?? await TestServers.CreateVirtualHostAsync(ct);
        VirtualHost = rabbitMq[(rabbitMq.LastIndexOf('/') + 1)..];
        Database = NpgsqlDataSource.Create(postgres);
        var addresses = Parts.ToDictionary(
            part => part.Name, _ => new Uri($"http://127.0.0.1:{ServiceProcess.FreePort()}"));
        Api = addresses["Gateway"];
        var eventLog = addresses["EventLog"];
        var eventLogHealth = new Uri($"http://127.0.0.1:{ServiceProcess.FreePort()}");

        environment["ConnectionStrings__Postgres"] = postgres;
        environment["ConnectionStrings__RabbitMq"] = rabbitMq;
        environment["ConnectionStrings__EventStore"] = $"esdb://127.0.0.1:{eventLog.Port}?tls=false";
        environment["EventLog__Url"] = Origin(eventLog);
        environment["EventLog__HealthUrl"] = Origin(eventLogHealth);
        environment["Auth__Authority"] = Origin(Api);
        environment["Auth__Audience"] = "capaengine";
        environment["Auth__DevIssuerKeyFile"] = Path.Combine(
            Path.GetTempPath(), $"capa-test-issuer-{Guid.NewGuid():N}.pem");
        foreach (var (name, _) in Parts.Skip(2)) environment[$"Services__{name}"] = Origin(addresses[name]);
        foreach (var (name, _) in Parts)
            health[name] = name == "EventLog" ? eventLogHealth : addresses[name];
        foreach (var (key, value) in Extra) environment[key] = value;

        Log = EventStoreClient.Create(environment["ConnectionStrings__EventStore"]);
        await StartAsync(ct, [.. Parts.Select(part => part.Name)]);
    }

    /// <summary>Starts the named parts at the same time and waits until each is ready.</summary>
    public async Task StartAsync(CancellationToken ct, params string[] names)
    {
        foreach (var name in names) Launch(name, name);

        foreach (var name in names)
            await processes[name].WaitUntilReadyAsync(
                HealthOf(name), TimeSpan.FromSeconds(90), ct);
    }

    /// <summary>Starts a second process of a part under a name of its own; nobody sends requests to it.</summary>
    public async Task StartTwinAsync(string name, string twin, CancellationToken ct)
    {
        health[twin] = new Uri($"http://127.0.0.1:{ServiceProcess.FreePort()}");
        Launch(name, twin);
        await processes[twin].WaitUntilReadyAsync(HealthOf(twin), TimeSpan.FromSeconds(90), ct);
    }

    /// <summary>Sends a signal (<c>STOP</c>, <c>CONT</c>) to a part.</summary>
    public Task SignalAsync(string name, string signal, CancellationToken ct) =>
        processes[name].SignalAsync(signal, ct);

    /// <summary>Waits until every part is ready, as after something that they all depend on came back.</summary>
    public async Task ReadyAsync(CancellationToken ct)
    {
        foreach (var (name, process) in processes)
            await process.WaitUntilReadyAsync(HealthOf(name), TimeSpan.FromSeconds(90), ct);
        using var http = new HttpClient { BaseAddress = Api };
        await EventuallyAsync("the gateway reaches its services", async token =>
        {
            // Without a token the service itself refuses, so the answer shows that the way there is open.
            using var answer = await http.GetAsync("/api/v1/deviations", token);
            return answer.StatusCode == System.Net.HttpStatusCode.Unauthorized;
        }, ct);
    }

    /// <summary>Where a part says how it is.</summary>
    public Uri HealthOf(string name) => new(health[name], "/health/ready");

    /// <summary>Ends a part as a power cut would.</summary>
    public async Task KillAsync(string name)
    {
        await processes[name].DisposeAsync();
        processes.Remove(name);
    }

    /// <summary>A setting that every part is started with.</summary>
    public string Setting(string name) => environment[name];

    /// <summary>Asks every part to end and starts all of them again.</summary>
    public async Task RestartAsync(CancellationToken ct)
    {
        foreach (var (name, _) in Parts.Reverse())
        {
            await processes[name].StopAsync(TimeSpan.FromSeconds(30), ct);
            await KillAsync(name);
        }

        await StartAsync(ct, [.. Parts.Select(part => part.Name)]);
    }

    /// <summary>The single value a query on the read models gives.</summary>
    public async Task<T> ScalarAsync<T>(string sql, CancellationToken ct)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>The revision of a stream's last event in the log, -1 where there is none.</summary>
    public async Task<long> HeadRevisionAsync(string stream, CancellationToken ct)
    {
        await foreach (var last in Log.ReadStreamBackwardsAsync(stream, 1, ct)) return last.Revision;
        return -1;
    }

    /// <summary>Waits until the condition holds; fails with what is awaited and the logs' ends.</summary>
    public async Task EventuallyAsync(
        string what, Func<CancellationToken, Task<bool>> condition, CancellationToken ct, int secondsMax = 60)
    {
        var started = Stopwatch.GetTimestamp();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await condition(ct))
        {
            if (Stopwatch.GetElapsedTime(started).TotalSeconds > secondsMax)
                throw new TimeoutException($"Not within {secondsMax} s: {what}\n" + string.Join('\n',
                    processes.Select(part => $"--- {part.Key}\n{part.Value.LogTail(15)}")));
            await poll.WaitForNextTickAsync(ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Log is not null) await Log.DisposeAsync();
        foreach (var process in processes.Values) await process.DisposeAsync();
        if (Database is not null) await Database.DisposeAsync();
        if (environment.TryGetValue("Auth__DevIssuerKeyFile", out var key)) File.Delete(key);
    }

    private void Launch(string name, string process)
    {
        var own = new Dictionary<string, string>(environment) { ["ASPNETCORE_URLS"] = Origin(health[process]) };
        if (name == "EventLog") own.Remove("ASPNETCORE_URLS");
        Rewire?.Invoke(name, own);
        processes[process] = ServiceProcess.Start(Parts.Single(part => part.Name == name).Folder, own);
    }

    private static string Origin(Uri address) => address.GetLeftPart(UriPartial.Authority);
}
