using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Shouldly;

namespace CapaEngine.Integration.Pipeline;

/// <summary>A follower misses nothing, whatever the broker loses, repeats or refuses.</summary>
public sealed class FollowerTests
{
    private const string Name = "observer";
    private readonly MemoryEventStore _store = new(TimeProvider.System);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task every_event_arrives_once_and_in_order()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        await using var host = await StartAsync(broker);
        var streams = Enumerable.Range(0, 40).Select(_ => TestEvents.NewStream()).ToList();
        for (var round = 0; round < 25; round++)
            foreach (var stream in streams) await _store.AppendAsync(stream, 2, Ct);

        var sink = host.Services.GetRequiredService<RecordingSink>();
        await Eventually.HoldsAsync(() => sink.AppliedCount >= 2_000, "2000 events applied", Ct);
        sink.ShouldHoldEachOnceInOrder(streams, eventsOfEach: 50);
    }

    [Fact]
    public async Task purging_every_queue_while_it_runs_loses_nothing()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        await using var host = await StartAsync(broker);
        var sink = host.Services.GetRequiredService<RecordingSink>();
        var streams = Enumerable.Range(0, 40).Select(_ => TestEvents.NewStream()).ToList();
        foreach (var stream in streams) await _store.AppendAsync(stream, 1, Ct);
        await Eventually.HoldsAsync(() => sink.AppliedCount == 40, "the first events", Ct);

        // A sink that fails keeps messages in the queues, so that there is something to purge.
        sink.Fails = true;
        for (var round = 0; round < 20; round++)
        {
            foreach (var stream in streams) await _store.AppendAsync(stream, 1, Ct);
            if (round % 5 == 4) (await PurgeAsync(broker)).ShouldBeGreaterThan(3);
            if (round == 12) sink.Fails = false;
        }

        await PurgeAsync(broker);
        await Eventually.HoldsAsync(() => sink.AppliedCount >= 840, "everything applied", Ct);
        sink.ShouldHoldEachOnceInOrder(streams, eventsOfEach: 21);
    }

    [Fact]
    public async Task a_lost_tail_is_noticed_without_another_event()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        var sink = new RecordingSink();
        using var gaps = new CounterProbe("capa.follower.gaps", "tail");
        await using var host = await PipelineHost.StartAsync(_store, broker, builder => builder
            .AddRelay(ServiceNames.Nonconformities)
            .AddFollower<RecordingSink>("tail", Families.OwnedBy(ServiceNames.Nonconformities))
            .Services.AddSingleton(sink));
        sink.Fails = true;
        var lost = TestEvents.NewStream();
        for (var n = 0; n < 12; n++)
        {
            await _store.AppendAsync(lost, 1, Ct);
            await _store.IsRelayedAsync(ServiceNames.Nonconformities, Ct);
        }

        // The consumer holds a few batches; those still in the queue are lost, and no event follows them.
        await PurgeAsync(broker);
        sink.Fails = false;
        await Eventually.HoldsAsync(() => sink.AppliedCount >= 12, "the lost events", Ct);
        sink.ShouldHoldEachOnceInOrder([lost], eventsOfEach: 12);
        gaps.Count.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task connections_cut_again_and_again_come_back()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        await using var host = await StartAsync(broker);
        var sink = host.Services.GetRequiredService<RecordingSink>();
        var streams = Enumerable.Range(0, 40).Select(_ => TestEvents.NewStream()).ToList();
        for (var round = 0; round < 5; round++)
        {
            foreach (var stream in streams) await _store.AppendAsync(stream, 2, Ct);
            // Several within the time that a follower takes to begin anew.
            (await Broker.CutAsync(broker, _ => true, Ct)).ShouldBeGreaterThan(0);
        }

        await Eventually.HoldsAsync(() => sink.AppliedCount == 400, "what came meanwhile", Ct, 60);
        sink.ShouldHoldEachOnceInOrder(streams, eventsOfEach: 10);
        await host.ReadsItsQueuesAsync(Ct);
    }

    [Fact]
    public async Task a_queue_that_was_deleted_is_there_again()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        await using var host = await StartAsync(broker, ("StalledAfterMs", "0"));
        var sink = host.Services.GetRequiredService<RecordingSink>();
        for (var partition = 0; partition < Partitions.CountDefault; partition++)
            await Broker.DeleteQueueAsync(broker, $"capa.{Name}.p{partition}", Ct);
        var streams = Enumerable.Range(0, 40).Select(_ => TestEvents.NewStream()).ToList();
        foreach (var stream in streams) await _store.AppendAsync(stream, 2, Ct);
        await Eventually.HoldsAsync(() => sink.AppliedCount == 80, "all events", Ct);
        sink.ShouldHoldEachOnceInOrder(streams, eventsOfEach: 2);
        await host.ReportsAsync($"follower.{Name}", HealthStatus.Healthy, Ct);
    }

    [Fact]
    public async Task queues_that_cannot_be_read_degrade_the_process_and_are_read_when_they_can_be()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        await using var host = await StartAsync(broker, ("StalledAfterMs", "300"));
        var sink = host.Services.GetRequiredService<RecordingSink>();
        await Broker.TakeConnectionsAsync(broker, taken: false, Ct);
        await Broker.CutAsync(broker, name => name == $"capa.{Name}", Ct);
        await host.ReportsAsync($"follower.{Name}", HealthStatus.Degraded, Ct);

        var stream = TestEvents.NewStream();
        await _store.AppendAsync(stream, 5, Ct);
        await Broker.TakeConnectionsAsync(broker, taken: true, Ct);
        await Eventually.HoldsAsync(() => sink.AppliedCount == 5, "the events", Ct);
        sink.ShouldHoldEachOnceInOrder([stream], eventsOfEach: 5);
        await host.ReportsAsync($"follower.{Name}", HealthStatus.Healthy, Ct);
    }

    [Fact]
    public async Task a_new_follower_begins_with_the_log_and_needs_no_relay()
    {
        var streams = Enumerable.Range(0, 30).Select(_ => TestEvents.NewStream()).ToList();
        foreach (var stream in streams) await _store.AppendAsync(stream, 4, Ct);
        var sink = new RecordingSink();
        await using var host = await StartFollowerAsync(
            await TestServers.CreateVirtualHostAsync(Ct), sink, ("CatchUpEventsMax", "7"));
        await Eventually.HoldsAsync(() => host.Follower(Name).HasCaughtUp, "caught up", Ct);
        sink.ShouldHoldEachOnceInOrder(streams, eventsOfEach: 4);
    }

    [Fact]
    public async Task a_failing_sink_is_offered_the_same_events_until_it_succeeds()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        await using var host = await StartAsync(broker, ("StalledAfterMs", "300"));
        var sink = host.Services.GetRequiredService<RecordingSink>();
        await Eventually.HoldsAsync(() => host.Follower(Name).HasCaughtUp, "caught up", Ct);
        sink.Fails = true;
        var stream = TestEvents.NewStream();
        await _store.AppendAsync(stream, 5, Ct);
        await host.ReportsAsync($"follower.{Name}", HealthStatus.Unhealthy, Ct);
        sink.FailureCount.ShouldBeGreaterThan(1);

        sink.Fails = false;
        await Eventually.HoldsAsync(() => sink.AppliedCount == 5, "the events", Ct);
        sink.ShouldHoldEachOnceInOrder([stream], eventsOfEach: 5);
        await host.ReportsAsync($"follower.{Name}", HealthStatus.Healthy, Ct);
    }

    [Fact]
    public async Task stopping_in_the_middle_gives_the_batch_back_to_the_queue()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        await using var relay = await PipelineHost.StartAsync(
            _store, broker, builder => builder.AddRelay(ServiceNames.Nonconformities));
        var stream = TestEvents.NewStream();
        var failing = new RecordingSink();
        await using (var host = await StartFollowerAsync(broker, failing))
        {
            await Eventually.HoldsAsync(() => host.Follower(Name).HasCaughtUp, "caught up", Ct);
            failing.Fails = true;
            await _store.AppendAsync(stream, 3, Ct);
            await Eventually.HoldsAsync(() => failing.FailureCount > 0, "the batch is in work", Ct);
        }

        await relay.StopAsync();
        await Broker.HasQueueAsync(broker, queue => queue.Name.EndsWith("_error", StringComparison.Ordinal), false, Ct);

        // Without a relay and with a store that knows nothing, only the broker can bring the events.
        var sink = new RecordingSink();
        await using var again = await PipelineHost.StartAsync(
            new MemoryEventStore(TimeProvider.System), broker, builder => AddFollower(builder, sink));
        await Eventually.HoldsAsync(() => sink.AppliedCount == 3, "the batch came back", Ct);
        sink.ShouldHoldEachOnceInOrder([stream], eventsOfEach: 3);
    }

    [Fact]
    public async Task a_message_that_is_no_batch_is_set_aside_and_holds_up_nobody()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        await using var host = await StartAsync(broker);
        var sink = host.Services.GetRequiredService<RecordingSink>();
        foreach (var body in new[] { "no json", "{}", """{"partition":0,"after":0,"through":9,"events":[{"id":1}]}""" })
            await Broker.PublishAsync(broker, Partitions.Exchange(4), "deviation.0", body, Ct);
        await _store.AppendAsync(TestEvents.NewStream(), 3, Ct);
        await Eventually.HoldsAsync(() => sink.AppliedCount == 3, "later events", Ct);
        await Broker.HasQueueAsync(broker, queue => queue is { Name: $"capa.{Name}.p0_error", Messages: 3 }, true, Ct);
    }

    [Fact]
    public async Task another_number_of_partitions_loses_nothing()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        var sink = new RecordingSink();
        var streams = Enumerable.Range(0, 40).Select(_ => TestEvents.NewStream()).ToList();
        foreach (var count in new[] { 4, 6, 3, 4 })
        {
            await using var host = await PipelineHost.StartAsync(
                _store, broker, builder => AddFollower(builder.AddRelay(ServiceNames.Nonconformities), sink),
                ("PartitionCount", $"{count}"));
            foreach (var stream in streams) await _store.AppendAsync(stream, 3, Ct);
            await Eventually.HoldsAsync(() => sink.AppliedCount >= 60, "most of the first round", Ct);
        }

        await using var last = await PipelineHost.StartAsync(
            _store, broker, builder => AddFollower(builder, sink), ("PartitionCount", "5"));
        await Eventually.HoldsAsync(() => last.Follower(Name).HasCaughtUp, "caught up", Ct);
        foreach (var stream in streams)
            sink.Applied.Where(incoming => incoming.Stream == stream).Select(incoming => incoming.Revision)
                .Distinct().ShouldBe(Enumerable.Range(0, 12).Select(n => (long)n));
    }

    private Task<PipelineHost> StartAsync(string broker, params (string, string)[] settings) =>
        PipelineHost.StartAsync(
            _store, broker,
            builder => AddFollower(builder.AddRelay(ServiceNames.Nonconformities), new RecordingSink()), settings);

    private Task<PipelineHost> StartFollowerAsync(
        string broker, RecordingSink sink, params (string, string)[] settings) =>
        PipelineHost.StartAsync(_store, broker, builder => AddFollower(builder, sink), settings);

    private static void AddFollower(WebApplicationBuilder builder, RecordingSink sink)
    {
        builder.AddFollower<RecordingSink>(Name, Families.OwnedBy(ServiceNames.Nonconformities));
        builder.Services.AddSingleton(sink);
    }

    private static Task<int> PurgeAsync(string broker) =>
        TestServers.PurgeAllQueuesAsync(new Uri(broker).AbsolutePath.TrimStart('/'), Ct);
}
