using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Reports;

/// <summary>
/// What ISO 9001 §8.7.2 wants retained of a nonconformity: its description, the actions taken, the concessions and the
/// authority that decided; and what a reader needs to trust it: signatures, corrections and who did what when.
/// </summary>
/// <param name="Open">What is not decided or not finished yet, in words; empty where nothing is.</param>
public sealed record NonconformityReport(
    CaseDescription Case, ShownFinding? Finding, Containment Containment,
    IReadOnlyList<ShownDisposition> Dispositions, double? UndecidedQuantity, IReadOnlyList<ShownConcession> Concessions,
    CustomerNotice CustomerNotice, CauseDecision CauseDecision, IReadOnlyList<LinkedCapa> Capas,
    IReadOnlyList<ShownSignature> Signatures, IReadOnlyList<ShownCorrection> Corrections, Relations Relations,
    IReadOnlyList<TimelineEntry> Timeline, IReadOnlyList<string> Open);

/// <summary>The audit finding it came from; its criteria are among the requirements.</summary>
public sealed record ShownFinding(string Audit, string? Evidence, string? Grade);

/// <summary>Where containment stands and how it came there.</summary>
public sealed record Containment(string? State, DateTimeOffset? DueAt, IReadOnlyList<ContainmentStep> Steps);

/// <summary>A decided quantity with the authority that decided it and what was done.</summary>
public sealed record ShownDisposition(
    Guid LineId, string Kind, double Quantity, string? Lot, string AuthorityId, DateTimeOffset DecidedAt,
    string Reason, string Status, Guid? ConcessionId, IReadOnlyList<DispositionStep> Steps);

/// <summary>A step of a line: executed, verified or failed-verification.</summary>
/// <param name="Text">The evidence of execution or the result of verification.</param>
/// <param name="Method">How it was verified, or how scrap was destroyed.</param>
public sealed record DispositionStep(string Step, string By, DateTimeOffset At, string Text, string? Method);

/// <summary>A concession or deviation permit that the case has, asked for or drew on.</summary>
/// <param name="DrawnHere">What this case drew of it and did not give back.</param>
public sealed record ShownConcession(
    Guid Id, string Kind, string Status, RequirementRef Requirement, string Departure, string Justification,
    IReadOnlyList<string> Lots, double? QuantityMax, double DrawnHere, string? Unit, DateTimeOffset? ValidFrom,
    DateTimeOffset? ValidUntil, string? Authority, string? AuthorityReference, string? Conditions, string RequestedBy,
    DateTimeOffset RequestedAt, string? DecidedBy, DateTimeOffset? DecidedAt, string? DecisionReason);

/// <summary>Whether corrective action is needed, by whose decision and why (§10.2.1 b).</summary>
public sealed record CauseDecision(
    string? State, string? DecidedBy, DateTimeOffset? DecidedAt, string? Justification, string? OverriddenBy,
    string? OverrideReason);

/// <summary>A CAPA of the case.</summary>
public sealed record LinkedCapa(
    Guid Id, string? Number, string Title, string Owner, string Reason, string Stage, int Cycle, string? Verdict,
    DateTimeOffset OpenedAt, DateTimeOffset? ClosedAt);

/// <summary>A correction: the value before and after it, and its reason (EU Annex 11, 9).</summary>
public sealed record ShownCorrection(
    string Member, string? OldValue, string? NewValue, string CorrectedBy, DateTimeOffset At, string Reason);

/// <summary>How it ended otherwise than by closing, what it was merged with, and when it was opened again.</summary>
public sealed record Relations(
    ShownEnding? Ending, Guid? MergedInto, IReadOnlyList<AbsorbedCase> Absorbed, IReadOnlyList<ShownEnding> Reopened);

/// <summary>An ending or its undoing: rejected, withdrawn, merged or reopened.</summary>
public sealed record ShownEnding(string Kind, string By, DateTimeOffset At, string Reason);

/// <summary>A duplicate whose lots, hold and deviations this case took over.</summary>
public sealed record AbsorbedCase(
    Guid FromId, IReadOnlyList<string> Lots, double AdditionalQuantity, string? Hold, DateTimeOffset At);

/// <summary>An event of the dossier, in words.</summary>
public sealed record TimelineEntry(
    long Position, DateTimeOffset At, string By, IReadOnlyList<string> Roles, string Stream, long Revision, string Act,
    string? Reason);
