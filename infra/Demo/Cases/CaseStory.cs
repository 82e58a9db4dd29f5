using CapaEngine.Demo.Api;

namespace CapaEngine.Demo.Cases;

/// <summary>What deviations are grouped by: the demonstration finds the case of a story by it.</summary>
public sealed record CaseSubject(
    string Site, string Product, string Process, string? Station, string? Characteristic, string? DefectCode)
{
    /// <summary>The characteristic or the defect code.</summary>
    public string What => Characteristic ?? DefectCode!;
}

/// <summary>How far a story goes.</summary>
public enum StoryEnd
{
    /// <summary>Triage opened the case; nobody has taken it up.</summary>
    Reported,

    /// <summary>Closed without corrective action.</summary>
    ClosedWithoutCapa,

    /// <summary>The causes are known, the plan is being made.</summary>
    Planning,

    /// <summary>The plan is approved, an action is under way.</summary>
    Implementing,

    /// <summary>All is done; the data are awaited.</summary>
    Monitoring,

    /// <summary>The data decided: closed where they show an effect, the next cycle begun where they do not.</summary>
    Decided,
}

/// <summary>When the steps of a story happen. Steps that belong together follow each other within hours.</summary>
public sealed record CaseTimes(
    DateTimeOffset Review, DateTimeOffset Analysis, DateTimeOffset AnalysisApproval, DateTimeOffset Planning,
    DateTimeOffset PlanApproval, DateTimeOffset ActionStart, DateTimeOffset ActionDone, DateTimeOffset ActionVerified,
    DateTimeOffset Evaluation, DateTimeOffset Closing);

/// <summary>The persons of a story, all simulated; the rules want several of them to be different people.</summary>
public sealed record Cast(
    Person Engineer, Person Metrologist, Person Owner, Person Verifier, Person Auditor, Person Approver)
{
    /// <summary>The same six for every story.</summary>
    public static readonly Cast Simulated = new(
        new Person("simulated-process-engineer", "quality-engineer"),
        new Person("simulated-metrologist", "verifier"),
        new Person("simulated-maintenance-lead", "action-owner"),
        new Person("simulated-shift-inspector", "verifier"),
        new Person("simulated-quality-auditor", "auditor"),
        new Person("simulated-quality-head", "approver"));
}

/// <summary>A hypothesis on the cause with the evidence that settled it.</summary>
public sealed record StoryCause(string Code, string Statement, IReadOnlyList<string> WhyChain, string Evidence);

/// <summary>How the action is judged.</summary>
/// <param name="BaselineReason">Why the baseline is not before the count window that opened the case, if so.</param>
public sealed record StoryCriteria(
    DateTimeOffset BaselineFrom, DateTimeOffset BaselineTo, double ExpectedReduction, int WindowDays,
    string? BaselineReason = null)
{
    /// <summary>The alpha of the test.</summary>
    public const double Significance = 0.05;
}

/// <summary>The corrective action of a story.</summary>
public sealed record CapaStory(
    StoryCause Cause, StoryCause Refuted, string ExtentQuery, string ActionTitle, string ActionDescription,
    string ActionEvidence, StoryCriteria Criteria, string Lessons);

/// <summary>One case from the acceptance of what triage opened to the end the story has.</summary>
/// <param name="Key">Names the story in the idempotency keys.</param>
/// <param name="WhyDecision">Why corrective action is required, or why not.</param>
/// <param name="Capa">The corrective action; null where the case ends without.</param>
public sealed record CaseStory(
    string Key, CaseSubject Subject, string Severity, StoryEnd End, CaseTimes Times, string Containment,
    string WhyDecision, CapaStory? Capa)
{
    /// <summary>Who acts.</summary>
    public Cast Cast { get; } = Cast.Simulated;

    /// <summary>When the last of it happens: what machines report later must not reach its records before.</summary>
    public DateTimeOffset EndsAt => End switch
    {
        StoryEnd.Reported => Times.Review,
        StoryEnd.Planning => Times.Planning,
        StoryEnd.Implementing => Times.ActionStart,
        StoryEnd.Monitoring => Times.ActionVerified,
        _ => Times.Closing,
    };
}
