using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Integration.Journeys;
using CapaEngine.Kernel;
using Shouldly;

namespace CapaEngine.Integration.Intake;

/// <summary>What a machine is told of each event it sends, and what the log holds afterwards.</summary>
[Collection(nameof(SystemFixture))]
public sealed class IntakeTests(SystemFixture system) : IDisposable
{
    private const string Single = "application/cloudevents+json";
    private const string Batch = "application/cloudevents-batch+json";
    private const string Lines = "application/x-ndjson";
    private static readonly DateTimeOffset Detected = new(2026, 1, 5, 6, 0, 0, TimeSpan.Zero);

    private readonly RunningSystem running = system.Running;
    private readonly ApiClient machine = new(system.Running.Api, "line-4", "source-system");
    private readonly string source = $"urn:test:{Guid.NewGuid():N}";
    private readonly string product = $"P-{Guid.NewGuid():N}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_repeated_event_is_a_duplicate_and_another_payload_a_conflict_that_is_kept_once()
    {
        var first = await machine.PostRawAsync("deviations", Event("1"), Single, ct: Ct);
        Outcome(first.Body!).ShouldBe("accepted");
        var repeated = await machine.PostRawAsync("deviations", Event("1"), Single, ct: Ct);
        Outcome(repeated.Body!).ShouldBe("duplicate");
        ((ulong)repeated.Body!["position"]!).ShouldBe((ulong)first.Body!["position"]!);

        for (var copy = 0; copy < 2; copy++)
        {
            var other = await machine.PostRawAsync(
                "deviations", Event("1", "major"), Single, HttpStatusCode.Conflict, ct: Ct);
            Outcome(other.Body!).ShouldBe("conflict");
        }

        var found = await machine.GetAsync($"deviations?source={source}&id=1", ct: Ct);
        ((int)found.Body!["conflictCount"]!).ShouldBe(1);
        ((string?)found.Body["deviationId"]).ShouldBe((string?)first.Body!["deviationId"]);
        var types = await TypesAsync($"deviation-{found.Body["deviationId"]}");
        types.ShouldBe(["deviation.received.v1", "deviation.conflict-received.v1"]);
    }

    [Fact]
    public async Task an_event_that_never_arrived_is_not_found() =>
        await machine.GetAsync($"deviations?source={source}&id=none", HttpStatusCode.NotFound, Ct);

    [Fact]
    public async Task what_is_not_understood_is_kept_with_its_bytes_and_its_reason()
    {
        var sent = Event("1", "huge");
        var answered = await machine.PostRawAsync("deviations", sent, Single, HttpStatusCode.Accepted, ct: Ct);
        Outcome(answered.Body!).ShouldBe("quarantined");
        var stream = $"quarantine-{answered.Body!["quarantineId"]}";
        await foreach (var recorded in running.Log.ReadStreamAsync(stream, 0, 1, Ct))
        {
            var kept = (QuarantineEvent.Received)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span);
            Encoding.UTF8.GetString(Convert.FromBase64String(kept.Content)).ShouldBe(sent);
            (kept.Reason, kept.Detail).ShouldBe(("invalid-data", "severity: must be one of minor, major, critical"));
        }

        (await TypesAsync(stream)).Count.ShouldBe(1);
        await machine.PostRawAsync("deviations", sent, Single, HttpStatusCode.Accepted, ct: Ct);
        (await TypesAsync(stream)).Count.ShouldBe(1, "The same bytes are kept once.");
    }

    [Fact]
    public async Task a_batch_is_answered_event_by_event_in_its_order()
    {
        var answered = await machine.PostRawAsync("deviations",
            $"[{Event("1")},{Event("2", "huge")},{Event("1")},{Event("1", "major")},7,{Event("3")}]", Batch, ct: Ct);
        Outcomes(answered).ShouldBe(["accepted", "quarantined", "duplicate", "conflict", "quarantined", "accepted"]);
    }

    [Fact]
    public async Task many_copies_in_one_batch_are_one_event()
    {
        var copies = string.Join(',', Enumerable.Repeat(Event("1"), 200));
        var answered = await machine.PostRawAsync("deviations", $"[{copies}]", Batch, ct: Ct);
        Outcomes(answered).Count(outcome => outcome == "accepted").ShouldBe(1);
        Outcomes(answered).Count(outcome => outcome == "duplicate").ShouldBe(199);
    }

    [Fact]
    public async Task a_line_that_is_not_json_does_not_spoil_the_others()
    {
        var answered = await machine.PostRawAsync(
            "deviations", $"{Event("1")}\n{{\"broken\"\n\n{Event("2")}\n", Lines, ct: Ct);
        Outcomes(answered).ShouldBe(["accepted", "quarantined", "accepted"]);
        ((string?)answered.Body!.AsArray()[1]!["reason"]).ShouldBe("not-json");
    }

    [Theory]
    [InlineData("{", Single, HttpStatusCode.BadRequest, "malformed-json")]
    [InlineData("[{]", Batch, HttpStatusCode.BadRequest, "malformed-json")]
    [InlineData("<a/>", "text/xml", HttpStatusCode.UnsupportedMediaType, "unsupported-media-type")]
    public async Task a_body_that_is_not_json_is_refused(
        string body, string type, HttpStatusCode status, string code) =>
        (await machine.PostRawAsync("deviations", body, type, status, ct: Ct)).Code.ShouldBe(code);

    [Fact]
    public async Task too_many_events_are_refused_before_any_is_taken()
    {
        var many = string.Join(',', Enumerable.Range(0, 10_001).Select(n => n == 0 ? Event("1") : "0"));
        var answered = await machine.PostRawAsync(
            "deviations", $"[{many}]", Batch, HttpStatusCode.UnprocessableEntity, ct: Ct);
        answered.Code.ShouldBe("too-many-events");
        await machine.GetAsync($"deviations?source={source}&id=1", HttpStatusCode.NotFound, Ct);
    }

    [Fact]
    public async Task whoever_may_not_send_is_refused()
    {
        using var analyst = new ApiClient(running.Api, "ana", "analyst");
        await analyst.PostRawAsync("deviations", Event("1"), Single, HttpStatusCode.Forbidden, ct: Ct);
    }

    [Fact]
    public async Task a_storm_is_one_case_with_the_right_count_though_the_service_dies_in_it()
    {
        const int count = 3_000;
        var sent = new List<Guid>();
        for (var from = 0; from < count; from += 500)
        {
            if (from == 1_500)
            {
                await running.KillAsync("Nonconformities");
                await running.StartAsync(Ct, "Nonconformities");
                await running.ReadyAsync(Ct);
            }

            var batch = string.Join(',', Enumerable.Range(from, 500).Select(n => Event($"{n}", "minor", n)));
            var answered = await machine.PostRawAsync("deviations", $"[{batch}]", Batch, ct: Ct);
            Outcomes(answered).ShouldAllBe(outcome => outcome == "accepted");
            sent.AddRange(answered.Body!.AsArray().Select(receipt => Guid.Parse((string)receipt!["deviationId"]!)));
        }

        var subject = new DeviationSubject("north", product, "milling", "m-1", "width", null);
        var caseId = NameBasedId.From($"nonconformity\n{subject.SignatureId():D}\n1");
        var attached = new List<Guid>();
        await running.EventuallyAsync("every deviation is attached", async ct =>
        {
            attached = await AttachedAsync(caseId, ct);
            return attached.Count >= count;
        }, Ct, secondsMax: 120);
        attached.ShouldBe(sent, ignoreOrder: true);
        (await TypesAsync($"signature-{subject.SignatureId():D}")).Count.ShouldBe(1);
    }

    public void Dispose() => machine.Dispose();

    private string Event(string id, string severity = "minor", int secondsLater = 0) =>
        DeviationJson.Event(source, id, product, severity, Detected.AddSeconds(secondsLater));

    private static string? Outcome(JsonNode receipt) => (string?)receipt["outcome"];

    private static List<string?> Outcomes(Answered answered) => [.. answered.Body!.AsArray().Select(r => Outcome(r!))];

    private async Task<List<string>> TypesAsync(string stream)
    {
        var types = new List<string>();
        await foreach (var recorded in running.Log.ReadStreamAsync(stream, 0, long.MaxValue, Ct))
            types.Add(recorded.Type);
        return types;
    }

    private async Task<List<Guid>> AttachedAsync(Guid caseId, CancellationToken ct)
    {
        var attached = new List<Guid>();
        var stream = Families.Nonconformity.Stream(caseId);
        await foreach (var recorded in running.Log.ReadStreamAsync(stream, 0, long.MaxValue, ct))
        {
            var fact = EventCatalog.Deserialize(recorded.Type, recorded.Data.Span);
            if (fact is NonconformityEvent.DeviationsAttached those)
                attached.AddRange(those.Deviations);
        }

        return attached;
    }
}
