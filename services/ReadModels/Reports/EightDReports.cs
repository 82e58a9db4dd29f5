using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Reports;

/// <summary>Composes the 8D report, D0 to D4 and D8. Pure: the same facts give the same report.</summary>
internal static partial class EightDReports
{
    public static EightDReport Of(CapaFacts facts)
    {
        var team = TeamOf(facts);
        return new EightDReport(
            Describe(facts), [.. facts.Cases.Select(one => one.Describe())], facts.CasesElsewhere,
            Emergency(facts), team, ProblemOf(facts), Interim(facts), Causes(facts), Chosen(facts), Implemented(facts),
            Prevented(facts), Recognised(facts, team));
    }

    private static CapaDescription Describe(CapaFacts facts)
    {
        var row = facts.Row;
        return new CapaDescription(
            row.Id, row.Number, row.Site, row.Title, row.Reason, row.Owner, row.Stage, row.Pdca, row.Cycle,
            row.OpenedAt, row.ClosedAt, row.CancelledAt,
            facts.History.Of<ActionPlanEvent.Cancelled>().LastOrDefault()?.Fact.Reason, row.Imported);
    }

    private static EmergencyResponse Emergency(CapaFacts facts) => new(
        [.. facts.Cases.Select(one =>
        {
            var first = one.ContainmentSteps() is [var earliest, ..] ? earliest : null;
            var row = one.Row;
            return new CaseResponse(
                row.Id, one.Describe().Name, row.DetectedAt, row.OpenedAt,
                first is null ? null : Math.Round((first.At - row.DetectedAt).TotalHours, 2), first, row.Lots,
                one.Notice());
        })],
        [.. Living(facts).SelectMany(one => Missing(
            (one.Row.Containment == "undecided", $"{one.Describe().Name}: containment is not yet decided."),
            (one.Row.CustomerNotice == "undecided",
                $"{one.Describe().Name}: whether the customer must be told is not yet decided."),
            (one.Row.CustomerNotice == "due", $"{one.Describe().Name}: the customer is not yet informed.")))]);

    private static Problem ProblemOf(CapaFacts facts) => new(
        [.. facts.Cases.Select(one => Questions(one.Describe()))],
        facts.Analysis?.Contrasts ?? [],
        Missing((facts.Analysis is null, "The analysis is not yet started.")));

    private static SevenQuestions Questions(CaseDescription one)
    {
        string?[] what = [one.Title, one.Product, one.Characteristic, one.DefectCode];
        string?[] where = [one.Site, one.Process, one.Station];
        string?[] many =
        [
            one.AffectedQuantity is > 0 and var affected ? $"{Wording.Quantity(affected, one.Unit)} affected" : null,
            one.DeviationCount > 0 ? $"{one.DeviationCount} deviations" : null,
            one.Lots.Count > 0 ? $"lots {string.Join(", ", one.Lots)}" : null,
        ];
        var when = one.DeviationsFrom is { } from && one.DeviationsTo is { } to && from != to
            ? $"{Wording.Time(one.DetectedAt)}; deviations from {Wording.Time(from)} to {Wording.Time(to)}"
            : Wording.Time(one.DetectedAt);
        return new SevenQuestions(
            one.Name, string.Join("; ", what.OfType<string>()) + ": " + one.Description, Joined(where), when,
            one.ReportedBy, Wording.Joined([.. one.Requirements.Select(Wording.Requirement)]),
            Joined([Words(one.DetectionStage), Words(one.Source)]), Joined(many));

        static string? Words(string? kebab) => kebab is null ? null : Wording.Words(kebab);

        static string? Joined(string?[] parts) => Wording.Joined([.. parts.OfType<string>()]);
    }

    private static InterimContainment Interim(CapaFacts facts) => new(
        [.. facts.Cases.Select(one => new CaseContainment(
            one.Describe().Name, one.Row.Containment, one.ContainmentSteps()))],
        [.. facts.Detail.Actions.Where(IsContainment).Select(Progress)],
        [
            .. Living(facts).SelectMany(one => Missing(
                (one.Row.Containment == "undecided", $"{one.Describe().Name}: containment is not yet decided."),
                (one.Row.Containment == "planned",
                    $"{one.Describe().Name}: containment is planned, but not yet verified to be in place."))),
            .. facts.Detail.Actions.Where(action => IsContainment(action) && IsUnfinished(action))
                .Select(action => $"The containment action \"{action.Title}\" is not yet verified."),
        ]);

    private static CauseAnalysis Causes(CapaFacts facts)
    {
        if (facts.Analysis is not { } analysis)
            return new CauseAnalysis(
                null, null, null, null, facts.Row.Escaped, [], [], [], [], null, null, [],
                ["The analysis is not yet started."]);
        var row = analysis.Summary;
        bool IsVerified(string kind) => analysis.Causes.Any(cause => cause.Kind == kind && cause.Status == "verified");
        return new CauseAnalysis(
            row.Id, row.Status, row.Cycle, row.Problem, row.Escaped, analysis.Causes, analysis.Whys,
            row.Categories ?? [], analysis.Factors, row.UnknownJustification, row.HumanErrorReason,
            SignedAs<RootCauseEvent.Approved>(facts),
            Missing(
                (!IsVerified("occurrence") && row.UnknownJustification is null,
                    "No occurrence cause is verified yet."),
                (row.Escaped && !IsVerified("escape"), "The escape point is not yet found and verified."),
                (row.ApprovedAt is null, "The analysis is not yet approved.")));
    }

    private static Recognition Recognised(CapaFacts facts, Team team)
    {
        var isClosed = facts.Row.ClosedAt is not null;
        return new Recognition(
            facts.Row.ClosedBy, facts.Row.ClosedAt, SignedAs<ActionPlanEvent.Closed>(facts),
            isClosed ? [.. team.Members.Select(member => member.PersonId)] : [],
            Missing((!isClosed, facts.Row.CancelledAt is null
                ? "The CAPA is not yet closed."
                : "The CAPA was cancelled; it will not be closed.")));
    }

    private static IEnumerable<CaseFacts> Living(CapaFacts facts) => facts.Cases.Where(one => !one.IsDismissed);

    private static IReadOnlyList<ShownSignature> SignedAs<T>(CapaFacts facts)
    {
        var acts = facts.History.Of<T>().Select(one => (one.Event.Stream, one.Event.Position)).ToHashSet();
        return facts.History.SignaturesOf(one => acts.Contains((one.Stream, one.Position)));
    }

    private static IReadOnlyList<string> Missing(params IEnumerable<(bool IsSo, string Words)> checks) =>
        [.. checks.Where(check => check.IsSo).Select(check => check.Words)];

    private static bool IsContainment(PlannedAction action) => action.Kind == "containment";

    private static bool IsUnfinished(PlannedAction action) => action.Status is not ("verified" or "cancelled");

    private static ActionProgress Progress(PlannedAction action) => new(
        action.Id, action.Cycle, action.Kind, action.Title, action.Owner, action.Status, action.DueOn,
        action.StartedAt, action.CompletedBy, action.CompletedAt, action.Evidence, action.VerifiedBy,
        action.VerifiedAt, action.Finding, action.ReturnCount);
}
