using System.Text.Json.Nodes;
using CapaEngine.Demo.Api;
using CapaEngine.Demo.Playing;

namespace CapaEngine.Demo.Cases;

/// <summary>What became of a story.</summary>
/// <param name="WasDecidedBefore">True where an earlier play had brought the case to its end.</param>
public sealed record CaseResult(
    CaseStory Story, Guid NonconformityId, Guid? CapaId, string? Verdict, string Status, bool WasDecidedBefore);

/// <summary>
/// Drives one case through the public API. Every command carries a key that follows from the story, so that a play that
/// was interrupted is taken up where it stopped, and a second one changes nothing.
/// </summary>
public sealed class CaseDriver(CaseDesk desk, Report report, CaseStory story)
{
    private static readonly TimeSpan BetweenSteps = TimeSpan.FromMinutes(20);
    private readonly Cast cast = story.Cast;
    private Guid caseId;
    private Guid capaId;
    private bool isEffective;
    private bool wasDecidedBefore;

    private CapaStory Capa => story.Capa
        ?? throw new InvalidOperationException($"The story {story.Key} holds no corrective action.");

    private string Case => $"nonconformities/{caseId:D}";

    private string Plan => $"action-plans/{capaId:D}";

    /// <summary>
    /// What must be done before later deviations reach the case: it is accepted, contained and reviewed, and its cause
    /// is taken up.
    /// </summary>
    public async Task ReviewAsync(CancellationToken ct)
    {
        JsonObject? found = null;
        await desk.UntilAsync($"Triage opens the case of {story.Subject.What}", async () =>
            (found = await desk.FindCaseAsync(story.Subject, ct))?["number"] is not null, ct);
        caseId = Guid.Parse((string)found!["id"]!);
        wasDecidedBefore = (string?)found["status"] == "closed";
        report.Say($"  {story.Times.Review:yyyy-MM-dd}  {story.Subject.What}: triage opened {found["number"]}, "
            + $"severity {found["severity"]}{(wasDecidedBefore ? "; closed by an earlier play" : "")}");
        if (story.End == StoryEnd.Reported || wasDecidedBefore) return;

        var at = story.Times.Review;
        await DoAsync(
            cast.Engineer, Case, "accept", new { severity = story.Severity, containmentDueHours = 24 }, at, ct);
        await DoAsync(cast.Engineer, Case, "plan-containment",
            new { description = story.Containment, dueHours = 8 }, at += BetweenSteps, ct);
        await DoAsync(cast.Engineer, Case, "confirm-containment", new
        {
            evidence = "Simulated: the order to the shift, countersigned.", cleanPoint = $"{at:yyyy-MM-dd HH:mm} UTC",
        }, at += BetweenSteps, ct);
        await DoAsync(cast.Engineer, Case, "complete-review", new { }, at += BetweenSteps, ct);
        await DoAsync(cast.Engineer, Case, "decide-customer-notice-not-needed",
            new { justification = "Simulated: nothing of it was delivered." }, at += BetweenSteps, ct);
        if (story.Capa is null)
            await DoAsync(cast.Engineer, Case, "decide-no-corrective-action",
                new { justification = story.WhyDecision }, at += BetweenSteps, ct);
        else
            await DoAsync(cast.Engineer, Case, "require-corrective-action",
                new { capaOwner = cast.Engineer.Id, reason = story.WhyDecision }, at += BetweenSteps, ct);
    }

    /// <summary>The rest of the story, once all that the machines reported until its end is in.</summary>
    public async Task<CaseResult> FinishAsync(CancellationToken ct)
    {
        if (story.End == StoryEnd.Reported || wasDecidedBefore) return await ResultAsync(ct);
        if (story.Capa is null)
        {
            await CloseCaseAsync(ct);
            return await ResultAsync(ct);
        }

        var dossier = await desk.SeeAsync(
            $"The analysis of {story.Subject.What} is started", $"cases/{caseId:D}", HasAnalysis, ct);
        capaId = Guid.Parse((string)dossier["capas"]![0]!["id"]!);
        wasDecidedBefore = (int)dossier["capas"]![0]!["cycle"]! > 1;
        if (!wasDecidedBefore)
        {
            var causeId = await AnalyseAsync($"root-cause-analyses/{AnalysisIdIn(dossier):D}", ct);
            await PlanAsync(causeId, ct);
        }

        return await ResultAsync(ct);
    }

    private async Task<Guid> AnalyseAsync(string analysis, CancellationToken ct)
    {
        var at = story.Times.Analysis;
        await ProposeAsync(Capa.Cause, at);
        var revision = await ProposeAsync(Capa.Refuted, at += BetweenSteps);
        var seen = await desk.SeeAsync($"The causes of {story.Subject.What}", $"{analysis}?minRevision={revision}",
            body => body["causes"]!.AsArray().Count >= 2, ct);
        await DoAsync(cast.Metrologist, analysis, "refute-cause",
            new { causeId = IdOf(Capa.Refuted), method = "observation", evidence = Capa.Refuted.Evidence },
            at += BetweenSteps, ct);
        await DoAsync(cast.Metrologist, analysis, "verify-cause",
            new { causeId = IdOf(Capa.Cause), method = "measurement", evidence = Capa.Cause.Evidence },
            at += BetweenSteps, ct);
        await DoAsync(cast.Engineer, analysis, "check-extent", new
        {
            query = Capa.ExtentQuery,
            hits = new[]
            {
                new { reference = "Simulated: the neighbouring station", decision = "not-affected",
                    reason = "Simulated: its readings stayed inside their limits." },
            },
        }, at += BetweenSteps, ct);
        await DoAsync(cast.Engineer, analysis, "complete", new { }, at += BetweenSteps, ct);
        await desk.SignAsync(cast.Approver, analysis, "approve", new { }, story.Times.AnalysisApproval,
            Key("approve-analysis"), ct);
        return IdOf(Capa.Cause);

        Task<long> ProposeAsync(StoryCause cause, DateTimeOffset when) => desk.ActAsync(
            cast.Engineer, analysis, "propose-cause",
            new { kind = "occurrence", cause.Code, cause.Statement, cause.WhyChain }, when,
            Key($"propose-{cause.Code}"), ct);

        Guid IdOf(StoryCause cause) => Guid.Parse((string)seen["causes"]!.AsArray()
            .Single(row => (string?)row!["code"] == cause.Code)!["id"]!);
    }

    private async Task PlanAsync(Guid causeId, CancellationToken ct)
    {
        await desk.SeeAsync($"The plan of {story.Subject.What} has its causes", Plan,
            plan => (string?)plan["stage"] != "awaiting-cause", ct);
        var at = story.Times.Planning;
        await DoAsync(cast.Engineer, Plan, "rate-risk", new { severity = 3, likelihood = 4 }, at, ct);
        if (story.End == StoryEnd.Planning) return;
        var revision = await DoAsync(cast.Engineer, Plan, "plan-action", new
        {
            kind = "corrective", title = Capa.ActionTitle, description = Capa.ActionDescription,
            owner = cast.Owner.Id, dueOn = $"{story.Times.ActionVerified.AddDays(1):yyyy-MM-dd}",
            causes = new[] { causeId },
        }, at += BetweenSteps, ct);
        await DoAsync(cast.Engineer, Plan, "define-effectiveness-criteria", new
        {
            Capa.Criteria.BaselineFrom, Capa.Criteria.BaselineTo, Capa.Criteria.ExpectedReduction,
            StoryCriteria.Significance, Capa.Criteria.WindowDays, exposureUnit = "inspected",
            Capa.Criteria.BaselineReason,
        }, at += BetweenSteps, ct);
        await DoAsync(cast.Engineer, Plan, "submit", new { }, at += BetweenSteps, ct);
        await desk.SignAsync(
            cast.Approver, Plan, "approve", new { }, story.Times.PlanApproval, Key("approve-plan"), ct);
        var seen = await desk.SeeAsync($"The action of {story.Subject.What}", $"{Plan}?minRevision={revision}",
            plan => plan["actions"]!.AsArray().Count > 0, ct);
        await ImplementAsync(Guid.Parse((string)seen["actions"]![0]!["id"]!), ct);
    }

    private async Task ImplementAsync(Guid actionId, CancellationToken ct)
    {
        await DoAsync(cast.Owner, Plan, "start-action", new { actionId }, story.Times.ActionStart, ct);
        if (story.End == StoryEnd.Implementing) return;
        await DoAsync(cast.Owner, Plan, "complete-action", new { actionId, evidence = Capa.ActionEvidence },
            story.Times.ActionDone, ct);
        await DoAsync(cast.Verifier, Plan, "verify-action",
            new { actionId, finding = "Simulated: carried out as planned; seen at the machine." },
            story.Times.ActionVerified, ct);
        if (story.End == StoryEnd.Decided) await JudgeAsync(ct);
    }

    // The numbers decide; the approver signs what they propose.
    private async Task JudgeAsync(CancellationToken ct)
    {
        var dossier = await desk.SeeAsync($"The review of {story.Subject.What} is open", $"cases/{caseId:D}",
            body => EventOf(body, "effectiveness.window-opened.v1") is not null, ct);
        var reviewId = IdIn(EventOf(dossier, "effectiveness.window-opened.v1")!, "effectiveness-");
        var review = $"effectiveness-reviews/{reviewId:D}";
        var revision = await DoAsync(cast.Auditor, review, "evaluate", new { }, story.Times.Evaluation, ct);
        var seen = await desk.SeeAsync($"The numbers of {story.Subject.What}", $"{review}?minRevision={revision}",
            body => body["proposed"] is not null, ct);
        var verdict = (string)seen["proposed"]!;
        report.Say($"  {story.Times.Evaluation:yyyy-MM-dd}  {story.Subject.What}: {Numbers(seen)}: {verdict}");
        if (verdict == "inconclusive") return;
        await desk.SignAsync(cast.Approver, review, "approve", new { verdict },
            story.Times.Evaluation + BetweenSteps, Key("approve-verdict"), ct);
        isEffective = verdict == "effective";
        if (isEffective) await CloseAsync(ct);
        else await desk.SeeAsync($"The next cycle of {story.Subject.What}", Plan, plan => (int)plan["cycle"]! > 1, ct);
    }

    private async Task CloseAsync(CancellationToken ct)
    {
        await desk.SignAsync(cast.Approver, Plan, "close", new
        {
            answers = new
            {
                riskUpdate = new { yes = true, reference = "Simulated: risk register, revision 2" },
                qmsChange = new { yes = false, reference = "Simulated: the maintenance plan covers it." },
                fmeaUpdate = new { yes = true, reference = "Simulated: process FMEA, revision 5" },
                lessons = Capa.Lessons,
            },
        }, story.Times.Closing, Key("close-capa"), ct);
        await CloseCaseAsync(ct);
    }

    private async Task CloseCaseAsync(CancellationToken ct)
    {
        var at = story.Times.Closing + BetweenSteps;
        await DoAsync(cast.Engineer, Case, "lift-containment",
            new { reason = "Simulated: the readings have stayed inside their limits." }, at, ct);
        await desk.SignAsync(cast.Engineer, Case, "close", new { }, at + BetweenSteps, Key("close"), ct);
    }

    private async Task<CaseResult> ResultAsync(CancellationToken ct)
    {
        var closes = story.End == StoryEnd.ClosedWithoutCapa || isEffective;
        var dossier = await desk.SeeAsync($"The dossier of {story.Subject.What}", $"cases/{caseId:D}",
            body => !closes || (string?)body["nonconformity"]!["status"] == "closed", ct);
        var capa = dossier["capas"]!.AsArray().FirstOrDefault();
        return new CaseResult(
            story, caseId, capa is null ? null : Guid.Parse((string)capa["id"]!), (string?)capa?["verdict"],
            (string)dossier["nonconformity"]!["status"]!, wasDecidedBefore);
    }

    private Task<long> DoAsync(
        Person person, string record, string command, object body, DateTimeOffset at, CancellationToken ct) =>
        desk.ActAsync(person, record, command, body, at, Key(command), ct);

    private string Key(string step) => $"demo/{story.Key}/{step}";

    private static bool HasAnalysis(JsonObject dossier) => EventOf(dossier, "rootcause.started.v1") is not null;

    private static Guid AnalysisIdIn(JsonObject dossier) =>
        IdIn(EventOf(dossier, "rootcause.started.v1")!, "rootcause-");

    private static JsonNode? EventOf(JsonObject dossier, string type) =>
        dossier["events"]!.AsArray().FirstOrDefault(told => (string?)told!["type"] == type);

    private static Guid IdIn(JsonNode told, string prefix) => Guid.Parse(((string)told["stream"]!)[prefix.Length..]);

    private static string Numbers(JsonObject review) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"{(long)review["baseline"]!["deviations"]!} deviations in "
        + $"{(double)review["baseline"]!["exposure"]!:N0} inspected before, "
        + $"{(long)review["window"]!["deviations"]!} in {(double)review["window"]!["exposure"]!:N0} after, "
        + $"p = {(double)review["numbers"]!["pValue"]!:G3}");
}
