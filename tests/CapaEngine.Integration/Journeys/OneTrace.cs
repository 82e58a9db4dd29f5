using System.Diagnostics;
using CapaEngine.Integration.Infrastructure;
using Shouldly;

namespace CapaEngine.Integration.Journeys;

/// <summary>O1: a deviation leaves one trace, from the HTTP request through append and relay to its row.</summary>
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

        // Each service exports when it sees fit, so the last span to arrive need not be the last that ended.
        await running.EventuallyAsync("the chain from the row to the request", _ => Task.FromResult(
            system.Traces.Trace(traceId) is var received && received.FirstOrDefault(IsProcessing) is { } row
            && received.Any(IsAppending) && Ancestors(received, row)[^1].ParentId == rootId), ct);
        var spans = system.Traces.Trace(traceId);
        var chain = Ancestors(spans, spans.First(IsProcessing));

        chain[^1].ParentId.ShouldBe(rootId, "The trace must begin with the caller's span.");
        chain.Select(span => span.Service).Distinct().Reverse()
            .ShouldBe(["capaengine-gateway", "capaengine-nonconformities", "capaengine-read-models"]);
        chain.ShouldContain(span => span.Name == "publish deviation.received.v1");
        spans.ShouldContain(span => IsAppending(span));
    }

    private static bool IsProcessing(Span span) =>
        span is { Service: "capaengine-read-models", Name: "process deviation.received.v1" };

    private static bool IsAppending(Span span) => span.Name.StartsWith("streams.append");

    private static List<Span> Ancestors(IReadOnlyList<Span> spans, Span span)
    {
        List<Span> chain = [span];
        while (spans.FirstOrDefault(candidate => candidate.SpanId == chain[^1].ParentId) is { } parent)
            chain.Add(parent);
        return chain;
    }
}
