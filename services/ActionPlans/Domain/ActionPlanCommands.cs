using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.ActionPlans.Domain;

/// <summary>What may be asked of a CAPA.</summary>
public abstract record ActionPlanCommand
{
    private ActionPlanCommand() { }

    /// <summary>Opens a CAPA without a nonconformity: preventive action.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record Open(
        [property: Required, StringLength(100)] string Site, [property: Required, StringLength(200)] string Title,
        [property: Required, StringLength(100)] string Owner, [property: Required, StringLength(4000)] string Reason,
        DeviationSubject? Subject = null) : ActionPlanCommand;

    /// <summary>Opens the CAPA that a nonconformity requires.</summary>
    [Allow(Roles.Service)]
    public sealed record OpenForNonconformity(
        Guid NonconformityId, string Site, string Title, string Owner, string Reason, DeviationSubject? Subject,
        DateTimeOffset? CountWindowFrom, bool Escaped) : ActionPlanCommand;

    /// <summary>Lets a further nonconformity join.</summary>
    [Allow(Roles.Service)]
    public sealed record JoinNonconformity(Guid NonconformityId) : ActionPlanCommand;

    /// <summary>Takes over what an approved analysis found.</summary>
    [Allow(Roles.Service)]
    public sealed record ReceiveCauses(
        Guid RootCauseId, int Cycle, ValueList<VerifiedCause> Causes, bool ExtentIsChecked) : ActionPlanCommand;

    /// <summary>Rates the risk before action, 1 to 5 each.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record RateRisk([property: Range(1, 5)] int Severity, [property: Range(1, 5)] int Likelihood)
        : ActionPlanCommand
    {
        [JsonIgnore]
        public TableAnswer? Class { get; init; }
    }

    /// <summary>Rates the risk that remains once the actions are verified, 1 to 5 each.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record RateResidualRisk(
        [property: Range(1, 5)] int Severity, [property: Range(1, 5)] int Likelihood) : ActionPlanCommand
    {
        [JsonIgnore]
        public TableAnswer? Class { get; init; }
    }

    /// <summary>Rates a failure mode, 1 to 10 each: before action while planning, after it while monitoring.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record RateFailureMode(
        [property: Required, StringLength(200)] string FailureMode, [property: Range(1, 10)] int Severity,
        [property: Range(1, 10)] int Occurrence, [property: Range(1, 10)] int Detection) : ActionPlanCommand
    {
        [JsonIgnore]
        public TableAnswer? Priority { get; init; }
    }

    /// <summary>Records whether the planned action does harm elsewhere.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record CheckAdverseEffects(bool DoesHarm, [property: Required, StringLength(4000)] string Finding)
        : ActionPlanCommand;

    /// <summary>Names processes to which the action is to be carried over.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record PlanDeployment([property: MinLength(1), MaxLength(100)] ValueList<string> Processes)
        : ActionPlanCommand;

    /// <summary>Answers for one of them: carried over, with the reference, or not, with the reason.</summary>
    [Allow(Roles.QualityEngineer, Roles.ActionOwner)]
    public sealed record AnswerDeployment(
        [property: Required, StringLength(200)] string Process, Answer Answer) : ActionPlanCommand;

    /// <summary>Plans an action against verified causes.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record PlanAction(
        ActionKind Kind, [property: Required, StringLength(200)] string Title,
        [property: Required, StringLength(4000)] string Description,
        [property: Required, StringLength(100)] string Owner, DateOnly DueOn,
        [property: MaxLength(50)] ValueList<Guid> Causes) : ActionPlanCommand;

    /// <summary>Takes an action back before approval, or cancels it after.</summary>
    [Allow(Roles.QualityEngineer, Roles.Approver)]
    public sealed record CancelAction(Guid ActionId, [property: Required, StringLength(4000)] string Reason)
        : ActionPlanCommand;

    /// <summary>Replaces an action by a better one against the same causes, due no later.</summary>
    [Allow(Roles.QualityEngineer, Roles.Approver)]
    public sealed record ReplaceAction(
        Guid ActionId, [property: Required, StringLength(4000)] string Reason, ActionKind Kind,
        [property: Required, StringLength(200)] string Title,
        [property: Required, StringLength(4000)] string Description,
        [property: Required, StringLength(100)] string Owner, DateOnly DueOn) : ActionPlanCommand;

    /// <summary>Gives an action another owner; the former one keeps what they did and judges it no more.</summary>
    [Allow(Roles.QualityEngineer, Roles.Approver)]
    public sealed record ChangeActionOwner(
        Guid ActionId, [property: Required, StringLength(100)] string Owner,
        [property: Required, StringLength(4000)] string Reason) : ActionPlanCommand;

    /// <summary>Gives the CAPA another owner.</summary>
    [Allow(Roles.QualityEngineer, Roles.Approver)]
    public sealed record ChangeOwner(
        [property: Required, StringLength(100)] string Owner, [property: Required, StringLength(4000)] string Reason)
        : ActionPlanCommand;

    /// <summary>Asks for a later due date (G21).</summary>
    [Allow(Roles.ActionOwner, Roles.QualityEngineer)]
    public sealed record RequestExtension(
        Guid ActionId, DateOnly DueOn, [property: Required, StringLength(4000)] string Reason) : ActionPlanCommand;

    /// <summary>Grants the later due date that was asked for (G21).</summary>
    [Allow(Roles.Approver)]
    public sealed record GrantExtension(Guid ActionId) : ActionPlanCommand;

    /// <summary>Refuses it; the due date stays (G21).</summary>
    [Allow(Roles.Approver)]
    public sealed record RefuseExtension(Guid ActionId, [property: Required, StringLength(4000)] string Reason)
        : ActionPlanCommand;

    /// <summary>Defines how effectiveness is judged. The baseline is looked up, never sent by the caller.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record DefineEffectivenessCriteria(
        DateTimeOffset BaselineFrom, DateTimeOffset BaselineTo,
        [property: Range(0d, 1d, MinimumIsExclusive = true)] double ExpectedReduction,
        [property: Range(0d, 0.5, MinimumIsExclusive = true, MaximumIsExclusive = true)] double Significance,
        [property: Range(1, 3650)] int WindowDays, ExposureUnit ExposureUnit, DeviationSubject? Subject = null,
        [property: StringLength(4000)] string? BaselineReason = null,
        [property: Range(0d, 1d, MinimumIsExclusive = true, MaximumIsExclusive = true)]
        double? SuccessRunConfidence = null,
        [property: Range(0d, 1d, MinimumIsExclusive = true, MaximumIsExclusive = true)]
        double? SuccessRunReliability = null) : ActionPlanCommand
    {
        [JsonIgnore]
        public Evidence? Baseline { get; init; }
    }

    /// <summary>Proposes other criteria after the approval, while the window is not open (G22).</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record ProposeCriteriaChange(
        DefineEffectivenessCriteria Criteria, [property: Required, StringLength(4000)] string Reason)
        : ActionPlanCommand;

    /// <summary>Approves the other criteria with a signature (G22).</summary>
    [Allow(Roles.Approver), Signs]
    public sealed record ApproveCriteriaChange : ActionPlanCommand;

    /// <summary>Refuses the other criteria; those that were approved stay (G22).</summary>
    [Allow(Roles.Approver)]
    public sealed record RefuseCriteriaChange([property: Required, StringLength(4000)] string Reason)
        : ActionPlanCommand;

    /// <summary>Submits the plan for approval.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record Submit : ActionPlanCommand;

    /// <summary>Sends the plan back.</summary>
    [Allow(Roles.Approver)]
    public sealed record SendBack([property: Required, StringLength(4000)] string Reason) : ActionPlanCommand;

    /// <summary>Approves the plan with a signature (G11).</summary>
    [Allow(Roles.Approver), Signs]
    public sealed record Approve([property: StringLength(4000)] string? Rationale = null) : ActionPlanCommand;

    /// <summary>Begins work on an action.</summary>
    [Allow(Roles.ActionOwner, Roles.QualityEngineer)]
    public sealed record StartAction(Guid ActionId) : ActionPlanCommand;

    /// <summary>Reports an action done, with evidence (G12).</summary>
    [Allow(Roles.ActionOwner, Roles.QualityEngineer)]
    public sealed record CompleteAction(Guid ActionId, [property: Required, StringLength(4000)] string Evidence)
        : ActionPlanCommand;

    /// <summary>Verifies that an action was implemented (G13).</summary>
    [Allow(Roles.Verifier)]
    public sealed record VerifyAction(Guid ActionId, [property: Required, StringLength(4000)] string Finding)
        : ActionPlanCommand;

    /// <summary>Returns an action that was not implemented as reported.</summary>
    [Allow(Roles.Verifier)]
    public sealed record ReturnAction(Guid ActionId, [property: Required, StringLength(4000)] string Reason)
        : ActionPlanCommand;

    /// <summary>Notes that the effectiveness was evaluated.</summary>
    [Allow(Roles.Service)]
    public sealed record StartEffectivenessReview(int Cycle, Guid ReviewId, Verdict Proposed) : ActionPlanCommand;

    /// <summary>Takes over the signed verdict of a cycle.</summary>
    [Allow(Roles.Service)]
    public sealed record ReceiveVerdict(int Cycle, Guid ReviewId, Verdict Verdict, DateTimeOffset? WindowTo)
        : ActionPlanCommand;

    /// <summary>Closes the CAPA as effective with a signature (G16).</summary>
    [Allow(Roles.Approver), Signs]
    public sealed record Close(ClosingAnswers Answers) : ActionPlanCommand;

    /// <summary>Opens a closed CAPA again, because it recurred: the next cycle begins.</summary>
    [Allow(Roles.Approver)]
    public sealed record Reopen([property: Required, StringLength(4000)] string Reason) : ActionPlanCommand;

    /// <summary>Gives the CAPA up.</summary>
    [Allow(Roles.Approver)]
    public sealed record Cancel([property: Required, StringLength(4000)] string Reason) : ActionPlanCommand;
}
