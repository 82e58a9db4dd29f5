using System.Net;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Integration.Infrastructure;
using Shouldly;

namespace CapaEngine.Integration.Journeys;

/// <summary>A profile is chosen at the gateway and holds in every service that decides, for its site alone.</summary>
[Collection(nameof(SystemFixture))]
public sealed class ProfilesHoldBySite(SystemFixture system) : IDisposable
{
    private readonly RunningSystem running = system.Running;
    private readonly ApiClient admin = new(system.Running.Api, "adele", "administrator");
    private readonly ApiClient engineer = new(system.Running.Api, "quinn", "quality-engineer");
    private readonly ApiClient amira = new(system.Running.Api, "amira", "approver");
    private readonly string site = $"site-{Guid.NewGuid():N}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task what_left_the_house_is_told_where_the_profile_wants_it()
    {
        await ChooseAsync("iatf16949");
        await running.EventuallyAsync("the profile holds", async ct => (await amira.TryPostAsync(
            $"nonconformities/{await ReportEscapedAsync(site)}/decide-customer-notice-not-needed",
            new { justification = "Cosmetic." }, null, null, ct)).Code == "customer-notice-mandatory", Ct);
        var lenient = await ReportEscapedAsync($"{site}-elsewhere");
        await engineer.RefusedAsync(
            $"nonconformities/{lenient}/decide-customer-notice-not-needed", new { justification = "Cosmetic." },
            "waiver-needs-approver");
        await amira.PostAsync(
            $"nonconformities/{lenient}/decide-customer-notice-not-needed", new { justification = "Cosmetic." });
        (await MetadataOfLastAsync(lenient)).Profile.ShouldBe("iso9001/1");
    }

    [Fact]
    public async Task a_new_version_holds_from_then_on_and_every_decision_names_its_own()
    {
        var name = $"own-{Guid.NewGuid():N}"[..20];
        var rules = await RulesOfAsync("iso9001");
        var created = await admin.PostAsync(
            "profiles", new { name, rules, reason = "A profile of our own." }, HttpStatusCode.Created);
        await ChooseAsync(name);
        await running.EventuallyAsync("version 1 holds", async ct =>
        {
            var first = await ReportEscapedAsync(site);
            await amira.PostAsync(
                $"nonconformities/{first}/decide-customer-notice-not-needed", new { justification = "Cosmetic." },
                ct: ct);
            return (await MetadataOfLastAsync(first)).Profile == $"{name}/1";
        }, Ct);

        rules["escapeNoticeIsMandatory"] = true;
        (await admin.PostAsync("profiles", new { name, rules, reason = "A customer asks." }, HttpStatusCode.Created))
            .Id.ShouldBe(created.Id);
        // A service knows of the version a moment later, and a case that was decided before stays decided.
        await running.EventuallyAsync("version 2 holds", async ct => (await amira.TryPostAsync(
            $"nonconformities/{await ReportEscapedAsync(site)}/decide-customer-notice-not-needed",
            new { justification = "Cosmetic." }, null, null, ct)).Code == "customer-notice-mandatory", Ct);
        await running.EventuallyAsync("version 2 is to be read", async ct =>
            (int)(await admin.GetAsync($"profiles/{name}", ct: ct)).Body!["version"]! == 2, Ct);
        var former = await amira.GetAsync($"profiles/{name}?version=1", ct: Ct);
        ((bool)former.Body!["rules"]!["escapeNoticeIsMandatory"]!).ShouldBeFalse();
    }

    [Fact]
    public async Task only_an_administrator_of_all_sites_sets_rules_and_only_such_as_the_standard_allows()
    {
        var rules = await RulesOfAsync("iso9001");
        await engineer.PostAsync(
            "profiles", new { name = "mine", rules, reason = "I wish." }, HttpStatusCode.Forbidden);
        rules["concessionKinds"] = new JsonArray("repair");
        await admin.RefusedAsync("profiles", new { name = "mine", rules, reason = "Simpler." }, "concession-mandatory");
        await admin.RefusedAsync(
            "site-profiles", new { site, profile = "iso9002", reason = "A typing error." }, "unknown-profile");
        await admin.PostAsync(
            "profiles", new { name = "No Name", rules, reason = "A space." }, HttpStatusCode.UnprocessableEntity);
    }

    public void Dispose()
    {
        foreach (var client in new[] { admin, engineer, amira }) client.Dispose();
    }

    private async Task ChooseAsync(string profile)
    {
        await admin.PostAsync(
            "site-profiles", new { site, profile, reason = "Our customers ask for it." }, HttpStatusCode.Created);
        await running.EventuallyAsync(
            "the choice is to be read", async ct => (await admin.GetAsync($"site-profiles?site={site}", ct: ct)).Body!
                .AsArray().Any(choice => (string?)choice!["profile"] == profile), Ct);
    }

    private async Task<JsonObject> RulesOfAsync(string profile)
    {
        JsonObject? rules = null;
        await running.EventuallyAsync("the profile is to be read", async ct =>
        {
            var answer = await admin.TryGetAsync($"profiles/{profile}", ct);
            rules = answer.Body?["rules"]?.DeepClone().AsObject();
            return answer.Status == HttpStatusCode.OK;
        }, Ct);
        return rules!;
    }

    private async Task<Guid> ReportEscapedAsync(string where)
    {
        var reported = await engineer.PostAsync("nonconformities", new
        {
            site = where, title = "Label peels off", description = "Seen at a customer's.",
            requirement = new { standard = "drawing", edition = "B", clause = "7", text = "Adhesion" },
            source = "customer-complaint", detectionStage = "after-delivery", affectedQuantity = 0,
            severity = "minor", detectedAt = DateTimeOffset.UtcNow.AddHours(-1),
        }, HttpStatusCode.Created);
        return reported.Id;
    }

    private async Task<EventMetadata> MetadataOfLastAsync(Guid id)
    {
        await foreach (var last in running.Log.ReadStreamBackwardsAsync(Families.Nonconformity.Stream(id), 1, Ct))
            return EventCatalog.Metadata(last.Metadata.Span);
        throw new InvalidOperationException("The case has no event.");
    }
}
