using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Shouldly;

namespace CapaEngine.Integration.Journeys;

/// <summary>What people do about triage while machines report: try a policy, set it, dismiss, replay.</summary>
[Collection(nameof(SystemFixture))]
public sealed class RulesOfTriage(SystemFixture system) : IDisposable
{
    private static readonly DateTimeOffset Detected = DateTimeOffset.UtcNow.AddHours(-6);

    private static readonly string[] Watched =
    [
        Families.Deviation.Prefix, Families.Signature.Prefix, Families.Nonconformity.Prefix,
        Families.TriagePolicy.Prefix, Families.Quarantine.Prefix,
    ];

    private readonly RunningSystem running = system.Running;
    private readonly Cast cast = new(system.Running);
    private readonly string source = $"urn:test:{Guid.NewGuid():N}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_policy_is_tried_on_the_past_set_at_run_time_and_counts_no_dismissed_deviation()
    {
        await cast.SendAsync("deviations", Event(0), Event(1));
        await TryWithoutWritingAsync();
        var dismissed = await DismissAsync("0");
        var before = (await PolicyAsync()).Body!;
        await SetAsync(Rules(minorCount: 3));
        try
        {
            await cast.UntilAsync("triage-policy", "the version is to be read", seen =>
                (int)seen["version"]! == (int)before["version"]! + 1);
            await cast.SendAsync("deviations", Event(2), Event(3));
            var opened = await cast.TriagedCaseAsync(1);
            var summary = (await cast.UntilAsync(opened, "the three are attached", seen =>
                (int)seen["summary"]!["deviationCount"]! == 3))["summary"]!;
            ((int)summary["policyVersion"]!).ShouldBe((int)before["version"]! + 1);
            (await running.ScalarAsync<long>($"""
                select count(*) from reporting.deviation
                where deviation_id = '{dismissed}' and nonconformity_id is not null
                """, Ct)).ShouldBe(0, "Had the dismissed one counted, the case would have begun with it.");
        }
        finally
        {
            await SetAsync(before["rules"]!.DeepClone());
        }

        ((int)(await cast.Quinn.GetAsync($"triage-policy?version={before["version"]}")).Body!["version"]!)
            .ShouldBe((int)before["version"]!);
    }

    [Fact]
    public async Task who_belongs_to_one_site_does_not_set_the_policy_of_all()
    {
        using var ann = new ApiClient(running.Api, "ann", "approver") { Site = cast.Site };
        var body = new { rules = Rules(3), groupsByStation = true, reason = "Mine." };
        (await ann.PostAsync("triage-policy", body, HttpStatusCode.Forbidden)).Code.ShouldBe("forbidden");
        await cast.Quinn.PostAsync("triage-policy", body, HttpStatusCode.Forbidden);
        (await cast.Adele.PostAsync(
            "triage-policy", new { rules = Rules(0), groupsByStation = true, reason = "None." },
            HttpStatusCode.UnprocessableEntity)).Body!["errors"]!.AsArray().ShouldHaveSingleItem()!["field"]!
            .ToString().ShouldBe("rules[2].countMin");
    }

    [Fact]
    public async Task what_came_in_a_wrong_name_is_replayed_by_whoever_may_speak_for_it()
    {
        using var bound = new ApiClient(running.Api, "line-9", "source-system") { Source = "urn:test:line-9" };
        var receipts = await bound.PostRawAsync("deviations", $"[{Event(0)}]", "application/json", ct: Ct);
        var kept = receipts.Body!.AsArray().ShouldHaveSingleItem()!;
        ((string?)kept["reason"]).ShouldBe("source-not-yours");
        var path = $"quarantine/{kept["quarantineId"]}/replay";
        var replayed = await cast.Quinn.PostAsync(path, new { });
        (await cast.Quinn.PostAsync(path, new { })).Body!.ToJsonString().ShouldBe(replayed.Body!.ToJsonString());
        var found = await cast.Quinn.GetAsync($"deviations?source={Uri.EscapeDataString(source)}&id={cast.Product}-0");
        (await running.HeadRevisionAsync(
            Families.Deviation.Stream(Guid.Parse((string)found.Body!["deviationId"]!)), Ct)).ShouldBe(0);
    }

    public void Dispose() => cast.Dispose();

    private async Task TryWithoutWritingAsync()
    {
        var (count, body) = (await EventCountAsync(), new
        {
            rules = Rules(minorCount: 2), groupsByStation = true, from = Detected.AddDays(-1), to = Detected.AddDays(1),
        });
        var answer = (await cast.Quinn.PostAsync("triage-policy/what-if", body)).Body!;
        var would = answer["opened"]!.AsArray().Single(open =>
            (string?)open!["subject"]!["product"] == cast.Product)!;
        ((int)would["countedCount"]!).ShouldBe(2);
        (await EventCountAsync()).ShouldBe(count, "Trying writes nothing.");
        (await cast.Quinn.GetAsync($"nonconformities?product={cast.Product}")).Body!["items"]!.AsArray()
            .ShouldBeEmpty();
    }

    private async Task<string> DismissAsync(string number)
    {
        var found = await cast.Quinn.GetAsync(
            $"deviations?source={Uri.EscapeDataString(source)}&id={cast.Product}-{number}");
        var id = (string)found.Body!["deviationId"]!;
        await cast.Amira.PostAsync(
            $"deviations/{id}/dismiss", new { reason = "A test piece." }, HttpStatusCode.Forbidden);
        await cast.Quinn.PostAsync($"deviations/{id}/dismiss", new { reason = "A test piece." });
        return id;
    }

    private Task<Answered> SetAsync(JsonNode rules) => cast.Adele.PostAsync(
        "triage-policy", new { rules, groupsByStation = true, reason = "Small faults are rising." },
        HttpStatusCode.Created);

    private async Task<Answered> PolicyAsync()
    {
        Answered? policy = null;
        await running.EventuallyAsync("the policy is to be read", async ct =>
        {
            policy = await cast.Quinn.TryGetAsync("triage-policy", ct);
            return policy.Status == HttpStatusCode.OK;
        }, Ct);
        return policy!;
    }

    private async Task<int> EventCountAsync()
    {
        var count = 0;
        // Triage may still be at work on what other tests sent.
        var product = Encoding.UTF8.GetBytes(cast.Product);
        await foreach (var recorded in running.Log.ReadAllAsync(LogPosition.Start, Watched, Ct))
            if (recorded.Stream == Families.TriagePolicy.Prefix || recorded.Data.Span.IndexOf(product) >= 0) count++;
        return count;
    }

    private string Event(int number) => DeviationJson.Event(
        source, $"{cast.Product}-{number}", cast.Product, "minor", Detected.AddMinutes(number), cast.Site);

    private static JsonArray Rules(int minorCount) =>
    [
        Rule("critical", 1, 1), Rule("major", 3, 7), Rule("minor", minorCount, 7),
    ];

    private static JsonObject Rule(string severity, int countMin, int windowDays) => new()
    {
        ["severity"] = severity, ["countMin"] = countMin, ["windowDays"] = windowDays,
    };
}
