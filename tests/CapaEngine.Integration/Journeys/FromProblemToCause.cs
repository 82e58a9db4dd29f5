using System.Net;
using System.Text.Json.Nodes;
using CapaEngine.Integration.Infrastructure;
using Shouldly;

namespace CapaEngine.Integration.Journeys;

/// <summary>
/// The tools of an analysis (§10.2.1 b): whys, influences, contrasts, codes of a tree, and the question whether there
/// is more of it, answered from the cases that are alike.
/// </summary>
[Collection(nameof(SystemFixture))]
public sealed class FromProblemToCause(SystemFixture system) : IDisposable
{
    private static readonly string[] Categories = ["tool", "machine", "coolant"];

    private readonly RunningSystem running = system.Running;
    private readonly Cast cast = new(system.Running);
    private readonly string code = $"tool.worn-{Guid.NewGuid():N}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_cause_grows_from_its_tools_and_the_extent_from_what_is_alike()
    {
        var former = await cast.ReportAsync(cast.Quinn, "Bore too wide on the left");
        var (path, analysis) = await BeginAsync();
        await SetTreeAsync();
        var why = await AskWhyAsync(analysis);
        var factor = await NoteInfluencesAsync(analysis);
        await ProposeAsync(analysis, why, factor);
        await CheckExtentAsync(path, former, analysis);
        await ApproveAsync(analysis);
    }

    public void Dispose() => cast.Dispose();

    private async Task<(string Path, string Analysis)> BeginAsync()
    {
        var path = await cast.ReportAsync(cast.Quinn, "Bore too wide on the right");
        await cast.Quinn.PostAsync($"{path}/accept", new { severity = "minor" });
        await cast.Quinn.PostAsync(
            $"{path}/decide-containment-not-needed", new { justification = "Nothing was made with it." });
        await cast.Quinn.PostAsync($"{path}/complete-review", new { });
        await cast.Quinn.PostAsync(
            $"{path}/require-corrective-action", new { capaOwner = "quinn", reason = "Twice in a week." });
        var capaId = (string)(await cast.SummaryAsync(path))["capaIds"]!.AsArray().ShouldHaveSingleItem()!;
        var analysis = new CapaRoad(running, cast, Guid.Parse(capaId)).Analysis;
        await cast.UntilAsync(analysis, "the analysis begins", seen => (string?)seen["status"] == "open");
        return (path, analysis);
    }

    // Whatever stands in the tree stays: other tests of the running system use it.
    private async Task SetTreeAsync()
    {
        var tree = await cast.Quinn.TryGetAsync("cause-codes", Ct);
        var codes = tree.Body?["codes"]?.AsArray().Select(known => (Code: (string)known!["code"]!,
            Title: (string)known["title"]!)).ToList() ?? [];
        if (codes.All(known => known.Code != "tool")) codes.Add(("tool", "Tool"));
        var version = (int?)tree.Body?["version"] ?? 0;
        await cast.Adele.RefusedAsync("cause-codes", Tree([.. codes, ($"nowhere.{code}", "?")]), "code-without-parent");
        codes.Add((code, "Worn out"));
        await cast.Adele.PostAsync("cause-codes", Tree(codes), HttpStatusCode.Created);
        var set = await cast.UntilAsync("cause-codes", "the version is to be read", seen =>
            (int)seen["version"]! == version + 1);
        var own = set["codes"]!.AsArray().Single(known => (string?)known!["code"] == code)!;
        ((string?)own["parent"]).ShouldBe("tool");

        static object Tree(IEnumerable<(string Code, string Title)> codes) => new
        {
            codes = codes.Select(code => new { code = code.Code, title = code.Title }), reason = "A tool of ours.",
        };
    }

    private async Task<Guid> AskWhyAsync(string analysis)
    {
        await cast.Quinn.PostAsync($"{analysis}/answer-why", new { answer = "The drill wanders." });
        var first = Guid.Parse((string)(await WhysAsync()).ShouldHaveSingleItem()!["id"]!);
        await cast.Quinn.RefusedAsync(
            $"{analysis}/answer-why", new { answer = "It is worn.", asksAfter = Guid.NewGuid() }, "unknown-why");
        await cast.Oscar.PostAsync($"{analysis}/answer-why", new { answer = "It is worn.", asksAfter = first });
        await cast.Oscar.RefusedAsync(
            $"{analysis}/answer-why", new { answer = "It is worn.", asksAfter = first }, "already-noted");
        return Guid.Parse((string)(await WhysAsync()).Single(why => (string?)why!["asksAfter"] == $"{first}")!["id"]!);

        async Task<JsonArray> WhysAsync() => (await cast.SeenAsync(analysis)).Body!["whys"]!.AsArray();
    }

    private async Task<Guid> NoteInfluencesAsync(string analysis)
    {
        await cast.Quinn.PostAsync(
            $"{analysis}/choose-categories", new { categories = Categories });
        await cast.Quinn.RefusedAsync(
            $"{analysis}/note-factor", new { category = "people", statement = "Haste" }, "unknown-category");
        await cast.Oscar.PostAsync(
            $"{analysis}/note-factor", new { category = "tool", statement = "The drill is old" });
        await cast.Quinn.RefusedAsync(
            $"{analysis}/choose-categories", new { categories = Categories[1..] }, "category-in-use");
        await cast.Quinn.PostAsync($"{analysis}/note-contrast", new
        {
            aspect = "where", @is = "On the right spindle", isNot = "On the left spindle",
            distinction = "Its drill is three weeks older",
        });
        var seen = (await cast.SeenAsync(analysis)).Body!;
        ((string?)seen["contrasts"]!.AsArray().ShouldHaveSingleItem()!["isNot"]).ShouldBe("On the left spindle");
        return Guid.Parse((string)seen["factors"]!.AsArray().ShouldHaveSingleItem()!["id"]!);
    }

    private async Task ProposeAsync(string analysis, Guid why, Guid factor)
    {
        await cast.Quinn.RefusedAsync($"{analysis}/propose-cause", Cause("tool.lost"), "unknown-cause-code");
        await cast.Quinn.RefusedAsync($"{analysis}/propose-cause", Cause(code, "It wanders."), "chain-twice");
        await cast.Quinn.PostAsync($"{analysis}/propose-cause", Cause(code));
        var cause = (await cast.SeenAsync(analysis)).Body!["causes"]!.AsArray().ShouldHaveSingleItem()!;
        cause["whyChain"]!.AsArray().Select(answer => (string?)answer).ShouldBe(["The drill wanders.", "It is worn."]);
        ((string?)cause["factorId"]).ShouldBe($"{factor}");
        await cast.Quinn.PostAsync($"{analysis}/declare-cause-unknown", new { justification = "No drill was kept." });
        var verdict = new
        {
            causeId = (string?)cause["id"], method = "reproduction", evidence = "A new drill is true.",
        };
        await cast.Vera.PostAsync($"{analysis}/verify-cause", verdict);
        await cast.Vera.RefusedAsync($"{analysis}/refute-cause", verdict, "already-judged");
        await cast.Quinn.RefusedAsync(
            $"{analysis}/declare-cause-unknown", new { justification = "Who knows." }, "cause-is-verified");

        object Cause(string causeCode, params string[] whyChain) => new
        {
            kind = "occurrence", code = causeCode, statement = "The drill is worn.", whyChain, whyId = why,
            factorId = factor,
        };
    }

    private async Task CheckExtentAsync(string path, string former, string analysis)
    {
        var similar = (await cast.Quinn.GetAsync($"{path}/similar")).Body!;
        var alike = similar["items"]!.AsArray().Single(item => (string?)item!["id"] == $"{Cast.IdOf(former)}")!;
        ((double)alike["parts"]!["product"]!).ShouldBe(15);
        alike["sharedWords"]!.AsArray().Select(word => (string?)word).ShouldContain("bore");
        await cast.Quinn.RefusedAsync($"{analysis}/check-extent", Extent(""), "hit-incomplete");
        await cast.Quinn.PostAsync($"{analysis}/check-extent", Extent("The same drill."));
        var hit = (await cast.SummaryAsync(analysis))["extentHits"]!.AsArray().ShouldHaveSingleItem()!;
        ((string?)hit["decision"]).ShouldBe("same-cause");

        object Extent(string reason) => new
        {
            query = $"{path}/similar",
            hits = new[] { new { reference = (string?)alike["number"], decision = "same-cause", reason } },
        };
    }

    private async Task ApproveAsync(string analysis)
    {
        await cast.Paul.RefusedAsync($"{analysis}/complete", new { }, "not-the-owner");
        await cast.Quinn.PostAsync($"{analysis}/complete", new { });
        await cast.Amira.PostAsync($"{analysis}/send-back", new { reason = "Which drill was it?" });
        await cast.Quinn.PostAsync($"{analysis}/complete", new { });
        await cast.RefusedToSignAsync(cast.As("vera", "approver"), analysis, "approve", new { }, "self-approval");
        await cast.SignAsync(cast.Amira, analysis, "approve", new { });
        ((string?)(await cast.SeenAsync(analysis)).Body!["status"]).ShouldBe("approved");
    }
}
