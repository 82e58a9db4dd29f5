using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Shouldly;

namespace CapaEngine.Integration.Edge;

/// <summary>What an operator and a client developer see of a service: spans, metrics, health, description.</summary>
public sealed class TheEdgeIsObservable(EdgeService edge) : IClassFixture<EdgeService>
{
    private static readonly string[] Refusals =
        ["400", "401", "403", "404", "409", "412", "413", "415", "422", "429", "503"];

    [Fact]
    public async Task a_command_is_one_span_of_the_callers_trace_with_its_outcome()
    {
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        var spans = new ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "CapaEngine.Commands",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                if (span.TraceId.ToHexString() == trace) spans.Add(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
        var missing = await edge.PostAsync(
            $"{EdgeService.Cases}/{Guid.NewGuid()}/rate", """{"severity":1,"likelihood":1}""",
            headers: ("traceparent", $"00-{trace}-00f067aa0ba902b7-01"));
        ((string?)missing.Body!["traceId"]).ShouldBe(trace);
        var span = spans.ShouldHaveSingleItem();
        span.OperationName.ShouldBe("command edge-command.rate");
        span.GetTagItem("capa.outcome").ShouldBe("not-found");
    }

    [Fact]
    public async Task metrics_and_health_need_no_token_and_tell_no_secret()
    {
        await edge.CreatedAsync();
        var metrics = await edge.SendAsync(HttpMethod.Get, "/metrics", "", null);
        metrics.Status.ShouldBe(HttpStatusCode.OK);
        metrics.Text.ShouldContain("http_server_request_duration_seconds_count");
        metrics.Text.ShouldContain("http_route=\"/api/v1/cases");
        metrics.Text.ShouldContain("dotnet_gc_collections_total");
        foreach (var path in new[] { "/health/live", "/health/ready" })
        {
            var health = await edge.SendAsync(HttpMethod.Get, path, "", null);
            health.Status.ShouldBe(HttpStatusCode.OK);
            ((string?)health.Body!["status"]).ShouldBe("healthy");
        }
    }

    [Fact]
    public async Task a_service_without_its_event_store_is_alive_but_not_ready()
    {
        await using var cut = new EdgeService();
        await cut.StartAsync("--ConnectionStrings:EventStore=esdb://127.0.0.1:9?tls=false");
        (await cut.SendAsync(HttpMethod.Get, "/health/live", "", null)).Status.ShouldBe(HttpStatusCode.OK);
        var ready = await cut.SendAsync(HttpMethod.Get, "/health/ready", "", null);
        ready.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        ((string?)ready.Body!["parts"]!["event-store"]!["status"]).ShouldBe("unhealthy");
        ready.Text.ShouldNotContain("127.0.0.1");
    }

    [Fact]
    public async Task the_description_tells_a_client_all_it_needs()
    {
        var api = (await edge.SendAsync(HttpMethod.Get, "/openapi/v1.json", "", null)).Body!;
        var paths = api["paths"]!.AsObject();
        paths.Select(path => path.Key).ShouldBe(
        [
            EdgeService.Cases, $"{EdgeService.Cases}/{{id}}/rate", $"{EdgeService.Cases}/{{id}}/sign",
            $"{EdgeService.Cases}/{{id}}/break", $"{EdgeService.Cases}/{{id}}/rate-as-service",
        ], ignoreOrder: true);
        foreach (var operation in paths.Select(path => path.Value!["post"]!))
        {
            operation["security"]!.AsArray().ShouldHaveSingleItem()!["bearer"].ShouldNotBeNull();
            var statuses = operation["responses"]!.AsObject().Select(answer => answer.Key);
            Refusals.ShouldBeSubsetOf(statuses);
        }

        var signing = Headers(paths[$"{EdgeService.Cases}/{{id}}/sign"]!);
        signing["If-Match"].ShouldBeTrue();
        signing.ContainsKey("On-Behalf-Of").ShouldBeFalse();
        Headers(paths[EdgeService.Cases]!)["If-Match"].ShouldBeFalse();
        api["components"]!["securitySchemes"]!["bearer"]!["scheme"]!.GetValue<string>().ShouldBe("bearer");

        var body = Resolve(api, paths[EdgeService.Cases]!["post"]!["requestBody"]!["content"]!
            ["application/json"]!["schema"]!);
        body["required"]!.AsArray().Select(member => (string)member!)
            .ShouldBe(["site", "title", "severity", "detectedAt"], ignoreOrder: true);
        var members = body["properties"]!;
        ((int?)members["title"]!["maxLength"]).ShouldBe(20);
        ((string?)members["detectedAt"]!["format"]).ShouldBe("date-time");
        Resolve(api, members["severity"]!)["enum"]!.AsArray().Select(value => (string)value!)
            .ShouldBe(["minor", "major", "critical"]);
    }

    private static Dictionary<string, bool> Headers(JsonNode path) => path["post"]!["parameters"]!.AsArray()
        .Where(parameter => (string?)parameter!["in"] == "header")
        .ToDictionary(parameter => (string)parameter!["name"]!, parameter => (bool?)parameter!["required"] ?? false);

    private static JsonNode Resolve(JsonNode document, JsonNode schema) => (string?)schema["$ref"] is { } reference
        ? reference.TrimStart('#', '/').Split('/').Aggregate(document, (node, member) => node[member]!)
        : schema;
}
