using System.Net;
using System.Text.Json.Nodes;
using CapaEngine.Integration.Infrastructure;
using Shouldly;

namespace CapaEngine.Integration.Journeys;

/// <summary>
/// Two cases share a CAPA whose action does not help: the subject recurs while the window is open, which ends it early,
/// and the next cycle begins beside the old one.
/// </summary>
[Collection(nameof(SystemFixture))]
public sealed class ACauseThatCameBack(SystemFixture system) : IDisposable
{
    private static readonly DateTimeOffset Start = new(2025, 1, 6, 6, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Cluster = Start.AddDays(70);
    private static readonly DateTimeOffset Fixed = Start.AddDays(90);

    private readonly RunningSystem running = system.Running;
    private readonly Cast cast = new(system.Running, isHistory: true);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_recurrence_ends_the_window_early_and_begins_the_next_cycle()
    {
        await LetCapasStayOpenAsync();
        await MachinesReportAsync();
        var first = await cast.TriagedCaseAsync(1);
        await ReviewAsync(first, Cluster.AddDays(2));
        var road = await ShareACapaAsync(first);
        await road.MonitorAsync(Start, Cluster.AddDays(4), Fixed);
        await CloseTheCaseAsync(first);
        var second = await MachinesReportAgainAsync();
        await JudgeAsync(road, second);
    }

    public void Dispose() => cast.Dispose();

    // By ISO 9001 alone the case would wait for its CAPA; an installation may let it close before (G17).
    private async Task LetCapasStayOpenAsync()
    {
        var name = $"own-{Guid.NewGuid():N}"[..20];
        JsonNode? standard = null;
        await running.EventuallyAsync("the profiles are to be read", async ct =>
        {
            standard = (await cast.Quinn.TryGetAsync("profiles/iso9001", ct)).Body?["rules"];
            return standard is not null;
        }, Ct);
        var rules = standard!.DeepClone().AsObject();
        rules["capasMayBeOpen"] = true;
        using var admin = new ApiClient(running.Api, "adele", "administrator");
        await admin.PostAsync("profiles", new { name, rules, reason = "Cases are closed first." },
            HttpStatusCode.Created);
        await admin.PostAsync("site-profiles", new { site = cast.Site, profile = name, reason = "A new site." },
            HttpStatusCode.Created);
    }

    private async Task MachinesReportAsync()
    {
        var baseline = Enumerable.Range(0, 12).Select(n => Start.AddDays(5 * n));
        await SendAsync("first", [.. baseline, .. Enumerable.Range(0, 3).Select(n => Cluster.AddHours(12 * n))]);
        await cast.SendAsync("production", Enumerable.Range(0, 121).Select(day => DeviationJson.Production(
            "urn:test:back", $"{cast.Product}-day-{day}", cast.Product, Start.AddDays(day), 100, cast.Site)));
    }

    private async Task ReviewAsync(string path, DateTimeOffset at)
    {
        await cast.Quinn.PostAsync($"{path}/accept", new { severity = "major", containmentDueHours = 24 }, at: at);
        await cast.Quinn.PostAsync(
            $"{path}/decide-containment-not-needed", new { justification = "All were sorted out." }, at: at);
        await cast.Quinn.PostAsync($"{path}/complete-review", new { }, at: at);
        await cast.Quinn.PostAsync(
            $"{path}/decide-customer-notice-not-needed", new { justification = "Nothing left the house." }, at: at);
    }

    private async Task<CapaRoad> ShareACapaAsync(string first)
    {
        var at = Cluster.AddDays(3);
        await cast.Quinn.PostAsync(
            $"{first}/require-corrective-action", new { capaOwner = "quinn", reason = "Three in two days." }, at: at);
        var capaId = (string)(await cast.SummaryAsync(first))["capaIds"]!.AsArray().ShouldHaveSingleItem()!;
        var road = new CapaRoad(running, cast, Guid.Parse(capaId));
        var other = await cast.ReportAsync(cast.Quinn, "Grooves on the same machine", at: at);
        await ReviewAsync(other, at);
        await cast.Quinn.PostAsync(
            $"{other}/require-corrective-action", new { capaOwner = "quinn", reason = "The same rail.", capaId },
            at: at);
        var plan = await cast.UntilAsync(road.Plan, "the second case joins", seen =>
            seen["summary"]!["nonconformityIds"]!.AsArray().Count == 2);
        plan["summary"]!["nonconformityIds"]!.AsArray().Select(id => Guid.Parse((string)id!))
            .ShouldBe([Cast.IdOf(first), Cast.IdOf(other)], ignoreOrder: true);
        return road;
    }

    private async Task CloseTheCaseAsync(string path)
    {
        await cast.SignAsync(cast.Quinn, path, "close", new { }, Fixed.AddDays(1));
        ((string?)(await cast.SummaryAsync(path))["status"]).ShouldBe("closed");
    }

    private async Task<string> MachinesReportAgainAsync()
    {
        await SendAsync("again", Enumerable.Range(0, 3).Select(n => Fixed.AddDays(5).AddHours(12 * n)));
        return await cast.TriagedCaseAsync(2);
    }

    private async Task JudgeAsync(CapaRoad road, string second)
    {
        var (review, at) = (road.Review(1), Fixed.AddDays(7));
        await cast.UntilAsync(review, "the review notes the recurrence", seen =>
            seen["recurrences"]!.AsArray().Select(id => (string?)id).SequenceEqual([$"{Cast.IdOf(second)}"]));
        await cast.Paul.PostAsync($"{review}/evaluate", new { }, at: at);
        var evaluated = (await cast.SeenAsync(review)).Body!;
        ((string?)evaluated["proposed"]).ShouldBe("ineffective");
        ((bool)evaluated["earlyOnRecurrence"]!).ShouldBeTrue();
        ((long)evaluated["window"]!["deviations"]!).ShouldBe(3);
        await cast.RefusedToSignAsync(cast.Amira, review, "approve",
            new { verdict = "effective", reasonAgainstNumbers = "It looks good." }, "window-not-over", at);
        await cast.SignAsync(cast.Amira, review, "approve", new { verdict = "ineffective" }, at);

        var plan = await cast.UntilAsync(road.Plan, "the next cycle begins", seen => (int)seen["cycle"]! == 2);
        ((string?)plan["stage"]).ShouldBe("awaiting-cause");
        var analysis = await cast.UntilAsync(
            road.Analysis, "the analysis is open again", seen => (int)seen["cycle"]! == 2);
        ((string?)analysis["causes"]!.AsArray().ShouldHaveSingleItem()!["status"]).ShouldBe("hypothesis");
        var former = (await cast.SeenAsync(review)).Body!;
        ((string?)former["verdict"], (int)former["cycle"]!).ShouldBe(("ineffective", 1));
        (await running.ScalarAsync<long>($"""
            select count(*) from reporting.effectiveness_cycle
            where capa_id = '{Cast.IdOf(road.Plan)}' and verdict = 'ineffective' and cardinality(recurrences) = 1
            """, Ct)).ShouldBe(1);
    }

    private Task SendAsync(string batch, IEnumerable<DateTimeOffset> times) => cast.SendAsync(
        "deviations", times.Select((at, n) => DeviationJson.Event(
            "urn:test:back", $"{cast.Product}-{batch}-{n}", cast.Product, "major", at, cast.Site)));
}
