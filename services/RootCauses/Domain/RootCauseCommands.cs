using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.RootCauses.Domain;

/// <summary>What may be asked of an analysis.</summary>
public abstract record RootCauseCommand
{
    private RootCauseCommand() { }

    /// <summary>Begins the analysis of a CAPA.</summary>
    [Allow(Roles.Service)]
    public sealed record Start(
        Guid CapaId, Guid? NonconformityId, string Site, string Owner, string Problem, DeviationSubject? Subject,
        bool Escaped) : RootCauseCommand;

    /// <summary>Follows the CAPA to its new owner.</summary>
    [Allow(Roles.Service)]
    public sealed record ChangeOwner(string Owner) : RootCauseCommand;

    /// <summary>Chooses other categories than the usual six.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record ChooseCategories([property: MinLength(1), MaxLength(20)] ValueList<string> Categories)
        : RootCauseCommand;

    /// <summary>Notes a possible influence under its category.</summary>
    [Allow(Roles.QualityEngineer, Roles.ActionOwner)]
    public sealed record NoteFactor(
        [property: Required, StringLength(100)] string Category,
        [property: Required, StringLength(4000)] string Statement) : RootCauseCommand;

    /// <summary>Answers why: after the problem, or after a former answer.</summary>
    [Allow(Roles.QualityEngineer, Roles.ActionOwner)]
    public sealed record AnswerWhy([property: Required, StringLength(4000)] string Answer, Guid? AsksAfter = null)
        : RootCauseCommand;

    /// <summary>Notes where the problem is, where it could be but is not, and what sets the two apart.</summary>
    [Allow(Roles.QualityEngineer, Roles.ActionOwner)]
    public sealed record NoteContrast(
        ContrastAspect Aspect, [property: Required, StringLength(4000)] string Is,
        [property: Required, StringLength(4000)] string IsNot,
        [property: Required, StringLength(4000)] string Distinction) : RootCauseCommand;

    /// <summary>Proposes a cause with its chain of whys, or with the answer or influence it follows from.</summary>
    [Allow(Roles.QualityEngineer, Roles.ActionOwner)]
    public sealed record ProposeCause(
        CauseKind Kind,
        [property: Required, StringLength(100), RegularExpression("^[a-z0-9-]+([.][a-z0-9-]+)*$")] string Code,
        [property: Required, StringLength(4000)] string Statement,
        [property: MaxLength(20)] ValueList<string> WhyChain, Guid? WhyId = null, Guid? FactorId = null)
        : RootCauseCommand
    {
        /// <summary>The codes in force, looked up by the service.</summary>
        [JsonIgnore]
        public CauseCodeTree? Codes { get; init; }
    }

    /// <summary>Verifies a hypothesis.</summary>
    [Allow(Roles.QualityEngineer, Roles.Verifier)]
    public sealed record VerifyCause(
        Guid CauseId, VerificationMethod Method, [property: Required, StringLength(4000)] string Evidence)
        : RootCauseCommand;

    /// <summary>Refutes a hypothesis.</summary>
    [Allow(Roles.QualityEngineer, Roles.Verifier)]
    public sealed record RefuteCause(
        Guid CauseId, VerificationMethod Method, [property: Required, StringLength(4000)] string Evidence)
        : RootCauseCommand;

    /// <summary>Declares that the cause cannot be determined.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record DeclareCauseUnknown([property: Required, StringLength(4000)] string Justification)
        : RootCauseCommand;

    /// <summary>Records whether similar nonconformities exist or could occur.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record CheckExtent(
        [property: Required, StringLength(4000)] string Query, [property: MaxLength(500)] ValueList<ExtentHit> Hits)
        : RootCauseCommand;

    /// <summary>Completes the analysis (G10).</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record Complete(
        [property: StringLength(4000)] string? HumanErrorReason = null,
        [property: StringLength(4000)] string? HumanFactors = null) : RootCauseCommand;

    /// <summary>Sends it back to its owner.</summary>
    [Allow(Roles.Approver)]
    public sealed record SendBack([property: Required, StringLength(4000)] string Reason) : RootCauseCommand;

    /// <summary>Approves it with a signature.</summary>
    [Allow(Roles.Approver), Signs]
    public sealed record Approve : RootCauseCommand;

    /// <summary>Opens it again for the next cycle.</summary>
    [Allow(Roles.Service)]
    public sealed record Reopen(int Cycle, string Reason) : RootCauseCommand;
}
