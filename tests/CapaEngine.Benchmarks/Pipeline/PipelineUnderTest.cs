using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using CapaEngine.Integration.Infrastructure;

namespace CapaEngine.Benchmarks.Pipeline;

/// <summary>
/// The whole system as an operator runs it: the local event log and the five services, each its own process, on a
/// database and a virtual host of its own.
/// </summary>
internal sealed class PipelineUnderTest : IAsyncDisposable
{
    private const string EventLog = "event-log";
    private const string Gateway = "gateway";
    private const string Intake = "nonconformities";

    private static readonly string[] MachineRoles = ["source-system"];

    private static readonly (string Name, string Folder, string Setting)[] Parts =
    [
        (EventLog, "infra/EventLog", ""), (Gateway, "services/Gateway", ""),
        (Intake, "services/Nonconformities", "Services__Nonconformities"),
        ("root-causes", "services/RootCauses", "Services__RootCauses"),
        ("action-plans", "services/ActionPlans", "Services__ActionPlans"),
        ("read-models", "services/ReadModels", "Services__ReadModels"),
    ];

    private readonly Dictionary<string, ServiceProcess> _processes = [];
    private readonly Dictionary<string, Uri> _addresses = [];
    private readonly Dictionary<string, string> _environment = [];

    /// <summary>The connection string of the read models.</summary>
    public string Database => _environment["ConnectionStrings__Postgres"];

    /// <summary>The process ids of the parts by name.</summary>
    public IReadOnlyDictionary<string, int> ProcessIds =>
        _processes.ToDictionary(part => part.Key, part => part.Value.ProcessId);

    /// <summary>Starts every part and waits until each is ready.</summary>
    public static async Task<PipelineUnderTest> StartAsync(CancellationToken ct)
    {
        var system = new PipelineUnderTest();
        try
        {
            await system.StartPartsAsync(ct);
            return system;
        }
        catch
        {
            await system.DisposeAsync();
            throw;
        }
    }

    /// <summary>A client of the intake that holds a machine's token.</summary>
    /// <param name="direct">Whether it goes past the gateway.</param>
    public async Task<HttpClient> ConnectAsync(bool direct, int connectionsMax, CancellationToken ct)
    {
        using var issuer = new HttpClient { BaseAddress = _addresses[Gateway] };
        using var token = await issuer.PostAsJsonAsync(
            "/dev/token", new { person = "bench", roles = MachineRoles, site = "*" }, ct);
        token.EnsureSuccessStatusCode();
        var handler = new SocketsHttpHandler { MaxConnectionsPerServer = connectionsMax };
        var http = new HttpClient(handler) { BaseAddress = _addresses[direct ? Intake : Gateway] };
        http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", (await token.Content.ReadAsStringAsync(ct)).Trim());
        http.DefaultRequestHeaders.Accept.ParseAdd(DeviationLines.MediaType);
        return http;
    }

    /// <summary>Runs the auditor; whether everything holds, and what it says.</summary>
    public async Task<(bool Holds, string Report)> AuditAsync(CancellationToken ct)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [ServiceProcess.AssemblyOf("infra/Verify"), "--at-rest", "--settle-seconds", "8",
             "--deadline-seconds", "240"])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in _environment) start.Environment[name] = value;
        using var audit = Process.Start(start)!;
        var said = await Task.WhenAll(
            audit.StandardOutput.ReadToEndAsync(ct), audit.StandardError.ReadToEndAsync(ct));
        await audit.WaitForExitAsync(ct);
        return (audit.ExitCode == 0, string.Concat(said).TrimEnd());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes.Values.Reverse()) await process.DisposeAsync();
        if (_environment.TryGetValue("Auth__DevIssuerKeyFile", out var key)) File.Delete(key);
    }

    private async Task StartPartsAsync(CancellationToken ct)
    {
        foreach (var (name, _, _) in Parts) _addresses[name] = FreeAddress();
        var health = FreeAddress();
        _environment["ConnectionStrings__Postgres"] = await TestServers.CreateDatabaseAsync(ct);
        _environment["ConnectionStrings__RabbitMq"] = await TestServers.CreateVirtualHostAsync(ct);
        _environment["ConnectionStrings__EventStore"] = string.Create(
            CultureInfo.InvariantCulture, $"esdb://127.0.0.1:{_addresses[EventLog].Port}?tls=false");
        _environment["EventLog__Url"] = Origin(_addresses[EventLog]);
        _environment["EventLog__HealthUrl"] = Origin(health);
        _environment["Auth__Authority"] = Origin(_addresses[Gateway]);
        _environment["Auth__Audience"] = "capaengine";
        _environment["Auth__DevIssuerKeyFile"] =
            Path.Combine(Path.GetTempPath(), $"capa-bench-issuer-{Guid.NewGuid():N}.pem");
        foreach (var (name, _, setting) in Parts.Where(part => part.Setting.Length > 0))
            _environment[setting] = Origin(_addresses[name]);
        foreach (var (name, folder, _) in Parts)
        {
            var own = new Dictionary<string, string>(_environment);
            if (name != EventLog) own["ASPNETCORE_URLS"] = Origin(_addresses[name]);
            _processes[name] = ServiceProcess.Start(folder, own);
        }

        foreach (var (name, process) in _processes)
        {
            var ready = new Uri(name == EventLog ? health : _addresses[name], "/health/ready");
            await process.WaitUntilReadyAsync(ready, TimeSpan.FromSeconds(90), ct);
        }
    }

    private static Uri FreeAddress() => new(string.Create(
        CultureInfo.InvariantCulture, $"http://127.0.0.1:{ServiceProcess.FreePort()}"));

    private static string Origin(Uri address) => address.GetLeftPart(UriPartial.Authority);
}
