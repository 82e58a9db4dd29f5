using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Nonconformities.Domain;

/// <summary>What can be asked of a nonconformity, in the order of its life. Each record is a request's body.</summary>
public abstract record NonconformityCommand
{
    private const int TextMax = 4_000;
    private const int TitleMax = 200;
    private const int NameMax = 200;
    private const int HoursMax = 24 * 365;
    private const double QuantityMax = 1e12;

    private NonconformityCommand() { }

    /// <summary>Reports that a requirement was not met (G01).</summary>
    [Allow(Roles.Reporter, Roles.SourceSystem, Roles.QualityEngineer, Roles.ActionOwner, Roles.Verifier,
        Roles.DispositionAuthority, Roles.Approver, Roles.Auditor, Roles.Importer)]
    public sealed record Report(
        [property: Required, StringLength(NameMax)] string Site,
        [property: Required, StringLength(TitleMax)] string Title,
        [property: Required, StringLength(TextMax)] string Description,
        RequirementRef Requirement, NonconformitySource Source, DetectionStage DetectionStage,
        [property: StringLength(NameMax)] string? Product,
        [property: StringLength(NameMax)] string? Process,
        [property: MaxLength(500)] ValueList<string>? Lots,
        [property: Range(0, QuantityMax)] double AffectedQuantity,
        [property: StringLength(40)] string? Unit,
        Severity Severity, DateTimeOffset DetectedAt, DeviationSubject? Subject,
        [property: MaxLength(500)] ValueList<string>? Serials = null, AuditFinding? Finding = null,
        [property: StringLength(NameMax)] string? Supplier = null) : NonconformityCommand
    {
        /// <summary>Which case of its subject this is, as reserved on the signature stream; never requested.</summary>
        [JsonIgnore]
        public int? SignatureCycle { get; init; }
    }

    /// <summary>Opens the case that the triage policy calls for. Given by triage alone.</summary>
    [Allow(Roles.Service)]
    public sealed record OpenByPolicy(
        string Title, string Description, RequirementRef Requirement, DeviationSubject Subject, int SignatureCycle,
        int PolicyVersion, DateTimeOffset WindowFrom, Severity Severity, double AffectedQuantity, string? Unit,
        ValueList<string> Lots, ValueList<CountedDeviation> Deviations) : NonconformityCommand;

    /// <summary>Attaches deviations of the same subject; those attached before are left out.</summary>
    [Allow(Roles.Service)]
    public sealed record AttachDeviations(ValueList<CountedDeviation> Deviations) : NonconformityCommand;

    /// <summary>Accepts it as a nonconformity and begins its review (G02).</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record Accept(Severity Severity, [property: Range(1, HoursMax)] int? ContainmentDueHours)
        : NonconformityCommand;

    /// <summary>Rejects it as unfounded (G02).</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record Reject([property: Required, StringLength(TextMax)] string Reason) : NonconformityCommand;

    /// <summary>Takes one's own report back, before it was accepted.</summary>
    [Allow(Roles.Reporter, Roles.SourceSystem, Roles.QualityEngineer, Roles.ActionOwner, Roles.Verifier,
        Roles.DispositionAuthority, Roles.Approver, Roles.Auditor)]
    public sealed record Withdraw([property: Required, StringLength(TextMax)] string Reason) : NonconformityCommand;

    /// <summary>Ends it as a duplicate of another case (G20).</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record Merge(
        Guid IntoId, [property: Required, StringLength(TextMax)] string Reason,
        [property: Range(0, QuantityMax)] double AdditionalQuantity) : NonconformityCommand
    {
        /// <summary>Whether the other case is prepared to take it in; never requested.</summary>
        [JsonIgnore]
        public bool IsPrepared { get; init; }
    }

    /// <summary>Gives up a merge of this case, unless it was decided.</summary>
    [Allow(Roles.Service)]
    public sealed record GiveUpMerge(Guid MergeId, Guid IntoId) : NonconformityCommand;

    /// <summary>Prepares this case to take in a duplicate.</summary>
    [Allow(Roles.Service)]
    public sealed record PrepareMerge(Guid MergeId, Guid FromId, string Site) : NonconformityCommand;

    /// <summary>Takes in what a duplicate held.</summary>
    [Allow(Roles.Service)]
    public sealed record AbsorbDuplicate(
        Guid MergeId, Guid FromId, ValueList<string> Lots, double AdditionalQuantity, string? Hold, int? HoldDueHours,
        bool HoldIsInPlace, ValueList<CountedDeviation> Deviations) : NonconformityCommand;

    /// <summary>Gives up a merge that was prepared here.</summary>
    [Allow(Roles.Service)]
    public sealed record AbandonMerge(Guid MergeId) : NonconformityCommand;

    /// <summary>Opens a closed case again (G18).</summary>
    [Allow(Roles.Approver)]
    public sealed record Reopen([property: Required, StringLength(TextMax)] string Reason) : NonconformityCommand;

    /// <summary>Corrects what was written; the only change that is possible after closing (G19).</summary>
    [Allow(Roles.QualityEngineer, Roles.Approver)]
    public sealed record Correct(
        [property: Required, StringLength(TextMax)] string Reason, [property: StringLength(TitleMax)] string? Title,
        [property: StringLength(TextMax)] string? Description, RequirementRef? Requirement,
        [property: StringLength(NameMax)] string? Product,
        [property: StringLength(NameMax)] string? Process) : NonconformityCommand;

    /// <summary>Plans containment; possible from the first state on (§10.2.1 a).</summary>
    [Allow(Roles.QualityEngineer, Roles.Reporter)]
    public sealed record PlanContainment(
        [property: Required, StringLength(TextMax)] string Description,
        [property: Range(1, HoursMax)] int DueHours) : NonconformityCommand;

    /// <summary>Decides that nothing needs to be contained.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record DecideContainmentNotNeeded(
        [property: Required, StringLength(TextMax)] string Justification) : NonconformityCommand;

    /// <summary>Confirms that containment is in place and verified (G04).</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record ConfirmContainment(
        [property: Required, StringLength(TextMax)] string Evidence,
        [property: Required, StringLength(NameMax)] string CleanPoint) : NonconformityCommand;

    /// <summary>Lifts containment.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record LiftContainment([property: Required, StringLength(TextMax)] string Reason)
        : NonconformityCommand;

    /// <summary>Ends the review (G03).</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record CompleteReview : NonconformityCommand;

    /// <summary>Decides what happens to a quantity (G05).</summary>
    [Allow(Roles.DispositionAuthority)]
    public sealed record DecideDisposition(
        DispositionKind Kind, [property: Range(-QuantityMax, QuantityMax)] double Quantity,
        [property: StringLength(NameMax)] string? Lot,
        [property: Required, StringLength(TextMax)] string Reason, Guid? ConcessionId = null,
        ReworkAssessment? Assessment = null) : NonconformityCommand
    {
        /// <summary>Whether the concession has been drawn for this line; never requested.</summary>
        [JsonIgnore]
        public bool IsDrawn { get; init; }
    }

    /// <summary>Gives up a line for which a concession was drawn, unless it was decided.</summary>
    [Allow(Roles.Service)]
    public sealed record GiveUpDraw(Guid LineId, Guid ConcessionId) : NonconformityCommand;

    /// <summary>Reports a line as carried out.</summary>
    [Allow(Roles.QualityEngineer, Roles.ActionOwner, Roles.DispositionAuthority)]
    public sealed record ExecuteDisposition(
        Guid LineId, [property: Required, StringLength(TextMax)] string Evidence,
        [property: StringLength(TextMax)] string? Destruction = null) : NonconformityCommand;

    /// <summary>Verifies a line; after rework by somebody else than who carried it out (G07).</summary>
    [Allow(Roles.QualityEngineer, Roles.Verifier)]
    public sealed record VerifyDisposition(
        Guid LineId, [property: Required, StringLength(NameMax)] string Method,
        [property: Required, StringLength(TextMax)] string Result, bool Passed) : NonconformityCommand;

    /// <summary>Decides that the customer need not be told.</summary>
    [Allow(Roles.QualityEngineer, Roles.Approver)]
    public sealed record DecideCustomerNoticeNotNeeded(
        [property: Required, StringLength(TextMax)] string Justification) : NonconformityCommand;

    /// <summary>Decides that the customer must be told.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record RequireCustomerNotice(DateOnly DueOn) : NonconformityCommand;

    /// <summary>Confirms that the customer was told.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record ConfirmCustomerInformed([property: Required, StringLength(NameMax)] string Reference)
        : NonconformityCommand;

    /// <summary>Requires corrective action: opens a CAPA, or joins the one named (§10.2.1 b).</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record RequireCorrectiveAction(
        [property: Required, StringLength(NameMax)] string CapaOwner,
        [property: Required, StringLength(TextMax)] string Reason, Guid? CapaId) : NonconformityCommand;

    /// <summary>Decides that no corrective action is needed (G09).</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record DecideNoCorrectiveAction(
        [property: Required, StringLength(TextMax)] string Justification,
        [property: StringLength(TextMax)] string? OverrideReason) : NonconformityCommand;

    /// <summary>Notes the stage a linked CAPA has reached. Given by the reaction to the CAPA's events alone.</summary>
    [Allow(Roles.Service)]
    public sealed record NoteCapaStage(Guid CapaId, PlanStage Stage, int Cycle, Verdict? Verdict)
        : NonconformityCommand;

    /// <summary>Closes the case, signed (G17).</summary>
    [Allow(Roles.QualityEngineer, Roles.Approver), Signs]
    public sealed record Close : NonconformityCommand;
}

/// <summary>A deviation that a case is told of.</summary>
public sealed record CountedDeviation(Guid Id, DateTimeOffset DetectedAt);
