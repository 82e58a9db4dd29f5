using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;

namespace CapaEngine.Nonconformities.Concessions;

/// <summary>
/// What is used up is drawn first: a disposition that needs a concession draws it, then is decided. The nonconformity's
/// stream says which of the two a draw came to, its line decided or given up, so a draw is given back only when its
/// line can never be decided any more.
/// </summary>
public sealed class ConcessionDraws(
    DeciderHandler<Nonconformity, NonconformityCommand, NonconformityEvent> nonconformities,
    DeciderHandler<Concession, ConcessionCommand, ConcessionEvent> concessions, TimeProvider clock)
{
    // So long whoever drew may still be at it; later the draw is taken to have been abandoned.
    private static readonly TimeSpan DecidingTimeMax = TimeSpan.FromSeconds(30);

    /// <summary>Decides a disposition that names a concession.</summary>
    public async Task<CommandOutcome> DecideAsync(
        Guid nonconformityId, NonconformityCommand.DecideDisposition asked, CommandContext context,
        CancellationToken ct)
    {
        if (asked.ConcessionId is not { } concessionId)
            return await nonconformities.HandleAsync(nonconformityId, asked, context, ct);
        var drawn = asked with { IsDrawn = true };
        var preview = await nonconformities.PreviewAsync(nonconformityId, drawn, context, ct);
        if (preview.Outcome is { } settled) return settled;

        var (state, lineId) = (preview.State, Dispositions.LineIdOf(preview.Context));
        var draw = new ConcessionCommand.Draw(
            lineId, nonconformityId, state.Site!, state.Product, asked.Lot, state.Unit, asked.Quantity,
            state.DetectedAt);
        var outcome = await concessions.HandleAsync(concessionId, draw, context.ForStep(lineId, "draw"), ct);
        if (outcome is CommandOutcome.NotFound)
            return new CommandOutcome.Rejected("unknown-concession", $"There is no concession {concessionId}.");
        if (outcome is not CommandOutcome.Done) return outcome;

        var decided = await nonconformities.HandleAsync(nonconformityId, drawn, context, ct);
        // Where nobody knows whether it was decided, the reaction to the draw finds out.
        if (decided is not (CommandOutcome.Done or CommandOutcome.Unavailable))
            await GiveUpAsync(concessionId, nonconformityId, lineId, context, ct);
        return decided;
    }

    /// <summary>Gives a draw back whose disposition never came.</summary>
    public async Task<ReactionOutcome> SettleAsync(
        IncomingEvent incoming, ConcessionEvent.Drawn drawn, CancellationToken ct)
    {
        var (state, _) = await nonconformities.LoadAsync(drawn.NonconformityId, ct);
        if (state.Lines.Any(line => line.LineId == drawn.DrawId)) return new ReactionOutcome.AlreadyDone();
        if (clock.GetUtcNow() - incoming.Metadata.RecordedAt < DecidingTimeMax)
            return new ReactionOutcome.NotYet("disposition-pending");
        var context = incoming.ToContext(ServiceNames.Nonconformities, "settle");
        return ReactionOutcome.Of(
            await GiveUpAsync(incoming.StreamId, drawn.NonconformityId, drawn.DrawId, context, ct));
    }

    private async Task<CommandOutcome> GiveUpAsync(
        Guid concessionId, Guid nonconformityId, Guid lineId, CommandContext context, CancellationToken ct)
    {
        var givenUp = await nonconformities.HandleAsync(
            nonconformityId, new NonconformityCommand.GiveUpDraw(lineId, concessionId),
            context.ForStep(lineId, "give-up"), ct);
        // Decided after all: the draw stays.
        if (givenUp is CommandOutcome.Rejected { Code: "disposition-decided" })
            return new CommandOutcome.Done(nonconformityId, -1, LogPosition.Start, 0);
        return givenUp is not CommandOutcome.Done
            ? givenUp
            : await concessions.HandleAsync(
                concessionId, new ConcessionCommand.ReleaseDraw(lineId, "Its disposition was not decided."),
                context.ForStep(lineId, "release"), ct);
    }
}
