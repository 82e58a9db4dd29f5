using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using static CapaEngine.Contracts.ActionPlanEvent;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>One CAPA's facts in the order of its life, for specs to stop at any of them.</summary>
internal static class Facts
{
    public static readonly DateTimeOffset Now = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
    public static readonly Guid FirstCase = NameBasedId.From("case");
    public static readonly Guid Analysis = NameBasedId.From("analysis");
    public static readonly Guid Review = NameBasedId.From("review");
    public static readonly Guid Wear = NameBasedId.From("wear");
    public static readonly Guid Gauge = NameBasedId.From("gauge");
    public static readonly Guid Replace = NameBasedId.From("replace");
    public static readonly Guid Calibrate = NameBasedId.From("calibrate");

    public static readonly DeviationSubject Subject = new("berlin", "bracket", "milling", null, "bore", null);
    public static readonly Opened IsOpened =
        new("berlin", "Bores too wide", "olga", FirstCase, "Three in two days", Subject, Now.AddDays(-10), false);
    public static readonly CausesReceived Caused = new(
        Analysis, 1,
        [
            new VerifiedCause(Wear, CauseKind.Occurrence, "machine.wear", "The rail is worn."),
            new VerifiedCause(Gauge, CauseKind.Escape, "inspection.gauge", "The gauge was off."),
        ], true);
    public static readonly RiskRated Rated = new(new RiskRating(3, 4), "ada");
    public static readonly ActionPlanned ReplacePlanned = new(
        Replace, ActionKind.Corrective, "Replace the rail", "Replace and align it.", "oscar", new(2026, 3, 20), [Wear]);
    public static readonly ActionPlanned CalibratePlanned = new(
        Calibrate, ActionKind.Corrective, "Calibrate", "Calibrate the gauge.", "otto", new(2026, 3, 20), [Gauge]);
    public static readonly EffectivenessCriteria Criteria = new(
        Subject, Now.AddDays(-200), Now.AddDays(-20), 0.5, 0.05, 90, ExposureUnit.Days);
    public static readonly EvidenceCount Baseline =
        new(Criteria.BaselineFrom, Criteria.BaselineTo, 12, 180, 1, 900, "b");
    public static readonly EffectivenessCriteriaDefined Defined = new(Criteria, Baseline, "ada");
    public static readonly Submitted IsSubmitted = new("ada");
    public static readonly Approved IsApproved = new(1, "amira", Criteria, ["oscar", "otto"], Sign("amira"));
    public static readonly MonitoringStarted Monitored = new(1, Now, Now.AddDays(90));
    public static readonly EffectivenessReviewStarted Reviewed = new(1, Review, Verdict.Effective);
    public static readonly VerdictReceived FoundEffective = new(1, Review, Verdict.Effective, null);

    public static readonly ClosingAnswers Answers = new(
        new Answer(true, "RISK-12"), new Answer(false, "The process stays."), new Answer(true, "FMEA-7"),
        "Check rails.");

    public static ActionPlanEvent[] Planning => [IsOpened, Caused];

    public static ActionPlanEvent[] Complete =>
        [.. Planning, Rated, ReplacePlanned, CalibratePlanned, Defined];

    public static ActionPlanEvent[] InApproval => [.. Complete, IsSubmitted];

    public static ActionPlanEvent[] Implementing => [.. InApproval, IsApproved];

    public static ActionPlanEvent[] ReplaceDone =>
        [.. Implementing, new ActionStarted(Replace, "oscar"), new ActionCompleted(Replace, "oscar", "Order 4711")];

    public static ActionPlanEvent[] Monitoring =>
    [
        .. ReplaceDone, new ActionVerified(Replace, "vera", "No play."), new ActionStarted(Calibrate, "otto"),
        new ActionCompleted(Calibrate, "otto", "Seal 9"), new ActionVerified(Calibrate, "vera", "In order."), Monitored,
    ];

    public static ActionPlanEvent[] InReview => [.. Monitoring, Reviewed];

    public static Signature Sign(string person) => new(
        person, $"Name of {person}", SignatureMeaning.Approved, Now, "spec", 7, "hash-of-content");

    public static DeciderSpec<ActionPlan, ActionPlanCommand, ActionPlanEvent> Given(params ActionPlanEvent[] facts) =>
        new DeciderSpec<ActionPlan, ActionPlanCommand, ActionPlanEvent>(ActionPlan.Decider).Given(facts);
}

/// <summary>A clock that stands still.</summary>
internal sealed class FixedClock(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}
