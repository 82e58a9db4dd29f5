using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Integration.Journeys;
using Shouldly;

namespace CapaEngine.Integration.Edge;

/// <summary>
/// Whatever the running system takes by POST, found in its own description: it wants a token, takes a key, and refuses
/// to work on what has moved on. That a repetition under the key appends nothing is seen in the journeys, whose persons
/// send every command twice.
/// </summary>
[Collection(nameof(SystemFixture))]
public sealed class EveryPostIsGuarded(SystemFixture system) : IDisposable
{
    private const string Root = "/api/v1/";
    private const string Question = "/api/v1/triage-policy/what-if";
    private static readonly DateTimeOffset Start = new(2025, 1, 6, 6, 0, 0, TimeSpan.Zero);

    private readonly RunningSystem running = system.Running;
    private readonly Cast cast = new(system.Running, isHistory: true);
    private readonly ApiClient everybody = new(
        system.Running.Api, "eve", "reporter", "source-system", "quality-engineer", "action-owner", "verifier",
        "disposition-authority", "approver", "auditor", "analyst", "administrator", "importer");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task nobody_posts_without_a_token()
    {
        using var http = new HttpClient { BaseAddress = running.Api };
        foreach (var (path, _) in (await ApiAsync()).Posts)
        {
            using var answer = await http.PostAsJsonAsync(Of(path, $"{Guid.NewGuid()}"), new { }, Ct);
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, path);
        }
    }

    [Fact]
    public async Task everything_but_a_question_takes_a_key_and_refuses_one_that_is_malformed()
    {
        var (posts, _) = await ApiAsync();
        posts.Where(post => post.Path != Question && !Takes(post.Operation, "Idempotency-Key"))
            .Select(post => post.Path).ShouldBeEmpty();
        var malformed = new string('k', 201);
        foreach (var (path, operation) in posts.Where(post => Takes(post.Operation, "Idempotency-Key")))
        {
            var answer = await everybody.TryPostAsync(
                Of(path[Root.Length..], $"{Guid.NewGuid()}"), new { },
                ifMatch: Takes(operation, "If-Match") ? "\"1\"" : null, at: null, Ct, malformed);
            (path, answer.Status, answer.Code).ShouldBe((path, HttpStatusCode.BadRequest, "malformed-header"));
        }
    }

    [Fact]
    public async Task a_command_on_what_has_moved_on_is_refused()
    {
        var (posts, schemas) = await ApiAsync();
        var records = await RecordsAsync();
        var body = new SampleBody(schemas);
        var commands = posts.Where(post => Takes(post.Operation, "If-Match")).ToList();
        commands.Count.ShouldBeGreaterThan(70);
        var taken = new List<string>();
        foreach (var (path, operation) in commands)
        {
            var resource = path[Root.Length..].Split('/')[0];
            var answer = await everybody.TryPostAsync(
                Of(path[Root.Length..], records.GetValueOrDefault(resource, "no record")),
                body.For(operation), "\"999999\"", at: null, Ct);
            if ((answer.Status, answer.Code) != (HttpStatusCode.PreconditionFailed, "stale"))
                taken.Add($"{path}: {answer.Status} {answer.Body}");
        }

        taken.ShouldBeEmpty();
    }

    [Fact]
    public async Task events_that_are_sent_again_under_their_key_are_answered_as_the_first_time()
    {
        var source = $"urn:test:{Guid.NewGuid():N}";
        var imported = new JsonObject
        {
            ["specversion"] = "1.0", ["type"] = "capa.nonconformity-import.v1", ["source"] = source, ["id"] = "1",
            ["data"] = new JsonObject
            {
                ["site"] = cast.Site, ["title"] = "Pump leaks", ["description"] = "The seal is hard.",
                ["status"] = "Open", ["isClosed"] = false, ["openedOn"] = "2011-05-06",
            },
        };
        await ExpectSameAsync("nonconformities/import", new JsonArray(imported.DeepClone(), imported));
        await ExpectSameAsync("deviations", new JsonArray(
            JsonNode.Parse(DeviationJson.Event(source, "1", cast.Product, "minor", Start, cast.Site))));
        await ExpectSameAsync("production", new JsonArray(
            JsonNode.Parse(DeviationJson.Production(source, "2", cast.Product, Start, 100, cast.Site))));
    }

    public void Dispose()
    {
        everybody.Dispose();
        cast.Dispose();
    }

    private async Task ExpectSameAsync(string path, JsonArray events)
    {
        var key = $"{Guid.NewGuid()}";
        var first = await everybody.PostAsync(path, events, idempotencyKey: key, ct: Ct);
        var again = await everybody.PostAsync(path, events, idempotencyKey: key, ct: Ct);
        again.Body!.ToJsonString().ShouldBe(first.Body!.ToJsonString());
        var other = await everybody.PostAsync(path, events, ct: Ct);
        other.Body!.AsArray().ShouldAllBe(receipt => (string?)receipt!["outcome"] == "duplicate");
    }

    // One record of each kind, so that there is something that could have moved on.
    private async Task<Dictionary<string, string>> RecordsAsync()
    {
        var road = await MonitoredAsync();
        var deviation = await everybody.PostAsync(
            "deviations", JsonNode.Parse(DeviationJson.Event(
                "urn:test:guarded", $"{cast.Product}-x", cast.Product, "minor", Start, cast.Site))!, ct: Ct);
        var kept = await everybody.PostAsync("deviations", new { from = cast.Site }, HttpStatusCode.Accepted, ct: Ct);
        var concession = await everybody.PostAsync("concessions", new
        {
            site = cast.Site, kind = "concession", product = cast.Product, departure = "Too soft.",
            requirement = new { standard = "drawing", edition = "C", clause = "4.2" }, justification = "Little load.",
        }, HttpStatusCode.Created, ct: Ct);
        return new Dictionary<string, string>
        {
            ["nonconformities"] = $"{Cast.IdOf(await cast.ReportAsync(cast.Quinn, "Bore too wide"))}",
            ["action-plans"] = $"{Cast.IdOf(road.Plan)}",
            ["root-cause-analyses"] = $"{Cast.IdOf(road.Analysis)}",
            ["effectiveness-reviews"] = $"{Cast.IdOf(road.Review(1))}",
            ["concessions"] = $"{concession.Id}",
            ["deviations"] = (string)deviation.Body!["deviationId"]!,
            ["quarantine"] = (string)kept.Body!["quarantineId"]!,
        };
    }

    private async Task<CapaRoad> MonitoredAsync()
    {
        await cast.SendAsync("deviations", Enumerable.Range(0, 12).Select(n => DeviationJson.Event(
            "urn:test:guarded", $"{cast.Product}-{n}", cast.Product, "minor", Start.AddDays(5 * n), cast.Site)));
        await cast.SendAsync("production", Enumerable.Range(0, 60).Select(day => DeviationJson.Production(
            "urn:test:guarded", $"{cast.Product}-day-{day}", cast.Product, Start.AddDays(day), 100, cast.Site)));
        var opened = await cast.Quinn.PostAsync("action-plans", new
        {
            site = cast.Site, title = "Rails wear", owner = "quinn", reason = "The trend of the last two months.",
            subject = new
            {
                site = cast.Site, product = cast.Product, process = "milling", station = "m-1",
                characteristic = "width",
            },
        }, HttpStatusCode.Created, at: Start.AddDays(70), ct: Ct);
        var road = new CapaRoad(running, cast, opened.Id);
        await road.MonitorAsync(Start, Start.AddDays(71), Start.AddDays(80));
        return road;
    }

    private async Task<(List<(string Path, JsonNode Operation)> Posts, JsonObject Schemas)> ApiAsync()
    {
        using var http = new HttpClient { BaseAddress = running.Api };
        var api = (await http.GetFromJsonAsync<JsonObject>("/openapi/v1.json", Ct))!;
        var posts = api["paths"]!.AsObject().Where(path => path.Value!["post"] is not null)
            .Select(path => (path.Key, path.Value!["post"]!)).ToList();
        return (posts, api["components"]!["schemas"]!.AsObject());
    }

    private static bool Takes(JsonNode operation, string header) =>
        operation["parameters"]?.AsArray().Any(parameter => (string?)parameter!["name"] == header) == true;

    private static string Of(string path, string id) => Regex.Replace(path, @"\{\w+\}", id);
}
