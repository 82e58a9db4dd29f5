namespace CapaEngine.Nonconformities.Intake;

/// <summary>What became of a record of another system.</summary>
public enum ImportOutcome { Imported, Duplicate, Conflict, Quarantined }

/// <summary>The answer for one record, given when it is durable.</summary>
/// <param name="Position">Commit position of the event that records it.</param>
/// <param name="Reason">Why it was quarantined.</param>
public sealed record ImportReceipt(
    string? SourceSystem, string? SourceId, ImportOutcome Outcome, Guid? NonconformityId, ulong Position,
    Guid? QuarantineId, string? Reason, string? Detail)
{
    /// <summary>A receipt in the words of an import.</summary>
    public static ImportReceipt Of(Receipt receipt) => new(
        receipt.Source, receipt.Id,
        receipt.Outcome switch
        {
            IntakeOutcome.Accepted => ImportOutcome.Imported,
            IntakeOutcome.Duplicate => ImportOutcome.Duplicate,
            IntakeOutcome.Conflict => ImportOutcome.Conflict,
            _ => ImportOutcome.Quarantined,
        },
        receipt.NonconformityId, receipt.Position, receipt.QuarantineId, receipt.Reason, receipt.Detail);
}
