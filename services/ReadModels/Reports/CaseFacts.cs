using CapaEngine.Contracts;
using static CapaEngine.Contracts.NonconformityEvent;

namespace CapaEngine.ReadModels.Reports;

/// <summary>One nonconformity as read for a report: its rows and its events, of one state.</summary>
/// <param name="History">The events of the case, its concessions, CAPAs, analyses and reviews.</param>
internal sealed record CaseFacts(
    NonconformityDetail Detail, IReadOnlyList<ConcessionDetail> Concessions, IReadOnlyList<CapaSummary> Capas,
    CaseHistory History)
{
    /// <summary>The events of the case's own stream.</summary>
    public CaseHistory Own { get; } = History.In(Families.Nonconformity, Detail.Id);

    public NonconformitySummary Row => Detail.Summary;

    public AuditFinding? Finding => Own.Of<Reported>().FirstOrDefault()?.Fact.Finding;

    public CaseDescription Describe() => CaseDescription.Of(Row, Finding);

    /// <summary>Every step of containment, in order.</summary>
    public IReadOnlyList<ContainmentStep> ContainmentSteps() => [.. Own.All.Select(Step).OfType<ContainmentStep>()];

    /// <summary>Where the notice of the customer stands.</summary>
    public CustomerNotice Notice()
    {
        var spared = Own.Of<CustomerNoticeNotNeeded>().LastOrDefault();
        var required = Own.Of<CustomerNoticeRequired>().LastOrDefault();
        var informed = Own.Of<CustomerInformed>().LastOrDefault();
        return new CustomerNotice(
            Row.CustomerNotice, Row.CustomerNoticeDueOn, (required?.Event ?? spared?.Event)?.Actor,
            required?.At ?? spared?.At, required is null ? spared?.Fact.Justification : null,
            informed?.Fact.InformedBy, informed?.At, informed?.Fact.Reference);
    }

    /// <summary>Whether the case ended without anything to do: unfounded, taken back or a duplicate.</summary>
    public bool IsDismissed => Row.Status is "rejected" or "withdrawn" or "merged";

    private static ContainmentStep? Step(Told<object> one) => one.Fact switch
    {
        ContainmentPlanned f => new(
            "planned", one.By, one.At, f.Description, DueAt: one.At + TimeSpan.FromHours(f.DueHours)),
        ContainmentNotNeeded f => new("not-needed", one.By, one.At, f.Justification),
        ContainmentConfirmed f => new("in-place", f.ConfirmedBy, one.At, f.Evidence, f.CleanPoint),
        ContainmentLifted f => new("lifted", f.LiftedBy, one.At, f.Reason),
        DuplicateAbsorbed { Hold: { } hold } => new("taken-over", one.By, one.At, hold),
        _ => null,
    };
}

/// <summary>One CAPA as read for a report: its rows and its events, of one state.</summary>
/// <param name="CasesElsewhere">How many of its nonconformities the caller may not see.</param>
/// <param name="History">The events of the CAPA, its analysis, its reviews and its nonconformities.</param>
internal sealed record CapaFacts(
    CapaDetail Detail, AnalysisDetail? Analysis, IReadOnlyList<ReviewDetail> Reviews, IReadOnlyList<CaseFacts> Cases,
    int CasesElsewhere, CaseHistory History)
{
    public CapaSummary Row => Detail.Summary;
}
