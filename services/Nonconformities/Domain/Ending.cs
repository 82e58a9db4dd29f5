using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.NonconformityEvent>;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;
using Fact = CapaEngine.Contracts.NonconformityEvent;
using Stage = CapaEngine.Nonconformities.Domain.NonconformityStage;

namespace CapaEngine.Nonconformities.Domain;

/// <summary>The ways out of a case beside rejection and closing, and what is possible after its end.</summary>
internal static class Ending
{
    public static Decision<Fact> Withdraw(Command.Withdraw c, Nonconformity state, CommandContext context) =>
        state switch
        {
            { Stage: not Stage.Reported } => NonconformityRules.WrongStage(state),
            _ when context.Person != state.ReportedBy =>
                Reject("not-the-reporter", "Only whoever reported a nonconformity can withdraw the report."),
            { Containment: ContainmentStage.InPlace } =>
                Reject("containment-in-place", "Containment is in place: lift it before withdrawing the report."),
            _ => Accept(new Fact.Withdrawn(context.Person, c.Reason)),
        };

    // G18. Nothing is undone: lines, notices and CAPAs stay as they are, and closing asks for all of them again.
    public static Decision<Fact> Reopen(Command.Reopen c, Nonconformity state, CommandContext context)
    {
        var reopened = new Fact.Reopened(context.Person, c.Reason);
        return state.Stage switch
        {
            Stage.Closed => Accept(reopened),
            Stage.Open when state.Reopening == reopened => Accept(),
            _ => NonconformityRules.WrongStage(state),
        };
    }

    // G19
    public static Decision<Fact> Correct(Command.Correct c, Nonconformity state, CommandContext context)
    {
        if (c is { Title: null, Description: null, Requirement: null, Product: null, Process: null })
            return Reject("nothing-to-correct", "The correction names nothing that is to change.");
        if (IsBlank(c.Title) || IsBlank(c.Description))
            return Reject("nothing-left", "Title and description can be corrected but not emptied.");
        if (c.Requirement is { } requirement && !Requirements.IsNamed(requirement)) return Requirements.Missing<Fact>();
        var changed = c with
        {
            Title = New(c.Title, state.Title), Description = New(c.Description, state.Description),
            Requirement = c.Requirement == state.Requirement ? null : c.Requirement,
            Product = New(c.Product, state.Product), Process = New(c.Process, state.Process),
        };
        return changed is { Title: null, Description: null, Requirement: null, Product: null, Process: null }
            ? Accept()
            : Accept(new Fact.Corrected(
                context.Person, c.Reason, changed.Title, changed.Description, changed.Requirement, changed.Product,
                changed.Process, SupersedesSignature: state is { Stage: Stage.Closed, SourceSystem: null }));
    }

    private static bool IsBlank(string? text) => text is not null && string.IsNullOrWhiteSpace(text);

    private static string? New(string? asked, string? current) => asked == current ? null : asked;
}

/// <summary>
/// Merging a duplicate into another case (G20). The target is prepared first and cannot end or be merged itself until
/// the merge is settled, so that cases which are merged at the same time cannot form a circle.
/// </summary>
public static class Merging
{
    public static Guid MergeIdOf(CommandContext context) => context.DeriveId("merge");

    public static Decision<Fact> InProgress() =>
        Reject("merge-in-progress", "A duplicate is being merged into this case; try again.");

    public static Decision<Fact> Merge(Command.Merge c, Nonconformity state, CommandContext context)
    {
        var mergeId = MergeIdOf(context);
        return state switch
        {
            _ when context.Seen.Stream == Families.Nonconformity.Stream(c.IntoId) =>
                Reject("merge-into-itself", "A case is no duplicate of itself."),
            _ when state.LapsedMerges.Contains(mergeId) =>
                Reject("merge-lapsed", "This merge was given up; decide it anew."),
            _ when state.Lines.Count > 0 || state.ActiveCapas.Any() => Reject(
                "tracks-begun", "Dispositions or CAPAs were decided on this case; merge the other one into it."),
            _ when c.AdditionalQuantity > state.AffectedQuantity => Reject(
                "exceeds-affected-quantity", $"Only {state.AffectedQuantity:R} are affected by this case."),
            _ when !c.IsPrepared => Reject("merge-not-prepared", "The other case is not prepared for it."),
            _ => Accept(new Fact.Merged(mergeId, c.IntoId, context.Person, c.Reason, c.AdditionalQuantity)),
        };
    }

    // Whichever of the two comes first on this stream, the merge or its giving up, the other is refused for ever.
    public static Decision<Fact> GiveUp(Command.GiveUpMerge c, Nonconformity state) => state switch
    {
        _ when state.LapsedMerges.Contains(c.MergeId) => Accept(),
        _ when state.MergedInto?.MergeId == c.MergeId => Reject("merge-decided", "The merge has been decided."),
        _ => Accept(new Fact.MergeLapsed(c.MergeId)),
    };

    public static Decision<Fact> Prepare(Command.PrepareMerge c, Nonconformity state) => state switch
    {
        _ when state.Incoming.ContainsKey(c.MergeId) || state.SettledMerges.Contains(c.MergeId) => Accept(),
        _ when c.Site != state.Site => Reject("target-elsewhere", $"The other case belongs to the site {state.Site}."),
        { Stage: Stage.Merged } => Reject(
            "target-merged", $"The other case was merged itself, into {state.MergedInto!.IntoId}."),
        { Stage: Stage.Rejected } => Reject("target-rejected", "The other case was rejected."),
        { Stage: Stage.Withdrawn } => Reject("target-withdrawn", "The other case was withdrawn."),
        { Stage: Stage.Closed } => Reject("target-closed", "The other case is closed; reopen it first."),
        _ => Accept(new Fact.MergePrepared(c.MergeId, c.FromId)),
    };

    public static Decision<Fact> Absorb(Command.AbsorbDuplicate c, Nonconformity state) => state switch
    {
        _ when state.SettledMerges.Contains(c.MergeId) => Accept(),
        _ when !state.Incoming.ContainsKey(c.MergeId) =>
            Reject("merge-not-prepared", "This case is not prepared to take in that one."),
        _ => Accept([
            new Fact.DuplicateAbsorbed(
                c.MergeId, c.FromId, c.Lots, c.AdditionalQuantity, c.Hold, c.HoldDueHours, c.HoldIsInPlace),
            .. NonconformityRules.Attached(c.Deviations, state),
        ]),
    };

    public static Decision<Fact> Abandon(Command.AbandonMerge c, Nonconformity state) => state switch
    {
        _ when state.SettledMerges.Contains(c.MergeId) => Accept(),
        _ when !state.Incoming.ContainsKey(c.MergeId) =>
            Reject("merge-not-prepared", "No such merge was prepared here."),
        _ => Accept(new Fact.MergeAbandoned(c.MergeId)),
    };
}
