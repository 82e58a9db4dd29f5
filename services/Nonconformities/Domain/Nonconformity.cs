using System.Collections.Immutable;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Fact = CapaEngine.Contracts.NonconformityEvent;

namespace CapaEngine.Nonconformities.Domain;

/// <summary>
/// Where the case stands as a whole; its tracks move beside it. Imported is one that another system still works on.
/// </summary>
public enum NonconformityStage
{
    NotReported, Reported, UnderReview, Open, Closed, Rejected, Withdrawn, Merged, Imported,
}

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
    /// <summary>Everybody who has carried it out, also before a failed verification; none verifies it (G07).</summary>
    public ValueList<string> Executors { get; init; } = [];

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

    /// <summary>The system that this case was taken over from; null where it was reported here.</summary>
    public string? SourceSystem { get; private init; }
    public string Title { get; private init; } = "";
    public string Description { get; private init; } = "";
    public RequirementRef? Requirement { get; private init; }
    public string? Process { get; private init; }
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
    public ImmutableDictionary<Guid, DateTimeOffset> Deviations { get; private init; } =
        ImmutableDictionary<Guid, DateTimeOffset>.Empty;

    /// <summary>Where this case went as a duplicate; null while it is its own.</summary>
    public Fact.Merged? MergedInto { get; private init; }

    /// <summary>Duplicates that this case is about to take in, by merge.</summary>
    public ImmutableDictionary<Guid, Guid> Incoming { get; private init; } = ImmutableDictionary<Guid, Guid>.Empty;

    /// <summary>Merges that were taken in or given up; none of them is prepared again.</summary>
    public ImmutableHashSet<Guid> SettledMerges { get; private init; } = [];
    public ImmutableHashSet<Guid> LapsedMerges { get; private init; } = [];
    public Fact.Reopened? Reopening { get; private init; }

    /// <summary>Whether the case was corrected after it was signed, so that it must be signed again (G19).</summary>
    public bool SignatureIsSuperseded { get; private init; }
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
            DetectedAt = e.DetectedAt, Description = e.Description, Requirement = e.Requirement,
            Process = e.Process ?? e.Subject?.Process,
        },
        Fact.Imported e => state with
        {
            Stage = e.IsClosed ? NonconformityStage.Closed : NonconformityStage.Imported, Site = e.Site,
            SourceSystem = e.SourceSystem, Title = e.Title, Description = e.Description, Product = e.Product,
            Process = e.Process, Unit = e.Unit, AffectedQuantity = e.Quantity ?? 0,
            DetectedAt = new DateTimeOffset(e.OpenedOn, TimeOnly.MinValue, TimeSpan.Zero),
        },
        _ when state.Stage == NonconformityStage.NotReported =>
            throw new InvalidOperationException($"A {fact.GetType().Name} came before the report."),
        Fact.ImportConflictReceived => state,
        Fact.DeviationsAttached e => state with
        {
            Deviations = state.Deviations.SetItems(e.Deviations.Select(id => KeyValuePair.Create(id, e.DetectedTo))),
        },
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
            line with
            {
                Stage = DispositionStage.Executed, ExecutedBy = e.ExecutedBy, Failure = null,
                Executors = line.Executors.Add(e.ExecutedBy),
            }),
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
        Fact.Closed => state with { Stage = NonconformityStage.Closed, SignatureIsSuperseded = false },
        Fact.Withdrawn => state with { Stage = NonconformityStage.Withdrawn },
        Fact.Reopened e => state with
        {
            Stage = NonconformityStage.Open, Reopening = e, SignatureIsSuperseded = false,
        },
        Fact.Corrected e => state.WithCorrection(e),
        Fact.MergePrepared e => state with { Incoming = state.Incoming.Add(e.MergeId, e.FromId) },
        Fact.Merged e => state with { Stage = NonconformityStage.Merged, MergedInto = e },
        Fact.MergeLapsed e => state with { LapsedMerges = state.LapsedMerges.Add(e.MergeId) },
        Fact.MergeAbandoned e => state.WithSettled(e.MergeId),
        Fact.DuplicateAbsorbed e => state.WithSettled(e.MergeId).WithDuplicate(e),
        _ => throw new InvalidOperationException($"A {fact.GetType().Name} is no fact of a nonconformity."),
    };

    private Nonconformity WithCorrection(Fact.Corrected e) => this with
    {
        Title = e.Title ?? Title, Description = e.Description ?? Description,
        Requirement = e.Requirement ?? Requirement, Product = e.Product ?? Product,
        Process = e.Process ?? Process,
        SignatureIsSuperseded = SignatureIsSuperseded || e.SupersedesSignature,
    };

    private Nonconformity WithSettled(Guid mergeId) => this with
    {
        Incoming = Incoming.Remove(mergeId), SettledMerges = SettledMerges.Add(mergeId),
    };

    // A hold moves with the goods: the stricter of the two holds is what the case has.
    private Nonconformity WithDuplicate(Fact.DuplicateAbsorbed e) => this with
    {
        Lots = Lots.AddRange(e.Lots.Except(Lots)), AffectedQuantity = AffectedQuantity + e.AdditionalQuantity,
        Containment = e switch
        {
            { HoldIsInPlace: true } => ContainmentStage.InPlace,
            { Hold: not null } when Containment != ContainmentStage.InPlace => ContainmentStage.Planned,
            _ => Containment,
        },
        ContainmentPlan = ContainmentPlan ?? (e.Hold is null ? null : new(e.Hold, e.HoldDueHours ?? 0)),
    };

    private Nonconformity WithLine(Guid lineId, Func<DispositionLine, DispositionLine> change) =>
        Lines.Any(line => line.LineId == lineId)
            ? this with { Lines = Lines.Replace(line => line.LineId == lineId, change) }
            : throw new InvalidOperationException($"The disposition line {lineId} was never decided.");
}
