using System.Net;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using CapaEngine.Integration.Infrastructure;
using Microsoft.IdentityModel.JsonWebTokens;
using Shouldly;

namespace CapaEngine.Integration.Edge;

/// <summary>One address for all services: the real gateway process before services that echo.</summary>
public sealed class GatewayRoutes(GatewayStand stand) : IClassFixture<GatewayStand>
{
    private const int Mebibyte = 1 << 20;

    [Theory]
    [InlineData("GET", "/api/v1/board", "ReadModels")]
    [InlineData("GET", "/api/v1/nonconformities?status=open", "ReadModels")]
    [InlineData("GET", "/api/v1/action-plans/1", "ReadModels")]
    [InlineData("HEAD", "/api/v1/board", "ReadModels")]
    [InlineData("GET", "/api/v1/deviations?source=a&id=b", "Nonconformities")]
    [InlineData("POST", "/api/v1/deviations", "Nonconformities")]
    [InlineData("POST", "/api/v1/production", "Nonconformities")]
    [InlineData("POST", "/api/v1/nonconformities", "Nonconformities")]
    [InlineData("POST", "/api/v1/nonconformities/1/close", "Nonconformities")]
    [InlineData("POST", "/api/v1/root-cause-analyses/1/approve", "RootCauses")]
    [InlineData("POST", "/api/v1/action-plans", "ActionPlans")]
    [InlineData("POST", "/api/v1/effectiveness-reviews/1/evaluate", "ActionPlans")]
    public async Task requests_reach_the_service_that_answers_them(string method, string path, string service)
    {
        var content = method == "POST" ? GatewayStand.Json("{}") : null;
        var answer = await stand.SendAsync(new HttpMethod(method), path, content: content);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        if (method == "HEAD") return;
        ((string?)answer.Body!["service"]).ShouldBe(service);
        ((string?)answer.Body["path"]).ShouldBe(path);
        ((string?)answer.Body["authorization"]).ShouldBe($"Bearer {stand.Token}");
        answer.Message.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
    }

    [Fact]
    public async Task the_trace_of_the_caller_goes_on()
    {
        const string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        var answer = await stand.SendAsync(
            HttpMethod.Get, "/api/v1/board", traceParent: $"00-{trace}-00f067aa0ba902b7-01");
        var passed = (string)answer.Body!["traceParent"]!;
        passed.ShouldContain(trace);
        passed.ShouldNotContain("00f067aa0ba902b7");
    }

    [Fact]
    public async Task nothing_passes_without_a_token_and_nothing_else_passes_at_all()
    {
        foreach (var path in new[] { "/api/v1/board", "/api/v1/no-such-thing", "/internal/v1/evidence", "/x" })
            (await stand.SendAsync(HttpMethod.Get, path, "")).ShouldBeProblem(
                HttpStatusCode.Unauthorized, "unauthenticated");
        (await stand.SendAsync(HttpMethod.Post, "/api/v1/deviations", "", GatewayStand.Json("{}")))
            .ShouldBeProblem(HttpStatusCode.Unauthorized, "unauthenticated");
        (await stand.SendAsync(HttpMethod.Get, "/internal/v1/evidence"))
            .ShouldBeProblem(HttpStatusCode.NotFound, "not-found");
        (await stand.SendAsync(HttpMethod.Delete, "/api/v1/nonconformities/1"))
            .ShouldBeProblem(HttpStatusCode.MethodNotAllowed, "method-not-allowed");
    }

    [Fact]
    public async Task intake_takes_large_batches_and_commands_do_not()
    {
        var batch = await stand.SendAsync(
            HttpMethod.Post, "/api/v1/deviations", content: new ByteArrayContent(new byte[4 * Mebibyte]));
        ((long)batch.Body!["bytes"]!).ShouldBe(4 * Mebibyte);
        foreach (var (path, size) in new[] { ("deviations", 16 * Mebibyte + 1), ("nonconformities", Mebibyte + 1) })
            (await stand.SendAsync(
                HttpMethod.Post, $"/api/v1/{path}", content: new ByteArrayContent(new byte[size])))
                .ShouldBeProblem(HttpStatusCode.RequestEntityTooLarge, "too-large");
    }

    [Fact]
    public async Task a_service_that_is_down_takes_nobody_with_it()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var half = new GatewayStand();
        await half.InitializeAsync();
        await half.Services["ReadModels"].DisposeAsync();
        var down = await half.SendAsync(HttpMethod.Get, "/api/v1/board");
        down.ShouldBeProblem(HttpStatusCode.ServiceUnavailable, "service-unavailable");
        down.Message.Headers.RetryAfter.ShouldNotBeNull();
        down.Text.ShouldNotContain("127.0.0.1");
        (await half.SendAsync(HttpMethod.Post, "/api/v1/nonconformities", content: GatewayStand.Json("{}"))).Status
            .ShouldBe(HttpStatusCode.OK);
        var ready = await half.SendAsync(HttpMethod.Get, "/health/ready", "");
        ready.Status.ShouldBe(HttpStatusCode.OK);
        ((string?)ready.Body!["parts"]!["ReadModels"]!["status"]).ShouldBe("degraded");

        (await half.SendAsync(HttpMethod.Get, "/openapi/v1.json", "")).ShouldBeProblem(
            HttpStatusCode.ServiceUnavailable, "service-unavailable");
        await half.Services["ReadModels"].StartAsync(ct);
        (await half.SendAsync(HttpMethod.Get, "/openapi/v1.json", "")).Status.ShouldBe(HttpStatusCode.OK);
        await half.Services["ReadModels"].DisposeAsync();
        (await half.SendAsync(HttpMethod.Get, "/openapi/v1.json", "")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task the_descriptions_of_all_services_are_one_document()
    {
        var merged = (await stand.SendAsync(HttpMethod.Get, "/openapi/v1.json", "")).Body!;
        var paths = merged["paths"]!.AsObject();
        paths.Select(path => path.Key).ShouldBe(
            [
                .. stand.Services.Keys.Select(name => $"/api/v1/{name}"), "/api/v1/shared", "/api/v1/profiles",
                "/api/v1/site-profiles",
            ], ignoreOrder: true);
        paths["/api/v1/shared"]!.AsObject().Select(method => method.Key)
            .ShouldBe(stand.Services.Keys.Select(name => $"x-{name}"), ignoreOrder: true);
        var ids = paths.SelectMany(path => path.Value!.AsObject())
            .Select(operation => (string)operation.Value!["operationId"]!).ToList();
        ids.Distinct().Count().ShouldBe(ids.Count);
        merged["components"]!["schemas"]!.AsObject().Count(schema => schema.Key == "Same").ShouldBe(1);
        foreach (var name in stand.Services.Keys)
        {
            var reference = (string)paths[$"/api/v1/{name}"]!["post"]!["requestBody"]!["content"]!
                ["application/json"]!["schema"]!["$ref"]!;
            ((string?)Resolve(merged, reference)["title"]).ShouldBe(name);
        }
    }

    [Fact]
    public async Task the_development_issuer_says_what_is_wrong_with_a_request()
    {
        foreach (var (body, error) in new[]
        {
            ("""{"person":"p","roles":["king"]}""", "roles[0]: must be one of reporter, "),
            ("""{"person":"p","roles":["service"]}""", "roles[0]: must be one of reporter, "),
            ("""{"person":"","roles":[]}""", "person: must not be empty"),
            ("""{"person":"service:x","roles":[]}""", "person: must not be a service"),
            ("""{"roles":[]}""", "person: is required"),
        })
        {
            var answer = await stand.SendAsync(HttpMethod.Post, "/dev/token", "", GatewayStand.Json(body));
            answer.ShouldBeProblem(HttpStatusCode.UnprocessableEntity, "invalid");
            answer.Errors[0].ShouldStartWith(error);
        }
    }

    [Fact]
    public async Task a_development_token_carries_what_was_asked_for()
    {
        var token = new JsonWebToken(await stand.TokenAsync("""
            {"person":"p-7","roles":["approver","verifier"],"site":"north","name":"Pat","dispositions":["use-as-is"]}
            """));
        token.Alg.ShouldBe("ES256");
        token.Subject.ShouldBe("p-7");
        token.Claims.Where(claim => claim.Type == "roles").Select(claim => claim.Value)
            .ShouldBe(["approver", "verifier"]);
        token.GetClaim("site").Value.ShouldBe("north");
        token.GetClaim("name").Value.ShouldBe("Pat");
        token.GetClaim("dispositions").Value.ShouldContain("use-as-is");
        (token.ValidTo - token.ValidFrom).ShouldBe(TimeSpan.FromHours(12));
    }

    [Fact, UnsupportedOSPlatform("windows")]
    public async Task the_issuers_key_is_its_owners_alone_and_outlives_a_restart()
    {
        File.GetUnixFileMode(stand.KeyFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await stand.RestartAsync(TestContext.Current.CancellationToken);
        (await stand.SendAsync(HttpMethod.Get, "/api/v1/board")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task outside_development_there_is_no_issuer_that_trusts_everybody()
    {
        var environment = stand.Environment();
        environment["DOTNET_ENVIRONMENT"] = "Production";
        environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{ServiceProcess.FreePort()}";
        await using var refused = ServiceProcess.Start("services/Gateway", environment);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!refused.HasExited) await poll.WaitForNextTickAsync(deadline.Token);
        refused.LogTail().ShouldContain("Auth:DevIssuerKeyFile");
    }

    [Fact]
    public async Task a_browser_finds_a_page_that_loads_nothing_from_elsewhere()
    {
        var page = await stand.SendAsync(HttpMethod.Get, "/", "");
        page.Status.ShouldBe(HttpStatusCode.OK);
        page.Text.ShouldContain("/openapi/v1.json");
        page.Message.Headers.GetValues("Content-Security-Policy").Single().ShouldStartWith("default-src 'none'");
    }

    private static JsonNode Resolve(JsonNode document, string reference) =>
        reference.TrimStart('#', '/').Split('/').Aggregate(document, (node, member) => node[member]!);
}
