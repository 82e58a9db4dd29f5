using System.Globalization;
using System.Net;
using Shouldly;

namespace CapaEngine.Integration.Edge;

/// <summary>What a caller sees of commands: identity, repetition, concurrency, signing and stated history.</summary>
public sealed class CommandsOverHttp(EdgeService edge) : IClassFixture<EdgeService>
{
    private const string Rating = """{"severity":2,"likelihood":3}""";

    private string Approver => edge.Issuer.Token("amira", ["approver"]);

    private string Importer => edge.Issuer.Token("migration", ["importer", "quality-engineer", "approver"]);

    [Fact]
    public async Task a_create_answers_with_place_and_revision()
    {
        var answer = await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody());
        answer.Status.ShouldBe(HttpStatusCode.Created);
        answer.ETag.ShouldBe("\"0\"");
        answer.Message.Headers.Location!.ToString().ShouldBe($"{EdgeService.Cases}/{answer.Body!["id"]}");
        ((long)answer.Body["revision"]!).ShouldBe(0);
        ((ulong)answer.Body["position"]!).ShouldBeGreaterThanOrEqualTo(0ul);
        answer.Body.AsObject().ContainsKey("number").ShouldBeFalse();
    }

    [Fact]
    public async Task a_command_moves_the_revision_and_an_empty_body_is_an_empty_object()
    {
        var path = await edge.CreatedAsync();
        var rated = await edge.PostAsync($"{path}/rate", Rating);
        rated.Status.ShouldBe(HttpStatusCode.OK);
        rated.ETag.ShouldBe("\"1\"");
        var signed = await edge.PostAsync($"{path}/sign", null, Approver, headers: ("If-Match", rated.ETag!));
        signed.ETag.ShouldBe("\"2\"", signed.Text);
        (await edge.PostAsync($"{path}/rate", Rating)).ShouldBeProblem(HttpStatusCode.Conflict, "signed");
    }

    [Fact]
    public async Task records_that_do_not_exist_and_those_of_another_site_look_the_same()
    {
        var path = await edge.CreatedAsync("north");
        var south = edge.Issuer.Token("sven", site: "south");
        var foreign = await edge.PostAsync($"{path}/rate", Rating, south);
        var missing = await edge.PostAsync($"{EdgeService.Cases}/{Guid.NewGuid()}/rate", Rating, south);
        foreign.ShouldBeProblem(HttpStatusCode.NotFound, "not-found");
        missing.ShouldBeProblem(HttpStatusCode.NotFound, "not-found");
        ((string?)foreign.Body!["detail"]).ShouldBe((string?)missing.Body!["detail"]);
        (await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody("north"), south))
            .ShouldBeProblem(HttpStatusCode.Forbidden, "forbidden");
        (await edge.PostAsync($"{path}/rate", Rating, edge.Issuer.Token("nobody", site: null)))
            .ShouldBeProblem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task the_same_key_gives_the_same_result_whatever_the_spelling()
    {
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var first = await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody(), headers: key);
        const string respelt = """
            { "detectedAt": "2026-11-20T09:00:00+01:00", "severity": "major", "title": "Width", "site": "north" }
            """;
        var again = await edge.PostAsync(EdgeService.Cases, respelt, headers: key);
        again.Status.ShouldBe(HttpStatusCode.Created);
        again.Text.ShouldBe(first.Text);
        again.Message.Headers.Location.ShouldBe(first.Message.Headers.Location);

        var path = first.Message.Headers.Location!.ToString();
        var rated = await edge.PostAsync($"{path}/rate", Rating, headers: ("Idempotency-Key", "rate-1"));
        await edge.PostAsync($"{path}/rate", """{"severity":5,"likelihood":5}""");
        var repeated = await edge.PostAsync($"{path}/rate", Rating, headers: ("Idempotency-Key", "rate-1"));
        repeated.Text.ShouldBe(rated.Text);
        repeated.ETag.ShouldBe("\"1\"");
    }

    [Fact]
    public async Task a_key_belongs_to_one_request_of_one_caller()
    {
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var first = await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody(), headers: key);
        (await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody(title: "Length"), headers: key))
            .ShouldBeProblem(HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
        (await edge.PostAsync($"{first.Message.Headers.Location}/rate", Rating, headers: key)).Status
            .ShouldBe(HttpStatusCode.UnprocessableEntity);
        var other = await edge.PostAsync(
            EdgeService.Cases, EdgeService.OpenBody(), edge.Issuer.Token("p-2"), headers: key);
        other.Status.ShouldBe(HttpStatusCode.Created);
        other.Body!["id"]!.ToString().ShouldNotBe(first.Body!["id"]!.ToString());
    }

    [Fact]
    public async Task a_stale_revision_is_refused_and_a_malformed_one_is_no_revision()
    {
        var path = await edge.CreatedAsync();
        await edge.PostAsync($"{path}/rate", Rating, headers: ("If-Match", "\"0\""));
        (await edge.PostAsync($"{path}/rate", Rating, headers: ("If-Match", "\"0\"")))
            .ShouldBeProblem(HttpStatusCode.PreconditionFailed, "stale");
        string[] malformed = ["1", "W/\"1\"", "*", "\"x\"", "\"-1\"", "\"1\", \"2\"", "\"99999999999999999999\""];
        foreach (var tag in malformed)
            (await edge.PostAsync($"{path}/rate", Rating, headers: ("If-Match", tag)))
                .ShouldBeProblem(HttpStatusCode.BadRequest, "malformed-header");
    }

    [Fact]
    public async Task a_signature_states_what_was_seen_and_is_ones_own()
    {
        var path = await edge.CreatedAsync();
        (await edge.PostAsync($"{path}/sign", "{}", Approver))
            .ShouldBeProblem(HttpStatusCode.UnprocessableEntity, "if-match-required");
        (await edge.PostAsync($"{path}/sign", "{}", Importer, headers:
                [("If-Match", "\"0\""), ("Occurred-At", "2026-01-01T00:00:00Z"), ("On-Behalf-Of", "amira")]))
            .ShouldBeProblem(HttpStatusCode.UnprocessableEntity, "signs-for-self");
    }

    [Fact]
    public async Task keys_and_persons_are_visible_ascii_of_bounded_length()
    {
        foreach (var name in new[] { "Idempotency-Key", "On-Behalf-Of" })
        {
            foreach (var value in new[] { "a b", "a\tb", new string('a', 201) })
                (await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody(), Importer, headers: (name, value)))
                    .ShouldBeProblem(HttpStatusCode.BadRequest, "malformed-header");
        }

        (await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody(),
            headers: ("Idempotency-Key", new string('k', 200)))).Status.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task history_is_stated_by_importers_only_and_never_of_the_future()
    {
        (string, string) past = ("Occurred-At", "2025-06-01T10:00:00+02:00");
        (string, string) person = ("On-Behalf-Of", "quinn");
        (await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody(), headers: past))
            .ShouldBeProblem(HttpStatusCode.Forbidden, "importer-only");
        (await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody(), Importer, headers: person))
            .ShouldBeProblem(HttpStatusCode.UnprocessableEntity, "occurred-at-required");
        foreach (var time in new[] { "2025-06-01", "2025-06-01T10:00:00", "yesterday", "2025-13-01T10:00:00Z" })
            (await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody(), Importer, headers: ("Occurred-At", time)))
                .ShouldBeProblem(HttpStatusCode.BadRequest, "malformed-header");
        var future = DateTimeOffset.UtcNow.AddDays(1).ToString("O", CultureInfo.InvariantCulture);
        (await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody(), Importer, headers: ("Occurred-At", future)))
            .ShouldBeProblem(HttpStatusCode.Conflict, "in-the-future");
        (await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody(), Importer, headers: [past, person])).Status
            .ShouldBe(HttpStatusCode.Created);
        var live = await edge.CreatedAsync();
        (await edge.PostAsync($"{live}/rate", Rating, Importer, headers: past))
            .ShouldBeProblem(HttpStatusCode.Conflict, "not-imported");
    }

    [Fact]
    public async Task an_installation_may_refuse_all_history()
    {
        await using var strict = new EdgeService();
        await strict.Issuer.StartAsync(TestContext.Current.CancellationToken);
        await strict.StartAsync("--History:Enabled=false");
        var importer = strict.Issuer.Token("migration", ["importer", "quality-engineer"]);
        (await strict.PostAsync(EdgeService.Cases, EdgeService.OpenBody(), importer,
            headers: ("Occurred-At", "2025-06-01T10:00:00Z")))
            .ShouldBeProblem(HttpStatusCode.Forbidden, "history-disabled");
    }

    [Fact]
    public async Task a_caller_who_asks_too_often_waits_alone()
    {
        await using var slow = new EdgeService();
        await slow.Issuer.StartAsync(TestContext.Current.CancellationToken);
        await slow.StartAsync("--RateLimits:RequestsPerSecond=1");
        var hasty = slow.Issuer.Token("hasty");
        var answers = new List<EdgeAnswer>();
        for (var n = 0; n < 12; n++)
            answers.Add(await slow.PostAsync(EdgeService.Cases, EdgeService.OpenBody(), hasty));
        answers[0].Status.ShouldBe(HttpStatusCode.Created);
        var refused = answers.First(answer => answer.Status != HttpStatusCode.Created);
        refused.ShouldBeProblem(HttpStatusCode.TooManyRequests, "too-many-requests");
        refused.Message.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThan(TimeSpan.Zero);
        (await slow.PostAsync(EdgeService.Cases, EdgeService.OpenBody(), slow.Issuer.Token("patient"))).Status
            .ShouldBe(HttpStatusCode.Created);
        (await slow.SendAsync(HttpMethod.Get, "/health/live", "", null)).Status.ShouldBe(HttpStatusCode.OK);
    }
}
