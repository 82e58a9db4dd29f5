using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>
/// Reads again what was not understood. It is recorded on the streams of what it holds first, where a repetition is a
/// duplicate, and then leaves the quarantine.
/// </summary>
public sealed class Replays(
    DeciderHandler<QuarantinedItem, QuarantineCommand, QuarantineEvent> quarantine, MessageReader reader,
    IntakeLog log, TimeProvider clock)
{
    private static readonly string[] Types = [.. MachineIntake.MachineTypes, ImportedCase.Type];

    /// <summary>Tries to understand it by today's reading and the rights of the caller.</summary>
    public async Task<CommandOutcome> ReplayAsync(
        Guid id, Sender sender, CommandContext context, CancellationToken ct)
    {
        var replay = new QuarantineCommand.Replay();
        var (state, _) = await quarantine.LoadAsync(id, ct);
        if (state.Kept is not { } kept) return await quarantine.HandleAsync(id, replay, context, ct);

        var item = IntakeBody.ReadLine(Convert.FromBase64String(kept.Content));
        var understood = reader.Read(item, sender, Types, clock.GetUtcNow());
        if (understood.Why is { } why)
            return await quarantine.HandleAsync(id, replay with { Why = why.Message }, context, ct);

        // Nothing is recorded for a command that would be refused, or was given before.
        var expected = replay with { Result = new ReplayResult(null, null, null, "") };
        if ((await quarantine.PreviewAsync(id, expected, context, ct)).Outcome is { } settled) return settled;
        var receipts = new List<Receipt>();
        try
        {
            foreach (var machine in understood.Events) receipts.Add(await log.RecordAsync(machine, sender, ct));
        }
        catch (NotUnderstoodException never)
        {
            return await quarantine.HandleAsync(id, replay with { Why = never.Message }, context, ct);
        }

        return await quarantine.HandleAsync(
            id, replay with { Result = ResultOf(item.Envelope!, receipts) }, context, ct);
    }

    private static ReplayResult ResultOf(Envelope message, List<Receipt> receipts)
    {
        var outcome = receipts.Count == 0 ? IntakeOutcome.Ignored : Receipt.OfAll(message, receipts).Outcome;
        return new ReplayResult(
            receipts.FirstOrDefault(receipt => receipt.DeviationId is not null)?.DeviationId,
            receipts.FirstOrDefault(receipt => receipt.ProductionId is not null)?.ProductionId,
            receipts.FirstOrDefault()?.NonconformityId,
            JsonNamingPolicy.KebabCaseLower.ConvertName(outcome.ToString()));
    }
}
