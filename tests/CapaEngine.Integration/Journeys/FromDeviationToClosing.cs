using System.Net;
using System.Text.Json.Nodes;
using CapaEngine.Integration.Infrastructure;
using Shouldly;

namespace CapaEngine.Integration.Journeys;

/// <summary>
/// The whole story over HTTP alone: machines report a drifting width, triage opens a case, people find the cause, act,
/// and the data show that it worked. Every shortcut is tried where somebody might take it, and refused by its code.
/// The persons hold the importer role beside their own, so that four months pass within a test.
/// </summary>
[Collection(nameof(SystemFixture))]
public sealed class FromDeviationToClosing : IDisposable
{
    private static readonly DateTimeOffset Start = new(2025, 1, 6, 6, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Cluster = Start.AddDays(70);
    private static readonly DateTimeOffset Fixed = Start.AddDays(90);

    private readonly RunningSystem running;
    private readonly ApiClient machine, quinn, oscar, vera, amira, paul;
    private readonly string product = $"P-{Guid.NewGuid():N}";

    public FromDeviationToClosing(SystemFixture system)
    {
        running = system.Running;
        ApiClient As(string person, params string[] roles) => new(running.Api, person, [.. roles, "importer"]);
        machine = As("line-3", "source-system");
        quinn = As("quinn", "quality-engineer");
        oscar = As("oscar", "action-owner");
        vera = As("vera", "verifier");
        amira = As("amira", "approver");
        paul = As("paul", "approver", "quality-engineer");
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_case_goes_from_machine_deviations_to_a_signed_closing()
    {
        await MachinesReportAsync();
        var caseId = await TriageOpensACaseAsync();
        await ReviewAsync(caseId);
        var capaId = await RequireCorrectiveActionAsync(caseId);
        var causeId = await FindTheCauseAsync(capaId);
        var actionId = await PlanAsync(capaId, causeId);
        await ImplementAsync(capaId, actionId);
        await JudgeAsync(capaId, caseId);
        await CloseAsync(capaId, caseId);
        await TheAnalystSeesItAsync(caseId, capaId);
    }

    public void Dispose()
    {
        foreach (var client in new[] { machine, quinn, oscar, vera, amira, paul }) client.Dispose();
    }

    // Twelve deviations in sixty days, never three within a week: below the threshold. Then three in two days.
    private async Task MachinesReportAsync()
    {
        var baseline = Enumerable.Range(0, 12).Select(n => Start.AddDays(5 * n));
        var cluster = Enumerable.Range(0, 3).Select(n => Cluster.AddHours(12 * n));
        var deviations = baseline.Concat(cluster).Select((at, n) =>
            DeviationJson.Event("urn:test:journey", $"{product}-{n}", product, "major", at));
        var production = Enumerable.Range(0, 121).Select(day =>
            DeviationJson.Production("urn:test:journey", $"{product}-day-{day}", product, Start.AddDays(day), 100));
        await machine.PostRawAsync("production", $"[{string.Join(',', production)}]",
            "application/cloudevents-batch+json", ct: Ct);
        var receipts = await machine.PostRawAsync("deviations", $"[{string.Join(',', deviations)}]",
            "application/cloudevents-batch+json", ct: Ct);
        receipts.Body!.AsArray().Count.ShouldBe(15);
        receipts.Body!.AsArray().ShouldAllBe(receipt => (string?)receipt!["outcome"] == "accepted");
    }

    private async Task<Guid> TriageOpensACaseAsync()
    {
        var found = Guid.Empty;
        await running.EventuallyAsync("triage opens one case and attaches the cluster", async ct =>
        {
            var list = await quinn.GetAsync($"nonconformities?product={product}", ct: ct);
            var items = list.Body!["items"]!.AsArray();
            items.Count.ShouldBeLessThan(2, "A cluster is one case.");
            if (items.Count == 0) return false;
            found = Guid.Parse((string)items[0]!["id"]!);
            return await running.ScalarAsync<long>(
                $"select count(*) from reporting.deviation where nonconformity_id = '{found}'", ct) == 3;
        }, Ct);
        return found;
    }

    private async Task ReviewAsync(Guid caseId)
    {
        var path = $"nonconformities/{caseId}";
        var at = Cluster.AddDays(2);
        await quinn.RefusedAsync($"{path}/close", new { }, "containment-open", await ETagAsync(path), at);
        await quinn.RefusedAsync($"{path}/accept", new { severity = "major" }, "containment-deadline-missing", at: at);
        await quinn.PostAsync($"{path}/accept", new { severity = "major", containmentDueHours = 24 }, at: at);
        await quinn.RefusedAsync($"{path}/complete-review", new { }, "containment-undecided", at: at);
        await quinn.PostAsync($"{path}/plan-containment",
            new { description = "Measure every part at the exit.", dueHours = 8 }, at: at);
        await quinn.PostAsync($"{path}/confirm-containment",
            new { evidence = "Gauge log 17", cleanPoint = "lot 2025-12" }, at: at);
        await quinn.PostAsync($"{path}/complete-review", new { }, at: at);
        await quinn.RefusedAsync($"{path}/close", new { }, "containment-open", await ETagAsync(path), at);
        await quinn.PostAsync($"{path}/lift-containment", new { reason = "The line is stopped for repair." }, at: at);
        await quinn.PostAsync($"{path}/decide-customer-notice-not-needed",
            new { justification = "Nothing left the house." }, at: at);
        await quinn.RefusedAsync($"{path}/close", new { }, "corrective-action-undecided", await ETagAsync(path), at);
    }

    private async Task<Guid> RequireCorrectiveActionAsync(Guid caseId)
    {
        var path = $"nonconformities/{caseId}";
        await quinn.PostAsync($"{path}/require-corrective-action",
            new { capaOwner = "quinn", reason = "Three major deviations within two days." }, at: Cluster.AddDays(3));
        await quinn.RefusedAsync(
            $"{path}/close", new { }, "capa-open", await ETagAsync(path), Cluster.AddDays(3));
        var capaId = Guid.Empty;
        await running.EventuallyAsync("the CAPA is opened by reaction", async ct =>
        {
            var dossier = await quinn.GetAsync($"cases/{caseId}", ct: ct);
            if (dossier.Body!["capas"]!.AsArray() is not [{ } capa, ..]) return false;
            capaId = Guid.Parse((string)capa["id"]!);
            return await ExistsAsync($"root-cause-analyses/{RootCauseId(capaId)}", ct);
        }, Ct);
        return capaId;
    }

    private async Task<Guid> FindTheCauseAsync(Guid capaId)
    {
        await CauseCodes.AllowAsync(running, Ct, "machine.wear", "environment.temperature");
        var path = $"root-cause-analyses/{RootCauseId(capaId)}";
        var at = Cluster.AddDays(4);
        await quinn.RefusedAsync($"{path}/complete", new { }, "no-verified-cause", at: at);
        var wear = await CauseAsync("machine.wear", "The guide rail is worn.");
        var temperature = await CauseAsync("environment.temperature", "The hall is too warm.");
        await quinn.PostAsync($"{path}/refute-cause",
            new { causeId = temperature, method = "measurement", evidence = "Hall log: 21 °C throughout." }, at: at);
        await quinn.PostAsync($"{path}/verify-cause",
            new { causeId = wear, method = "measurement", evidence = "0.4 mm play at the rail." }, at: at);
        await quinn.PostAsync($"{path}/check-extent", new
        {
            query = "same machine type",
            hits = new[] { new { reference = "m-2", decision = "not-affected", reason = "Rail replaced in 2024." } },
        }, at: at);
        await amira.RefusedAsync($"{path}/approve", new { }, "wrong-stage", await ETagAsync(path), at);
        await quinn.PostAsync($"{path}/complete", new { }, at: at);
        var refused = await amira.PostAsync($"{path}/approve", new { }, HttpStatusCode.UnprocessableEntity, at: at);
        refused.Code.ShouldBe("if-match-required");
        await quinn.PostAsync($"{path}/approve", new { }, HttpStatusCode.Forbidden, await ETagAsync(path), at: at);
        await amira.PostAsync($"{path}/approve", new { }, ifMatch: await ETagAsync(path), at: at);
        return wear;

        async Task<Guid> CauseAsync(string code, string statement)
        {
            await quinn.PostAsync($"{path}/propose-cause", new
            {
                kind = "occurrence", code, statement, whyChain = new[] { "The cutter wanders.", statement },
            }, at: at);
            var analysis = await quinn.GetAsync(await FreshAsync(path));
            return Guid.Parse((string)analysis.Body!["causes"]!.AsArray()
                .Single(cause => (string?)cause!["code"] == code)!["id"]!);
        }
    }

    private async Task<Guid> PlanAsync(Guid capaId, Guid causeId)
    {
        var path = $"action-plans/{capaId}";
        var at = Cluster.AddDays(5);
        await running.EventuallyAsync("the plan has its causes", async ct =>
            (string?)(await quinn.GetAsync(path, ct: ct)).Body!["stage"] == "planning", Ct);
        await quinn.PostAsync($"{path}/rate-risk", new { severity = 3, likelihood = 4 }, at: at);
        await quinn.RefusedAsync($"{path}/submit", new { }, "no-action", at: at);
        await quinn.PostAsync($"{path}/plan-action", new
        {
            kind = "corrective", title = "Replace the rail", description = "Replace and align the guide rail.",
            owner = "oscar", dueOn = "2025-04-01", causes = new[] { causeId },
        }, at: at);
        await quinn.RefusedAsync($"{path}/submit", new { }, "criteria-missing", at: at);
        await quinn.RefusedAsync($"{path}/define-effectiveness-criteria", Criteria(16), "window-too-short", at: at);
        await quinn.RefusedAsync($"{path}/define-effectiveness-criteria",
            Criteria(30, baselineTo: Cluster.AddDays(2)), "baseline-overlaps-case", at: at);
        await quinn.PostAsync($"{path}/define-effectiveness-criteria", Criteria(30), at: at);
        await quinn.PostAsync($"{path}/submit", new { }, at: at);
        await amira.PostAsync($"{path}/approve", new { }, HttpStatusCode.PreconditionFailed, "\"0\"", at: at);
        await amira.PostAsync($"{path}/approve", new { }, ifMatch: await ETagAsync(path), at: at);
        var plan = await quinn.GetAsync(await FreshAsync(path));
        return Guid.Parse((string)plan.Body!["actions"]!.AsArray().Single()!["id"]!);

        static object Criteria(int windowDays, DateTimeOffset? baselineTo = null) => new
        {
            baselineFrom = Start, baselineTo = baselineTo ?? Start.AddDays(60), expectedReduction = 0.8,
            significance = 0.05, windowDays, exposureUnit = "inspected",
        };
    }

    private async Task ImplementAsync(Guid capaId, Guid actionId)
    {
        var path = $"action-plans/{capaId}";
        var at = Fixed.AddDays(-1);
        await oscar.PostAsync($"{path}/start-action", new { actionId }, at: at);
        await quinn.RefusedAsync(
            $"{path}/complete-action", new { actionId, evidence = "none" }, "not-the-action-owner", at: at);
        await oscar.PostAsync($"{path}/complete-action", new { actionId, evidence = "Order 4711, protocol 9" }, at: at);
        await oscar.PostAsync(
            $"{path}/verify-action", new { actionId, finding = "Fine." }, HttpStatusCode.Forbidden, at: at);
        using var oscarAsVerifier = new ApiClient(running.Api, "oscar", "verifier", "importer");
        await oscarAsVerifier.RefusedAsync(
            $"{path}/verify-action", new { actionId, finding = "Fine." }, "self-verification", at: at);
        await amira.RefusedAsync($"{path}/close", Answers(), "wrong-stage", await ETagAsync(path), at);
        await vera.PostAsync($"{path}/verify-action", new { actionId, finding = "No play left." }, at: Fixed);
    }

    private async Task JudgeAsync(Guid capaId, Guid caseId)
    {
        var reviews = $"effectiveness-reviews/{ReviewId(capaId, 1)}";
        await running.EventuallyAsync("the review's window is open", async ct =>
            (string?)(await quinn.TryGetAsync(reviews, ct)).Body?["status"] == "monitoring", Ct);
        await paul.RefusedAsync($"{reviews}/evaluate", new { }, "window-not-over", at: Fixed.AddDays(29));
        await paul.PostAsync($"{reviews}/evaluate", new { }, at: Fixed.AddDays(30));
        var review = (await quinn.GetAsync(await FreshAsync(reviews))).Body!;
        ((string?)review["proposed"]).ShouldBe("effective", review.ToJsonString());
        ((long)review["baseline"]!["deviations"]!).ShouldBe(12);
        ((double)review["baseline"]!["exposure"]!).ShouldBe(6000);
        ((long)review["window"]!["deviations"]!).ShouldBe(0);
        ((double)review["window"]!["exposure"]!).ShouldBe(3000);
        ((double)review["numbers"]!["pValue"]!).ShouldBe(Math.Pow(2.0 / 3, 12), 1e-9);

        await paul.RefusedAsync($"{reviews}/approve", new { verdict = "effective" }, "self-approval",
            await ETagAsync(reviews), Fixed.AddDays(30));
        await amira.RefusedAsync($"{reviews}/approve", new { verdict = "ineffective" }, "reason-missing",
            await ETagAsync(reviews), Fixed.AddDays(30));
        await amira.RefusedAsync($"action-plans/{capaId}/close", Answers(), "not-effective",
            await ETagAsync($"action-plans/{capaId}", "in-effectiveness-review"), Fixed.AddDays(30));
        await quinn.RefusedAsync($"nonconformities/{caseId}/close", new { }, "capa-open",
            await ETagAsync($"nonconformities/{caseId}"), Fixed.AddDays(30));
        await amira.PostAsync($"{reviews}/approve", new { verdict = "effective" },
            ifMatch: await ETagAsync(reviews), at: Fixed.AddDays(30));
    }

    private async Task CloseAsync(Guid capaId, Guid caseId)
    {
        var plan = $"action-plans/{capaId}";
        await running.EventuallyAsync("the CAPA can be closed", async ct =>
        {
            var closed = await amira.TryPostAsync(
                $"{plan}/close", Answers(), await ETagAsync(plan), Fixed.AddDays(31), ct);
            return closed.Status == HttpStatusCode.OK
                || (closed.Status is HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed
                    ? false : throw new ShouldAssertException($"{closed.Status}: {closed.Body}"));
        }, Ct);
        var nonconformity = $"nonconformities/{caseId}";
        await running.EventuallyAsync("the case can be closed", async ct =>
        {
            var closed = await quinn.TryPostAsync(
                $"{nonconformity}/close", new { }, await ETagAsync(nonconformity), Fixed.AddDays(32), ct);
            return closed.Status == HttpStatusCode.OK
                || (closed.Status is HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed
                    ? false : throw new ShouldAssertException($"{closed.Status}: {closed.Body}"));
        }, Ct);
        await quinn.RefusedAsync($"{nonconformity}/lift-containment", new { reason = "too late" }, "wrong-stage",
            at: Fixed.AddDays(33));
    }

    private async Task TheAnalystSeesItAsync(Guid caseId, Guid capaId)
    {
        await running.EventuallyAsync("the analyst sees both closed", async ct =>
            await running.ScalarAsync<long>($"""
                select count(*) from reporting.nonconformity n, reporting.capa c
                where n.nonconformity_id = '{caseId}' and n.status = 'closed' and n.closed_at is not null
                  and c.capa_id = '{capaId}' and c.stage = 'closed' and c.pdca = 'act'
                """, ct) == 1, Ct);
        var events = (await quinn.GetAsync($"cases/{caseId}")).Body!["events"]!.AsArray();
        var types = events.Select(e => (string)e!["type"]!).ToList();
        types.ShouldContain("nonconformity.closed.v1");
        types.ShouldContain("rootcause.approved.v1");
        types.ShouldContain("actionplan.monitoring-started.v1");
        types.ShouldContain("effectiveness.approved.v1");
        var positions = events.Select(e => ulong.Parse(e!["position"]!.ToString())).ToList();
        positions.SequenceEqual(positions.Order()).ShouldBeTrue("A dossier is told in log order.");
        events.ShouldAllBe(e => !string.IsNullOrEmpty((string?)e!["actor"]), "Every event says who.");
    }

    private static object Answers() => new
    {
        answers = new
        {
            riskUpdate = new { yes = true, reference = "RISK-12 rev 3" },
            qmsChange = new { yes = false, reference = "The process stays as described." },
            fmeaUpdate = new { yes = true, reference = "FMEA-7 rev 5" },
            lessons = "Rails wear faster than the maintenance plan assumed.",
        },
    };

    private static Guid RootCauseId(Guid capaId) => Contracts.NameBasedId.From($"rootcause\n{capaId:D}");

    private static Guid ReviewId(Guid capaId, int cycle) =>
        Contracts.NameBasedId.From($"effectiveness\n{capaId:D}\n{cycle}");

    private async Task<bool> ExistsAsync(string path, CancellationToken ct) =>
        (await quinn.TryGetAsync(path, ct)).Status == HttpStatusCode.OK;

    // What was written a moment ago is waited for by its revision, as a user interface would.
    private async Task<string> FreshAsync(string path) =>
        $"{path}?minRevision={(await ETagAsync(path)).Trim('"')}";

    private async Task<string> ETagAsync(string path, string? stage = null)
    {
        var tag = "";
        await running.EventuallyAsync($"{path} has settled", async ct =>
        {
            var family = path.Split('/')[0] switch
            {
                "nonconformities" => Contracts.Families.Nonconformity,
                "root-cause-analyses" => Contracts.Families.RootCause,
                "action-plans" => Contracts.Families.ActionPlan,
                _ => Contracts.Families.Effectiveness,
            };
            var revision = await running.HeadRevisionAsync(family.Stream(Guid.Parse(path.Split('/')[1])), ct);
            var answered = await quinn.TryGetAsync($"{path}?minRevision={revision}", ct);
            tag = answered.ETag ?? "";
            return answered.Status == HttpStatusCode.OK
                && (stage is null || (string?)answered.Body!["stage"] == stage);
        }, Ct);
        return tag;
    }
}
