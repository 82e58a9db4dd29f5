using CapaEngine.Contracts;
using static CapaEngine.Contracts.NonconformityEvent;

namespace CapaEngine.ReadModels.Reports;

/// <summary>Composes the nonconformity report. Pure: the same facts give the same report.</summary>
internal static class NonconformityReports
{
    public static NonconformityReport Of(CaseFacts facts)
    {
        var row = facts.Row;
        var dispositions = facts.Detail.Dispositions.Select(line => Disposition(line, facts.Own)).ToList();
        var undecided = row.AffectedQuantity is { } affected && row.SourceSystem is null
            ? Math.Max(0, affected - dispositions.Sum(line => line.Quantity)) : (double?)null;
        return new NonconformityReport(
            facts.Describe(),
            facts.Finding is { } finding ? new ShownFinding(finding.Audit, finding.Evidence, finding.Grade) : null,
            new Containment(row.Containment, row.ContainmentDueAt, facts.ContainmentSteps()),
            dispositions, undecided, [.. facts.Concessions.Select(concession => Concession(concession, row.Id))],
            facts.Notice(), Decision(facts), [.. facts.Capas.Select(Linked)],
            [.. Signed(facts)], [.. Corrections(facts.Own)], RelationsOf(facts.Own, row), Timeline(facts.History),
            [.. OpenOf(facts, undecided)]);
    }

    /// <summary>The dossier's events in words.</summary>
    public static IReadOnlyList<TimelineEntry> Timeline(CaseHistory history) =>
    [
        .. history.All.Select(one => new TimelineEntry(
            one.Event.Position, one.At, one.By, one.Event.ActorRoles, one.Event.Stream, one.Event.Revision,
            one.Event.EventType, one.Event.Reason)),
    ];

    // Those of the case and of its concessions; what was signed on a CAPA is in the 8D report.
    private static IEnumerable<ShownSignature> Signed(CaseFacts facts) =>
        facts.History.Signatures().Where(signature =>
            Families.Of(signature.Stream) is { } family
            && (family == Families.Nonconformity || family == Families.Concession));

    private static ShownDisposition Disposition(DispositionLine line, CaseHistory own) => new(
        line.LineId, line.Kind, line.Quantity, line.Lot, line.AuthorityId, line.DecidedAt, line.Reason, line.Status,
        line.ConcessionId, [.. own.All.Select(one => Step(one, line.LineId)).OfType<DispositionStep>()]);

    private static DispositionStep? Step(Told<object> one, Guid lineId) => one.Fact switch
    {
        DispositionExecuted f when f.LineId == lineId =>
            new("executed", f.ExecutedBy, one.At, f.Evidence, f.Destruction),
        DispositionVerified f when f.LineId == lineId => new("verified", f.VerifiedBy, one.At, f.Result, f.Method),
        DispositionFailedVerification f when f.LineId == lineId =>
            new("failed-verification", f.VerifiedBy, one.At, f.Result, f.Method),
        _ => null,
    };

    private static ShownConcession Concession(ConcessionDetail detail, Guid caseId)
    {
        var row = detail.Summary;
        return new ShownConcession(
            row.Id, row.Kind, row.Status,
            new RequirementRef(
                row.RequirementStandard, row.RequirementEdition, row.RequirementClause, row.RequirementText),
            row.Departure, row.Justification, row.Lots, row.QuantityMax,
            detail.Draws.Where(draw => draw.NonconformityId == caseId && draw.ReleasedAt is null)
                .Sum(draw => draw.Quantity),
            row.Unit, row.ValidFrom, row.ValidUntil, row.Authority, row.AuthorityReference, row.Conditions,
            row.RequestedBy, row.RequestedAt, row.DecidedBy, row.DecidedAt, row.DecisionReason);
    }

    private static CauseDecision Decision(CaseFacts facts)
    {
        var needed = facts.Own.Of<CorrectiveActionRequired>().FirstOrDefault();
        var spared = facts.Own.Of<CorrectiveActionNotRequired>().LastOrDefault();
        return needed is null
            ? new CauseDecision(
                facts.Row.CauseDecision, spared?.Fact.DecidedBy, spared?.At, spared?.Fact.Justification,
                spared?.Fact.OverriddenBy, spared?.Fact.OverrideReason)
            : new CauseDecision(facts.Row.CauseDecision, needed.By, needed.At, needed.Fact.Reason, null, null);
    }

    private static LinkedCapa Linked(CapaSummary capa) => new(
        capa.Id, capa.Number, capa.Title, capa.Owner, capa.Reason, capa.Stage, capa.Cycle, capa.Verdict, capa.OpenedAt,
        capa.ClosedAt);

    // The log holds what was before: the report or the correction before this one.
    private static IEnumerable<ShownCorrection> Corrections(CaseHistory own)
    {
        var reported = own.Of<Reported>().FirstOrDefault()?.Fact;
        var imported = own.Of<Imported>().FirstOrDefault()?.Fact;
        var current = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["title"] = reported?.Title ?? imported?.Title,
            ["description"] = reported?.Description ?? imported?.Description,
            ["requirement"] = reported is null ? null : Wording.Requirement(reported.Requirement),
            ["product"] = reported?.Product ?? reported?.Subject?.Product ?? imported?.Product,
            ["process"] = reported?.Process ?? reported?.Subject?.Process ?? imported?.Process,
        };
        foreach (var correction in own.Of<Corrected>())
        {
            var f = correction.Fact;
            (string Member, string? Value)[] given =
            [
                ("title", f.Title), ("description", f.Description),
                ("requirement", f.Requirement is { } requirement ? Wording.Requirement(requirement) : null),
                ("product", f.Product), ("process", f.Process),
            ];
            foreach (var (member, value) in given.Where(member => member.Value is not null))
            {
                yield return new ShownCorrection(
                    member, current[member], value, f.CorrectedBy, correction.At, f.Reason);
                current[member] = value;
            }
        }
    }

    private static Relations RelationsOf(CaseHistory own, NonconformitySummary row) => new(
        row.Status is "rejected" or "withdrawn" or "merged" ? own.All.Select(Ending).LastOrDefault(e => e is not null)
            : null,
        row.MergedInto,
        [.. own.Of<DuplicateAbsorbed>().Select(one => new AbsorbedCase(
            one.Fact.FromId, one.Fact.Lots, one.Fact.AdditionalQuantity, one.Fact.Hold, one.At))],
        [.. own.Of<Reopened>().Select(one => new ShownEnding(
            "reopened", one.Fact.ReopenedBy, one.At, one.Fact.Reason))]);

    private static ShownEnding? Ending(Told<object> one) => one.Fact switch
    {
        Rejected f => new("rejected", f.RejectedBy, one.At, f.Reason),
        Withdrawn f => new("withdrawn", f.WithdrawnBy, one.At, f.Reason),
        Merged f => new("merged", f.MergedBy, one.At, f.Reason),
        _ => null,
    };

    private static IEnumerable<string> OpenOf(CaseFacts facts, double? undecided)
    {
        var row = facts.Row;
        if (facts.IsDismissed) yield break;
        if (row.SourceSystem is not null)
        {
            if (row.Status != "closed") yield return "The case is not yet closed by the system it comes from.";
            yield break;
        }

        if (row.AcceptedAt is null) yield return "It is not yet decided whether it is accepted as a nonconformity.";
        if (row.Containment == "undecided") yield return "Containment is not yet decided.";
        if (row.Containment == "planned") yield return "Containment is planned, but not yet in place.";
        if (row.Containment == "in-place") yield return "Containment is in place and not yet lifted.";
        if (undecided is > 0 and var rest)
            yield return $"The disposition of {Wording.Quantity(rest, row.Unit)} is not yet decided.";
        foreach (var line in facts.Detail.Dispositions.Where(line => line.FinishedAt is null))
            yield return $"The disposition {line.Kind} of {Wording.Quantity(line.Quantity, row.Unit)} is not yet "
                + (line.ExecutedAt is null ? "carried out." : "verified.");
        if (row.CustomerNotice == "undecided") yield return "Whether the customer must be told is not yet decided.";
        if (row.CustomerNotice == "due") yield return "The customer is not yet informed.";
        if (row.CauseDecision == "undecided") yield return "Whether corrective action is needed is not yet decided.";
        foreach (var capa in facts.Capas.Where(capa => capa.Stage is not ("closed" or "cancelled")))
            yield return $"The CAPA {capa.Number ?? capa.Id.ToString("D")} is not yet closed: {capa.Stage}.";
        if (row.ClosedAt is null) yield return "The case is not yet closed.";
    }
}
