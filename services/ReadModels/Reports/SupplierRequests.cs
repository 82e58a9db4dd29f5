using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Reports;

/// <summary>Composes the request to a supplier, of nothing but what may leave the house.</summary>
internal static class SupplierRequests
{
    private static readonly AskedOfSupplier[] Asked =
    [
        new("Receipt", "Confirm that you received this request and name who answers it."),
        new("Containment", "Say what you hold, sorted or recalled, and from which lot or date your output is good."),
        new("Cause", "Say why it happened and why it was not found before delivery, and how you verified both."),
        new("Action", "Say what you change so that it cannot come back, who does it and by when."),
        new("Effectiveness", "Say how and when you will show by data that the action works."),
    ];

    /// <param name="isOnlySupplier">False where the case concerns further suppliers, whose goods stay out.</param>
    public static SupplierRequest Of(
        CaseFacts facts, string supplier, bool isOnlySupplier, SuppliedGoods goods, int answerDays)
    {
        var one = facts.Describe();
        var lots = isOnlySupplier ? one.Lots.Union(goods.Lots).ToList() : goods.Lots;
        DateOnly? due = one.AcceptedAt is { } accepted
            ? DateOnly.FromDateTime(accepted.UtcDateTime).AddDays(answerDays) : null;
        var contact = facts.Capas.Select(capa => capa.Owner).FirstOrDefault() ?? one.AcceptedBy;
        return new SupplierRequest(
            supplier, one.Id, one.Number, one.Site, one.Title, one.Description, one.Severity, one.DetectionStage,
            one.DetectedAt, one.Product, one.Characteristic, one.DefectCode, one.Requirements, lots,
            isOnlySupplier ? [.. one.Serials.Union(goods.Serials)] : goods.Serials,
            isOnlySupplier ? one.AffectedQuantity : null, one.Unit, goods.Shown, goods.Count,
            [.. Measures(facts, lots, isOnlySupplier)], Asked, answerDays, due, contact,
            [one.Number ?? one.Id.ToString("D"), .. facts.Capas.Select(capa => capa.Number).OfType<string>()],
            [.. Open(due, contact)]);
    }

    // The kind, the quantity and the time; never the words somebody wrote for colleagues.
    private static IEnumerable<MeasureTaken> Measures(
        CaseFacts facts, IReadOnlyCollection<string> lots, bool isOnlySupplier)
    {
        foreach (var step in facts.ContainmentSteps())
            yield return new MeasureTaken($"containment {Wording.Words(step.Step)}", null, null, step.At);
        foreach (var line in facts.Detail.Dispositions)
        {
            if (line.Lot is { } lot ? !lots.Contains(lot) : !isOnlySupplier) continue;
            yield return new MeasureTaken(
                $"{Wording.Words(line.Kind)}, {line.Status}", line.Lot, line.Quantity,
                line.FinishedAt ?? line.ExecutedAt ?? line.DecidedAt);
        }
    }

    private static IEnumerable<string> Open(DateOnly? due, string? contact)
    {
        if (due is null) yield return "The day of the answer is counted from acceptance, which is not yet decided.";
        if (contact is null) yield return "Who answers questions is not yet decided.";
    }
}
