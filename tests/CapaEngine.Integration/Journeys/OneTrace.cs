using System.Diagnostics;
using CapaEngine.Integration.Infrastructure;
using Shouldly;

namespace CapaEngine.Integration.Journeys;

/// <summary>O1: a deviation leaves one trace, from the HTTP request through append, relay and consumption to its row.</summary>
[Collection(nameof(SystemFixture))]
public sealed class OneTrace(SystemFixture system)
{
    private readonly RunningSystem running = system.Running;

    [Fact]
    public async Task a_deviation_leaves_one_trace_from_request_to_row()
    {
        var ct = TestContext.Current.CancellationToken;
        using var machine = new ApiClient(running.Api, "machine-7", "source-system");
        var traceId = ActivityTraceId.CreateRandom().ToHexString();
        var rootId = ActivitySpanId.CreateRandom().ToHexString();
        await machine.PostRawAsync(
            "deviations", DeviationJson.Event("urn:test:trace", "one", "TRACE", "minor", DateTimeOffset.UtcNow),
            "application/cloudevents+json", ct: ct, traceParent: $"00-{traceId}-{rootId}-01");

        await running.EventuallyAsync("the span of the row", _ => Task.FromResult(
            system.Traces.Trace(traceId).Any(IsProcessing)), ct);
        var spans = system.Traces.Trace(traceId);
        var chain = Ancestors(spans, spans.First(IsProcessing));

        chain[^1].ParentId.ShouldBe(rootId, "The trace must begin with the caller's span.");
        chain.Select(span => span.Service).Distinct().Reverse()
            .ShouldBe(["capaengine-gateway", "capaengine-nonconformities", "capaengine-read-models"]);
        chain.ShouldContain(span => span.Name == "publish deviation.received.v1");
        spans.ShouldContain(span => span.Name.StartsWith("streams.append"));
    }

    private static bool IsProcessing(Span span) =>
        span is { Service: "capaengine-read-models", Name: "process deviation.received.v1" };

    private static List<Span> Ancestors(IReadOnlyList<Span> spans, Span span)
    {
        List<Span> chain = [span];
        while (spans.FirstOrDefault(candidate => candidate.SpanId == chain[^1].ParentId) is { } parent)
            chain.Add(parent);
        return chain;
    }
}
