using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Reports;

/// <summary>The 8D report as people read it: D0 to D4 and D8.</summary>
internal static partial class EightDPages
{
    public static ReportDocument Of(Report<EightDReport> report)
    {
        var one = report.Content;
        var name = one.Capa.Number ?? one.Capa.Id.ToString("D");
        var sections = new Sections();
        Head(sections, one);
        Emergency(sections, one.D0);
        TeamOf(sections, one.D1);
        ProblemOf(sections, one.D2);
        Interim(sections, one.D3);
        Causes(sections, one.D4);
        Chosen(sections, one.D5);
        Implemented(sections, one.D6);
        Prevented(sections, one.D7);
        Recognised(sections, one.D8);
        return CommonPages.Document(report, "8D report", name, $"{name}-8D", sections);
    }

    private static void Head(Sections sections, EightDReport one)
    {
        var capa = one.Capa;
        sections.Begin("Corrective and preventive action").Lines(
            new("Number", Said.OrOpen(capa.Number, "not yet assigned")), new("Title", capa.Title),
            new("Reason", capa.Reason), new("Site", capa.Site), new("Owner", capa.Owner),
            new("Stage", Wording.Words(capa.Stage)), new("Cycle", $"{capa.Cycle}"),
            new("Opened", Wording.Time(capa.OpenedAt)),
            new("Closed", Said.OrOpen(Wording.Time(capa.ClosedAt), "not yet closed")));
        if (capa.CancelledAt is { } cancelled)
            sections.Text(new Said($"Cancelled at {Wording.Time(cancelled)}: {capa.CancelReason}", Tone.Ended));
        if (one.Nonconformities.Count == 0 && one.NonconformitiesElsewhere == 0)
            sections.Text("It serves no nonconformity: it is preventive.");
        if (one.NonconformitiesElsewhere > 0)
            sections.Text($"{one.NonconformitiesElsewhere} further nonconformities of other sites are not shown.");
        foreach (var served in one.Nonconformities)
            sections.Begin($"Nonconformity {served.Name}").Case(served).Requirements(served.Requirements);
    }

    private static void Emergency(Sections sections, EmergencyResponse d0)
    {
        sections.Begin("D0 Emergency response").Open(d0.Open);
        foreach (var one in d0.Cases)
            sections.Lines(
                new Line("Nonconformity", one.Case),
                new Line("Detected", Wording.Time(one.DetectedAt)),
                new Line("First response", Said.OrOpen(one.FirstStep is { } first
                    ? $"{Wording.Words(first.Step)}: {first.Text} ({Wording.ByAt(first.By, first.At)})" : null)),
                new Line("Hours from detection to it", Said.OrOpen(Wording.Number(one.HoursToResponse))),
                new Line("Lots on hold from the report on", Said.OrNone(Wording.Joined([.. one.HeldLots]))))
                .Notice(one.CustomerNotice);
    }

    private static void TeamOf(Sections sections, Team d1) => sections.Begin("D1 Team").Open(d1.Open)
        .Lines(new Line("Owner", d1.Owner))
        .Table("Persons and their parts", ["Person", "Parts:3"], d1.Members, member =>
            [member.PersonId, string.Join("; ", member.Parts)]);

    private static void ProblemOf(Sections sections, Problem d2)
    {
        sections.Begin("D2 Problem").Open(d2.Open);
        foreach (var asked in d2.Questions)
            sections.Lines(
                new("Nonconformity", asked.Case), new("What", asked.What), new("Where", Said.OrNone(asked.Where)),
                new("When", asked.When), new("Who reported it", asked.Who),
                new("Why it is one", Said.OrNone(asked.Why)),
                new("How it was found", Said.OrNone(asked.How)), new("How many", Said.OrNone(asked.HowMany)));
        sections.Table(
            "Is and is not", ["Aspect", "Is:3", "Is not:3", "Distinction:3", "Noted:2"], d2.Contrasts, contrast =>
            [
                contrast.Aspect, contrast.Is, contrast.IsNot, contrast.Distinction,
                Wording.ByAt(contrast.NotedBy, contrast.NotedAt)!,
            ]);
    }

    private static void Interim(Sections sections, InterimContainment d3)
    {
        sections.Begin("D3 Interim containment").Open(d3.Open);
        foreach (var one in d3.Cases)
            sections.Steps($"{one.Case}: {CommonPages.StateOf(one.State).Text}", one.Steps);
        Progress(sections, "Containment actions of the plan", d3.Actions, "None are planned.");
    }

    private static void Causes(Sections sections, CauseAnalysis d4)
    {
        sections.Begin("D4 Root cause and escape point").Open(d4.Open).Lines(
            new("Problem analysed", Said.OrOpen(d4.Problem, "not yet started")),
            new("State", Said.OrOpen(d4.Status is { } status ? Wording.Words(status) : null, "not yet started")),
            new("Escape point due", Wording.YesNo(d4.EscapeIsDue)),
            new("Cause declared unknown", Said.OrNone(d4.UnknownJustification)),
            new("Human error accepted because", Said.OrNone(d4.HumanErrorReason)));
        foreach (var (kind, caption) in ((string, string)[])
            [("occurrence", "Why it happened"), ("escape", "Why it escaped"), ("system", "Why the system let it")])
        {
            sections.Table(
                caption, ["Cause:3", "Code:2", "Whys:3", "State", "Method", "Evidence:3", "Decided:2"],
                d4.Causes.Where(cause => cause.Kind == kind), cause =>
                [
                    cause.Statement, cause.Code, Said.OrNone(string.Join(" → ", cause.WhyChain)),
                    new Said(cause.Status, ToneOf(cause)), Said.OrOpen(cause.Method, "not yet verified"),
                    Said.OrOpen(cause.Evidence, "not yet verified"),
                    Said.OrOpen(Wording.ByAt(cause.DecidedBy, cause.DecidedAt)),
                ], kind == "escape" && !d4.EscapeIsDue ? "It did not reach a customer." : "None recorded.");
        }

        if (d4.Categories.Count > 0)
            sections.Lines(new Line("Categories of the diagram", string.Join(", ", d4.Categories)));
        sections.Table("Structured chain of whys", ["Answer:4", "Asked after:4", "By", "At:2"], d4.Whys, why =>
            [
                why.Answer, d4.Whys.FirstOrDefault(other => other.Id == why.AsksAfter)?.Answer ?? "the problem",
                why.AnsweredBy, Wording.Time(why.AnsweredAt),
            ])
            .Table("Influences by category", ["Category:2", "Influence:5", "By", "At:2"], d4.Factors, factor =>
                [factor.Category, factor.Statement, factor.NotedBy, Wording.Time(factor.NotedAt)])
            .Signatures("Approval of the analysis", d4.Approvals, "Not yet approved.");
    }

    private static Tone ToneOf(CauseView cause) => cause.Status switch
    {
        "verified" => Tone.Plain,
        "refuted" => Tone.Ended,
        _ => Tone.Open,
    };

    private static void Recognised(Sections sections, Recognition d8) => sections.Begin("D8 Closing and recognition")
        .Open(d8.Open)
        .Lines(
            new("Closed", Said.OrOpen(Wording.ByAt(d8.ClosedBy, d8.ClosedAt), "not yet closed")),
            new("Recognised for their part", Said.OrOpen(Wording.Joined([.. d8.Recognised]), "at closing")))
        .Signatures("Signature of closing", d8.Closings, "Not yet signed.");

    private static void Progress(
        Sections sections, string caption, IEnumerable<ActionProgress> actions, string empty) => sections.Table(
        caption,
        [
            "Action:3", "Cycle", "Owner", "Due:2", "Status", "Started:2", "Done:2", "Evidence:3", "Verified:2",
            "Finding:3",
        ],
        actions, action =>
        [
            action.ReturnCount == 0 ? action.Title : $"{action.Title} (returned {action.ReturnCount} times)",
            $"{action.Cycle}", action.Owner, Wording.Day(action.DueOn), action.Status,
            Said.OrOpen(Wording.Time(action.StartedAt), "not yet"),
            Said.OrOpen(Wording.ByAt(action.CompletedBy, action.CompletedAt), "not yet"),
            Said.OrOpen(action.Evidence, "not yet"),
            Said.OrOpen(Wording.ByAt(action.VerifiedBy, action.VerifiedAt), "not yet"),
            Said.OrOpen(action.Finding, "not yet"),
        ], empty);
}
