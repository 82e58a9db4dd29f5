using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Reports;

/// <summary>
/// The eight disciplines and the one before them, of one CAPA with all nonconformities it serves. Each discipline says
/// in <c>Open</c> what is not there yet; empty where nothing is missing.
/// </summary>
/// <param name="NonconformitiesElsewhere">How many of its nonconformities the reader may not see.</param>
public sealed record EightDReport(
    CapaDescription Capa, IReadOnlyList<CaseDescription> Nonconformities, int NonconformitiesElsewhere,
    EmergencyResponse D0, Team D1, Problem D2, InterimContainment D3, CauseAnalysis D4, ChosenActions D5,
    Implementation D6, Prevention D7, Recognition D8);

/// <summary>The CAPA the report is of.</summary>
public sealed record CapaDescription(
    Guid Id, string? Number, string Site, string Title, string Reason, string Owner, string Stage, string? Pdca,
    int Cycle, DateTimeOffset OpenedAt, DateTimeOffset? ClosedAt, DateTimeOffset? CancelledAt, string? CancelReason,
    bool Imported);

/// <summary>D0: how fast the first response was, what is held and whether the customer knows.</summary>
public sealed record EmergencyResponse(IReadOnlyList<CaseResponse> Cases, IReadOnlyList<string> Open);

/// <summary>The first response to one nonconformity.</summary>
/// <param name="HoursToResponse">From detection to the first decision on containment; null before it.</param>
public sealed record CaseResponse(
    Guid CaseId, string Case, DateTimeOffset DetectedAt, DateTimeOffset ReportedAt, double? HoursToResponse,
    ContainmentStep? FirstStep, IReadOnlyList<string> HeldLots, CustomerNotice CustomerNotice);

/// <summary>D1: who took part, by id.</summary>
public sealed record Team(string Owner, IReadOnlyList<TeamMember> Members, IReadOnlyList<string> Open);

/// <summary>A person and the parts the events name them in.</summary>
public sealed record TeamMember(string PersonId, IReadOnlyList<string> Parts);

/// <summary>D2: the problem, by the seven questions for each nonconformity, and where it is and is not.</summary>
public sealed record Problem(
    IReadOnlyList<SevenQuestions> Questions, IReadOnlyList<ContrastView> Contrasts, IReadOnlyList<string> Open);

/// <summary>Five W and two H of a nonconformity; null where the case does not say.</summary>
public sealed record SevenQuestions(
    string Case, string What, string? Where, string When, string Who, string? Why, string? How, string? HowMany);

/// <summary>D3: interim containment, and that it was verified to be in place.</summary>
public sealed record InterimContainment(
    IReadOnlyList<CaseContainment> Cases, IReadOnlyList<ActionProgress> Actions, IReadOnlyList<string> Open);

/// <summary>The containment of one nonconformity.</summary>
public sealed record CaseContainment(string Case, string? State, IReadOnlyList<ContainmentStep> Steps);

/// <summary>D4: why it happened, why it escaped and why the system let it; refuted hypotheses stay.</summary>
/// <param name="EscapeIsDue">Whether it was detected after delivery, so that an escape point must be found.</param>
public sealed record CauseAnalysis(
    Guid? AnalysisId, string? Status, int? Cycle, string? Problem, bool EscapeIsDue, IReadOnlyList<CauseView> Causes,
    IReadOnlyList<WhyView> Whys, IReadOnlyList<string> Categories, IReadOnlyList<FactorView> Factors,
    string? UnknownJustification, string? HumanErrorReason, IReadOnlyList<ShownSignature> Approvals,
    IReadOnlyList<string> Open);

/// <summary>D5: the permanent actions chosen, what they act on, and why they may be taken.</summary>
/// <param name="UncoveredCauses">Verified causes that no action acts on.</param>
/// <param name="DoesHarm">Whether the actions do harm elsewhere; null where that was not checked.</param>
public sealed record ChosenActions(
    IReadOnlyList<ChosenAction> Actions, IReadOnlyList<string> UncoveredCauses, RiskView Risk,
    IReadOnlyList<RatedFailureMode> FailureModes, bool? DoesHarm, string? AdverseEffects,
    IReadOnlyList<ShownSignature> Approvals, IReadOnlyList<string> Open);

/// <summary>A risk as last rated; null members where it was not.</summary>
public sealed record RiskView(int? Severity, int? Likelihood, string? Class);

/// <summary>An action and the causes it covers.</summary>
public sealed record ChosenAction(
    Guid Id, int Cycle, string Kind, string Title, string Description, string Owner, DateOnly OriginalDueOn,
    DateOnly DueOn, int ExtensionCount, IReadOnlyList<string> Covers, string? CancelReason, Guid? ReplacedBy);

/// <summary>D6: what was done, that another person verified it, and what the data say.</summary>
public sealed record Implementation(
    IReadOnlyList<ActionProgress> Actions, IReadOnlyList<ContainmentRemoval> ContainmentRemovals,
    IReadOnlyList<EffectivenessCycle> Cycles, IReadOnlyList<string> Open);

/// <summary>How far an action is.</summary>
public sealed record ActionProgress(
    Guid Id, int Cycle, string Kind, string Title, string Owner, string Status, DateOnly DueOn,
    DateTimeOffset? StartedAt, string? CompletedBy, DateTimeOffset? CompletedAt, string? Evidence, string? VerifiedBy,
    DateTimeOffset? VerifiedAt, string? Finding, int ReturnCount);

/// <summary>The end of an interim containment.</summary>
public sealed record ContainmentRemoval(string Case, string By, DateTimeOffset At, string? Reason);

/// <summary>One cycle's judgement of effectiveness; earlier cycles stay readable.</summary>
/// <param name="Criteria">The criteria in the order locked; the last ones judge.</param>
public sealed record EffectivenessCycle(
    int Cycle, string Status, IReadOnlyList<LockedCriteria> Criteria, DateTimeOffset? WindowFrom,
    DateTimeOffset? WindowTo, IReadOnlyList<Guid> Recurrences, ReviewedCount? Baseline, ReviewedCount? Window,
    ReviewedNumbers? Numbers, ReviewedRun? SuccessRun, string? Proposed, string? EvaluatedBy,
    DateTimeOffset? EvaluatedAt, bool? EarlyOnRecurrence, string? Verdict, string? ReasonAgainstNumbers,
    IReadOnlyList<ShownSignature> Decisions);

/// <summary>Criteria and when they were locked, before anybody could know the outcome.</summary>
public sealed record LockedCriteria(DateTimeOffset LockedAt, string ApprovedBy, EffectivenessCriteria Criteria);

/// <summary>D7: what was changed so that it cannot come back, here or elsewhere.</summary>
public sealed record Prevention(
    ClosingAnswers? Answers, RiskView ResidualRisk, IReadOnlyList<RatedFailureMode> FailureModes,
    IReadOnlyList<DeploymentView> Deployments, ExtentCheck? Extent, IReadOnlyList<string> Open);

/// <summary>The check whether there is more of it, with a decision on every hit (§10.2.1 b3).</summary>
public sealed record ExtentCheck(
    string Query, IReadOnlyList<ExtentHit> Hits, string CheckedBy, DateTimeOffset CheckedAt);

/// <summary>D8: the signed closing, and whose work it closes.</summary>
public sealed record Recognition(
    string? ClosedBy, DateTimeOffset? ClosedAt, IReadOnlyList<ShownSignature> Closings,
    IReadOnlyList<string> Recognised, IReadOnlyList<string> Open);
