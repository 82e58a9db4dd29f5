using System.Net;
using System.Text.Json.Nodes;
using CapaEngine.Integration.Infrastructure;
using Shouldly;

namespace CapaEngine.Integration.Journeys;

/// <summary>
/// What happens to the material (§8.7): two lots of a supplier are held from the report on, used under a concession,
/// reworked and scrapped, until the case is closed and the lots are free.
/// </summary>
[Collection(nameof(SystemFixture))]
public sealed class FromReportToRelease : IDisposable
{
    private static readonly string[] Compared =
        ["status", "quantityMax", "quantityDrawn", "quantityRemaining", "authority"];

    private readonly RunningSystem running;
    private readonly Cast cast;
    private readonly ApiClient dora;
    private readonly string lotA = $"A-{Guid.NewGuid():N}", lotB = $"B-{Guid.NewGuid():N}";

    public FromReportToRelease(SystemFixture system)
    {
        running = system.Running;
        cast = new Cast(running);
        dora = new ApiClient(running.Api, "dora", "disposition-authority")
        {
            Dispositions = ["use-as-is", "rework", "scrap"],
        };
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task held_lots_are_used_under_a_concession_reworked_or_scrapped_and_then_free()
    {
        var path = await ReportAsync();
        await ContainAsync(path);
        var concession = await GrantAsync(path);
        await DrawAsync(path, concession);
        await ReworkAndScrapAsync(path);
        await RevokeAsync(path, concession);
        await CloseAsync(path);
        await TheAnalystSeesTheSameAsync(concession);
    }

    public void Dispose()
    {
        dora.Dispose();
        cast.Dispose();
    }

    private async Task<string> ReportAsync()
    {
        using var reporter = new ApiClient(running.Api, "rita", "reporter");
        var path = await cast.ReportAsync(reporter, "Hardness too low", new JsonObject
        {
            ["source"] = "supplier", ["supplier"] = "Forge", ["detectionStage"] = "receiving",
            ["lots"] = new JsonArray(lotA, lotB),
            ["affectedQuantity"] = 100, ["unit"] = "pcs", ["severity"] = "major",
        });
        await cast.SeenAsync(path);
        await ExpectHoldAsync(lotA, "suspected");
        await ExpectHoldAsync(lotB, "suspected");
        return path;
    }

    private async Task ContainAsync(string path)
    {
        await cast.Quinn.PostAsync($"{path}/plan-containment", new { description = "Lock the lots.", dueHours = 8 });
        await cast.SeenAsync(path);
        await ExpectHoldAsync(lotA, "planned");
        await cast.Quinn.PostAsync(
            $"{path}/confirm-containment", new { evidence = "Cage 4, seal 12", cleanPoint = "lot C" });
        await cast.SeenAsync(path);
        await ExpectHoldAsync(lotB, "in-place");
        await dora.RefusedAsync($"{path}/decide-disposition", Disposition("scrap", 1, lotA), "wrong-stage");
        await cast.Quinn.PostAsync($"{path}/accept", new { severity = "major", containmentDueHours = 24 });
        await cast.Quinn.PostAsync($"{path}/complete-review", new { });
    }

    private async Task<string> GrantAsync(string path)
    {
        await dora.RefusedAsync(
            $"{path}/decide-disposition", Disposition("use-as-is", 20, lotA), "concession-required");
        var asked = await dora.PostAsync("concessions", new
        {
            site = cast.Site, kind = "concession", product = cast.Product, departure = "44 instead of 46 HRC",
            requirement = new { standard = "drawing", edition = "C", clause = "4.2" },
            justification = "The load is half of what was assumed.", nonconformityId = Cast.IdOf(path),
            lots = new[] { lotA }, quantity = 40, unit = "pcs",
        }, HttpStatusCode.Created);
        var concession = $"concessions/{asked.Id}";
        await dora.RefusedAsync($"{path}/decide-disposition",
            Disposition("use-as-is", 20, lotA, asked.Id), "concession-not-granted");
        await dora.PostAsync($"{concession}/grant", Grant(30), HttpStatusCode.Forbidden);
        (await cast.Amira.PostAsync($"{concession}/grant", Grant(30), HttpStatusCode.UnprocessableEntity))
            .Code.ShouldBe("if-match-required");
        await cast.RefusedToSignAsync(cast.Amira, concession, "grant", Grant(41), "beyond-request");
        await cast.Amira.PostAsync($"{concession}/grant", Grant(30), HttpStatusCode.PreconditionFailed, "\"7\"");
        await cast.SignAsync(cast.Amira, concession, "grant", Grant(30));
        ((double)(await cast.SummaryAsync(concession))["quantityRemaining"]!).ShouldBe(30);
        return concession;

        static object Grant(int quantity) => new
        {
            authority = "customer", authorityReference = "Mail of 12 May", quantityMax = quantity,
            conditions = "For the covers alone.",
        };
    }

    private async Task DrawAsync(string path, string concession)
    {
        var id = Cast.IdOf(concession);
        await dora.PostAsync($"{path}/decide-disposition", Disposition("use-as-is", 20, lotA, id));
        await dora.RefusedAsync(
            $"{path}/decide-disposition", Disposition("use-as-is", 11, lotA, id), "exceeds-concession");
        await dora.RefusedAsync(
            $"{path}/decide-disposition", Disposition("use-as-is", 1, lotB, id), "lot-not-covered");
        var seen = (await cast.SeenAsync(concession)).Body!;
        ((double)seen["summary"]!["quantityRemaining"]!).ShouldBe(10);
        var draw = seen["draws"]!.AsArray().ShouldHaveSingleItem()!;
        ((string?)draw["drawId"]).ShouldBe($"{await LineAsync(path, "use-as-is")}");
        await cast.Quinn.PostAsync($"{path}/execute-disposition",
            new { lineId = await LineAsync(path, "use-as-is"), evidence = "Marked with C-1" });
    }

    private async Task ReworkAndScrapAsync(string path)
    {
        await dora.PostAsync($"{path}/decide-disposition", Disposition("rework", 50, lotB));
        await dora.RefusedAsync(
            $"{path}/decide-disposition", Disposition("scrap", 31, lotB), "exceeds-affected-quantity");
        await dora.PostAsync($"{path}/decide-disposition", Disposition("scrap", 30, lotB));
        var rework = await LineAsync(path, "rework");
        await cast.Quinn.RefusedAsync($"{path}/verify-disposition", Verification(rework), "not-executed");
        await cast.Oscar.PostAsync(
            $"{path}/execute-disposition", new { lineId = rework, evidence = "Hardened again, batch 3" });
        await cast.As("oscar", "verifier").RefusedAsync(
            $"{path}/verify-disposition", Verification(rework), "self-verification");
        await cast.RefusedToSignAsync(cast.Quinn, path, "close", new { }, "containment-open");
        await cast.Vera.PostAsync($"{path}/verify-disposition", Verification(rework, passed: false));
        await cast.Oscar.PostAsync(
            $"{path}/execute-disposition", new { lineId = rework, evidence = "Hardened again, batch 4" });
        await cast.Vera.PostAsync($"{path}/verify-disposition", Verification(rework));
        await cast.Quinn.PostAsync($"{path}/execute-disposition", new
        {
            lineId = await LineAsync(path, "scrap"), evidence = "Scrap note 5", destruction = "Shredded",
        });
        ((double)(await HoldAsync(lotB))["disposedQuantity"]!).ShouldBe(80);

        static object Verification(Guid lineId, bool passed = true) => new
        {
            lineId, method = "Rockwell", result = passed ? "46 HRC" : "45 HRC", passed,
        };
    }

    private async Task RevokeAsync(string path, string concession)
    {
        await cast.Amira.PostAsync($"{concession}/revoke", new { reason = "The customer took it back." });
        await dora.RefusedAsync($"{path}/decide-disposition",
            Disposition("use-as-is", 5, lotA, Cast.IdOf(concession)), "exceeds-affected-quantity");
        ((double)(await cast.SummaryAsync(concession))["quantityDrawn"]!).ShouldBe(20, "What was drawn stays drawn.");
        var other = await cast.ReportAsync(cast.Quinn, "Hardness too low again", new JsonObject
        {
            ["affectedQuantity"] = 5, ["unit"] = "pcs", ["lots"] = new JsonArray(lotA),
        });
        await cast.DecideAllTracksAsync(other);
        await dora.RefusedAsync($"{other}/decide-disposition",
            Disposition("use-as-is", 5, lotA, Cast.IdOf(concession)), "concession-revoked");
    }

    private async Task CloseAsync(string path)
    {
        await cast.Quinn.PostAsync($"{path}/lift-containment", new { reason = "Nothing is left in the cage." });
        await cast.RefusedToSignAsync(cast.Quinn, path, "close", new { }, "customer-notice-undecided");
        await cast.Quinn.PostAsync($"{path}/require-customer-notice", new { dueOn = "2099-01-01" });
        await cast.RefusedToSignAsync(cast.Quinn, path, "close", new { }, "customer-notice-open");
        await cast.Quinn.PostAsync($"{path}/confirm-customer-informed", new { reference = "Mail of 14 May" });
        await cast.Quinn.PostAsync(
            $"{path}/decide-no-corrective-action", new { justification = "The supplier has done what is needed." });
        await cast.SignAsync(cast.Quinn, path, "close", new { });
        var closed = await cast.SummaryAsync(path);
        ((string?)closed["status"]).ShouldBe("closed");
        ((string?)closed["closedBy"]).ShouldBe("quinn");
        ((string?)(await HoldAsync(lotB))["status"]).ShouldBe("released");
        (await cast.Quinn.GetAsync($"holds?lot={lotB}&active=true")).Body!["items"]!.AsArray().ShouldBeEmpty();
    }

    private async Task TheAnalystSeesTheSameAsync(string concession)
    {
        var seen = await cast.SummaryAsync(concession);
        var same = await running.ScalarAsync<string>($"""
            select concat_ws(' ', status, quantity_max, quantity_drawn, quantity_remaining, authority)
            from reporting.concession where concession_id = '{Cast.IdOf(concession)}'
            """, Ct);
        string.Join(' ', Compared.Select(member => seen[member]?.ToString()).OfType<string>()).ShouldBe(same);
        same.ShouldStartWith("revoked 30 20");
    }

    private async Task<Guid> LineAsync(string path, string kind) => Guid.Parse((string)
        (await cast.SeenAsync(path)).Body!["dispositions"]!.AsArray()
            .Single(line => (string?)line!["kind"] == kind)!["lineId"]!);

    private async Task<JsonNode> HoldAsync(string lot) =>
        (await cast.Quinn.GetAsync($"holds?lot={lot}")).Body!["items"]!.AsArray().ShouldHaveSingleItem()!;

    private async Task ExpectHoldAsync(string lot, string status)
    {
        var hold = await HoldAsync(lot);
        ((string?)hold["status"]).ShouldBe(status);
        ((bool)hold["active"]!).ShouldBeTrue();
    }

    private static object Disposition(string kind, double quantity, string lot, Guid? concessionId = null) => new
    {
        kind, quantity, lot, reason = "As agreed with the design.", concessionId,
    };
}
