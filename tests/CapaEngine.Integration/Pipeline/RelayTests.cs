using System.Globalization;
using System.Text;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;

namespace CapaEngine.Integration.Pipeline;

/// <summary>The relay publishes everything as JSON that anybody reads, and claims only what is confirmed.</summary>
public sealed class RelayTests
{
    private const string Service = ServiceNames.Nonconformities;
    private const string LeaderQueue = $"capa.relay.{Service}";
    private readonly MemoryEventStore _store = new(TimeProvider.System);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_plain_client_reads_cloud_events_with_the_stored_bytes()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        await Broker.DeclareQueueAsync(broker, Partitions.Exchange(4), "plain", "deviation.*", Ct);
        await Broker.DeclareQueueAsync(broker, Partitions.Exchange(4), "rest", "#", Ct);
        var stream = TestEvents.NewStream();
        var metadata = TestEvents.Metadata();
        var stored = """{"payloadHash" : "h","payload":"ü<&> \u00e9", "later":[1,2.50]}"""u8.ToArray();
        var e = new NewEvent(
            Guid.NewGuid(), "deviation.conflict-received.v1", stored, EventCatalog.Serialize(metadata));
        var appended = (AppendResult.Appended)await _store.AppendAsync(stream, ExpectedRevision.NoStream, [e], Ct);

        await using var host = await StartAsync(broker);
        JsonElement batch;
        do
        {
            var message = (await Broker.TakeAsync(broker, "plain", Ct)).ShouldNotBeNull();
            message.BasicProperties.ContentType.ShouldBe("application/json");
            message.BasicProperties.Persistent.ShouldBeTrue();
            batch = JsonDocument.Parse(message.Body).RootElement;
            (message.Body.Span.IndexOf(stored) >= 0).ShouldBe(batch.GetProperty("events").GetArrayLength() > 0);
        }
        while (batch.GetProperty("events").GetArrayLength() == 0);

        batch.GetProperty("partition").GetInt32().ShouldBe(Partitions.Of(stream, 4));
        batch.GetProperty("after").GetUInt64().ShouldBe(0UL);
        batch.GetProperty("through").GetUInt64().ShouldBe(appended.Position.Commit);
        var attributes = batch.GetProperty("events")[0].EnumerateObject()
            .Where(attribute => attribute.Name != "data").ToDictionary(a => a.Name, a => a.Value.ToString());
        attributes.ShouldBe(new Dictionary<string, string>
        {
            ["specversion"] = "1.0", ["id"] = e.Id.ToString("D"), ["type"] = e.Type,
            ["source"] = "/capaengine/nonconformities", ["subject"] = stream, ["sequence"] = "0",
            ["time"] = Utc(metadata.OccurredAt), ["datacontenttype"] = "application/json",
            ["position"] = appended.Position.Commit.ToString(CultureInfo.InvariantCulture),
            ["actorid"] = "p-1", ["actorroles"] = "quality-engineer,verifier", ["actorsite"] = "*",
            ["recordedat"] = Utc(metadata.RecordedAt), ["payloadhash"] = metadata.PayloadHash,
            ["idempotencykey"] = "key", ["requesthash"] = "hash", ["correlationid"] = "c-1", ["causationid"] = "c-0",
        }, ignoreOrder: true);
    }

    [Fact]
    public async Task without_a_queue_it_holds_and_does_not_advance()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        using var failures = new CounterProbe("capa.relay.publish_failures", Service);
        await using var relay = await StartAsync(broker, ("StalledAfterMs", "500"));
        var streams = Enumerable.Range(0, 20).Select(_ => TestEvents.NewStream()).ToList();
        foreach (var stream in streams) await _store.AppendAsync(stream, 3, Ct);
        await relay.ReportsAsync(LeaderQueue, HealthStatus.Degraded, Ct);
        failures.Count.ShouldBeGreaterThan(4);
        (await _store.RelayedAsync(Service, Ct)).ShouldBe(0UL);

        // Then the queues come, and with them the events: from the broker, this follower's log is empty.
        var sink = new RecordingSink();
        await using var follower = await StartFollowerAsync(new MemoryEventStore(TimeProvider.System), broker, sink);
        await Eventually.HoldsAsync(() => sink.AppliedCount >= 60, "everything", Ct);
        sink.ShouldHoldEachOnceInOrder(streams, eventsOfEach: 3);
        await _store.IsRelayedAsync(Service, Ct);
        await relay.ReportsAsync(LeaderQueue, HealthStatus.Healthy, Ct);
    }

    [Fact]
    public async Task a_standby_takes_over_when_the_leader_is_cut_off_or_stops()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        var sink = new RecordingSink();
        await using var follower = await StartFollowerAsync(_store, broker, sink);
        await using var first = await StartAsync(broker);
        await Eventually.HoldsAsync(() => first.Leader(LeaderQueue).IsLeading, "the first leads", Ct);
        await using var second = await StartAsync(broker);
        var streams = Enumerable.Range(0, 20).Select(_ => TestEvents.NewStream()).ToList();
        foreach (var stream in streams) await _store.AppendAsync(stream, 5, Ct);
        await Eventually.HoldsAsync(() => sink.AppliedCount >= 100, "the events of the first", Ct);
        second.Leader(LeaderQueue).IsLeading.ShouldBeFalse();

        (await Broker.CutAsync(broker, name => name == LeaderQueue, Ct)).ShouldBeGreaterThan(0);
        await Eventually.HoldsAsync(
            () => first.Leader(LeaderQueue).IsLeading != second.Leader(LeaderQueue).IsLeading, "one leads", Ct, 15);
        await first.StopAsync();
        foreach (var stream in streams) await _store.AppendAsync(stream, 5, Ct);
        await Eventually.HoldsAsync(() => second.Leader(LeaderQueue).IsLeading, "the second leads", Ct, 10);
        await Eventually.HoldsAsync(() => sink.AppliedCount >= 200, "the events of the second", Ct);
        sink.ShouldHoldEachOnceInOrder(streams, eventsOfEach: 10);
    }

    [Fact]
    public async Task what_an_outdated_leader_repeats_is_dropped_and_its_checkpoint_stops_it()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        var sink = new RecordingSink();
        await using var follower = await StartFollowerAsync(_store, broker, sink);
        var publish = follower.Services.GetRequiredService<PublishBatch>();
        using var dropped = new CounterProbe("capa.follower.duplicates_dropped", "observer-of-relays");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);

        // Two leaders at once, as when a paused process wakes up: no election between them here.
        var streams = Enumerable.Range(0, 10).Select(_ => TestEvents.NewStream()).ToList();
        var relays = Enumerable.Range(0, 2).Select(_ => NewRelay(publish).RunAsync(stop.Token)).ToList();
        foreach (var stream in streams) await _store.AppendAsync(stream, 10, Ct);
        var outdated = await Task.WhenAny(relays).WaitAsync(TimeSpan.FromSeconds(20), Ct);
        outdated.Exception.ShouldNotBeNull().GetBaseException().Message.ShouldContain("outdated");

        await Eventually.HoldsAsync(() => sink.AppliedCount >= 100, "every event", Ct);
        await Eventually.HoldsAsync(() => dropped.Count > 0, "repeats", Ct);
        sink.ShouldHoldEachOnceInOrder(streams, eventsOfEach: 10);
        await stop.CancelAsync();
    }

    [Fact]
    public async Task cut_connections_lose_nothing()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        var sink = new RecordingSink();
        await using var follower = await StartFollowerAsync(_store, broker, sink);
        await using var relay = await StartAsync(broker);
        var streams = Enumerable.Range(0, 20).Select(_ => TestEvents.NewStream()).ToList();
        for (var round = 0; round < 3; round++)
        {
            foreach (var stream in streams) await _store.AppendAsync(stream, 10, Ct);
            (await Broker.CutAsync(broker, _ => true, Ct)).ShouldBeGreaterThan(0);
            foreach (var stream in streams) await _store.AppendAsync(stream, 10, Ct);
        }

        await Eventually.HoldsAsync(() => sink.AppliedCount >= 1_200, "everything", Ct, 60);
        sink.ShouldHoldEachOnceInOrder(streams, eventsOfEach: 60);
        await _store.IsRelayedAsync(Service, Ct);
    }

    [Fact]
    public async Task an_idle_relay_does_not_feed_itself()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        await using var follower = await StartFollowerAsync(_store, broker, new RecordingSink());
        await using var relay = await StartAsync(broker);
        await _store.AppendAsync(TestEvents.NewStream(), 1, Ct);
        await _store.IsRelayedAsync(Service, Ct);
        using var heartbeats = new CounterProbe("capa.relay.batches", Service);
        var before = await CountAsync();
        await Eventually.HoldsAsync(() => heartbeats.Count > 60, "two rounds of empty batches", Ct);
        (await CountAsync()).ShouldBe(before);

        async Task<int> CountAsync()
        {
            var count = 0;
            await foreach (var _ in _store.ReadAllAsync(LogPosition.Start, [], Ct)) count++;
            return count;
        }
    }

    private Relay NewRelay(PublishBatch publish) => new(
        Service, _store, publish, new PipelineOptions { CheckpointPeriodMs = 100 }, TimeProvider.System,
        NullLogger<Relay>.Instance);

    private Task<PipelineHost> StartAsync(string broker, params (string, string)[] settings) =>
        PipelineHost.StartAsync(_store, broker, builder => builder.AddRelay(Service), settings);

    private static Task<PipelineHost> StartFollowerAsync(IEventStore store, string broker, RecordingSink sink) =>
        PipelineHost.StartAsync(store, broker, builder => builder
            .AddFollower<RecordingSink>("observer-of-relays", Families.OwnedBy(Service)).Services.AddSingleton(sink));

    private static string Utc(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
}
