using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using CapaEngine.Integration.EventStore;
using CapaEngine.Integration.Infrastructure;

namespace CapaEngine.Integration.Faults;

/// <summary>
/// The whole system on a PostgreSQL and a RabbitMQ of its own, in which every connection between two parts is a line
/// that can be cut. Whatever is broken is mended before the stand is given back.
/// </summary>
public sealed partial class FaultStand : IAsyncLifetime
{
    private const string Client = "client";
    private const string Twin = "Nonconformities-2";
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan CutPeriod = TimeSpan.FromMilliseconds(400);
    private const int CutCount = 5;
    private const int DiskMb = 2_048;

    private readonly ConcurrentDictionary<(string Part, string To), FaultyLine> lines = new();
    private PrivatePostgres postgres = null!;
    private PrivateRabbitMq rabbitMq = null!;

    /// <summary>Whether all faults are tried, not only the sample of every test run.</summary>
    public static bool IsWhole => Environment.GetEnvironmentVariable("CAPA_TEST_FAULTS") == "all";

    /// <summary>Its broker.</summary>
    public PrivateRabbitMq Broker => rabbitMq;

    /// <summary>Its database server, which has a disk of its own where all faults are tried.</summary>
    public PrivatePostgres Postgres => postgres;

    /// <summary>The system under test.</summary>
    public RunningSystem Running { get; private set; } = null!;

    /// <summary>Where clients send to: the gateway, over a line.</summary>
    public Uri Api { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        postgres = await PrivatePostgres.StartAsync(ct, IsWhole ? DiskMb : null);
        rabbitMq = await PrivateRabbitMq.StartAsync(ct);
        Running = new RunningSystem
        {
            Servers = (postgres.ConnectionString, rabbitMq.ConnectionString), Rewire = LeadOverLines,
        };
        await Running.InitializeAsync();
        Api = new UriBuilder(Running.Api) { Port = Line(Client, "Gateway", Running.Api.Port).Port }.Uri;
    }

    public async ValueTask DisposeAsync()
    {
        if (Running is not null) await Running.DisposeAsync();
        foreach (var line in lines.Values) await line.DisposeAsync();
        if (rabbitMq is not null) await rabbitMq.DisposeAsync();
        if (postgres is not null) await postgres.DisposeAsync();
    }

    /// <summary>Breaks a part, and mends it: when this returns, everything is as before or on its way there.</summary>
    public Task BreakAsync(Part part, Fault fault, CancellationToken ct) => fault switch
    {
        Fault.Cut => CutAsync(part, ct),
        Fault.Kill => KillAsync(part, ct),
        Fault.Stop => StopAsync(part, ct),
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, null),
    };

    /// <summary>Makes a second process of the service the leader of its relay, reactions and numbers.</summary>
    public async Task BeginAsync(Part part, CancellationToken ct)
    {
        if (part != Part.Relay) return;
        await Running.StartTwinAsync("Nonconformities", Twin, ct);
        // Who waited longest is next, so the one that takes the requests has to begin again.
        await Running.KillAsync("Nonconformities");
        await Running.StartAsync(ct, "Nonconformities");
    }

    /// <summary>Ends what <see cref="BeginAsync"/> started.</summary>
    public async Task EndAsync(Part part)
    {
        if (part == Part.Relay) await Running.KillAsync(Twin);
    }

    private Task CutAsync(Part part, CancellationToken ct)
    {
        Func<(string Part, string To), bool> isOfIt = part switch
        {
            Part.Intake => line => line.Part == Client || line is ("Gateway", "Nonconformities"),
            Part.Relay => line => line is ("Nonconformities", "RabbitMq" or "EventStore"),
            Part.LogNode => line => line.To == "EventStore",
            Part.Broker => line => line.To == "RabbitMq",
            Part.PostgreSql => line => line.To == "Postgres",
            _ => line => line.Part == NameOf(part),
        };
        var cut = lines.Where(line => isOfIt(line.Key)).Select(line => line.Value).ToList();
        if (cut.Count == 0) throw new InvalidOperationException($"No line leads to {part}.");
        return RepeatAsync(CutCount, () => cut.ForEach(line => line.Cut()), ct);
    }

    private static async Task RepeatAsync(int count, Action action, CancellationToken ct)
    {
        using var period = new PeriodicTimer(CutPeriod);
        for (var n = 0; n < count; n++)
        {
            action();
            await period.WaitForNextTickAsync(ct);
        }
    }

    private async Task KillAsync(Part part, CancellationToken ct)
    {
        switch (part)
        {
            case Part.Broker:
                await rabbitMq.KillAndRestartAsync(ct);
                break;
            case Part.PostgreSql:
                await postgres.KillAndRestartAsync(ct);
                break;
            case Part.Relay:
                // The process that takes the requests goes on by itself: it must take over.
                await Running.KillAsync(Twin);
                await Running.StartTwinAsync("Nonconformities", Twin, ct);
                break;
            default:
                await Running.KillAsync(NameOf(part));
                await Running.StartAsync(ct, NameOf(part));
                break;
        }
    }

    private async Task StopAsync(Part part, CancellationToken ct)
    {
        Func<string, Task> signal = part switch
        {
            Part.Broker => name => rabbitMq.SignalAsync(name, ct),
            Part.PostgreSql => name => postgres.SignalAsync(name, ct),
            Part.Relay => name => Running.SignalAsync(Twin, name, ct),
            _ => name => Running.SignalAsync(NameOf(part), name, ct),
        };
        await signal("STOP");
        using var over = new PeriodicTimer(StopTime);
        await over.WaitForNextTickAsync(ct);
        await signal("CONT");
    }

    private static string NameOf(Part part) => part switch
    {
        Part.Intake => "Nonconformities",
        Part.LogNode => "EventLog",
        Part.Projector => "ReadModels",
        _ => part.ToString(),
    };

    private void LeadOverLines(string part, IDictionary<string, string> settings)
    {
        foreach (var name in (string[])["EventStore", "RabbitMq", "Postgres"])
            Lead(part, name, $"ConnectionStrings__{name}", settings);
        if (part != "Gateway") return;
        foreach (var name in (string[])["Nonconformities", "RootCauses", "ActionPlans", "ReadModels"])
            Lead(part, name, $"Services__{name}", settings);
    }

    private void Lead(string part, string to, string setting, IDictionary<string, string> settings) =>
        settings[setting] = Port().Replace(
            settings[setting],
            port => $"{Line(part, to, int.Parse(port.Value, System.Globalization.CultureInfo.InvariantCulture)).Port}");

    private FaultyLine Line(string part, string to, int target) =>
        lines.GetOrAdd((part, to), _ => new FaultyLine(target));

    // The address of each connection string has the one number that follows a colon or "Port=".
    [GeneratedRegex(@"(?<=(127\.0\.0\.1:|Port=))\d+")]
    private static partial Regex Port();
}
