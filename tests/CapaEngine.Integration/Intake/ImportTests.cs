using System.Net;
using System.Text.Json.Nodes;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Integration.Journeys;
using CapaEngine.Kernel;
using Shouldly;

namespace CapaEngine.Integration.Intake;

/// <summary>Cases of another system over HTTP: each is told what became of it, and the read models show it.</summary>
[Collection(nameof(SystemFixture))]
public sealed class ImportTests(SystemFixture system) : IDisposable
{
    private const string Import = "nonconformities/import";
    private const string Batch = "application/json";

    private readonly RunningSystem running = system.Running;
    private readonly ApiClient importer = new(system.Running.Api, "ivo", Roles.Importer, Roles.QualityEngineer);
    private readonly ApiClient approver = new(system.Running.Api, "ann", Roles.Approver);
    private readonly string source = $"urn:test:{Guid.NewGuid():N}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task each_record_is_told_what_became_of_it()
    {
        (await SendAsync(Record("1"), Record("2", isClosed: false), Record("3", openedOn: "0010-08-17"), Record("1")))
            .Select(Outcome).ShouldBe(["imported", "imported", "quarantined", "duplicate"]);
        var again = await SendAsync(Record("1"), Record("2"), Record("3", openedOn: "0010-08-17"));
        again.Select(Outcome).ShouldBe(["duplicate", "conflict", "quarantined"]);
        ((string?)again[2]["detail"]).ShouldBe("openedOn: must not lie before 1900-01-01");
        again.Select(receipt => (string?)receipt["sourceId"]).ShouldBe(["1", "2", "3"]);
    }

    [Fact]
    public async Task lines_are_taken_one_by_one()
    {
        var answered = await importer.PostRawAsync(
            Import, $"{Record("1")}\n{{\"broken\"\n{Record("2")}\n", "application/x-ndjson", ct: Ct);
        answered.Body!.AsArray().Select(receipt => Outcome(receipt!))
            .ShouldBe(["imported", "quarantined", "imported"]);
    }

    [Fact]
    public async Task the_read_models_show_it_in_the_words_of_the_source()
    {
        await SendAsync(Record("1"), Record("2", isClosed: false), Record("3", closedOn: null));
        var closed = await SeeAsync("1");
        Text(closed, "status", "closedBy", "sourceStatus", "supplier", "productCode", "statedCauseCode")
            .ShouldBe(["closed", "by-source", "Terminated", "Maker", "ABC", "machine.wear"]);
        Text(closed, "severity", "containment", "disposition", "causeDecision", "requirementClause")
            .ShouldAllBe(text => text == null, "What the source does not say is not made up.");
        ((double)closed["ageDays"]!).ShouldBe(241);
        ((bool)closed["imported"]!).ShouldBeTrue();
        Text(await SeeAsync("2"), "status", "closedAt", "closedBy").ShouldBe(["imported", null, null]);
        Text(await SeeAsync("3"), "status", "closedBy", "closedAt", "ageDays")
            .ShouldBe(["closed", "by-source", null, null]);
    }

    [Fact]
    public async Task another_telling_is_kept_and_changes_nothing()
    {
        await SendAsync(Record("1"));
        await SendAsync(Record("1", closedOn: "2012-02-03"));
        var seen = await SeeAsync("1", row => (int)row["conflictCount"]! == 1);
        ((string)seen["closedAt"]!).ShouldStartWith("2012-01-02");
    }

    [Fact]
    public async Task it_can_be_corrected_and_nothing_else()
    {
        var id = (string)(await SendAsync(Record("1")))[0]["nonconformityId"]!;
        await approver.RefusedAsync($"nonconformities/{id}/reopen", new { reason = "It came back." }, "imported");
        await importer.RefusedAsync(
            $"nonconformities/{id}/require-corrective-action", new { capaOwner = "omar", reason = "Often." },
            "imported");
        await importer.PostAsync(
            $"nonconformities/{id}/correct", new { reason = "A slip.", title = "Recall 1, pumps" }, ct: Ct);
        ((bool)(await SeeAsync("1", row => (string?)row["title"] == "Recall 1, pumps"))["signatureSuperseded"]!)
            .ShouldBeFalse();
    }

    [Fact]
    public async Task what_was_quarantined_is_replayed_by_an_importer_alone()
    {
        // Sent to the address of machines it is not understood; by an importer's rights it is.
        var kept = await importer.PostRawAsync(
            "deviations", Record("1"), Batch, HttpStatusCode.Accepted, ct: Ct);
        ((string?)kept.Body!["reason"]).ShouldBe("unknown-type");
        var path = $"quarantine/{kept.Body["quarantineId"]}/replay";
        using var engineer = new ApiClient(running.Api, "eve", Roles.QualityEngineer);
        await engineer.RefusedAsync(path, new { }, "still-not-understood");
        await importer.PostAsync(path, new { }, ct: Ct);
        var seen = await SeeAsync("1");
        var replayedAs = await running.ScalarAsync<Guid>(
            $"select replayed_as from reporting.quarantine where quarantine_id = '{kept.Body["quarantineId"]}'", Ct);
        replayedAs.ShouldBe(Guid.Parse((string)seen["id"]!));
    }

    [Fact]
    public async Task whoever_is_no_importer_is_refused()
    {
        using var machine = new ApiClient(running.Api, "line-4", Roles.SourceSystem);
        await machine.PostRawAsync(Import, $"[{Record("1")}]", Batch, HttpStatusCode.Forbidden, ct: Ct);
    }

    public void Dispose()
    {
        importer.Dispose();
        approver.Dispose();
    }

    private async Task<List<JsonNode>> SendAsync(params string[] records) =>
        [
            .. (await importer.PostRawAsync(Import, $"[{string.Join(',', records)}]", Batch, ct: Ct)).Body!.AsArray()
                .Select(receipt => receipt!),
        ];

    private async Task<JsonObject> SeeAsync(string id, Func<JsonObject, bool>? isThere = null)
    {
        JsonObject? seen = null;
        await running.EventuallyAsync($"the record {id} is shown", async ct =>
        {
            var caseId = Contracts.NameBasedId.From($"imported-nonconformity\n{source}\n{id}");
            seen = (await importer.TryGetAsync($"nonconformities/{caseId}", ct)).Body?["summary"]?.AsObject();
            return seen?["id"] is not null && isThere?.Invoke(seen) != false;
        }, Ct);
        return seen!;
    }

    private static string? Outcome(JsonNode receipt) => (string?)receipt["outcome"];

    private static IEnumerable<string?> Text(JsonObject row, params string[] members) =>
        members.Select(member => row[member]?.ToString());

    private string Record(
        string id, bool isClosed = true, string openedOn = "2011-05-06", string? closedOn = "2012-01-02") =>
        new JsonObject
        {
            ["specversion"] = "1.0", ["type"] = "capa.nonconformity-import.v1", ["source"] = source, ["id"] = id,
            ["data"] = new JsonObject
            {
                ["site"] = "north", ["title"] = $"Recall {id}", ["description"] = "The pump leaks.",
                ["productCode"] = "ABC", ["supplier"] = "Maker", ["cause"] = "Wear", ["causeCode"] = "machine.wear",
                ["status"] = isClosed ? "Terminated" : "Open", ["isClosed"] = isClosed, ["openedOn"] = openedOn,
                ["closedOn"] = isClosed ? closedOn : null,
            },
        }.ToJsonString();
}
