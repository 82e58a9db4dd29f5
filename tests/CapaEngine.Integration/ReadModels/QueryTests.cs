using System.Net;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using Microsoft.AspNetCore.Builder;
using Shouldly;
using static CapaEngine.Integration.ReadModels.ReadModelDatabase;

namespace CapaEngine.Integration.ReadModels;

/// <summary>The queries over HTTP, for a caller whose site the request names.</summary>
public sealed class QueryTests : IAsyncLifetime
{
    private ReadModelDatabase database = null!;
    private WebApplication app = null!;
    private HttpClient http = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        database = await CreateAsync(Ct);
        app = await ReadModelHost.StartWithQueriesAsync(database, Ct);
        http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await app.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task a_cursor_leads_through_every_record_once_also_while_records_arrive()
    {
        var log = new History();
        for (var n = 0; n < 45; n++)
            log.Add(Families.Nonconformity, NameBasedId.From($"case {n}"), WholeCase.Report(log.Now));
        await ApplyAsync(database.Projector(), log.Events, 20, Ct);
        // Many records of one instant: the id decides between them.
        await database.ExecuteAsync(
            "update read_models.nonconformity set opened_at = date_trunc('day', opened_at) where position % 2 = 0", Ct);

        foreach (var sort in (string[])["-openedAt", "openedAt"])
        {
            List<string> seen = [];
            string? cursor = null;
            do
            {
                var page = await GetAsync(
                    $"nonconformities?limit=7&sort={sort}" + (cursor is null ? "" : $"&cursor={cursor}"));
                seen.AddRange(page["items"]!.AsArray().Select(item => (string)item!["id"]!));
                cursor = (string?)page["nextCursor"];
            }
            while (cursor is not null);
            seen.Count.ShouldBe(45);
            seen.Distinct().Count().ShouldBe(45);
        }

        var other = (string)(await GetAsync("nonconformities?limit=7"))["nextCursor"]!;
        await RefusedAsync(
            $"nonconformities?sort=openedAt&cursor={other}", HttpStatusCode.BadRequest, "invalid-cursor");
        await RefusedAsync("nonconformities?cursor=%20x", HttpStatusCode.BadRequest, "invalid-cursor");
        await RefusedAsync("nonconformities?limit=201", HttpStatusCode.UnprocessableEntity, "invalid");
        await RefusedAsync("nonconformities?statu=open", HttpStatusCode.UnprocessableEntity, "invalid");
        await RefusedAsync("nonconformities?product=a%00b", HttpStatusCode.UnprocessableEntity, "invalid");
        await RefusedAsync("nonconformities?site=a&site=b", HttpStatusCode.UnprocessableEntity, "invalid");
        await RefusedAsync("nonconformities?status=opened", HttpStatusCode.UnprocessableEntity, "invalid");
    }

    [Fact]
    public async Task filters_and_text_find_what_they_say()
    {
        var log = WholeCase.Tell();
        log.Add(Families.Nonconformity, NameBasedId.From("2"), WholeCase.Report(log.Now, title: "Scratched housing"));
        await ApplyAsync(database.Projector(), log.Events, 50, Ct);

        (await CountAsync("nonconformities")).ShouldBe(2);
        (await CountAsync("nonconformities?status=closed")).ShouldBe(1);
        (await CountAsync("nonconformities?severity=critical&product=valve")).ShouldBe(1);
        (await CountAsync("nonconformities?q=scratched")).ShouldBe(1);
        (await CountAsync("nonconformities?q=nc-2026-000001")).ShouldBe(1);
        (await CountAsync("nonconformities?q=%27;drop%20table")).ShouldBe(0);
        (await CountAsync("action-plans?pdca=act&owner=quinn")).ShouldBe(1);
        (await CountAsync("action-plans?stage=planning")).ShouldBe(0);
        (await CountAsync($"effectiveness-reviews?capaId={WholeCase.CapaId}")).ShouldBe(1);
        (await CountAsync("effectiveness-reviews?status=monitoring")).ShouldBe(0);
    }

    [Fact]
    public async Task the_dossier_tells_every_event_of_the_case_in_log_order_with_who_and_why()
    {
        var log = WholeCase.Tell();
        log.Add(Families.Nonconformity, NameBasedId.From("another"), WholeCase.Report(log.Now));
        await ApplyAsync(database.Projector(), log.Events, 9, Ct);
        var dossier = await GetAsync($"cases/{WholeCase.CaseId}");

        string[] outside = ["deviation", "production", "quarantine", "triage-policy"];
        var expected = log.Events.SkipLast(1).Where(e => !outside.Contains(e.Family.Name)).ToList();
        var events = dossier["events"]!.AsArray();
        events.Select(e => (string)e!["type"]!).ShouldBe(expected.Select(e => e.Type));
        events.Select(e => (long)e!["position"]!).ShouldBe(expected.Select(e => (long)e.Position.Commit));
        events.ShouldAllBe(e => (string)e!["actor"]! == "quinn");
        var required = events.Single(e => (string)e!["type"]! == "nonconformity.corrective-action-required.v1")!;
        ((string)required["reason"]!).ShouldBe("It recurs.");
        var closed = events[^1]!;
        ((string)closed["signature"]!["printedName"]!).ShouldBe("Amira");
        ((long)dossier["deviations"]!["count"]!).ShouldBe(5);
        dossier["capas"]!.AsArray().Select(capa => (string)capa!["number"]!).ShouldBe(["CAPA-2026-000001"]);
        ((string)dossier["nonconformity"]!["number"]!).ShouldBe("NC-2026-000001");
    }

    [Fact]
    public async Task the_board_shows_what_is_due_in_its_column()
    {
        var log = new History();
        for (var n = 0; n < 3; n++)
            log.Add(Families.ActionPlan, NameBasedId.From($"plan {n}"), new ActionPlanEvent.Opened(
                "plant-1", $"Plan {n}", "quinn", null, "Prevent.", null, null, false));
        log.Add(Families.ActionPlan, NameBasedId.From("plan 1"),
            new ActionPlanEvent.ActionPlanned(
                WholeCase.ActionId, ActionKind.Preventive, "Guard", "Fit it.", "oscar", new DateOnly(2026, 3, 10), []),
            new ActionPlanEvent.Approved(1, "amira", Criteria(log), ["oscar"], Signature(log)));
        log.Add(Families.ActionPlan, NameBasedId.From("plan 2"),
            new ActionPlanEvent.MonitoringStarted(1, log.Now, log.Now.AddDays(30)));
        await ApplyAsync(database.Projector(), log.Events, 9, Ct);
        var board = await GetAsync("board");

        Titles("plan").ShouldBe(["Plan 0"]);
        Titles("do").ShouldBe(["Plan 1"]);
        Titles("check").ShouldBe(["Plan 2"]);
        Titles("act").ShouldBeEmpty();
        var card = board["do"]![0]!;
        ((string)card["dueOn"]!).ShouldBe("2026-03-10");
        ((bool)card["overdue"]!).ShouldBeTrue("The tenth of March 2026 is past.");
        ((double)card["ageDays"]!).ShouldBeGreaterThan(100);
        ((long)board["counts"]!["check"]!).ShouldBe(1);
        (await GetAsync("board", "plant-2"))["plan"]!.AsArray().ShouldBeEmpty();
        return;

        IEnumerable<string> Titles(string column) =>
            board[column]!.AsArray().Select(item => (string)item!["title"]!);
    }

    [Fact]
    public async Task another_sites_records_do_not_exist_for_a_caller_bound_to_a_site()
    {
        await ApplyAsync(database.Projector(), WholeCase.Tell().Events, 50, Ct);
        foreach (var path in (string[])
            [
                $"nonconformities/{WholeCase.CaseId}", $"cases/{WholeCase.CaseId}", $"action-plans/{WholeCase.CapaId}",
                $"root-cause-analyses/{WholeCase.AnalysisId}", $"effectiveness-reviews/{WholeCase.ReviewId}",
            ])
        {
            (await SendAsync(path, "plant-1")).Status.ShouldBe(HttpStatusCode.OK, path);
            (await SendAsync(path, "plant-2")).Status.ShouldBe(HttpStatusCode.NotFound, path);
            (await SendAsync(path, "")).Status.ShouldBe(HttpStatusCode.NotFound, $"{path} without a site");
        }

        foreach (var list in (string[])["nonconformities", "action-plans", "effectiveness-reviews"])
        {
            (await CountAsync(list, "plant-1")).ShouldBe(1);
            (await CountAsync(list, "plant-2")).ShouldBe(0);
        }

        const string subject = "product=valve&process=milling&station=m-1&characteristic=bore&exposureUnit=days"
            + "&from=2026-03-01T00:00:00Z&to=2026-03-08T00:00:00Z";
        var own = await SendAsync($"/internal/v1/evidence?site=plant-1&{subject}", "plant-1");
        ((long)own.Body!["deviations"]!).ShouldBe(5);
        (await SendAsync($"/internal/v1/evidence?site=plant-1&{subject}", "plant-2")).Status
            .ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task a_reader_waits_for_the_revision_it_has_seen_and_not_for_ever()
    {
        var log = new History().Add(
            Families.Nonconformity, WholeCase.CaseId, WholeCase.Report(DateTimeOffset.UnixEpoch),
            new NonconformityEvent.ReviewCompleted("quinn"));
        var projector = database.Projector();
        await ApplyAsync(projector, [log.Events[0]], 1, Ct);
        var path = $"nonconformities/{WholeCase.CaseId}";
        var waiting = SendAsync($"{path}?minRevision=1");
        var list = SendAsync($"nonconformities?min={Families.Nonconformity.Stream(WholeCase.CaseId)}@1");
        await ApplyAsync(projector, [log.Events[1]], 1, Ct);

        var answered = await waiting;
        answered.Status.ShouldBe(HttpStatusCode.OK);
        answered.ETag.ShouldBe("\"1\"");
        ((string)answered.Body!["status"]!).ShouldBe("open");
        (await list).Status.ShouldBe(HttpStatusCode.OK);
        await RefusedAsync($"{path}?minRevision=2", HttpStatusCode.ServiceUnavailable, "not-yet");
        await RefusedAsync($"{path}?minRevision=x", HttpStatusCode.UnprocessableEntity, "invalid");
        await RefusedAsync("nonconformities?min=nonsense@1", HttpStatusCode.UnprocessableEntity, "invalid");
    }

    private static EffectivenessCriteria Criteria(History log) => new(
        WholeCase.Subject, log.Now.AddDays(-60), log.Now.AddDays(-1), 0.8, 0.05, 30, ExposureUnit.Inspected);

    private static Signature Signature(History log) =>
        new("amira", "Amira", SignatureMeaning.Approved, log.Now, "s", 0, "ab");

    private async Task<int> CountAsync(string path, string site = "*") =>
        (await GetAsync(path, site))["items"]!.AsArray().Count;

    private async Task<JsonNode> GetAsync(string path, string site = "*")
    {
        var (status, body, _) = await SendAsync(path, site);
        status.ShouldBe(HttpStatusCode.OK, $"{path}: {body}");
        return body!;
    }

    private async Task RefusedAsync(string path, HttpStatusCode status, string code)
    {
        var answered = await SendAsync(path);
        answered.Status.ShouldBe(status, path);
        ((string?)answered.Body!["code"]).ShouldBe(code, path);
    }

    private async Task<(HttpStatusCode Status, JsonNode? Body, string? ETag)> SendAsync(string path, string site = "*")
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get, path.StartsWith('/') ? path : $"/api/v1/{path}");
        request.Headers.Add(ReadModelHost.SiteHeader, site);
        using var response = await http.SendAsync(request, Ct);
        var text = await response.Content.ReadAsStringAsync(Ct);
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text), response.Headers.ETag?.ToString());
    }
}
