using System.Net;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Integration.Infrastructure;
using Shouldly;

namespace CapaEngine.Integration.Journeys;

/// <summary>
/// The persons of a journey at a site of its own. What they see is never older than what was done, and they send every
/// command twice under its key. With <paramref name="isHistory"/> everybody holds the importer role too, so that months
/// pass within a test.
/// </summary>
public sealed class Cast(RunningSystem running, bool isHistory = false) : IDisposable
{
    private static readonly Dictionary<string, Family> FamilyOf = new()
    {
        ["nonconformities"] = Families.Nonconformity, ["concessions"] = Families.Concession,
        ["root-cause-analyses"] = Families.RootCause, ["action-plans"] = Families.ActionPlan,
        ["effectiveness-reviews"] = Families.Effectiveness, ["deviations"] = Families.Deviation,
        ["quarantine"] = Families.Quarantine, ["triage-policy"] = Families.TriagePolicy,
        ["cause-codes"] = Families.CauseCodes, ["profiles"] = Families.Profile, ["site-profiles"] = Families.Site,
    };

    private readonly Dictionary<string, ApiClient> people = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The site of the journey.</summary>
    public string Site { get; } = $"site-{Guid.NewGuid():N}";

    /// <summary>The product of the journey.</summary>
    public string Product { get; } = $"P-{Guid.NewGuid():N}";

    public ApiClient Machine => As("line-3", "source-system");
    public ApiClient Quinn => As("quinn", "quality-engineer");
    public ApiClient Oscar => As("oscar", "action-owner");
    public ApiClient Vera => As("vera", "verifier");
    public ApiClient Amira => As("amira", "approver");
    public ApiClient Paul => As("paul", "approver", "quality-engineer");
    public ApiClient Adele => As("adele", "administrator");

    /// <summary>A person with these roles.</summary>
    public ApiClient As(string person, params string[] roles)
    {
        var key = $"{person} {string.Join(' ', roles)}";
        if (!people.TryGetValue(key, out var client))
            people[key] = client = new ApiClient(running.Api, person, isHistory ? [.. roles, "importer"] : roles)
            {
                Repeats = ExpectOnceAsync,
            };
        return client;
    }

    /// <summary>A record as its last event left it.</summary>
    public async Task<Answered> SeenAsync(string path)
    {
        Answered? seen = null;
        await running.EventuallyAsync($"{path} is shown as it stands", async ct =>
        {
            var parts = path.Split('/');
            var revision = await running.HeadRevisionAsync(FamilyOf[parts[0]].Stream(Guid.Parse(parts[1])), ct);
            if (revision < 0) return false;
            seen = await Quinn.TryGetAsync($"{path}?minRevision={revision}", ct);
            return seen.Status == HttpStatusCode.OK;
        }, Ct);
        return seen!;
    }

    /// <summary>The summary of a record as its last event left it.</summary>
    public async Task<JsonObject> SummaryAsync(string path) =>
        (await SeenAsync(path)).Body!["summary"]!.AsObject();

    /// <summary>Waits until a record stands as wanted.</summary>
    public async Task<JsonNode> UntilAsync(string path, string what, Func<JsonNode, bool> condition)
    {
        JsonNode? body = null;
        await running.EventuallyAsync(what, async ct =>
        {
            var seen = await Quinn.TryGetAsync(path, ct);
            body = seen.Body;
            return seen.Status == HttpStatusCode.OK && condition(body!);
        }, Ct);
        return body!;
    }

    /// <summary>Gives a command that signs what the person sees at the moment.</summary>
    public async Task SignAsync(
        ApiClient signer, string path, string command, object body, DateTimeOffset? at = null) =>
        await signer.PostAsync($"{path}/{command}", body, ifMatch: (await SeenAsync(path)).ETag, at: at, ct: Ct);

    /// <summary>A signed command that a rule refuses with this code.</summary>
    public async Task RefusedToSignAsync(
        ApiClient signer, string path, string command, object body, string code, DateTimeOffset? at = null) =>
        await signer.RefusedAsync($"{path}/{command}", body, code, (await SeenAsync(path)).ETag, at);

    /// <summary>
    /// Reports a nonconformity and gives its path. It has no quantity to dispose of unless there is one in
    /// <paramref name="more"/>.
    /// </summary>
    public async Task<string> ReportAsync(
        ApiClient reporter, string title, JsonObject? more = null, DateTimeOffset? at = null)
    {
        var report = new JsonObject
        {
            ["site"] = Site, ["title"] = title, ["description"] = "Seen at the gauge.", ["product"] = Product,
            ["requirement"] = new JsonObject { ["standard"] = "drawing", ["edition"] = "C", ["clause"] = "4.2" },
            ["source"] = "production", ["detectionStage"] = "in-process", ["affectedQuantity"] = 0,
            ["severity"] = "minor", ["detectedAt"] = (at ?? DateTimeOffset.UtcNow).AddHours(-1),
        };
        foreach (var (name, value) in more ?? []) report[name] = value?.DeepClone();
        var reported = await reporter.PostAsync("nonconformities", report, HttpStatusCode.Created, at: at, ct: Ct);
        return $"nonconformities/{reported.Id}";
    }

    /// <summary>Ends every track of a case that has no material and needs no CAPA, up to the signature.</summary>
    public async Task DecideAllTracksAsync(string path)
    {
        await Quinn.PostAsync($"{path}/accept", new { severity = "minor" }, ct: Ct);
        await Quinn.PostAsync(
            $"{path}/decide-containment-not-needed", new { justification = "Nothing was made with it." }, ct: Ct);
        await Quinn.PostAsync($"{path}/complete-review", new { }, ct: Ct);
        await Quinn.PostAsync(
            $"{path}/decide-customer-notice-not-needed", new { justification = "Nothing left the house." }, ct: Ct);
        await Quinn.PostAsync(
            $"{path}/decide-no-corrective-action", new { justification = "It happened once." }, ct: Ct);
    }

    /// <summary>Sends deviations or production counts of machines; all must be taken.</summary>
    public async Task SendAsync(string resource, params IEnumerable<string> events)
    {
        var receipts = await Machine.PostRawAsync(
            resource, $"[{string.Join(',', events)}]", "application/cloudevents-batch+json", ct: Ct);
        receipts.Body!.AsArray().ShouldAllBe(receipt => (string?)receipt!["outcome"] == "accepted");
    }

    /// <summary>Waits for the n-th case that triage opened on the product's subject and gives its path.</summary>
    public async Task<string> TriagedCaseAsync(int cycle)
    {
        var found = "";
        await running.EventuallyAsync($"triage opens case {cycle} of the subject", async ct =>
        {
            var list = await Quinn.GetAsync($"nonconformities?product={Product}", ct: ct);
            var opened = list.Body!["items"]!.AsArray().SingleOrDefault(item =>
                (int?)item!["signatureCycle"] == cycle);
            found = $"nonconformities/{opened?["id"]}";
            return opened is not null;
        }, Ct);
        return found;
    }

    // The repetition of a command appends nothing: no event after the answer's revision bears its key.
    private async Task ExpectOnceAsync(string path, string key, Answered answer)
    {
        var (family, after) = (FamilyOf[path.Split('/')[0]], (long)answer.Body!["revision"]! + 1);
        var later = running.Log.ReadStreamAsync(family.Stream(answer.Id), after, long.MaxValue, Ct);
        await foreach (var recorded in later)
            EventCatalog.Metadata(recorded.Metadata.Span).IdempotencyKey
                .ShouldNotBe(key, $"POST {path} appended twice.");
    }

    /// <summary>The id in a record's path.</summary>
    public static Guid IdOf(string path) => Guid.Parse(path[(path.IndexOf('/', StringComparison.Ordinal) + 1)..]);

    public void Dispose()
    {
        foreach (var client in people.Values) client.Dispose();
    }
}
