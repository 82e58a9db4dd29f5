using System.Net;
using System.Text.Json.Nodes;
using CapaEngine.Integration.Infrastructure;
using Shouldly;

namespace CapaEngine.Integration.Journeys;

/// <summary>
/// A preventive CAPA that goes wrong wherever it can before it goes right: sent back, extended, returned, replaced,
/// handed over, judged by changed criteria, inconclusive, effective, and opened again.
/// </summary>
[Collection(nameof(SystemFixture))]
public sealed class DetoursOfACapa(SystemFixture system) : IDisposable
{
    private static readonly DateTimeOffset Start = new(2025, 1, 6, 6, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Planned = Start.AddDays(72);
    private static readonly DateTimeOffset Fixed = Start.AddDays(90);

    private static readonly string[] Elsewhere = ["turning"];

    private readonly RunningSystem running = system.Running;
    private readonly Cast cast = new(system.Running, isHistory: true);
    private CapaRoad road = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_preventive_capa_comes_to_its_end_over_every_detour()
    {
        await MachinesReportAsync();
        await OpenAsync();
        var (rail, oil) = await PlanAsync(await road.FindCausesAsync(Start.AddDays(71), "occurrence", "system"));
        await ExtendAsync(rail);
        await ChangeCriteriaAsync();
        await ImplementAsync(rail, oil);
        await JudgeTwiceAsync();
        await CloseAsync();
        await OpenAgainAsync();
    }

    public void Dispose() => cast.Dispose();

    // Twelve deviations in sixty days and two in the window, never three within a week: no case is opened.
    private async Task MachinesReportAsync()
    {
        var days = Enumerable.Range(0, 12).Select(n => 5.0 * n).Concat([100, 110]);
        await cast.SendAsync("deviations", days.Select((day, n) => DeviationJson.Event(
            "urn:test:detours", $"{cast.Product}-{n}", cast.Product, "major", Start.AddDays(day), cast.Site)));
        await cast.SendAsync("production", Enumerable.Range(0, 151).Select(day => DeviationJson.Production(
            "urn:test:detours", $"{cast.Product}-day-{day}", cast.Product, Start.AddDays(day), 100, cast.Site)));
    }

    private async Task OpenAsync()
    {
        var opened = await cast.Quinn.PostAsync("action-plans", new
        {
            site = cast.Site, title = "Rails wear", owner = "quinn", reason = "The trend of the last two months.",
            subject = new
            {
                site = cast.Site, product = cast.Product, process = "milling", station = "m-1",
                characteristic = "width",
            },
        }, HttpStatusCode.Created, at: Start.AddDays(70));
        road = new CapaRoad(running, cast, opened.Id);
        var seen = await cast.SummaryAsync(road.Plan);
        seen["nonconformityIds"]!.AsArray().ShouldBeEmpty();
        ((string?)seen["stage"]).ShouldBe("awaiting-cause");
    }

    private async Task<(Guid Rail, Guid Oil)> PlanAsync(IReadOnlyList<Guid> causes)
    {
        var (plan, at) = (road.Plan, Planned);
        await cast.Quinn.PostAsync($"{plan}/rate-risk", new { severity = 5, likelihood = 5 }, at: at);
        await cast.Quinn.PostAsync($"{plan}/rate-failure-mode", FailureMode(7), at: at);
        var rail = await road.PlanActionAsync("Replace the rail", "oscar", "2025-04-01", causes, at);
        var oil = await road.PlanActionAsync("Oil it weekly", "omar", "2025-04-20", [causes[0]], at);
        await cast.Quinn.PostAsync(
            $"{plan}/define-effectiveness-criteria", CapaRoad.Criteria(Start, 20), at: at);
        await cast.Quinn.PostAsync(
            $"{plan}/check-adverse-effects", new { doesHarm = true, finding = "The oil reaches the part." }, at: at);
        await cast.Quinn.RefusedAsync($"{plan}/submit", new { }, "adverse-effect-open", at: at);
        await cast.Quinn.PostAsync(
            $"{plan}/check-adverse-effects", new { doesHarm = false, finding = "A shield keeps it away." }, at: at);
        await cast.Quinn.PostAsync($"{plan}/plan-deployment", new { processes = Elsewhere }, at: at);

        await cast.Quinn.PostAsync($"{plan}/submit", new { }, at: at);
        await cast.Amira.PostAsync($"{plan}/send-back", new { reason = "Who oils it on holidays?" }, at: at);
        await cast.RefusedToSignAsync(cast.Amira, plan, "approve", new { }, "wrong-stage", at);
        await cast.Quinn.PostAsync($"{plan}/submit", new { }, at: at);
        await cast.SignAsync(cast.Amira, plan, "approve", new { }, at);
        await cast.SignAsync(cast.Amira, plan, "approve", new { }, at);
        ((string?)(await cast.SeenAsync(plan)).Body!["stage"]).ShouldBe("plan-in-approval", "It takes two persons.");
        await cast.SignAsync(cast.Paul, plan, "approve", new { }, at);
        ((string?)(await cast.SeenAsync(plan)).Body!["stage"]).ShouldBe("implementing");
        return (rail, oil);
    }

    private async Task ExtendAsync(Guid actionId)
    {
        var (plan, at) = (road.Plan, Planned.AddDays(1));
        await cast.Amira.RefusedAsync($"{plan}/grant-extension", new { actionId }, "no-extension-requested", at: at);
        await cast.Oscar.RefusedAsync(
            $"{plan}/request-extension", new { actionId, dueOn = "2025-03-25", reason = "?" }, "not-an-extension",
            at: at);
        await cast.Oscar.PostAsync(
            $"{plan}/request-extension", new { actionId, dueOn = "2025-06-01", reason = "Much to do." }, at: at);
        await cast.Amira.PostAsync(
            $"{plan}/refuse-extension", new { actionId, reason = "That is no reason." }, at: at);
        await cast.Oscar.PostAsync(
            $"{plan}/request-extension", new { actionId, dueOn = "2025-05-01", reason = "The rail is late." }, at: at);
        await cast.As("oscar", "approver").RefusedAsync(
            $"{plan}/grant-extension", new { actionId }, "self-approval", at: at);
        await cast.Amira.PostAsync($"{plan}/grant-extension", new { actionId }, at: at);
        await cast.SeenAsync(plan);
        (await running.ScalarAsync<string>($"""
            select concat_ws(' ', original_due_on, due_on, extension_count) from reporting.action
            where action_id = '{actionId}'
            """, Ct)).ShouldBe("2025-04-01 2025-05-01 1");
    }

    // G22.
    private async Task ChangeCriteriaAsync()
    {
        var (plan, at) = (road.Plan, Planned.AddDays(2));
        await cast.RefusedToSignAsync(
            cast.Amira, plan, "approve-criteria-change", new { }, "no-change-proposed", at);
        await cast.Paul.PostAsync($"{plan}/propose-criteria-change", Change(30), at: at);
        await cast.RefusedToSignAsync(cast.Paul, plan, "approve-criteria-change", new { }, "self-approval", at);
        await cast.SignAsync(cast.Amira, plan, "approve-criteria-change", new { }, at);
        ((int)(await cast.SummaryAsync(plan))["windowDays"]!).ShouldBe(30);
    }

    private async Task ImplementAsync(Guid rail, Guid oil)
    {
        var (plan, at) = (road.Plan, Fixed.AddDays(-1));
        await road.DoAsync(cast.Oscar, rail, at);
        await cast.Vera.PostAsync(
            $"{plan}/return-action", new { actionId = rail, reason = "It is not aligned." }, at: at);
        await cast.Oscar.PostAsync(
            $"{plan}/complete-action", new { actionId = rail, evidence = "Protocol 10" }, at: at);
        await cast.Vera.PostAsync($"{plan}/verify-action", new { actionId = rail, finding = "No play left." }, at: at);

        await cast.Amira.RefusedAsync($"{plan}/replace-action", Successor("2025-04-21"), "due-date-moved", at: at);
        await cast.Amira.PostAsync($"{plan}/replace-action", Successor("2025-04-20"), at: at);
        var pump = await road.ActionAsync("Fit an oil pump");
        await cast.Amira.RefusedAsync($"{plan}/change-action-owner", Handover(pump, "amira"), "self-approval", at: at);
        await cast.Quinn.PostAsync($"{plan}/change-action-owner", Handover(pump, "olga"), at: at);
        await road.DoAsync(cast.As("olga", "action-owner"), pump, at);
        await cast.As("omar", "verifier").RefusedAsync(
            $"{plan}/verify-action", new { actionId = pump, finding = "Fine." }, "self-verification", at: at);
        await cast.Vera.PostAsync($"{plan}/verify-action", new { actionId = pump, finding = "It oils." }, at: Fixed);
        var actions = (await cast.SeenAsync(plan)).Body!["actions"]!.AsArray();
        actions.Select(action => $"{action!["title"]}: {action["status"]} {action["returnCount"]}").ShouldBe(
            ["Replace the rail: verified 1", "Oil it weekly: cancelled 0", "Fit an oil pump: verified 0"],
            ignoreOrder: true);
        var replaced = actions.Single(action => (string?)action!["id"] == $"{oil}")!;
        ((string?)replaced["replacedBy"]).ShouldBe($"{pump}");

        object Successor(string dueOn) => new
        {
            actionId = oil, reason = "Nobody oils on holidays.", kind = "corrective", title = "Fit an oil pump",
            description = "It oils by itself.", owner = "omar", dueOn,
        };

        static object Handover(Guid actionId, string owner) => new { actionId, owner, reason = "Omar is away." };
    }

    private async Task JudgeTwiceAsync()
    {
        var review = road.Review(1);
        await road.ReviewAsync(1, "monitoring");
        await cast.Paul.RefusedAsync(
            $"{road.Plan}/propose-criteria-change", Change(40), "criteria-locked", at: Fixed.AddDays(1));
        await cast.As("olga", "auditor").RefusedAsync(
            $"{review}/evaluate", new { }, "self-evaluation", at: Fixed.AddDays(30));
        await cast.Paul.PostAsync($"{review}/evaluate", new { }, at: Fixed.AddDays(30));
        ((string?)(await cast.SeenAsync(review)).Body!["proposed"]).ShouldBe("inconclusive");
        await cast.RefusedToSignAsync(
            cast.Amira, review, "approve", new { verdict = "inconclusive" }, "extension-missing", Fixed.AddDays(30));
        await cast.SignAsync(
            cast.Amira, review, "approve", new { verdict = "inconclusive", extendWindowDays = 30 }, Fixed.AddDays(30));
        await road.StageAsync("monitoring");
        await cast.Paul.RefusedAsync($"{review}/evaluate", new { }, "window-not-over", at: Fixed.AddDays(59));
        await cast.Paul.PostAsync($"{review}/evaluate", new { }, at: Fixed.AddDays(60));
        var evaluated = (await cast.SeenAsync(review)).Body!;
        ((string?)evaluated["proposed"]).ShouldBe("effective", evaluated.ToJsonString());
        ((long)evaluated["window"]!["deviations"]!).ShouldBe(2);
        ((double)evaluated["window"]!["exposure"]!).ShouldBe(6000);
        await cast.SignAsync(cast.Amira, review, "approve", new { verdict = "effective" }, Fixed.AddDays(60));
    }

    private async Task CloseAsync()
    {
        var (plan, at) = (road.Plan, Fixed.AddDays(61));
        await cast.UntilAsync(plan, "the verdict arrives", seen => (string?)seen["summary"]!["verdict"] == "effective");
        await cast.Quinn.PostAsync($"{plan}/rate-residual-risk", new { severity = 5, likelihood = 1 }, at: at);
        await cast.Quinn.PostAsync($"{plan}/rate-failure-mode", FailureMode(2), at: at);
        await cast.RefusedToSignAsync(cast.Amira, plan, "close", Answers(""), "answer-missing", at);
        await cast.RefusedToSignAsync(cast.Amira, plan, "close", Answers("RISK-12"), "deployment-open", at);
        await cast.Oscar.PostAsync($"{plan}/answer-deployment", new
        {
            process = "turning", answer = new { yes = true, reference = "Order 4712" },
        }, at: at);
        await cast.SignAsync(cast.Amira, plan, "close", Answers("RISK-12"), at);
        ((string?)(await cast.SeenAsync(plan)).Body!["stage"]).ShouldBe("closed");

        static object Answers(string reference) => new
        {
            answers = new
            {
                riskUpdate = new { yes = true, reference }, qmsChange = new { yes = false, reference = "As it was." },
                fmeaUpdate = new { yes = true, reference = "FMEA-7" }, lessons = "Rails wear without oil.",
            },
        };
    }

    private async Task OpenAgainAsync()
    {
        var at = Fixed.AddDays(80);
        await cast.As("olga", "approver").RefusedAsync(
            $"{road.Plan}/reopen", new { reason = "It is back." }, "self-approval", at: at);
        await cast.Amira.PostAsync($"{road.Plan}/reopen", new { reason = "It is back." }, at: at);
        var again = (await cast.SeenAsync(road.Plan)).Body!;
        ((string?)again["stage"], (int)again["cycle"]!).ShouldBe(("awaiting-cause", 2));
        again["actions"]!.AsArray().Count.ShouldBe(3, "What was done in the first cycle stays readable.");
        ((string?)(await cast.SeenAsync(road.Review(1))).Body!["verdict"]).ShouldBe("effective");
        var analysis = await cast.UntilAsync(
            road.Analysis, "the analysis is open again", seen => (int)seen["cycle"]! == 2);
        ((string?)analysis["status"]).ShouldBe("open");
    }

    private static object Change(int windowDays) => new
    {
        criteria = CapaRoad.Criteria(Start, windowDays), reason = "The line stands still at Easter.",
    };

    private static object FailureMode(int occurrence) => new
    {
        failureMode = "The cutter wanders", severity = 8, occurrence, detection = 4,
    };
}
