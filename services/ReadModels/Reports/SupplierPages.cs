namespace CapaEngine.ReadModels.Reports;

/// <summary>The supplier corrective action request as the supplier reads it.</summary>
internal static class SupplierPages
{
    public static ReportDocument Of(Report<SupplierRequest> report)
    {
        var one = report.Content;
        var name = one.CaseNumber ?? one.CaseId.ToString("D");
        var sections = new Sections().Begin("1 Request").Open(one.Open).Lines(
            new("To", one.Supplier), new("Our reference", string.Join(", ", one.References)),
            new("Our site", one.Site),
            new("Our contact", Said.OrOpen(one.ContactPersonId)),
            new("Answer due on", Said.OrOpen(
                Wording.Day(one.AnswerDueOn), $"{one.AnswerDays} days after the case is accepted")));
        sections.Begin("2 What is wrong").Lines(
                new("Problem", one.Title), new("Description", one.Description),
                new("Severity", Said.OrNone(one.Severity)),
                new("Detected", CommonPages.Detected(one.DetectedAt, one.DetectionStage)),
                new("Product", Said.OrNone(one.Product)),
                new("Characteristic", Said.OrNone(one.Characteristic)),
                new("Defect code", Said.OrNone(one.DefectCode)),
                new("Lots", Said.OrNone(Wording.Joined([.. one.Lots]))),
                new("Serial numbers", Said.OrNone(Wording.Joined([.. one.Serials]))),
                new("Affected quantity", one.AffectedQuantity is { } affected
                    ? Wording.Quantity(affected, one.Unit) : Said.OrNone(null)))
            .Requirements(one.Requirements)
            .Table(
                one.DeviationCount > one.Deviations.Count
                    ? $"Deviations found ({one.Deviations.Count} of {one.DeviationCount} are shown)"
                    : "Deviations found",
                ["Detected at:2", "Lot", "Serial number", "Characteristic:2", "Defect code", "Measured", "Limits:2"],
                one.Deviations,
                found =>
                [
                    Wording.Time(found.DetectedAt), Said.OrNone(found.Lot), Said.OrNone(found.Serial),
                    Said.OrNone(found.Characteristic), Said.OrNone(found.DefectCode),
                    Said.OrNone(found.Measured is { } value ? $"{Wording.Number(value)} {found.Unit}".Trim() : null),
                    Said.OrNone(Limits(found)),
                ]);
        sections.Begin("3 What we did").Table(
            "Measures taken", ["Measure:3", "Lot", "Quantity", "At:2"], one.MeasuresTaken, measure =>
            [
                measure.What, Said.OrNone(measure.Lot),
                Said.OrNone(measure.Quantity is { } quantity ? Wording.Quantity(quantity, one.Unit) : null),
                Wording.Time(measure.At),
            ], "Nothing is decided yet.");
        sections.Begin("4 What we ask you to answer").Table(
            "Please answer each", ["Topic", "Question:4", "Your answer:4"], one.Asked, asked =>
                [asked.Topic, asked.Question, ""]);
        return CommonPages.Document(
            report, "Supplier corrective action request", $"{name}, {one.Supplier}", $"{name}-supplier-request",
            sections);
    }

    private static string? Limits(SuppliedDeviation found) => (found.LowerLimit, found.UpperLimit) switch
    {
        ({ } lower, { } upper) => $"{Wording.Number(lower)} to {Wording.Number(upper)} {found.Unit}".Trim(),
        ({ } lower, null) => $"at least {Wording.Number(lower)} {found.Unit}".Trim(),
        (null, { } upper) => $"at most {Wording.Number(upper)} {found.Unit}".Trim(),
        _ => null,
    };
}
