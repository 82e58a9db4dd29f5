using System.Net;
using System.Text.Json.Nodes;
using CapaEngine.Integration.Infrastructure;
using Shouldly;

namespace CapaEngine.Integration.Journeys;

/// <summary>How a case ends otherwise than by corrective action, and what is possible after its end.</summary>
[Collection(nameof(SystemFixture))]
public sealed class WaysOutOfACase(SystemFixture system) : IDisposable
{
    private readonly Cast cast = new(system.Running);

    [Fact]
    public async Task a_report_is_taken_back_by_its_reporter_or_rejected_by_another()
    {
        var (rita, lot) = (cast.As("rita", "reporter"), $"L-{Guid.NewGuid():N}");
        var mistaken = await cast.ReportAsync(rita, "Wrong colour", new JsonObject { ["lots"] = new JsonArray(lot) });
        await cast.Quinn.RefusedAsync($"{mistaken}/withdraw", new { reason = "Not mine." }, "not-the-reporter");
        await rita.PostAsync($"{mistaken}/reject", new { reason = "Unfounded." }, HttpStatusCode.Forbidden);
        await rita.PostAsync($"{mistaken}/withdraw", new { reason = "The lamp was broken." });
        ((string?)(await cast.SummaryAsync(mistaken))["status"]).ShouldBe("withdrawn");
        var hold = (await cast.Quinn.GetAsync($"holds?lot={lot}")).Body!["items"]!.AsArray().ShouldHaveSingleItem()!;
        ((string?)hold["status"]).ShouldBe("released");

        var unfounded = await cast.ReportAsync(cast.Quinn, "Too heavy");
        await cast.Quinn.RefusedAsync($"{unfounded}/reject", new { reason = "A slip." }, "self-rejection");
        await cast.Paul.PostAsync($"{unfounded}/reject", new { reason = "The scale was off." });
        ((string?)(await cast.SummaryAsync(unfounded))["status"]).ShouldBe("rejected");
        await cast.Amira.RefusedAsync($"{unfounded}/reopen", new { reason = "Perhaps not." }, "wrong-stage");
    }

    [Fact]
    public async Task a_duplicate_moves_with_all_it_held_and_its_subject_counts_anew()
    {
        var (lotA, lotB) = ($"A-{Guid.NewGuid():N}", $"B-{Guid.NewGuid():N}");
        await MachinesReportAsync("first", lotA);
        var duplicate = await cast.TriagedCaseAsync(1);
        var target = await cast.ReportAsync(cast.Paul, "Slots too wide", new JsonObject
        {
            ["lots"] = new JsonArray(lotB), ["affectedQuantity"] = 10, ["unit"] = "pcs",
        });
        await cast.UntilAsync(
            duplicate, "the cluster is attached", seen => (int)seen["summary"]!["deviationCount"]! == 3);
        await cast.Quinn.PostAsync($"{duplicate}/plan-containment", new { description = "Lock it.", dueHours = 8 });
        await cast.Quinn.PostAsync(
            $"{duplicate}/confirm-containment", new { evidence = "Seal 3", cleanPoint = "lot C" });
        await cast.Quinn.RefusedAsync($"{duplicate}/merge", Merge(duplicate), "merge-into-itself");
        await cast.Quinn.PostAsync($"{duplicate}/merge", Merge(target));
        await cast.Quinn.RefusedAsync($"{target}/merge", Merge(duplicate), "target-merged");

        var merged = await cast.SummaryAsync(duplicate);
        ((string?)merged["status"]).ShouldBe("merged");
        ((string?)merged["mergedInto"]).ShouldBe($"{Cast.IdOf(target)}");
        var kept = (await cast.UntilAsync(
            target, "the deviations move", seen => (int)seen["summary"]!["deviationCount"]! == 3))["summary"]!;
        kept["lots"]!.AsArray().Select(lot => (string?)lot).ShouldBe([lotB, lotA], ignoreOrder: true);
        ((string?)kept["containment"]).ShouldBe("in-place");
        var holds = (await cast.Quinn.GetAsync($"holds?lot={lotA}")).Body!["items"]!.AsArray();
        ((string?)holds.Single(hold => (bool)hold!["active"]!)!["nonconformityId"]).ShouldBe($"{Cast.IdOf(target)}");
        ((string?)holds.Single(hold => !(bool)hold!["active"]!)!["movedTo"]).ShouldBe($"{Cast.IdOf(target)}");

        await MachinesReportAsync("second", lotA);
        var next = await cast.TriagedCaseAsync(2);
        await cast.UntilAsync(
            next, "the next case has its own", seen => (int)seen["summary"]!["deviationCount"]! == 3);
        ((int)(await cast.SummaryAsync(target))["deviationCount"]!).ShouldBe(3, "What came later is of the next case.");

        static object Merge(string into) => new
        {
            intoId = Cast.IdOf(into), reason = "The same slots.", additionalQuantity = 0,
        };
    }

    [Fact]
    public async Task a_closed_case_is_corrected_signed_again_and_opened_again()
    {
        var path = await cast.ReportAsync(cast.Quinn, "Label peals off");
        await cast.DecideAllTracksAsync(path);
        await cast.Quinn.PostAsync($"{path}/close", new { }, HttpStatusCode.PreconditionFailed, "\"0\"");
        await cast.SignAsync(cast.Quinn, path, "close", new { });

        await cast.Quinn.RefusedAsync($"{path}/require-customer-notice", new { dueOn = "2099-01-01" }, "wrong-stage");
        await cast.Quinn.PostAsync($"{path}/correct", new { reason = "Spelling.", title = "Label peels off" });
        var corrected = await cast.SummaryAsync(path);
        ((string?)corrected["title"]).ShouldBe("Label peels off");
        ((string?)corrected["status"]).ShouldBe("closed");
        ((bool)corrected["signatureSuperseded"]!).ShouldBeTrue();
        await cast.SignAsync(cast.Amira, path, "close", new { });
        var signed = await cast.SummaryAsync(path);
        ((bool)signed["signatureSuperseded"]!).ShouldBeFalse();
        ((string?)signed["closedBy"]).ShouldBe("amira");

        await cast.Quinn.PostAsync($"{path}/reopen", new { reason = "Seen again." }, HttpStatusCode.Forbidden);
        await cast.Amira.PostAsync($"{path}/reopen", new { reason = "Seen again." });
        var reopened = await cast.SummaryAsync(path);
        ((string?)reopened["status"]).ShouldBe("open");
        ((int)reopened["reopenCount"]!).ShouldBe(1);
        await cast.SignAsync(cast.Quinn, path, "close", new { });
        var closed = await cast.SummaryAsync(path);
        ((string?)closed["status"]).ShouldBe("closed");
        ((int)closed["correctionCount"]!).ShouldBe(1);
    }

    public void Dispose() => cast.Dispose();

    private async Task MachinesReportAsync(string batch, string lot) => await cast.SendAsync(
        "deviations", Enumerable.Range(0, 3).Select(n => DeviationJson.Event(
            "urn:test:ways-out", $"{cast.Product}-{batch}-{n}", cast.Product, "major",
            DateTimeOffset.UtcNow.AddHours(n - 4), cast.Site, lot)));
}
