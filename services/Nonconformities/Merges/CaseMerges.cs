using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;

namespace CapaEngine.Nonconformities.Merges;

/// <summary>
/// Merges a duplicate in three steps on two streams: the other case is prepared, the duplicate ends, and what it held
/// becomes the other case's. After a crash the reactions to the first two steps carry on or give up.
/// </summary>
public sealed class CaseMerges(
    DeciderHandler<Nonconformity, Command, NonconformityEvent> decider, TimeProvider clock)
{
    // So long whoever prepared the merge may still be at it; later it is taken to have been abandoned.
    private static readonly TimeSpan MergingTimeMax = TimeSpan.FromSeconds(30);

    /// <summary>Carries out a merge that a person asks for.</summary>
    public async Task<CommandOutcome> MergeAsync(
        Guid id, Command.Merge asked, CommandContext context, CancellationToken ct)
    {
        var prepared = asked with { IsPrepared = true };
        var preview = await decider.PreviewAsync(id, prepared, context, ct);
        if (preview.Outcome is { } settled) return settled;

        var mergeId = Merging.MergeIdOf(preview.Context);
        var preparing = await decider.HandleAsync(
            asked.IntoId, new Command.PrepareMerge(mergeId, id, preview.State.Site!),
            context.ForStep(mergeId, "prepare"), ct);
        if (preparing is CommandOutcome.NotFound)
            return new CommandOutcome.Rejected("unknown-target", $"There is no nonconformity {asked.IntoId}.");
        if (preparing is not CommandOutcome.Done) return preparing;

        var merged = await decider.HandleAsync(id, prepared, context, ct);
        // Where a step was not carried out for certain, the reactions find out and finish it.
        if (merged is CommandOutcome.Done) await AbsorbAsync(id, context, ct);
        else if (merged is not CommandOutcome.Unavailable) await GiveUpAsync(id, asked.IntoId, mergeId, context, ct);
        return merged;
    }

    /// <summary>Takes what a merged case held over to the case it was merged into.</summary>
    public async Task<ReactionOutcome> FinishAsync(IncomingEvent incoming, CancellationToken ct) =>
        ReactionOutcome.Of(await AbsorbAsync(
            incoming.StreamId, incoming.ToContext(ServiceNames.Nonconformities, "absorb"), ct));

    /// <summary>Gives up a merge that was prepared and never decided.</summary>
    public async Task<ReactionOutcome> SettleAsync(
        IncomingEvent incoming, NonconformityEvent.MergePrepared prepared, CancellationToken ct)
    {
        var (target, _) = await decider.LoadAsync(incoming.StreamId, ct);
        if (target.SettledMerges.Contains(prepared.MergeId)) return new ReactionOutcome.AlreadyDone();
        var (source, _) = await decider.LoadAsync(prepared.FromId, ct);
        if (source.MergedInto?.MergeId == prepared.MergeId) return new ReactionOutcome.AlreadyDone();
        if (clock.GetUtcNow() - incoming.Metadata.RecordedAt < MergingTimeMax)
            return new ReactionOutcome.NotYet("merge-pending");
        return ReactionOutcome.Of(await GiveUpAsync(
            prepared.FromId, incoming.StreamId, prepared.MergeId,
            incoming.ToContext(ServiceNames.Nonconformities, "settle"), ct));
    }

    private async Task<CommandOutcome> AbsorbAsync(Guid fromId, CommandContext context, CancellationToken ct)
    {
        var (from, _) = await decider.LoadAsync(fromId, ct);
        var merged = from.MergedInto!;
        var isHeld = from.Containment is ContainmentStage.Planned or ContainmentStage.InPlace;
        var absorb = new Command.AbsorbDuplicate(
            merged.MergeId, fromId, from.Lots, merged.AdditionalQuantity,
            isHeld ? from.ContainmentPlan?.Description : null, isHeld ? from.ContainmentPlan?.DueHours : null,
            from.Containment == ContainmentStage.InPlace,
            from.Deviations.OrderBy(entry => entry.Value).ThenBy(entry => entry.Key)
                .Select(entry => new CountedDeviation(entry.Key, entry.Value)).ToValueList());
        return await decider.HandleAsync(merged.IntoId, absorb, context.ForStep(merged.MergeId, "absorb"), ct);
    }

    private async Task<CommandOutcome> GiveUpAsync(
        Guid fromId, Guid intoId, Guid mergeId, CommandContext context, CancellationToken ct)
    {
        var givenUp = await decider.HandleAsync(
            fromId, new Command.GiveUpMerge(mergeId, intoId), context.ForStep(mergeId, "give-up"), ct);
        if (givenUp is CommandOutcome.Rejected { Code: "merge-decided" })
            return new CommandOutcome.Done(fromId, -1, LogPosition.Start, 0);
        return givenUp is not CommandOutcome.Done
            ? givenUp
            : await decider.HandleAsync(
                intoId, new Command.AbandonMerge(mergeId), context.ForStep(mergeId, "abandon"), ct);
    }
}
