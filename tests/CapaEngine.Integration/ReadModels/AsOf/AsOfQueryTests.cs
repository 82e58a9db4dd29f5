using System.Net;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using Microsoft.AspNetCore.Builder;
using Shouldly;
using static CapaEngine.Integration.ReadModels.ReadModelDatabase;

namespace CapaEngine.Integration.ReadModels.AsOf;

/// <summary>The past over HTTP.</summary>
public sealed class AsOfQueryTests : IAsyncLifetime
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
    public async Task every_record_is_what_it_was_at_the_instant_and_shows_no_later_event()
    {
        var log = WholeCase.Tell();
        await ApplyAsync(database.Projector(), log.Events, 50, Ct);
        foreach (var (path, stream) in ((string Path, string Stream)[])
            [
                ($"nonconformities/{WholeCase.CaseId}", Families.Nonconformity.Stream(WholeCase.CaseId)),
                ($"action-plans/{WholeCase.CapaId}", Families.ActionPlan.Stream(WholeCase.CapaId)),
                ($"root-cause-analyses/{WholeCase.AnalysisId}", Families.RootCause.Stream(WholeCase.AnalysisId)),
                ($"effectiveness-reviews/{WholeCase.ReviewId}", Families.Effectiveness.Stream(WholeCase.ReviewId)),
            ])
        {
            var own = log.Events.Where(e => e.Stream == stream).ToList();
            foreach (var e in (IncomingEvent[])[own[0], own[own.Count / 2], own[^1]])
            {
                var asOf = e.Metadata.RecordedAt;
                foreach (var query in (string[])[$"asOf={asOf:O}", $"knownAt={asOf:O}", $"revision={e.Revision}"])
                {
                    var answer = await SendAsync($"{path}?{Escaped(query)}");
                    answer.Status.ShouldBe(HttpStatusCode.OK, $"{path} {query}: {answer.Body}");
                    answer.ETag.ShouldBe($"\"{e.Revision}\"");
                }
            }

            var before = own[0].Metadata.OccurredAt.AddMinutes(-1);
            (await SendAsync($"{path}?{Escaped($"asOf={before:O}")}")).Status.ShouldBe(HttpStatusCode.NotFound);
            (await SendAsync($"{path}?{Escaped($"knownAt={before:O}")}")).Status.ShouldBe(HttpStatusCode.NotFound);
            (await SendAsync($"{path}?revision={own.Count}")).Status.ShouldBe(HttpStatusCode.NotFound);
            (await SendAsync($"{path}?revision=0", "plant-2")).Status.ShouldBe(HttpStatusCode.NotFound);
            (await SendAsync($"{path}?{Escaped($"asOf={log.Now:O}")}", "plant-2")).Status
                .ShouldBe(HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task what_the_approver_saw_is_the_plan_at_the_revision_signed()
    {
        var log = WholeCase.Tell();
        await ApplyAsync(database.Projector(), log.Events, 50, Ct);
        var approved = log.Events.Single(e => e.Fact is ActionPlanEvent.Approved);
        var seen = await GetAsync($"action-plans/{WholeCase.CapaId}?revision={approved.Revision - 1}");
        ((string)seen["stage"]!).ShouldBe("plan-in-approval");
        ((string)seen["number"]!).ShouldBe("CAPA-2026-000001");
        var action = seen["actions"]!.AsArray().ShouldHaveSingleItem()!;
        ((string)action["status"]!).ShouldBe("planned");
        seen["summary"]!["nonconformityIds"]!.AsArray().Count.ShouldBe(1);
        ((string)(await GetAsync($"action-plans/{WholeCase.CapaId}"))["stage"]!).ShouldBe("closed");
    }

    [Fact]
    public async Task a_past_dossier_holds_what_was_true_and_known_by_then()
    {
        var log = WholeCase.Tell();
        await ApplyAsync(database.Projector(), log.Events, 50, Ct);
        string[] outside = ["deviation", "production", "quarantine", "triage-policy"];
        var reviewed = log.Events.Single(e => e.Fact is NonconformityEvent.ReviewCompleted).Metadata.RecordedAt;
        var dossier = await GetAsync($"cases/{WholeCase.CaseId}?{Escaped($"asOf={reviewed:O}")}");
        dossier["capas"]!.AsArray().ShouldBeEmpty();
        ((string)dossier["nonconformity"]!["status"]!).ShouldBe("open");
        dossier["events"]!.AsArray().Select(e => (string)e!["type"]!).ShouldBe(log.Events
            .Where(e => e.Metadata.OccurredAt <= reviewed && !outside.Contains(e.Family.Name)).Select(e => e.Type));

        var known = Escaped($"asOf={log.Now:O}&knownAt={reviewed:O}");
        (await GetAsync($"cases/{WholeCase.CaseId}?{known}"))["events"]!.AsArray().Count
            .ShouldBe(dossier["events"]!.AsArray().Count, "Nothing that was recorded later.");
    }

    [Fact]
    public async Task a_list_of_the_past_is_filtered_and_paged_by_what_was_known_at_its_first_page()
    {
        var log = new History();
        for (var n = 0; n < 9; n++)
            log.Add(
                Families.Nonconformity, NameBasedId.From($"case {n}"), WholeCase.Report(log.Now, title: $"Bore {n}"));
        var reported = Escaped($"{log.Now.AddSeconds(30):O}");
        for (var n = 0; n < 9; n++)
            log.Add(Families.Nonconformity, NameBasedId.From($"case {n}"), new NonconformityEvent.ReviewCompleted("q"));
        await ApplyAsync(database.Projector(), log.Events, 20, Ct);

        (await CountAsync($"nonconformities?status=open&asOf={reported}")).ShouldBe(0);
        (await CountAsync($"nonconformities?status=reported&asOf={reported}&limit=5")).ShouldBe(5);
        (await CountAsync($"nonconformities?status=reported&asOf={reported}", "plant-2")).ShouldBe(0);
        (await CountAsync($"nonconformities?q=bore&asOf={reported}")).ShouldBe(9);
        (await CountAsync($"nonconformities?status=open")).ShouldBe(9);
        (await CountAsync($"action-plans?asOf={reported}")).ShouldBe(0);
        (await CountAsync($"effectiveness-reviews?asOf={reported}")).ShouldBe(0);

        List<string> seen = [];
        for (var (next, pages) = ((string?)"", 0); next is not null && pages < 9; pages++)
        {
            var page = await GetAsync($"nonconformities?sort=openedAt&limit=4&asOf={reported}{next}");
            seen.AddRange(page["items"]!.AsArray().Select(item => (string)item!["title"]!));
            next = (string?)page["nextCursor"] is { } cursor ? $"&cursor={cursor}" : null;
            // A case that is recorded meanwhile was not known when the first page was read.
            if (pages == 0) await ApplyAsync(database.Projector(), [Late(log)], 1, Ct);
        }

        seen.ShouldBe(Enumerable.Range(0, 9).Select(n => $"Bore {n}"));
        (await CountAsync($"nonconformities?asOf={reported}")).ShouldBe(10);

        var past = (string)(await GetAsync($"nonconformities?limit=4&asOf={reported}"))["nextCursor"]!;
        var present = (string)(await GetAsync("nonconformities?limit=4"))["nextCursor"]!;
        foreach (var other in (string[])
            [
                $"cursor={past}", $"cursor={present}&asOf={reported}", $"cursor={past}&asOf=2026-03-02T08:00:00Z",
                $"cursor={past}&asOf={reported}&knownAt={reported}",
            ])
            await RefusedAsync($"nonconformities?limit=4&{other}", HttpStatusCode.BadRequest, "invalid-cursor");
    }

    [Fact]
    public async Task an_instant_without_offset_or_in_the_future_is_refused()
    {
        foreach (var path in (string[])
            [
                "nonconformities", "action-plans", "effectiveness-reviews", $"nonconformities/{WholeCase.CaseId}",
                $"action-plans/{WholeCase.CapaId}", $"root-cause-analyses/{WholeCase.AnalysisId}",
                $"effectiveness-reviews/{WholeCase.ReviewId}", $"cases/{WholeCase.CaseId}",
            ])
        {
            foreach (var query in (string[])
                [
                    "asOf=2026-03-02", "asOf=2026-03-02T08:00:00", "asOf=2126-03-02T08:00:00Z",
                    "knownAt=2126-03-02T08:00:00Z", "asOf=2026-03-02T08:00:00Z&knownAt=yesterday",
                ])
                await RefusedAsync($"{path}?{query}", HttpStatusCode.UnprocessableEntity, "invalid");
        }
    }

    [Fact]
    public async Task a_revision_leaves_no_choice_of_instants()
    {
        var path = $"nonconformities/{WholeCase.CaseId}";
        await RefusedAsync($"{path}?revision=x", HttpStatusCode.UnprocessableEntity, "invalid");
        await RefusedAsync($"{path}?revision=-1", HttpStatusCode.UnprocessableEntity, "invalid");
        await RefusedAsync(
            $"{path}?revision=1&asOf=2026-03-02T08:00:00Z", HttpStatusCode.UnprocessableEntity, "invalid");
    }

    // Offsets have a plus sign, which would be read as a space.
    private static string Escaped(string query) => query.Replace("+", "%2B", StringComparison.Ordinal);

    // One that happened before the others but is recorded now, by the server's clock.
    private static IncomingEvent Late(History log)
    {
        log.Add(Families.Nonconformity, NameBasedId.From("late"), WholeCase.Report(log.Now, title: "Late"));
        var late = log.Events[^1];
        var metadata = late.Metadata with
        {
            OccurredAt = log.Events[0].Metadata.OccurredAt, RecordedAt = TimeProvider.System.GetUtcNow(),
        };
        return late with { Metadata = metadata };
    }

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
        answered.Status.ShouldBe(status, $"{path}: {answered.Body}");
        ((string?)answered.Body!["code"]).ShouldBe(code, path);
    }

    private async Task<(HttpStatusCode Status, JsonNode? Body, string? ETag)> SendAsync(string path, string site = "*")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/{path}");
        request.Headers.Add(ReadModelHost.SiteHeader, site);
        using var response = await http.SendAsync(request, Ct);
        var text = await response.Content.ReadAsStringAsync(Ct);
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text), response.Headers.ETag?.ToString());
    }
}
