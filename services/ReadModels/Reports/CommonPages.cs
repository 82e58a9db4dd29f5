using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Reports;

/// <summary>What all reports show alike.</summary>
internal static class CommonPages
{
    /// <summary>The report of sections, with what must be said of every print.</summary>
    public static ReportDocument Document<T>(
        Report<T> report, string title, string subject, string fileName, Sections sections) => new(
        title, subject, FileNameOf(fileName), report.GeneratedAt, report.ContentHash, sections.All,
        [
            new("Generated at", Wording.Time(report.GeneratedAt)),
            new("Position in the log", report.AsOf.Position.ToString(
                System.Globalization.CultureInfo.InvariantCulture)),
            new("State shown", string.Join(
                ", ", report.AsOf.Streams.Select(stream => $"{stream.Stream}@{stream.Revision}"))),
            new("Content hash (SHA-256)", report.ContentHash),
            new("Persons", "are shown by their id; beside a signature stands the printed name."),
        ]);

    /// <summary>A file name that every system takes: letters, digits, dots and hyphens.</summary>
    public static string FileNameOf(string name) =>
        string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' ? c : '-'));

    public static Sections Case(this Sections sections, CaseDescription one) => sections.Lines(
        new("Number", Said.OrOpen(one.Number, "not yet assigned")),
        new("Title", one.Title),
        new("Description", one.Description),
        new("Stage", Wording.Words(one.Stage)),
        new("Severity", Said.OrNone(one.Severity)),
        new("Site", one.Site),
        new("Product", Said.OrNone(one.Product)),
        new("Process", Said.OrNone(Wording.Joined([.. new[] { one.Process, one.Station }.OfType<string>()]))),
        new("Characteristic", Said.OrNone(one.Characteristic)),
        new("Defect code", Said.OrNone(one.DefectCode)),
        new("Lots", Said.OrNone(Wording.Joined([.. one.Lots]))),
        new("Serial numbers", Said.OrNone(Wording.Joined([.. one.Serials]))),
        new("Affected quantity", Said.OrNone(
            one.AffectedQuantity is { } affected ? Wording.Quantity(affected, one.Unit) : null)),
        new("Source", Said.OrNone(one.Source is { } source ? Wording.Words(source) : null)),
        new("Detected", Detected(one.DetectedAt, one.DetectionStage)),
        new("Reported", Wording.ByAt(one.ReportedBy, one.ReportedAt)!),
        new("Deviations", one.DeviationCount == 0 ? "none attached" : $"{one.DeviationCount}, from "
            + $"{Wording.Time(one.DeviationsFrom)} to {Wording.Time(one.DeviationsTo)}"),
        new("Accepted", one is { BySource: not null, AcceptedBy: null }
            ? Said.OrNone(null) : Said.OrOpen(Wording.ByAt(one.AcceptedBy, one.AcceptedAt))),
        new("Closed", Said.OrOpen(Wording.ByAt(one.ClosedBy, one.ClosedAt), "not yet closed")))
        .BySource(one.BySource);

    private static Sections BySource(this Sections sections, ToldBySource? told) => told is null ? sections
        : sections.Text("Another system told of this case; nothing of it was verified here.").Lines(
            new("System", told.SourceSystem), new("Its id there", told.SourceId),
            new("Its status there", Said.OrNone(told.SourceStatus)), new("Supplier", Said.OrNone(told.Supplier)),
            new("Product code", Said.OrNone(told.ProductCode)), new("Cause stated", Said.OrNone(told.Cause)),
            new("Code of the cause", Said.OrNone(told.CauseCode)), new("Action stated", Said.OrNone(told.Action)),
            new("Remarks", Said.OrNone(told.Remarks)), new("Told otherwise later", $"{told.ConflictCount} times"));

    /// <summary>Where a track of the case stands.</summary>
    public static Said StateOf(string? state) => state switch
    {
        null => "decided by the system it comes from, not here",
        "undecided" => Said.OrOpen(null),
        _ => Wording.Words(state),
    };

    public static string Detected(DateTimeOffset at, string? stage) =>
        stage is null ? Wording.Time(at) : $"{Wording.Time(at)}, {Wording.Words(stage)}";

    public static Sections Requirements(this Sections sections, IEnumerable<RequirementRef> requirements) =>
        sections.Table("Requirements not met", ["Standard:2", "Edition", "Clause", "Text:4"], requirements, one =>
            [one.Standard, one.Edition, one.Clause, Said.OrNone(one.Text)]);

    public static Sections Steps(this Sections sections, string caption, IEnumerable<ContainmentStep> steps) =>
        sections.Table(caption, ["Step", "By", "At", "Plan, evidence or reason:3", "Clean point:2"], steps, step =>
            [
                Wording.Words(step.Step), step.By, Wording.Time(step.At),
                Said.OrNone(step.DueAt is { } due ? $"{step.Text} (due {Wording.Time(due)})" : step.Text),
                Said.OrNone(step.CleanPoint),
            ]);

    public static Sections Notice(this Sections sections, CustomerNotice notice) => sections.Lines(
        new("Customer notice", StateOf(notice.State)),
        new("Decided", notice.State is null
            ? Said.OrNone(null) : Said.OrOpen(Wording.ByAt(notice.DecidedBy, notice.DecidedAt))),
        new("Justification", Said.OrNone(notice.Justification)),
        new("Due on", Said.OrNone(Wording.Day(notice.DueOn))),
        new("Informed", notice.State == "due"
            ? Said.OrOpen(null, "not yet informed") : Said.OrNone(Wording.ByAt(notice.InformedBy, notice.InformedAt))),
        new("Reference", Said.OrNone(notice.Reference)));

    /// <summary>Signatures with printed name, time and meaning; those that no longer hold say so.</summary>
    public static Sections Signatures(
        this Sections sections, string caption, IEnumerable<ShownSignature> signatures, string empty) =>
        sections.Table(
            caption, ["Printed name:2", "Meaning", "Signed at:2", "Act:2", "Covers:3", "Force:3"], signatures,
            one =>
            [
                $"{one.PrintedName} ({one.PersonId})", Wire.Name(one.Meaning), Wording.Time(one.SignedAt),
                Wording.Act(one.Act), $"{one.Stream} up to revision {one.Revision}, SHA-256 {one.ContentHash}",
                one.Superseded is { } ended
                    ? new Said(
                        $"SUPERSEDED by {Wording.Act(ended.Act)}, {ended.By}, {Wording.Time(ended.At)}"
                        + (ended.Reason is { } reason ? $": {reason}" : ""), Tone.Ended)
                    : "in force",
            ], empty);
}
