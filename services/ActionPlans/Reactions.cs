using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;

namespace CapaEngine.ActionPlans;

/// <summary>
/// What happens to a CAPA because something happened elsewhere: it opens, learns its causes, hands its criteria to the
/// review and takes the verdict back. A case that recurs on its subject is noted on the review.
/// </summary>
public sealed class Reactions(
    DeciderHandler<ActionPlan, ActionPlanCommand, ActionPlanEvent> plans,
    DeciderHandler<EffectivenessReview, EffectivenessCommand, EffectivenessEvent> reviews,
    IEventStore store) : IReactions
{
    private static readonly ReactionOutcome AlreadyDone = new ReactionOutcome.AlreadyDone();

    public IReadOnlyList<Family> Families { get; } =
    [
        Contracts.Families.Nonconformity, Contracts.Families.RootCause, Contracts.Families.ActionPlan,
        Contracts.Families.Effectiveness,
    ];

    public Task<ReactionOutcome> ReactAsync(IncomingEvent incoming, CancellationToken ct) => incoming.Fact switch
    {
        NonconformityEvent.CorrectiveActionRequired e =>
            OnPlanAsync(e.CapaId, Link(e, incoming.StreamId), incoming, ct),
        NonconformityEvent.Reported { SignatureCycle: > 1, Subject: { } subject } e =>
            NoteRecurrenceAsync(subject, e, incoming, ct),

        RootCauseEvent.Approved e => OnPlanAsync(
            e.CapaId,
            new ActionPlanCommand.ReceiveCauses(incoming.StreamId, e.Cycle, e.Causes, e.ExtentIsChecked), incoming, ct),
        RootCauseEvent.ExtentChecked => ReceiveLateExtentAsync(incoming, ct),

        ActionPlanEvent.Approved e => OnReviewAsync(
            incoming.StreamId, e.Cycle,
            new EffectivenessCommand.LockCriteria(
                incoming.StreamId, e.Cycle, e.Criteria.Subject.Site, e.Criteria, e.ActionOwners, e.ApprovedBy),
            incoming, ct),
        ActionPlanEvent.CriteriaChanged e => OnReviewAsync(
            incoming.StreamId, e.Cycle, new EffectivenessCommand.ChangeCriteria(e.Criteria, e.ApprovedBy), incoming,
            ct),
        ActionPlanEvent.MonitoringStarted e => OpenWindowAsync(e, incoming, ct),

        EffectivenessEvent.Evaluated e => OnPlanAsync(
            e.CapaId,
            new ActionPlanCommand.StartEffectivenessReview(e.Cycle, incoming.StreamId, e.Proposed), incoming, ct),
        EffectivenessEvent.SuccessRunEvaluated e => OnPlanAsync(
            e.CapaId,
            new ActionPlanCommand.StartEffectivenessReview(e.Cycle, incoming.StreamId, e.Proposed), incoming, ct),
        EffectivenessEvent.Approved e => OnPlanAsync(
            e.CapaId,
            new ActionPlanCommand.ReceiveVerdict(e.Cycle, incoming.StreamId, e.Verdict, e.WindowTo), incoming, ct),
        _ => Task.FromResult(AlreadyDone),
    };

    private static ActionPlanCommand Link(NonconformityEvent.CorrectiveActionRequired e, Guid nonconformityId) =>
        e.Link == CapaLink.Join
            ? new ActionPlanCommand.JoinNonconformity(nonconformityId)
            : new ActionPlanCommand.OpenForNonconformity(
                nonconformityId, e.Site, e.Title, e.CapaOwner, e.Reason, e.Subject, e.CountWindowFrom, e.Escaped);

    // Actions may have changed hands since the approval, when the review learnt who does not judge.
    private async Task<ReactionOutcome> OpenWindowAsync(
        ActionPlanEvent.MonitoringStarted started, IncomingEvent incoming, CancellationToken ct)
    {
        var (plan, _) = await plans.LoadAsync(incoming.StreamId, ct);
        var workers = plan.Cycle == started.Cycle ? plan.Workers : [];
        return await OnReviewAsync(
            incoming.StreamId, started.Cycle,
            new EffectivenessCommand.OpenWindow(started.From, started.To, workers), incoming, ct);
    }

    // The extent may be checked after the approval of the analysis, which then told the plan that it was not.
    private async Task<ReactionOutcome> ReceiveLateExtentAsync(IncomingEvent incoming, CancellationToken ct)
    {
        RootCauseEvent.Approved? approval = null;
        await foreach (var fact in FactsAsync(incoming.Stream, ct))
        {
            if (fact is RootCauseEvent.Approved approved) approval = approved;
            else if (fact is RootCauseEvent.Reopened) approval = null;
        }

        return approval is null
            ? AlreadyDone
            : await OnPlanAsync(
                approval.CapaId,
                new ActionPlanCommand.ReceiveCauses(
                    incoming.StreamId, approval.Cycle, approval.Causes, ExtentIsChecked: true),
                incoming, ct);
    }

    // A new case on a subject speaks against every CAPA of its former cases whose window is open.
    private async Task<ReactionOutcome> NoteRecurrenceAsync(
        DeviationSubject subject, NonconformityEvent.Reported reported, IncomingEvent incoming, CancellationToken ct)
    {
        var former = new List<Guid>();
        await foreach (var fact in FactsAsync(Contracts.Families.Signature.Stream(subject.SignatureId()), ct))
        {
            if (fact is SignatureEvent.Opened opened && opened.Cycle < reported.SignatureCycle)
                former.Add(opened.NonconformityId);
        }

        if (former.Count == 0) return new ReactionOutcome.NotYet("signature-not-found");
        var capas = new HashSet<Guid>();
        foreach (var nonconformityId in former)
        {
            await foreach (var fact in FactsAsync(Contracts.Families.Nonconformity.Stream(nonconformityId), ct))
                if (fact is NonconformityEvent.CorrectiveActionRequired required) capas.Add(required.CapaId);
        }

        var result = AlreadyDone;
        foreach (var capaId in capas)
        {
            var (plan, _) = await plans.LoadAsync(capaId, ct);
            if (plan.Stage is not (PlanStage.Monitoring or PlanStage.InEffectivenessReview)) continue;
            var outcome = await OnReviewAsync(
                capaId, plan.Cycle, new EffectivenessCommand.NoteRecurrence(incoming.StreamId, reported.DetectedAt),
                incoming, ct);
            if (outcome is ReactionOutcome.NotYet or ReactionOutcome.Refused) return outcome;
            if (outcome is ReactionOutcome.Done) result = outcome;
        }

        return result;
    }

    private async Task<ReactionOutcome> OnPlanAsync(
        Guid capaId, ActionPlanCommand command, IncomingEvent incoming, CancellationToken ct) =>
        Outcome(await plans.HandleAsync(
            capaId, command, incoming.ToContext(ServiceNames.ActionPlans, "plan"), ct));

    private async Task<ReactionOutcome> OnReviewAsync(
        Guid capaId, int cycle, EffectivenessCommand command, IncomingEvent incoming, CancellationToken ct) =>
        Outcome(await reviews.HandleAsync(
            EffectivenessReview.IdFor(capaId, cycle), command,
            incoming.ToContext(ServiceNames.ActionPlans, "review"), ct));

    // These refusals say that an event this one builds on has not been reacted to yet.
    private static ReactionOutcome Outcome(CommandOutcome outcome) => outcome switch
    {
        CommandOutcome.Rejected { Code: "review-not-started" or "window-not-opened" or "cycle-ahead" } early =>
            new ReactionOutcome.NotYet(early.Code),
        _ => ReactionOutcome.Of(outcome),
    };

    private async IAsyncEnumerable<object> FactsAsync(
        string stream, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var recorded in store.ReadStreamAsync(stream, 0, long.MaxValue, ct))
            yield return EventCatalog.Deserialize(recorded.Type, recorded.Data.Span);
    }
}
