using System.Collections.Immutable;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Fact = CapaEngine.Contracts.NonconformityEvent;

namespace CapaEngine.Nonconformities.Domain;

/// <summary>Where the case stands as a whole; its tracks move beside it.</summary>
public enum NonconformityStage { NotReported, Reported, UnderReview, Open, Closed, Rejected }

/// <summary>Where containment stands (§10.2.1 a).</summary>
public enum ContainmentStage { Undecided, NotNeeded, Planned, InPlace, Lifted }

/// <summary>Whether the customer was told (§8.7.1 c).</summary>
public enum CustomerNotice { Undecided, NotNeeded, Due, Sent }

/// <summary>Where one quantity line of the disposition stands.</summary>
public enum DispositionStage { Decided, Executed, Verified }

/// <summary>What happens to one quantity.</summary>
/// <param name="ExecutedBy">Who carried it out last; that person cannot verify it (G07).</param>
/// <param name="Failure">The last failed verification, so that a resend of it is recognised.</param>
public sealed record DispositionLine(
    Guid LineId, DispositionKind Kind, double Quantity, DispositionStage Stage, string? ExecutedBy = null,
    Fact.DispositionFailedVerification? Failure = null)
{
    /// <summary>Whether nothing more is due: rework and repair are verified, the rest carried out (§8.7.1).</summary>
    public bool IsTerminal => Stage == DispositionStage.Verified
        || (Stage == DispositionStage.Executed && Kind is not (DispositionKind.Rework or DispositionKind.Repair));
}

/// <summary>A CAPA of this nonconformity, with the stage its own service last told.</summary>
public sealed record LinkedCapa(
    Guid CapaId, CapaLink Link, string Owner, string Reason, PlanStage Stage, int Cycle, Verdict? Verdict)
{
    /// <summary>Whether its action was found effective and the CAPA closed.</summary>
    public bool IsClosedEffective => Stage == PlanStage.Closed && Verdict == Contracts.Verdict.Effective;
}

/// <summary>
/// One nonconformity as the rules see it. The material (§8.7) and the cause (§10.2) are two duties on one case, so
/// their tracks are members side by side and not stages of one line.
/// </summary>
public sealed record Nonconformity
{
    /// <summary>Before the first event.</summary>
    public static readonly Nonconformity NotReported = new();

    public NonconformityStage Stage { get; private init; }
    public string? Site { get; private init; }
    public string Title { get; private init; } = "";
    public string ReportedBy { get; private init; } = "";
    public Severity Severity { get; private init; }
    public DetectionStage DetectionStage { get; private init; }
    public string? Product { get; private init; }
    public ValueList<string> Lots { get; private init; } = [];
    public string? Unit { get; private init; }
    public DateTimeOffset DetectedAt { get; private init; }
    public double AffectedQuantity { get; private init; }
    public DeviationSubject? Subject { get; private init; }
    public int? SignatureCycle { get; private init; }
    public DateTimeOffset? CountWindowFrom { get; private init; }
    public ImmutableHashSet<Guid> Deviations { get; private init; } = [];
    public int? ContainmentDueHours { get; private init; }
    public ContainmentStage Containment { get; private init; }
    public Fact.ContainmentPlanned? ContainmentPlan { get; private init; }
    public ValueList<DispositionLine> Lines { get; private init; } = [];
    public ImmutableHashSet<Guid> LapsedLines { get; private init; } = [];
    public CustomerNotice Notice { get; private init; }
    public ValueList<LinkedCapa> Capas { get; private init; } = [];
    public Fact.CorrectiveActionNotRequired? NoCorrectiveAction { get; private init; }

    /// <summary>The rules of the family, wired together.</summary>
    public static Decider<Nonconformity, NonconformityCommand, Fact> Decider { get; } = new(
        Families.Nonconformity, NotReported, NonconformityRules.Decide, Evolve, state => state.Site);

    /// <summary>Detected after delivery or during service: the customer is concerned.</summary>
    public bool IsEscaped => DetectionStage is DetectionStage.AfterDelivery or DetectionStage.DuringService;

    /// <summary>The CAPAs that still count; a cancelled one decides nothing.</summary>
    public IEnumerable<LinkedCapa> ActiveCapas => Capas.Where(capa => capa.Stage != PlanStage.Cancelled);

    /// <summary>The fold. A fact before the report, or of a line that does not exist, is a damaged stream.</summary>
    public static Nonconformity Evolve(Nonconformity state, Fact fact) => fact switch
    {
        Fact.Reported e => state with
        {
            Stage = NonconformityStage.Reported, Site = e.Site, Title = e.Title, ReportedBy = e.ReportedBy,
            Severity = e.Severity, DetectionStage = e.DetectionStage, Lots = e.Lots, Subject = e.Subject,
            AffectedQuantity = e.AffectedQuantity, SignatureCycle = e.SignatureCycle,
            CountWindowFrom = e.CountWindowFrom, Product = e.Product ?? e.Subject?.Product, Unit = e.Unit,
            DetectedAt = e.DetectedAt,
        },
        _ when state.Stage == NonconformityStage.NotReported =>
            throw new InvalidOperationException($"A {fact.GetType().Name} came before the report."),
        Fact.DeviationsAttached e => state with { Deviations = state.Deviations.Union(e.Deviations) },
        Fact.Accepted e => state with
        {
            Stage = NonconformityStage.UnderReview, Severity = e.Severity, ContainmentDueHours = e.ContainmentDueHours,
        },
        Fact.Rejected => state with { Stage = NonconformityStage.Rejected },
        Fact.ReviewCompleted => state with { Stage = NonconformityStage.Open },
        Fact.ContainmentPlanned e => state with { Containment = ContainmentStage.Planned, ContainmentPlan = e },
        Fact.ContainmentNotNeeded => state with { Containment = ContainmentStage.NotNeeded },
        Fact.ContainmentConfirmed => state with { Containment = ContainmentStage.InPlace },
        Fact.ContainmentLifted => state with { Containment = ContainmentStage.Lifted },
        Fact.DispositionDecided e => state with
        {
            Lines = state.Lines.Add(new(e.LineId, e.Kind, e.Quantity, DispositionStage.Decided)),
        },
        Fact.ConcessionDrawLapsed e => state with { LapsedLines = state.LapsedLines.Add(e.LineId) },
        Fact.DispositionExecuted e => state.WithLine(e.LineId, line =>
            line with { Stage = DispositionStage.Executed, ExecutedBy = e.ExecutedBy, Failure = null }),
        Fact.DispositionVerified e => state.WithLine(e.LineId, line => line with { Stage = DispositionStage.Verified }),
        Fact.DispositionFailedVerification e => state.WithLine(e.LineId, line =>
            line with { Stage = DispositionStage.Decided, Failure = e }),
        Fact.CustomerNoticeNotNeeded => state with { Notice = CustomerNotice.NotNeeded },
        Fact.CustomerNoticeRequired => state with { Notice = CustomerNotice.Due },
        Fact.CustomerInformed => state with { Notice = CustomerNotice.Sent },
        Fact.CorrectiveActionRequired e => state with
        {
            NoCorrectiveAction = null,
            Capas = state.Capas.Add(new(e.CapaId, e.Link, e.CapaOwner, e.Reason, PlanStage.AwaitingCause, 1, null)),
        },
        Fact.CorrectiveActionNotRequired e => state with { NoCorrectiveAction = e },
        Fact.CapaStageNoted e => state with
        {
            Capas = state.Capas.Replace(capa => capa.CapaId == e.CapaId, capa =>
                capa with { Stage = e.Stage, Cycle = e.Cycle, Verdict = e.Verdict }),
        },
        Fact.Closed => state with { Stage = NonconformityStage.Closed },
        _ => throw new InvalidOperationException($"A {fact.GetType().Name} is no fact of a nonconformity."),
    };

    private Nonconformity WithLine(Guid lineId, Func<DispositionLine, DispositionLine> change) =>
        Lines.Any(line => line.LineId == lineId)
            ? this with { Lines = Lines.Replace(line => line.LineId == lineId, change) }
            : throw new InvalidOperationException($"The disposition line {lineId} was never decided.");
}
