using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>What people do with what machines sent: dismiss a deviation, replay what was not understood.</summary>
public sealed class IntakeCare(IntakeLog log, MessageReader reader, TimeProvider clock)
{
    private static readonly string[] Types = [.. MachineIntake.MachineTypes, ImportedCase.Type];

    /// <summary>Records that a deviation is none, with the reason. It stays in the log and counts no further.</summary>
    public async Task<CommandOutcome> DismissAsync(Guid id, string reason, Sender sender, CancellationToken ct)
    {
        var recorded = await log.ReadAsync(Families.Deviation.Stream(id), ct);
        if (recorded.Count == 0) return new CommandOutcome.NotFound();
        var first = (DeviationEvent.Received)EventCatalog.Deserialize(recorded[0].Type, recorded[0].Data.Span);
        if (!sender.Actor.IsAt(first.Site)) return new CommandOutcome.NotFound();
        var dismissed = new DeviationEvent.Dismissed(sender.Actor.PersonId, reason);
        return await NoteAsync(id, recorded, dismissed, sender, ct);
    }

    /// <summary>Tries to understand what is in quarantine by today's reading and the rights of the caller.</summary>
    public async Task<CommandOutcome> ReplayAsync(Guid id, Sender sender, CancellationToken ct)
    {
        var recorded = await log.ReadAsync(Families.Quarantine.Stream(id), ct);
        if (recorded.Count == 0) return new CommandOutcome.NotFound();
        if (recorded.Any(entry => entry.Type == "quarantine.replayed.v1"))
            return new CommandOutcome.Done(id, recorded[^1].Revision, recorded[^1].Position, 0);
        var kept = (QuarantineEvent.Received)EventCatalog.Deserialize(recorded[0].Type, recorded[0].Data.Span);
        var item = IntakeBody.ReadLine(Convert.FromBase64String(kept.Content));
        var understood = reader.Read(item, sender, Types, clock.GetUtcNow());
        if (understood.Why is { } why)
            return new CommandOutcome.Rejected("still-not-understood", $"It is still not understood: {why.Message}.");
        var receipts = new List<Receipt>();
        try
        {
            foreach (var machine in understood.Events) receipts.Add(await log.RecordAsync(machine, sender, ct));
        }
        catch (NotUnderstoodException never)
        {
            return new CommandOutcome.Rejected(never.Reason, $"It cannot be recorded: {never.Message}.");
        }

        var replayed = new QuarantineEvent.Replayed(
            sender.Actor.PersonId, receipts.FirstOrDefault(receipt => receipt.DeviationId is not null)?.DeviationId,
            receipts.FirstOrDefault(receipt => receipt.ProductionId is not null)?.ProductionId,
            NameOf(receipts.Count == 0 ? IntakeOutcome.Ignored : Receipt.OfAll(item.Envelope!, receipts).Outcome))
        {
            NonconformityId = receipts.FirstOrDefault()?.NonconformityId,
        };
        return await NoteAsync(id, recorded, replayed, sender, ct);
    }

    private static string NameOf(IntakeOutcome outcome) =>
        JsonNamingPolicy.KebabCaseLower.ConvertName(outcome.ToString());

    private async Task<CommandOutcome> NoteAsync(
        Guid id, IReadOnlyList<RecordedEvent> recorded, object fact, Sender sender, CancellationToken ct)
    {
        var last = recorded[^1];
        if (recorded.FirstOrDefault(entry => entry.Type == EventCatalog.NameOf(fact)) is { } before)
            return new CommandOutcome.Done(id, before.Revision, before.Position, 0);
        return await log.NoteAsync(last, fact, sender, ct) is { } position
            ? new CommandOutcome.Done(id, last.Revision + 1, position, 1)
            : new CommandOutcome.Unavailable("too-busy", "Something was added to this record meanwhile; try again.");
    }
}
