using System.Diagnostics;
using System.Globalization;
using System.Net;
using CapaEngine.EventStore;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Integration.Journeys;
using CapaEngine.Integration.Pipeline;
using CapaEngine.Kernel;
using CapaEngine.Verify;
using Shouldly;

namespace CapaEngine.Integration.Faults;

/// <summary>
/// Parts of the real system break in every way, under every traffic, and come back. After each time the auditor finds
/// nothing: what was accepted is there once, and everything that follows from it.
/// </summary>
/// <remarks>A sample in every run, all cells with <c>./capa test --faults</c>.</remarks>
public sealed class FaultMatrix(FaultStand stand, ITestOutputHelper output) : IClassFixture<FaultStand>
{
    private const int EventsAfter = 100;
    private static readonly TimeSpan RunUp = TimeSpan.FromSeconds(1.5);
    private static readonly DateTimeOffset Day = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The cells of this run.</summary>
    public static TheoryData<Part, Fault, Traffic> Cells
    {
        get
        {
            var cells = new TheoryData<Part, Fault, Traffic>();
            foreach (var cell in FaultCell.Chosen)
                cells.Add(cell.Part, cell.Fault, cell.Traffic);
            return cells;
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public Task nothing_is_lost_or_there_twice(Part part, Fault fault, Traffic traffic) =>
        ExpectAllAsync($"{part} | {fault}", part, traffic, () => stand.BreakAsync(part, fault, Ct));

    [Fact]
    public Task every_queue_purged_under_load_costs_no_event() => ExpectAllAsync(
        "every queue | purged", Part.Broker, Traffic.Burst, async () =>
        {
            for (var n = 0; n < 3; n++) await stand.Broker.PurgeAllQueuesAsync(Ct);
        });

    /// <summary>What else happens to the servers, when all faults are tried.</summary>
    public static TheoryData<string> Mishaps => FaultStand.IsWhole
        ? ["broker out of disk", "broker out of memory", "database out of disk"]
        : ["broker out of disk"];

    [Theory]
    [MemberData(nameof(Mishaps))]
    public Task a_server_without_room_costs_no_event(string mishap) => mishap switch
    {
        "broker out of disk" => BlockBrokerAsync(mishap, isOn => stand.Broker.SetDiskAlarmAsync(isOn, Ct)),
        "broker out of memory" => BlockBrokerAsync(mishap, isOn => stand.Broker.SetMemoryAlarmAsync(isOn, Ct)),
        _ => ExpectAllAsync($"{mishap} | until it refuses", Part.PostgreSql, Traffic.Steady, async () =>
        {
            await stand.Postgres.FillDiskAsync(Ct);
            using var machine = new ApiClient(stand.Api, "line-3", "source-system");
            await Eventually.HoldsAsync(() => IsRefusedAsync(machine), "the events have no room", Ct, 120);
            await stand.Postgres.EmptyDiskAsync(Ct);
        }),
    };

    // What a database has set aside on its disk takes some events before it is full.
    private static async Task<bool> IsRefusedAsync(ApiClient machine)
    {
        var events = Enumerable.Range(0, 500).Select(_ => DeviationJson.Event(
            "urn:fault:filling", $"{Guid.NewGuid()}", "p-9", "minor", Day));
        var answered = await machine.TryPostRawAsync(
            "deviations", $"[{string.Join(',', events)}]", "application/cloudevents-batch+json", Ct);
        return answered.Status == HttpStatusCode.ServiceUnavailable;
    }

    private Task BlockBrokerAsync(string mishap, Func<bool, Task> setAlarmAsync) => ExpectAllAsync(
        $"{mishap} | alarm", Part.Broker, Traffic.Steady, async () =>
        {
            await setAlarmAsync(true);
            // Machines are answered all the time; only what follows from their events waits.
            using var machine = new ApiClient(stand.Api, "line-2", "source-system");
            await machine.PostRawAsync(
                "deviations", DeviationJson.Event("urn:fault:alarm", $"{Guid.NewGuid()}", "p-9", "minor", Day),
                "application/cloudevents+json", ct: Ct);
            using (var alarm = new PeriodicTimer(RunUp)) await alarm.WaitForNextTickAsync(Ct);
            await setAlarmAsync(false);
        });

    private async Task ExpectAllAsync(string what, Part part, Traffic traffic, Func<Task> breakAndMend)
    {
        var name = $"{what}-{traffic}".ToLowerInvariant().Replace(" | ", "-").Replace(' ', '-');
        await stand.BeginAsync(part, Ct);
        await using var load = new FaultTraffic(stand.Api, name);
        await load.StartAsync(traffic, Ct);
        using (var runUp = new PeriodicTimer(RunUp)) await runUp.WaitForNextTickAsync(Ct);

        await breakAndMend();
        var mended = Stopwatch.GetTimestamp();
        await load.EndAsync(EventsAfter, Ct);
        var answering = Stopwatch.GetElapsedTime(mended);
        await stand.Running.ReadyAsync(Ct);
        stand.Running.Database.Clear();
        var audit = await AuditAsync();
        var whole = Stopwatch.GetElapsedTime(mended);
        await stand.EndAsync(part);

        var rows = await CountAsync($"select count(*) from read_models.deviation where source = '{load.Source}'");
        var capas = await CountAsync($"select count(*) from read_models.capa where title = '{name}'");
        Report($"{what} | {traffic} | {load.Accepted} | {rows} | {load.Capas} | {capas} | {load.Repeats} | "
            + Seconds(answering) + " | " + Seconds(whole) + $" | {audit.Findings.Count}");
        audit.Findings.ShouldBeEmpty();
        audit.InFlight.ShouldBeEmpty();
        (rows, capas).ShouldBe((load.Accepted, load.Capas));
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);

    private Task<AuditResult> AuditAsync() => new Auditor(
        stand.Running.Log, EndAsync, stand.Running.Database,
        new AuditOptions
        {
            Deadline = TimeSpan.FromSeconds(120), Settle = TimeSpan.FromSeconds(30), Pause = TimeSpan.FromSeconds(1),
        },
        TimeProvider.System).RunAsync(Ct);

    private async Task<ulong> EndAsync(CancellationToken ct)
    {
        await foreach (var last in stand.Running.Log.ReadAllBackwardsAsync(null, LogFilter.Everything, 1, ct))
            return last.Position.Commit;
        return LogPosition.Start.Commit;
    }

    private Task<long> CountAsync(string sql) => stand.Running.ScalarAsync<long>(sql, Ct);

    private void Report(string line)
    {
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable("CAPA_TEST_FAULTS_REPORT") is { } file)
            File.AppendAllText(file, $"| {line} |\n");
    }
}
