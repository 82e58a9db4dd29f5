using System.ComponentModel.DataAnnotations;

namespace CapaEngine.Contracts;

/// <summary>How grave a deviation or nonconformity is.</summary>
public enum Severity { Minor, Major, Critical }

/// <summary>Where a nonconformity came from.</summary>
public enum NonconformitySource
{
    Production, CustomerComplaint, Supplier, InternalAudit, ExternalAudit, ProcessMonitoring, ManagementReview, Person,
}

/// <summary>Where in the life of the product it was detected (ISO 9001 §8.7.1: also after delivery).</summary>
public enum DetectionStage { Receiving, InProcess, FinalInspection, AfterDelivery, DuringService }

/// <summary>What happens to nonconforming output (ISO 9000 3.12; §8.7.1).</summary>
public enum DispositionKind { Rework, Repair, UseAsIs, Regrade, Scrap, ReturnToSupplier }

/// <summary>Which question a cause answers: why it happened, why it escaped, why the system let it.</summary>
public enum CauseKind { Occurrence, Escape, System }

/// <summary>What is contrasted: what it is, where, when and how much of it there is.</summary>
public enum ContrastAspect { What, Where, When, Extent }

/// <summary>How a hypothesis was verified or refuted.</summary>
public enum VerificationMethod { Measurement, Observation, Reproduction }

/// <summary>Kinds of action; a correction is not a corrective action (ISO 9000 3.12.1-3.12.3).</summary>
public enum ActionKind { Containment, Correction, Corrective, Preventive, Improvement }

/// <summary>Where a CAPA stands.</summary>
public enum PlanStage
{
    AwaitingCause, Planning, PlanInApproval, Implementing, Monitoring, InEffectivenessReview, Closed, Cancelled,
}

/// <summary>What the data say of an action (ISO 9000 3.7.11).</summary>
public enum Verdict { Effective, Ineffective, Inconclusive }

/// <summary>What a rate of recurrence is counted against.</summary>
public enum ExposureUnit { Inspected, Days }

/// <summary>What a signature means (21 CFR 11.50).</summary>
public enum SignatureMeaning { Authored, Reviewed, Approved, Responsible }

/// <summary>What one hit of an extent check was found to be (§10.2.1 b3).</summary>
public enum ExtentDecision { SameCause, NotAffected, UnderWatch }

/// <summary>How an existing or a new CAPA is linked to a nonconformity.</summary>
public enum CapaLink { Open, Join }

/// <summary>What can fall due.</summary>
public enum DeadlineKind
{
    ContainmentDue, CustomerNoticeDue, ActionDue, ActionVerification, PlanApproval, WindowEnd, ConcessionEnd,
}

/// <summary>Whether somebody is told at once or with the digest of the day.</summary>
public enum Urgency { Now, Digest }

/// <summary>The way a notification goes.</summary>
public enum DeliveryChannel { Mail, Webhook }

/// <summary>A requirement as data: editions change, code does not.</summary>
public sealed record RequirementRef(string Standard, string Edition, string Clause, string? Text = null);

/// <summary>An audit finding: evidence judged against criteria (ISO 19011). One may touch several criteria.</summary>
/// <param name="Criteria">The requirements beside the one of the report that the evidence was judged against.</param>
/// <param name="Grade">The audit client's own grade, such as major, minor or opportunity.</param>
public sealed record AuditFinding(
    [property: StringLength(200)] string Audit, ValueList<RequirementRef> Criteria,
    [property: StringLength(4_000)] string Evidence, [property: StringLength(200)] string? Grade);

/// <summary>
/// What deviations are grouped by. Text is compared exactly. Either the characteristic or the defect code is set.
/// </summary>
public sealed record DeviationSubject(
    string Site, string Product, string Process, string? Station, string? Characteristic, string? DefectCode)
{
    /// <summary>The id of the stream that records which case is open on this subject.</summary>
    public Guid SignatureId() => NameBasedId.From(
        $"signature\n{Site}\n{Product}\n{Process}\n{Station}\n{Characteristic}\n{DefectCode}");
}

/// <summary>
/// An electronic signature: who, when, meaning what, over which content. The hash covers the stream's name, its
/// revision and all its events' data up to that revision, so it can be neither cut out nor moved (21 CFR 11.70).
/// </summary>
/// <param name="PrintedName">The signer's name as printed in every rendering.</param>
/// <param name="SignedAt">The server's clock, never a stated time.</param>
/// <param name="Revision">The revision of the stream that the signer saw.</param>
/// <param name="ContentHash">SHA-256, lower-case hexadecimal.</param>
public sealed record Signature(
    string PersonId, string PrintedName, SignatureMeaning Meaning, DateTimeOffset SignedAt,
    string Stream, long Revision, string ContentHash);

/// <summary>Risk before action: likelihood and severity stay apart; their product hides which is which.</summary>
/// <param name="Severity">1 (negligible) to 5 (catastrophic).</param>
/// <param name="Likelihood">1 (rare) to 5 (almost certain).</param>
public sealed record RiskRating(int Severity, int Likelihood);

/// <summary>Whether something was rated before the action or after it.</summary>
public enum RatingMoment { Before, After }

/// <summary>How a failure mode is rated, 1 (best) to 10 (worst) each.</summary>
/// <param name="Detection">How hard it is to notice before it does harm.</param>
public sealed record FailureRating(int Severity, int Occurrence, int Detection);

/// <summary>What a table of the installation says of a rating, and which version of it.</summary>
public sealed record TableAnswer(string Value, string Table);

/// <summary>
/// How an action will be judged, fixed before it is carried out. Rates are deviations of the subject per exposure.
/// </summary>
/// <param name="BaselineFrom">Start of the baseline, inclusive.</param>
/// <param name="BaselineTo">End of the baseline, exclusive; before the count window that opened the case.</param>
/// <param name="ExpectedReduction">Expected relative reduction of the rate, above 0 up to 1.</param>
/// <param name="Significance">The alpha of the conditional Poisson test, above 0 and below 0.5.</param>
/// <param name="WindowDays">Length of the monitoring window in days.</param>
/// <param name="BaselineReason">Why the baseline was moved by a person, if it was.</param>
public sealed record EffectivenessCriteria(
    DeviationSubject Subject, DateTimeOffset BaselineFrom, DateTimeOffset BaselineTo, double ExpectedReduction,
    double Significance, int WindowDays, ExposureUnit ExposureUnit, string? BaselineReason = null)
{
    /// <summary>The success run that judges instead of the rates, where units are counted; null for rates.</summary>
    public SuccessRun? SuccessRun { get; init; }
}

/// <summary>How many clean units show what: the reliability to be shown, and how sure of it one wants to be.</summary>
/// <param name="Confidence">Above 0, below 1.</param>
/// <param name="Reliability">The share of conforming units to be shown, above 0, below 1.</param>
public sealed record SuccessRun(double Confidence, double Reliability);

/// <summary>The numbers of a success run: what the units of the window show of the share that conforms.</summary>
/// <param name="UnitsNeeded">Units that would suffice without a failure: ln(1 − confidence) / ln(reliability).</param>
/// <param name="ReliabilityLower">Lower one-sided limit of the share that conforms, at the confidence.</param>
/// <param name="ReliabilityUpper">Upper one-sided limit of it.</param>
public sealed record SuccessRunNumbers(
    long UnitsNeeded, double UnitsInspected, long Failures, double ReliabilityLower, double ReliabilityUpper);

/// <summary>Counts of one period as the read models gave them, frozen with what is needed to recount them.</summary>
/// <param name="Deviations">Number of deviations of the subject whose detection lies in the period.</param>
/// <param name="Exposure">Units inspected, or days, by the criteria's unit.</param>
/// <param name="DefinitionVersion">Version of the counting definition.</param>
/// <param name="LogPosition">Commit position of the log up to which was counted.</param>
/// <param name="DeviationIdsHash">SHA-256 of the sorted deviation ids, one per line, lower-case hexadecimal.</param>
public sealed record EvidenceCount(
    DateTimeOffset From, DateTimeOffset To, long Deviations, double Exposure,
    int DefinitionVersion, ulong LogPosition, string DeviationIdsHash);

/// <summary>The numbers of an evaluation (domain: conditional test of two Poisson rates).</summary>
/// <param name="RateRatio">Window rate over baseline rate.</param>
/// <param name="RateRatioLower">Lower one-sided (1 − alpha) limit of the rate ratio.</param>
/// <param name="RateRatioUpper">Upper one-sided (1 − alpha) limit; null where it is infinite.</param>
/// <param name="PValue">P(X ≤ x2) given x1 + x2.</param>
public sealed record EffectivenessNumbers(
    double BaselineRate, double WindowRate, double RateRatio, double RateRatioLower, double? RateRatioUpper,
    double PValue);
