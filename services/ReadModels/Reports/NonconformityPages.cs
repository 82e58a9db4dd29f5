namespace CapaEngine.ReadModels.Reports;

/// <summary>The nonconformity report as people read it.</summary>
internal static class NonconformityPages
{
    public static ReportDocument Of(Report<NonconformityReport> report)
    {
        var one = report.Content;
        var sections = new Sections().Begin("1 Nonconformity").Open(one.Open).Case(one.Case)
            .Requirements(one.Case.Requirements);
        if (one.Finding is { } finding)
            sections.Lines(
                new("Audit", finding.Audit), new("Audit evidence", Said.OrNone(finding.Evidence)),
                new("Grade of the finding", Said.OrNone(finding.Grade)));
        sections.Begin("2 Containment")
            .Lines(
                new("State", CommonPages.StateOf(one.Containment.State)),
                new("Due", Said.OrNone(Wording.Time(one.Containment.DueAt))))
            .Steps("Steps of containment", one.Containment.Steps);
        Material(sections, one);
        sections.Begin("5 Customer notice").Notice(one.CustomerNotice);
        Cause(sections, one);
        sections.Begin("7 Signatures").Signatures("Signatures", one.Signatures, "Nothing is signed yet.");
        Changes(sections, one);
        sections.Begin("10 Timeline").Table(
            "Every event of the dossier, in the order of the log", ["At:2", "By:2", "Act:3", "Reason:4", "Event:3"],
            one.Timeline, entry =>
            [
                Wording.Time(entry.At), entry.By, Wording.Act(entry.Act), Said.OrNone(entry.Reason),
                $"{entry.Stream}@{entry.Revision}",
            ]);
        return CommonPages.Document(
            report, "Nonconformity report", one.Case.Name, $"{one.Case.Name}-nonconformity", sections);
    }

    private static void Material(Sections sections, NonconformityReport one)
    {
        sections.Begin("3 Disposition");
        if (one.UndecidedQuantity is > 0 and var undecided)
            sections.Lines(new Line("Quantity not yet decided", new Said(
                Wording.Quantity(undecided, one.Case.Unit), Tone.Open)));
        sections.Table(
            "Decided quantities and the authority that decided",
            ["Line:2", "Kind", "Quantity", "Lot", "Authority:2", "Decided at:2", "Reason:3", "Status", "Concession:2"],
            one.Dispositions, line =>
            [
                line.LineId.ToString("D"), Wording.Words(line.Kind), Wording.Quantity(line.Quantity, one.Case.Unit),
                Said.OrNone(line.Lot), line.AuthorityId, Wording.Time(line.DecidedAt), line.Reason,
                line.Status, Said.OrNone(line.ConcessionId?.ToString("D")),
            ], one.Case.AffectedQuantity is 0 ? "No output is affected." : "Nothing is decided yet.");
        sections.Table(
            "Execution and re-verification", ["Line:2", "Step:2", "By:2", "At:2", "Evidence or result:4", "Method:2"],
            one.Dispositions.SelectMany(line => line.Steps.Select(step => (line, step))), entry =>
            [
                entry.line.LineId.ToString("D"), Wording.Words(entry.step.Step), entry.step.By,
                Wording.Time(entry.step.At), entry.step.Text, Said.OrNone(entry.step.Method),
            ], "Nothing is carried out yet.");

        sections.Begin("4 Concessions");
        if (one.Concessions.Count == 0) sections.Text("None were asked for or drawn on.");
        foreach (var concession in one.Concessions)
            sections.Lines(
                new("Concession", $"{Wording.Words(concession.Kind)} {concession.Id:D}"),
                new("Status", concession.Status), new("Departs from", Wording.Requirement(concession.Requirement)),
                new("Departure", concession.Departure), new("Justification", concession.Justification),
                new("Lots", Said.OrNone(Wording.Joined([.. concession.Lots]))),
                new("Drawn by this case", Wording.Quantity(concession.DrawnHere, concession.Unit)
                    + (concession.QuantityMax is { } max ? $" of {Wording.Quantity(max, concession.Unit)}" : "")),
                new("Valid", Said.OrOpen(Validity(concession), "not yet granted")),
                new("Requested", Wording.ByAt(concession.RequestedBy, concession.RequestedAt)!),
                new("Decided", Said.OrOpen(Wording.ByAt(concession.DecidedBy, concession.DecidedAt))),
                new("Authority", Said.OrOpen(Wording.Joined(
                    [.. new[] { concession.Authority, concession.AuthorityReference }.OfType<string>()]))),
                new("Conditions", Said.OrNone(concession.Conditions)),
                new("Reason of refusal or revocation", Said.OrNone(concession.DecisionReason)));
    }

    private static string? Validity(ShownConcession concession) => concession.ValidFrom is not { } from ? null
        : $"from {Wording.Time(from)}" + (concession.ValidUntil is { } until ? $" until {Wording.Time(until)}" : "");

    private static void Cause(Sections sections, NonconformityReport one)
    {
        var decision = one.CauseDecision;
        sections.Begin("6 Cause decision").Lines(
                new("Corrective action", CommonPages.StateOf(decision.State)),
                new("Decided", decision.State is null
                    ? Said.OrNone(null) : Said.OrOpen(Wording.ByAt(decision.DecidedBy, decision.DecidedAt))),
                new("Justification", Said.OrNone(decision.Justification)),
                new("Recurrence rule overridden", Said.OrNone(decision.OverriddenBy is { } by
                    ? $"{by}: {decision.OverrideReason}" : null)))
            .Table(
                "CAPAs", ["Number:2", "Title:3", "Owner:2", "Reason:3", "Stage:2", "Cycle", "Verdict:2"], one.Capas,
                capa =>
                [
                    capa.Number ?? capa.Id.ToString("D"), capa.Title, capa.Owner, capa.Reason,
                    Wording.Words(capa.Stage), $"{capa.Cycle}", Said.OrOpen(capa.Verdict),
                ]);
    }

    private static void Changes(Sections sections, NonconformityReport one)
    {
        sections.Begin("8 Corrections").Table(
            "What was corrected", ["Member", "Old value:3", "New value:3", "By", "At:2", "Reason:3"], one.Corrections,
            change =>
            [
                change.Member, new Said(change.OldValue ?? "–", Tone.Ended), Said.OrNone(change.NewValue),
                change.CorrectedBy, Wording.Time(change.At), change.Reason,
            ], "Nothing was corrected.");
        sections.Begin("9 Relations").Lines(
                new("Ending", Said.OrNone(one.Relations.Ending is { } ending
                    ? $"{ending.Kind}: {Wording.ByAt(ending.By, ending.At)}: {ending.Reason}" : null)),
                new("Merged into", Said.OrNone(one.Relations.MergedInto?.ToString("D"))))
            .Table(
                "Duplicates taken in", ["Case:2", "Lots:2", "Additional quantity", "Hold:3", "At:2"],
                one.Relations.Absorbed, other =>
                [
                    other.FromId.ToString("D"), Said.OrNone(Wording.Joined([.. other.Lots])),
                    Wording.Quantity(other.AdditionalQuantity, one.Case.Unit), Said.OrNone(other.Hold),
                    Wording.Time(other.At),
                ], "None.")
            .Table("Reopened", ["By", "At:2", "Reason:4"], one.Relations.Reopened, again =>
                [again.By, Wording.Time(again.At), again.Reason], "Never.");
    }
}
