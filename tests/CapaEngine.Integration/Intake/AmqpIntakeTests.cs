using System.Text;
using CapaEngine.Contracts;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Integration.Journeys;
using CapaEngine.Kernel;
using Shouldly;

namespace CapaEngine.Integration.Intake;

/// <summary>What machines publish is in the log once, whatever dies meanwhile.</summary>
[Collection(nameof(SystemFixture))]
public sealed class AmqpIntakeTests(SystemFixture system) : IAsyncLifetime
{
    private const string Batch = "application/cloudevents-batch+json";
    private static readonly DateTimeOffset Detected = new(2026, 1, 5, 6, 0, 0, TimeSpan.Zero);

    private readonly RunningSystem running = system.Running;
    private readonly string source = $"urn:test:{Guid.NewGuid():N}";
    private readonly string product = $"P-{Guid.NewGuid():N}";
    private MachineOnTheBroker machine = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Broker => $"{TestServers.RabbitMq}/{running.VirtualHost}";

    public async ValueTask InitializeAsync() => machine = await MachineOnTheBroker.ConnectAsync(Broker, Ct);

    public ValueTask DisposeAsync() => machine.DisposeAsync();

    [Fact]
    public async Task batches_with_repeats_are_counted_once_though_the_service_dies_in_the_middle()
    {
        const int count = 2_000, batchSize = 50;
        for (var from = 0; from < count; from += batchSize)
        {
            var batch = $"[{string.Join(',', Enumerable.Range(from, batchSize).Select(n => Event($"{n}")))}]";
            await machine.PublishAsync(batch, Ct, contentType: Batch);
            if (from == count / 2) await running.KillAsync("Nonconformities");
            await machine.PublishAsync(batch, Ct, contentType: Batch);
        }

        await machine.PublishAsync(Event("last"), Ct);
        await running.StartAsync(Ct, "Nonconformities");
        await running.ReadyAsync(Ct);
        await ArrivesAsync("last");
        // Streams are written side by side: the last event may be there before one that was sent earlier.
        await running.EventuallyAsync(
            "every event is recorded", async _ => (await RecordedAsync()).Count == count + 1, Ct);
        var recorded = await RecordedAsync();
        recorded.Count.ShouldBe(count + 1);
        recorded.Select(fact => fact.SourceEventId).Distinct().Count().ShouldBe(count + 1);
        (await machine.CountAsync("capa.deviations", Ct)).ShouldBe(0u);
    }

    [Fact]
    public async Task the_first_of_two_payloads_counts_and_the_other_is_kept()
    {
        await machine.PublishAsync(Event("1"), Ct);
        await machine.PublishAsync($"[{Event("1", "major")},{Event("2")}]", Ct, contentType: Batch);
        await ArrivesAsync("2");
        await running.EventuallyAsync(
            "the other payload is recorded", async ct => await running.HeadRevisionAsync(Stream("1"), ct) == 1, Ct);
        (await TypesAsync(Stream("1"))).ShouldBe(["deviation.received.v1", "deviation.conflict-received.v1"]);
    }

    [Theory]
    [InlineData("{\"broken\"", "application/json", "not-json")]
    [InlineData("<deviation/>", "text/xml", "unsupported-media-type")]
    [InlineData("7", "application/json", "not-a-cloud-event")]
    public async Task an_unreadable_body_is_kept_with_its_bytes_and_holds_nothing_up(
        string body, string contentType, string reason)
    {
        // The same bytes are kept once, so each run sends its own.
        body += reason == "not-a-cloud-event"
            ? $"{Random.Shared.NextInt64(1_000_000_000_000)}" : new string(' ', Random.Shared.Next(1, 1_000));
        await machine.PublishAsync(body, Ct, contentType: contentType);
        await machine.PublishAsync(Event("1"), Ct);
        await ArrivesAsync("1");
        var kept = await QuarantinedAsync(Encoding.UTF8.GetBytes(body));
        (kept.Reason, kept.ContentType).ShouldBe((reason, contentType));
    }

    [Fact]
    public async Task whom_the_broker_verified_may_send_for_their_own_source_alone()
    {
        var (own, foreign) = (DeviationJson.Event("guest", product, product, "minor", Detected), Event("1"));
        await machine.PublishAsync(foreign, Ct, userId: "guest");
        await machine.PublishAsync(own, Ct, userId: "guest");
        await running.EventuallyAsync(
            "the user's own event is recorded",
            async ct => await running.HeadRevisionAsync(StreamOf("guest", product), ct) == 0, Ct);
        (await QuarantinedAsync(Encoding.UTF8.GetBytes(foreign))).Reason.ShouldBe("source-not-yours");
        (await running.HeadRevisionAsync(Stream("1"), Ct)).ShouldBe(-1);
    }

    [Fact]
    public async Task attributes_may_stand_beside_the_body()
    {
        var data = $$"""
            {"site":"north","product":"{{product}}","process":"milling","defectCode":"burr","severity":"minor",
             "detectedAt":"2026-01-05T06:00:00Z"}
            """;
        await machine.PublishAsync(data, Ct, contentType: "application/json", headers: new()
        {
            ["cloudEvents:specversion"] = "1.0", ["cloudEvents:type"] = "capa.deviation.v1",
            ["cloudEvents:source"] = source, ["cloudEvents:id"] = "1",
        });
        await ArrivesAsync("1");
        (await RecordedAsync()).ShouldHaveSingleItem().DefectCode.ShouldBe("burr");
    }

    [Fact]
    public async Task what_is_too_large_is_set_aside_whole_and_said_in_quarantine()
    {
        var before = await machine.CountAsync("capa.deviations.too-large", Ct);
        var body = $"[{Event("1")},{{\"text\":\"{product}{new string('x', 300_000)}\"}}]";
        await machine.PublishAsync(body, Ct, contentType: Batch);
        await machine.PublishAsync(Event("2"), Ct);
        await ArrivesAsync("2");
        (await machine.CountAsync("capa.deviations.too-large", Ct)).ShouldBe(before + 1);
        (await QuarantinedAsync(Encoding.UTF8.GetBytes(body)[..65_536])).Reason.ShouldBe("event-too-large");
        (await RecordedAsync()).ShouldHaveSingleItem().SourceEventId.ShouldBe("2");
    }

    [Fact]
    public async Task while_the_store_is_down_messages_wait_and_readiness_says_so()
    {
        await running.KillAsync("EventLog");
        try
        {
            for (var n = 0; n < 300; n++) await machine.PublishAsync(Event($"{n}"), Ct);
            using var http = new HttpClient();
            await running.EventuallyAsync("readiness names the queue", async ct =>
            {
                using var answer = await http.GetAsync(running.HealthOf("Nonconformities"), ct);
                var text = await answer.Content.ReadAsStringAsync(ct);
                return text.Contains("Nothing became durable", StringComparison.Ordinal);
            }, Ct);
            (await machine.CountAsync("capa.deviations", Ct)).ShouldBe(300u - 128, "The broker keeps what is ahead.");
        }
        finally
        {
            await running.StartAsync(Ct, "EventLog");
        }

        await running.EventuallyAsync(
            "every event is recorded", async _ => (await RecordedAsync()).Count >= 300, Ct);
        await running.ReadyAsync(Ct);
        (await RecordedAsync()).Select(fact => fact.SourceEventId)
            .ShouldBe(Enumerable.Range(0, 300).Select(n => $"{n}"), ignoreOrder: true);
    }

    private string Event(string id, string severity = "minor") =>
        DeviationJson.Event(source, id, product, severity, Detected);

    private string Stream(string id) => StreamOf(source, id);

    private static string StreamOf(string source, string id) =>
        Families.Deviation.Stream(NameBasedId.From($"deviation\n{source}\n{id}"));

    private Task ArrivesAsync(string id) => running.EventuallyAsync(
        $"event {id} is recorded", async ct => await running.HeadRevisionAsync(Stream(id), ct) >= 0, Ct);

    private async Task<List<DeviationEvent.Received>> RecordedAsync()
    {
        var facts = new List<DeviationEvent.Received>();
        await foreach (var recorded in running.Log.ReadAllAsync(LogPosition.Start, ["deviation-"], Ct))
            if (EventCatalog.Deserialize(recorded.Type, recorded.Data.Span) is DeviationEvent.Received fact
                && fact.Source == source)
                facts.Add(fact);
        return facts;
    }

    private async Task<QuarantineEvent.Received> QuarantinedAsync(byte[] bytes)
    {
        QuarantineEvent.Received? kept = null;
        await running.EventuallyAsync(
            "it is in quarantine", async _ => (kept = await FindQuarantinedAsync(bytes)) is not null, Ct);
        return kept!;
    }

    private async Task<QuarantineEvent.Received?> FindQuarantinedAsync(byte[] bytes)
    {
        await foreach (var recorded in running.Log.ReadAllAsync(LogPosition.Start, ["quarantine-"], Ct))
            if (EventCatalog.Deserialize(recorded.Type, recorded.Data.Span) is QuarantineEvent.Received kept
                && Convert.FromBase64String(kept.Content).AsSpan().SequenceEqual(bytes))
                return kept;
        return null;
    }

    private async Task<List<string>> TypesAsync(string stream)
    {
        var types = new List<string>();
        await foreach (var recorded in running.Log.ReadStreamAsync(stream, 0, long.MaxValue, Ct))
            types.Add(recorded.Type);
        return types;
    }
}
