using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Concessions;
using CapaEngine.Nonconformities.Merges;
using Mediator;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;
using Plan = CapaEngine.Contracts.ActionPlanEvent;

namespace CapaEngine.Nonconformities;

/// <summary>
/// Copies the stage of each CAPA to the nonconformities it serves, where closing asks for it (G17), gives back what
/// was drawn from a concession for a disposition that never came (G06), and finishes merges that were
/// interrupted (G20).
/// </summary>
public sealed class Reactions(IEventStore store, ISender sender, ConcessionDraws draws, CaseMerges merges)
    : IReactions
{
    public IReadOnlyList<Family> Families { get; } =
        [Contracts.Families.ActionPlan, Contracts.Families.Concession, Contracts.Families.Nonconformity];

    public async Task<ReactionOutcome> ReactAsync(IncomingEvent incoming, CancellationToken ct) => incoming.Fact switch
    {
        ConcessionEvent.Drawn drawn => await draws.SettleAsync(incoming, drawn, ct),
        NonconformityEvent.MergePrepared prepared => await merges.SettleAsync(incoming, prepared, ct),
        NonconformityEvent.Merged => await merges.FinishAsync(incoming, ct),
        ConcessionEvent or NonconformityEvent => new ReactionOutcome.AlreadyDone(),
        _ => await NoteStageAsync(incoming, ct),
    };

    private async Task<ReactionOutcome> NoteStageAsync(IncomingEvent incoming, CancellationToken ct)
    {
        var plan = await ReadAsync(incoming, ct);
        if (plan.Stage is not { } stage) return new ReactionOutcome.AlreadyDone();
        ReactionOutcome outcome = new ReactionOutcome.AlreadyDone();
        foreach (var nonconformityId in plan.Serves)
        {
            var note = new Command.NoteCapaStage(incoming.StreamId, stage, plan.Cycle, plan.Verdict);
            var context = incoming.ToContext(ServiceNames.Nonconformities, $"note-stage/{nonconformityId:D}");
            var noted = ReactionOutcome.Of(
                await sender.Send(new HandleNonconformity(nonconformityId, note, context), ct));
            if (noted is ReactionOutcome.NotYet or ReactionOutcome.Refused) return noted;
            if (noted is ReactionOutcome.Done) outcome = noted;
        }

        return outcome;
    }

    // The plan as it was at the event: reading on would tell a later stage under an earlier event.
    private async Task<PlanSeen> ReadAsync(IncomingEvent incoming, CancellationToken ct)
    {
        var seen = new PlanSeen([], 1, null, null);
        await foreach (var recorded in store.ReadStreamAsync(incoming.Stream, 0, incoming.Revision + 1, ct))
            seen = Evolve(seen with { Stage = null }, EventCatalog.Deserialize(recorded.Type, recorded.Data.Span));
        return seen;
    }

    private static PlanSeen Evolve(PlanSeen seen, object fact) => fact switch
    {
        Plan.Opened e => seen with
        {
            Serves = e.NonconformityId is { } id ? seen.Serves.Add(id) : seen.Serves, Stage = PlanStage.AwaitingCause,
        },
        Plan.NonconformityJoined e => seen with { Serves = seen.Serves.Add(e.NonconformityId), Stage = seen.Current },
        Plan.CausesReceived => seen.At(PlanStage.Planning),
        Plan.Submitted => seen.At(PlanStage.PlanInApproval),
        Plan.SentBack => seen.At(PlanStage.Planning),
        Plan.Approved => seen.At(PlanStage.Implementing),
        Plan.MonitoringStarted => seen.At(PlanStage.Monitoring),
        Plan.EffectivenessReviewStarted => seen.At(PlanStage.InEffectivenessReview),
        Plan.VerdictReceived { Verdict: Verdict.Inconclusive } => seen.At(PlanStage.Monitoring, Verdict.Inconclusive),
        Plan.VerdictReceived e => seen.At(PlanStage.InEffectivenessReview, e.Verdict),
        Plan.CycleStarted e => seen.At(PlanStage.AwaitingCause) with { Cycle = e.Cycle },
        Plan.Closed => seen.At(PlanStage.Closed, Verdict.Effective),
        Plan.Cancelled => seen.At(PlanStage.Cancelled),
        _ => seen,
    };

    /// <summary>A plan as far as its nonconformities are concerned.</summary>
    /// <param name="Stage">The stage that the last event is to tell; null where it changes nothing.</param>
    private sealed record PlanSeen(ValueList<Guid> Serves, int Cycle, Verdict? Verdict, PlanStage? Stage)
    {
        /// <summary>The stage reached so far.</summary>
        public PlanStage Current { get; init; } = PlanStage.AwaitingCause;

        public PlanSeen At(PlanStage stage, Verdict? verdict = null) =>
            this with { Stage = stage, Current = stage, Verdict = verdict ?? Verdict };
    }
}
