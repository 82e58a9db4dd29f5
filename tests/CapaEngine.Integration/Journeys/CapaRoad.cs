using CapaEngine.Contracts;
using CapaEngine.Integration.Infrastructure;

namespace CapaEngine.Integration.Journeys;

/// <summary>The straight stretches of a CAPA's way, for journeys that are about its detours.</summary>
public sealed class CapaRoad(RunningSystem running, Cast cast, Guid capaId)
{
    private static readonly string[] Whys = ["It wanders.", "It is worn."];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The path of the CAPA.</summary>
    public string Plan { get; } = $"action-plans/{capaId}";

    /// <summary>The path of its analysis.</summary>
    public string Analysis { get; } =
        $"root-cause-analyses/{NameBasedId.From($"rootcause\n{capaId:D}")}";

    /// <summary>The path of the review of one of its cycles.</summary>
    public string Review(int cycle) =>
        $"effectiveness-reviews/{NameBasedId.From($"effectiveness\n{capaId:D}\n{cycle}")}";

    /// <summary>
    /// Verifies a cause of each kind, approves the analysis and waits until the plan knows the causes.
    /// </summary>
    public async Task<IReadOnlyList<Guid>> FindCausesAsync(DateTimeOffset at, params IReadOnlyList<string> kinds)
    {
        await running.EventuallyAsync("the analysis begins with the CAPA", async ct =>
            (await cast.Quinn.TryGetAsync(Analysis, ct)).Status == System.Net.HttpStatusCode.OK, Ct);
        await CauseCodes.AllowAsync(running, Ct, "machine.wear");
        foreach (var kind in kinds)
            await cast.Quinn.PostAsync($"{Analysis}/propose-cause", new
            {
                kind, code = "machine.wear", statement = $"The {kind} cause.",
                whyChain = Whys,
            }, at: at, ct: Ct);
        var causes = (await cast.SeenAsync(Analysis)).Body!["causes"]!.AsArray()
            .Select(cause => Guid.Parse((string)cause!["id"]!)).ToList();
        foreach (var causeId in causes)
            await cast.Quinn.PostAsync(
                $"{Analysis}/verify-cause", new { causeId, method = "measurement", evidence = "0.4 mm play." },
                at: at, ct: Ct);
        await cast.Quinn.PostAsync(
            $"{Analysis}/check-extent", new { query = "same machine type", hits = Array.Empty<object>() }, at: at,
            ct: Ct);
        await cast.Quinn.PostAsync($"{Analysis}/complete", new { }, at: at, ct: Ct);
        await cast.SignAsync(cast.Amira, Analysis, "approve", new { }, at);
        await StageAsync("planning");
        return causes;
    }

    /// <summary>Goes straight from the CAPA's opening to the window, which opens at <paramref name="until"/>.</summary>
    /// <param name="start">Start of the baseline, which takes sixty days.</param>
    public async Task MonitorAsync(DateTimeOffset start, DateTimeOffset from, DateTimeOffset until)
    {
        var (causes, at) = (await FindCausesAsync(from, "occurrence"), from.AddDays(1));
        await cast.Quinn.PostAsync($"{Plan}/rate-risk", new { severity = 3, likelihood = 4 }, at: at, ct: Ct);
        var actionId = await PlanActionAsync("Oil the rail", "oscar", "2025-04-01", causes, at);
        await cast.Quinn.PostAsync($"{Plan}/define-effectiveness-criteria", Criteria(start, 30), at: at, ct: Ct);
        await cast.Quinn.PostAsync($"{Plan}/submit", new { }, at: at, ct: Ct);
        await cast.SignAsync(cast.Amira, Plan, "approve", new { }, at);
        await DoAsync(cast.Oscar, actionId, until.AddDays(-1));
        await cast.Vera.PostAsync(
            $"{Plan}/verify-action", new { actionId, finding = "It is oiled." }, at: until, ct: Ct);
        await ReviewAsync(1, "monitoring");
    }

    /// <summary>Plans an action against the causes and gives its id.</summary>
    public async Task<Guid> PlanActionAsync(
        string title, string owner, string dueOn, IReadOnlyList<Guid> causes, DateTimeOffset at)
    {
        await cast.Quinn.PostAsync($"{Plan}/plan-action", new
        {
            kind = "corrective", title, description = "As the instruction says.", owner, dueOn, causes,
        }, at: at, ct: Ct);
        return await ActionAsync(title);
    }

    /// <summary>The id of the action with this title.</summary>
    public async Task<Guid> ActionAsync(string title) => Guid.Parse((string)
        (await cast.SeenAsync(Plan)).Body!["actions"]!.AsArray()
            .Single(action => (string?)action!["title"] == title)!["id"]!);

    /// <summary>Begins and completes an action.</summary>
    public async Task DoAsync(ApiClient owner, Guid actionId, DateTimeOffset at)
    {
        await owner.PostAsync($"{Plan}/start-action", new { actionId }, at: at, ct: Ct);
        await owner.PostAsync(
            $"{Plan}/complete-action", new { actionId, evidence = "Order 4711, protocol 9" }, at: at, ct: Ct);
    }

    /// <summary>Waits until the CAPA is in this stage.</summary>
    public Task StageAsync(string stage) =>
        cast.UntilAsync(Plan, $"the CAPA is {stage}", seen => (string?)seen["stage"] == stage);

    /// <summary>Waits until the review of a cycle stands as wanted.</summary>
    public Task ReviewAsync(int cycle, string status) =>
        cast.UntilAsync(Review(cycle), $"the review is {status}", seen => (string?)seen["status"] == status);

    /// <summary>Criteria that a worn guide rail calls for.</summary>
    public static object Criteria(DateTimeOffset start, int windowDays) => new
    {
        baselineFrom = start, baselineTo = start.AddDays(60), expectedReduction = 0.8, significance = 0.05, windowDays,
        exposureUnit = "inspected",
    };
}
