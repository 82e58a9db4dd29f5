using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.RootCauses.Domain;

namespace CapaEngine.RootCauses;

/// <summary>
/// A CAPA that opens begins its analysis, which follows it to a new owner; one that turns out ineffective opens it
/// again.
/// </summary>
public sealed class Reactions(DeciderHandler<RootCauseAnalysis, RootCauseCommand, RootCauseEvent> analyses) : IReactions
{
    public IReadOnlyList<Family> Families { get; } = [Contracts.Families.ActionPlan];

    public async Task<ReactionOutcome> ReactAsync(IncomingEvent incoming, CancellationToken ct)
    {
        var capaId = incoming.StreamId;
        RootCauseCommand? command = incoming.Fact switch
        {
            ActionPlanEvent.Opened e => new RootCauseCommand.Start(
                capaId, e.NonconformityId, e.Site, e.Owner, e.Title, e.Subject, e.Escaped),
            ActionPlanEvent.OwnerChanged e => new RootCauseCommand.ChangeOwner(e.Owner),
            ActionPlanEvent.CycleStarted e => new RootCauseCommand.Reopen(e.Cycle, "The action was not effective."),
            _ => null,
        };
        if (command is null) return new ReactionOutcome.AlreadyDone();
        var context = incoming.ToContext(ServiceNames.RootCauses, "analysis");
        return ReactionOutcome.Of(
            await analyses.HandleAsync(RootCauseAnalysis.IdFor(capaId), command, context, ct));
    }
}
