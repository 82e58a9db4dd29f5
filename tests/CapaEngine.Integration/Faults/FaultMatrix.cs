using System.Diagnostics;
using System.Globalization;
using CapaEngine.EventStore;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Integration.Journeys;
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

    private static bool IsWhole => Environment.GetEnvironmentVariable("CAPA_TEST_FAULTS") == "all";

    /// <summary>The cells of this run.</summary>
    public static TheoryData<Part, Fault, Traffic> Cells
    {
        get
        {
            var cells = new TheoryData<Part, Fault, Traffic>();
            foreach (var cell in IsWhole ? FaultCell.All : FaultCell.Sample)
                cells.Add(cell.Part, cell.Fault, cell.Traffic);
            return cells;
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public Task nothing_is_lost_or_there_twice(Part part, Fault fault, Traffic traffic) =>
        ExpectAllAsync($"{part} | {fault}", part, traffic, () => stand.BreakAsync(part, fault, Ct));

    /// <summary>What else happens to a broker, in this run.</summary>
    public static TheoryData<string> Mishaps => IsWhole ? ["purged", "disk alarm"] : ["purged"];

    [Theory]
    [MemberData(nameof(Mishaps))]
    public Task a_broker_that_loses_or_refuses_messages_costs_no_event(string mishap) =>
        mishap == "purged" ? PurgeAsync() : FillDiskAsync();

    private Task PurgeAsync() => ExpectAllAsync(
        "every queue | purged", Part.Broker, Traffic.Burst, async () =>
        {
            for (var n = 0; n < 3; n++) await stand.Broker.PurgeAllQueuesAsync(Ct);
        });

    private Task FillDiskAsync() => ExpectAllAsync(
        "Broker | disk alarm", Part.Broker, Traffic.Steady, async () =>
        {
            await stand.Broker.SetDiskAlarmAsync(isOn: true, Ct);
            // Machines are answered all the time; only what follows from their events waits.
            using var machine = new ApiClient(stand.Api, "line-2", "source-system");
            await machine.PostRawAsync(
                "deviations", DeviationJson.Event("urn:fault:alarm", $"{Guid.NewGuid()}", "p-9", "minor", Day),
                "application/cloudevents+json", ct: Ct);
            using (var alarm = new PeriodicTimer(RunUp)) await alarm.WaitForNextTickAsync(Ct);
            await stand.Broker.SetDiskAlarmAsync(isOn: false, Ct);
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
