using System.Collections.Concurrent;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Shouldly;

namespace CapaEngine.Integration.Pipeline;

/// <summary>What cannot be done is parked with its reason and done later; it never holds up others.</summary>
public sealed class ReactionTests
{
    private const string Service = ServiceNames.Nonconformities;
    private const string Follower = $"follower.{Service}";
    private readonly MemoryEventStore _store = new(TimeProvider.System);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task not_yet_is_tried_again_and_done_when_it_can_be()
    {
        var reactions = new ScriptedReactions();
        await using var host = await StartAsync(reactions);
        var stream = TestEvents.NewStream();
        reactions.Answer(stream, 1, _ => new ReactionOutcome.NotYet("too-early"), times: 2);
        await _store.AppendAsync(stream, 4, Ct);
        await Eventually.HoldsAsync(() => reactions.DoneIn(stream).Count == 4, "all reactions", Ct);
        reactions.DoneIn(stream).ShouldBe([0, 1, 2, 3]);
        reactions.AttemptsAt(stream, 1).ShouldBe(3);
        (await ParkedAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task what_stays_impossible_is_parked_after_bounded_attempts_while_others_go_on()
    {
        var reactions = new ScriptedReactions();
        await using var host = await StartAsync(reactions);
        var stuck = TestEvents.NewStream();
        reactions.Answer(stuck, 1, _ => new ReactionOutcome.NotYet("too-early"), times: int.MaxValue);
        await _store.AppendAsync(stuck, 4, Ct);
        var others = Enumerable.Range(0, 20).Select(_ => TestEvents.NewStream()).ToList();
        foreach (var other in others) await _store.AppendAsync(other, 2, Ct);

        await Eventually.HoldsAsync(() => others.TrueForAll(o => reactions.DoneIn(o).Count == 2), "the others", Ct);
        await Eventually.HoldsAsync(async () => (await ParkedAsync()).Count == 3, "three parked", Ct);
        reactions.AttemptsAt(stuck, 1).ShouldBe(3);
        reactions.DoneIn(stuck).ShouldBe([0]);
        var parked = (await ParkedAsync()).Cast<ParkingEvent.Parked>().ToList();
        parked.ShouldAllBe(p => p.Stream == stuck && p.Type == "deviation.conflict-received.v1");
        parked.Select(p => (p.Revision, p.Code)).ShouldBe([(1, "not-yet"), (2, "behind-parked"), (3, "behind-parked")]);
        parked[0].Reason.ShouldBe("too-early");
        await host.ReportsAsync(Follower, HealthStatus.Degraded, Ct);
    }

    [Fact]
    public async Task a_refusal_is_parked_at_once_with_its_code_and_a_failure_with_its_message()
    {
        var reactions = new ScriptedReactions();
        await using var host = await StartAsync(reactions);
        var (refused, failing) = (TestEvents.NewStream(), TestEvents.NewStream());
        reactions.Answer(refused, 0, _ => new ReactionOutcome.Refused("wrong-stage", "Not now."), int.MaxValue);
        reactions.Answer(failing, 0, _ => throw new InvalidOperationException("Broken."), int.MaxValue);
        await _store.AppendAsync(refused, 1, Ct);
        await _store.AppendAsync(failing, 1, Ct);
        await Eventually.HoldsAsync(async () => (await ParkedAsync()).Count == 2, "two parked", Ct);
        var parked = (await ParkedAsync()).Cast<ParkingEvent.Parked>().ToDictionary(p => p.Stream);
        (parked[refused].Code, parked[refused].Reason).ShouldBe(("wrong-stage", "Not now."));
        reactions.AttemptsAt(refused, 0).ShouldBe(1);
        (parked[failing].Code, parked[failing].Reason)
            .ShouldBe(("not-yet", "InvalidOperationException: Broken."));
    }

    [Fact]
    public async Task parked_reactions_are_carried_out_later_in_their_order()
    {
        var reactions = new ScriptedReactions();
        var stream = TestEvents.NewStream();
        reactions.Answer(stream, 0, _ => new ReactionOutcome.NotYet("too-early"), times: 8);
        await using var host = await StartAsync(reactions, ("ParkedRetryPeriodMs", "300"));
        await _store.AppendAsync(stream, 5, Ct);
        await Eventually.HoldsAsync(() => reactions.DoneIn(stream).Count == 5, "all reactions", Ct);
        reactions.DoneIn(stream).ShouldBe([0, 1, 2, 3, 4]);
        await host.ReportsAsync(Follower, HealthStatus.Healthy, Ct);
        (await ParkedAsync()).OfType<ParkingEvent.Parked>().Count()
            .ShouldBe((await ParkedAsync()).OfType<ParkingEvent.Released>().Count());

        await _store.AppendAsync(stream, 1, Ct);
        await Eventually.HoldsAsync(() => reactions.DoneIn(stream).Count == 6, "the stream goes on", Ct);
    }

    [Fact]
    public async Task an_unknown_event_type_parks_its_stream()
    {
        var reactions = new ScriptedReactions();
        await using var host = await StartAsync(reactions);
        var stream = TestEvents.NewStream();
        await _store.AppendAsync(stream, 1, Ct);
        await _store.AppendAsync(stream, 1, Ct, type: "deviation.invented.v9");
        await _store.AppendAsync(stream, 1, Ct);
        await Eventually.HoldsAsync(async () => (await ParkedAsync()).Count == 2, "two parked", Ct);
        (await ParkedAsync()).Cast<ParkingEvent.Parked>().Select(p => (p.Revision, p.Type, p.Code)).ShouldBe(
        [
            (1, "deviation.invented.v9", "unknown-event-type"),
            (2, "deviation.conflict-received.v1", "behind-parked"),
        ]);
        reactions.DoneIn(stream).ShouldBe([0]);
        await host.ReportsAsync(Follower, HealthStatus.Degraded, Ct);
    }

    [Fact]
    public async Task a_restart_goes_on_where_it_was_and_remembers_what_is_parked()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        var (stuck, fine) = (TestEvents.NewStream(), TestEvents.NewStream());
        var first = new ScriptedReactions();
        first.Answer(stuck, 0, _ => new ReactionOutcome.Refused("wrong-stage", "Not now."), int.MaxValue);
        await using (await StartAsync(first, broker: broker))
        {
            await _store.AppendAsync(stuck, 1, Ct);
            await _store.AppendAsync(fine, 3, Ct);
            await Eventually.HoldsAsync(() => first.DoneIn(fine).Count == 3, "the first three", Ct);
            await Eventually.HoldsAsync(async () => (await ParkedAsync()).Count == 1, "one parked", Ct);
        }

        var second = new ScriptedReactions();
        second.Answer(stuck, 0, _ => new ReactionOutcome.Refused("wrong-stage", "Still not."), int.MaxValue);
        await using var host = await StartAsync(second, broker: broker);
        await _store.AppendAsync(stuck, 1, Ct);
        await _store.AppendAsync(fine, 2, Ct);
        await Eventually.HoldsAsync(() => second.DoneIn(fine).Count == 2, "the next two", Ct);
        second.DoneIn(fine).ShouldBe([3, 4]);
        await Eventually.HoldsAsync(async () => (await ParkedAsync()).Count == 2, "two parked", Ct);
        ((ParkingEvent.Parked)(await ParkedAsync())[1]).Code.ShouldBe("behind-parked");
    }

    [Fact]
    public async Task two_processes_of_a_service_share_their_positions_and_their_parking_lot()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        var reactions = new ScriptedReactions();
        await using var first = await StartAsync(reactions, broker: broker);
        await using var second = await StartAsync(reactions, broker: broker);
        var streams = Enumerable.Range(0, 20).Select(_ => TestEvents.NewStream()).ToList();
        reactions.Answer(streams[0], 2, _ => new ReactionOutcome.Refused("no", "No."), int.MaxValue);
        foreach (var stream in streams) await _store.AppendAsync(stream, 5, Ct);
        await first.StopAsync();
        foreach (var stream in streams) await _store.AppendAsync(stream, 5, Ct);
        var all = streams.Skip(1).ToList();
        await Eventually.HoldsAsync(
            () => all.TrueForAll(stream => reactions.DoneIn(stream).Distinct().Count() == 10), "all reactions", Ct);
        await Eventually.HoldsAsync(async () => (await ParkedAsync()).Count == 8, "eight parked", Ct);
        (await ParkedAsync()).Cast<ParkingEvent.Parked>().Select(p => p.Revision).Order()
            .ShouldBe(Enumerable.Range(2, 8).Select(n => (long)n));
    }

    private async Task<PipelineHost> StartAsync(
        ScriptedReactions reactions, (string, string)? setting = null, string? broker = null)
    {
        List<(string, string)> settings = [("ReactionAttemptsMax", "3"), ("ReactionDelayMs", "20")];
        if (setting is { } one) settings.Add(one);
        return await PipelineHost.StartAsync(
            _store, broker ?? await TestServers.CreateVirtualHostAsync(Ct),
            builder => builder.AddRelay(Service).AddReactions<ScriptedReactions>(Service)
                .Services.AddSingleton(reactions), [.. settings]);
    }

    private Task<PipelineHost> StartAsync(ScriptedReactions reactions, (string, string) setting) =>
        StartAsync(reactions, setting, null);

    private async Task<List<object>> ParkedAsync()
    {
        var events = new List<object>();
        await foreach (var e in _store.ReadStreamAsync($"parked-{Service}", 0, long.MaxValue, Ct))
            events.Add(EventCatalog.Deserialize(e.Type, e.Data.Span));
        return events;
    }
}

/// <summary>Reactions that answer as they are told, and note what they did.</summary>
internal sealed class ScriptedReactions : IReactions
{
    private readonly ConcurrentDictionary<(string, long), (Func<IncomingEvent, ReactionOutcome> Answer, int Times)>
        _script = new();

    private readonly ConcurrentDictionary<(string, long), int> _attempts = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<long>> _done = new();

    public IReadOnlyList<Family> Families { get; } = [Contracts.Families.Deviation];

    public void Answer(string stream, long revision, Func<IncomingEvent, ReactionOutcome> answer, int times) =>
        _script[(stream, revision)] = (answer, times);

    public int AttemptsAt(string stream, long revision) => _attempts.GetValueOrDefault((stream, revision));

    public IReadOnlyList<long> DoneIn(string stream) => [.. _done.GetValueOrDefault(stream) ?? []];

    public Task<ReactionOutcome> ReactAsync(IncomingEvent incoming, CancellationToken ct)
    {
        var attempt = _attempts.AddOrUpdate((incoming.Stream, incoming.Revision), 1, (_, n) => n + 1);
        if (_script.TryGetValue((incoming.Stream, incoming.Revision), out var told) && attempt <= told.Times)
            return Task.FromResult(told.Answer(incoming));
        _done.GetOrAdd(incoming.Stream, _ => new ConcurrentQueue<long>()).Enqueue(incoming.Revision);
        return Task.FromResult<ReactionOutcome>(new ReactionOutcome.Done());
    }
}
