using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Integration.Journeys;
using Shouldly;

namespace CapaEngine.Integration.Deadlines;

/// <summary>
/// From an administrator's policy to a mail and a webhook, with every part a process of its own. It is one of the tests
/// of the running system, which run one after another.
/// </summary>
[Collection(nameof(SystemFixture))]
public sealed class DeadlinesOverHttp : IAsyncLifetime
{
    private readonly RunningSystem running = new();
    private readonly SmtpListener mail = new();
    private readonly string folder = Directory.CreateTempSubdirectory("capa-test-deadlines-").FullName;
    private WebhookReceiver webhooks = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        webhooks = await WebhookReceiver.StartAsync(Ct);
        var (contacts, secrets) = (Path.Combine(folder, "contacts.json"), Path.Combine(folder, "secrets"));
        await File.WriteAllTextAsync(contacts, """{"ines":"ines@example.com","amira":"amira@example.com"}""", Ct);
        await File.WriteAllTextAsync(secrets, DeliveryStand.Secret, Ct);
        foreach (var (key, value) in new Dictionary<string, string>
        {
            ["Smtp__Host"] = "127.0.0.1", ["Smtp__Port"] = $"{mail.Port}", ["Smtp__Security"] = "none",
            ["Smtp__From"] = "capa@example.com", ["ContactsFile"] = contacts, ["Webhooks__0__Name"] = "erp",
            ["Webhooks__0__Url"] = webhooks.Url.AbsoluteUri, ["Webhooks__0__SecretFile"] = secrets,
        })
            running.Extra[$"Delivery__{key}"] = value;
        await running.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await running.DisposeAsync();
        await mail.DisposeAsync();
        await webhooks.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task a_containment_that_is_due_is_told_to_whom_the_policy_names()
    {
        using var admin = new ApiClient(running.Api, "adam", "administrator");
        using var engineer = new ApiClient(running.Api, "ines", "quality-engineer");
        await PolicyAsync(admin, engineer);

        var id = (await engineer.PostAsync("nonconformities", JsonNode.Parse("""
            {"site":"plant-1","title":"Bores too wide\r\nBcc: all@example.com","description":"Five of them.",
             "requirement":{"standard":"drawing","edition":"C","clause":"4.2"},"source":"production",
             "detectionStage":"in-process","lots":["L-1"],"affectedQuantity":10,"unit":"pieces","severity":"major",
             "detectedAt":"2026-03-02T08:00:00Z"}
            """)!, HttpStatusCode.Created, ct: Ct)).Id;
        await engineer.PostAsync(
            $"nonconformities/{id}/accept", new { severity = "major", containmentDueHours = 1 }, ct: Ct);

        await running.EventuallyAsync("two mails and a webhook", _ => Task.FromResult(
            mail.Mails.Count == 2 && webhooks.Requests.Count == 1), Ct, 90);
        mail.Mails.Select(one => one.To).ShouldBe(["amira@example.com", "ines@example.com"], ignoreOrder: true);
        mail.Mails.ShouldAllBe(one => one.Header("Subject")!.StartsWith("Containment due in 1 h: Bores too wide Bcc:"));
        mail.Mails.ShouldAllBe(one => one.Header("Bcc") == null);

        var escalations = (await engineer.GetAsync($"escalations?caseId={id}&status=open", ct: Ct)).Body!["items"]!;
        var escalation = escalations.AsArray().ShouldHaveSingleItem()!;
        escalation["recipients"].Deserialize<string[]>().ShouldBe(["ines", "amira"]);
        ((int?)escalation["policyVersion"]).ShouldBe(2);
        await running.EventuallyAsync("the deliveries in the list", async ct =>
            (await admin.GetAsync("notifications?status=delivered", ct: ct)).Body!["items"]!.AsArray().Count == 3, Ct);
        await engineer.GetAsync("notifications", HttpStatusCode.Forbidden, Ct);
    }

    private async Task PolicyAsync(ApiClient admin, ApiClient engineer)
    {
        await running.EventuallyAsync("the policy of a new installation", async ct =>
            (await admin.TryGetAsync("escalation-policy", ct)).Status == HttpStatusCode.OK, Ct);
        var first = await admin.GetAsync("escalation-policy", ct: Ct);
        ((int?)first.Body!["version"]).ShouldBe(1);
        var wrong = await admin.PostAsync(
            "escalation-policy", Policy("boss"), HttpStatusCode.UnprocessableEntity, ct: Ct);
        ((string?)wrong.Body!["errors"]![0]!["field"]).ShouldBe("rules[0].recipients[1]");
        await engineer.PostAsync("escalation-policy", Policy("role:approver"), HttpStatusCode.Forbidden, ct: Ct);

        await admin.PostAsync(
            "escalation-policy", Policy("role:approver"), HttpStatusCode.Created, first.ETag, "key-1", ct: Ct);
        var repeated = await admin.PostAsync(
            "escalation-policy", Policy("role:approver"), HttpStatusCode.Created, first.ETag, "key-1", ct: Ct);
        repeated.ETag.ShouldBe("\"1\"");
        repeated.Location.ShouldBe("/api/v1/escalation-policy?version=2");
        await admin.PostAsync(
            "escalation-policy", Policy("role:verifier"), HttpStatusCode.PreconditionFailed, first.ETag, ct: Ct);
        await running.EventuallyAsync("the second version", async ct =>
            (int?)(await admin.GetAsync("escalation-policy", ct: ct)).Body!["version"] == 2, Ct);
        ((string?)(await admin.GetAsync("escalation-policy?version=1", ct: Ct)).Body!["setBy"])
            .ShouldBe("service:read-models");
    }

    private static JsonNode Policy(string second) => JsonNode.Parse($$"""
        {"rules":[{"kind":"containment-due","severityAtLeast":"major","level":1,"afterHours":-2,
          "recipients":["owner","{{second}}"],"urgency":"now"}],
         "responsibilities":[{"site":"*","role":"approver","persons":["amira"]}],"reason":"For the test."}
        """)!;
}
