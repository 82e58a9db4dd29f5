using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CapaEngine.Integration.Pipeline;

/// <summary>What a follower gets: the same event by either way, in the trace of the command that caused it.</summary>
public sealed class TracingTests
{
    private const string Service = ServiceNames.Nonconformities;
    private readonly MemoryEventStore _store = new(TimeProvider.System);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_sampled_event_is_published_and_processed_in_its_own_trace()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = Listen(spans);
        var (trace, append) = (ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom());
        var sampled = TestEvents.Metadata() with
        {
            TraceId = trace.ToHexString(), SpanId = append.ToHexString(), TraceSampled = true,
        };
        var reactions = new ScriptedReactions();
        Activity? during = null;
        await using var host = await PipelineHost.StartAsync(
            _store, await TestServers.CreateVirtualHostAsync(Ct), builder => builder
                .AddRelay(Service).AddReactions<ScriptedReactions>(Service).Services.AddSingleton(reactions));
        await Eventually.HoldsAsync(() => host.Follower(Service).HasCaughtUp, "caught up", Ct);
        var stream = TestEvents.NewStream();
        reactions.Answer(stream, 0, _ =>
        {
            during = Activity.Current;
            return new ReactionOutcome.Done();
        }, times: 1);
        await _store.AppendAsync(stream, 1, Ct, sampled);
        await _store.AppendAsync(TestEvents.NewStream(), 1, Ct);
        await Eventually.HoldsAsync(() => BatchesOf(trace).Count == 2, "both batches are over", Ct);

        var own = spans.Where(span => span.TraceId == trace).ToList();
        var publishing = own.Single(span => span.OperationName == "publish deviation.conflict-received.v1");
        var processing = own.Single(span => span.OperationName == "process deviation.conflict-received.v1");
        publishing.ParentSpanId.ShouldBe(append);
        publishing.Kind.ShouldBe(ActivityKind.Producer);
        processing.ParentSpanId.ShouldBe(publishing.SpanId);
        during.ShouldBe(processing);
        BatchesOf(trace).Select(span => span.Kind)
            .ShouldBe([ActivityKind.Producer, ActivityKind.Consumer], ignoreOrder: true);
        BatchesOf(trace).ShouldAllBe(span => span.TraceId != trace);

        List<Activity> BatchesOf(ActivityTraceId linked) =>
            [.. spans.Where(span => span.Links.Any(link => link.Context.TraceId == linked))];
    }

    [Fact]
    public async Task from_the_log_and_from_a_message_the_same_event_results()
    {
        var metadata = new List<EventMetadata>
        {
            TestEvents.Metadata(),
            TestEvents.Metadata() with
            {
                Imported = true, OnBehalfOf = "p-9", Actor = new EventActor("service:x", [], "north"),
                CorrelationId = null, CausationId = null, IdempotencyKey = null, RequestHash = null,
                OccurredAt = new DateTimeOffset(2019, 2, 3, 4, 5, 6, TimeSpan.Zero).AddTicks(7),
                TraceId = ActivityTraceId.CreateRandom().ToHexString(),
                SpanId = ActivitySpanId.CreateRandom().ToHexString(),
            },
        };
        foreach (var one in metadata) await _store.AppendAsync(TestEvents.NewStream(), 2, Ct, one);
        await _store.AppendAsync(TestEvents.NewStream(), 1, Ct, type: "deviation.invented.v9");
        foreach (var (data, meta) in Foreign())
        {
            var e = new NewEvent(Guid.NewGuid(), "deviation.conflict-received.v1", data, meta);
            await _store.AppendAsync(TestEvents.NewStream(), ExpectedRevision.NoStream, [e], Ct);
        }

        var count = 0;
        await foreach (var recorded in _store.ReadAllAsync(LogPosition.Start, [], Ct))
        {
            var direct = EventEnvelope.Of(recorded);
            var sent = JsonSerializer.SerializeToUtf8Bytes(new EventBatch(1, 2, 3, [direct]));
            var read = JsonSerializer.Deserialize<EventBatch>(sent).ShouldNotBeNull();
            (read.Partition, read.After, read.Through).ShouldBe((1, 2UL, 3UL));
            read.Events[0].Data.ToArray().ShouldBe(recorded.Data.ToArray());
            ShouldBeSame(read.Events[0].ToIncoming(), direct.ToIncoming());
            direct.ToIncoming().Position.ShouldBe(recorded.Position);
            count++;
        }

        count.ShouldBe(5 + Foreign().Count());
    }

    // Bytes that somebody else may have written: they must travel as they are and stop nobody.
    private static IEnumerable<(byte[] Data, byte[] Metadata)> Foreign()
    {
        var good = EventCatalog.Serialize(TestEvents.Metadata());
        yield return ([0xFF, 0x00, 0x7B], good);
        yield return ([], good);
        yield return (" {\"payloadHash\":\"h\",\"payload\":\"p\"}\n"u8.ToArray(), good);
        yield return ("{\"payloadHash\":\"h\",\"payload\":\"p\"}"u8.ToArray(), "{}"u8.ToArray());
        yield return ("{\"payloadHash\":null}"u8.ToArray(), [1, 2]);
        yield return ("17"u8.ToArray(), []);
    }

    private static void ShouldBeSame(IncomingEvent actual, IncomingEvent expected)
    {
        if (expected.Fact is UnknownFact unknown)
        {
            var same = actual.Fact.ShouldBeOfType<UnknownFact>();
            (same.Type, same.Reason).ShouldBe((unknown.Type, unknown.Reason));
            same.Data.ToArray().ShouldBe(unknown.Data.ToArray());
            (actual with { Fact = unknown }).ShouldBe(expected);
            return;
        }

        actual.ShouldBe(expected);
    }

    private static ActivityListener Listen(ConcurrentQueue<Activity> spans)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name.StartsWith("CapaEngine.", StringComparison.Ordinal),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
