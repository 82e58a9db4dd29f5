using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;

namespace CapaEngine.Integration.ReadModels;

/// <summary>A log in the making: events with the positions and revisions they would have.</summary>
public sealed class History
{
    private readonly Dictionary<string, long> revisions = [];
    private readonly List<IncomingEvent> events = [];

    /// <summary>What has happened so far, in log order.</summary>
    public IReadOnlyList<IncomingEvent> Events => events;

    /// <summary>The time of the next event; every event is a minute later than the one before.</summary>
    public DateTimeOffset Now { get; private set; } = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    /// <summary>Adds facts to the stream of an id.</summary>
    public History Add(Family family, Guid id, params IEnumerable<object> facts) =>
        Add(family, family.Stream(id), facts);

    /// <summary>Adds facts to a stream.</summary>
    public History Add(Family family, string stream, params IEnumerable<object> facts)
    {
        foreach (var fact in facts) Append(family, stream, EventType(fact), fact);
        return this;
    }

    /// <summary>Adds an event that this version does not know.</summary>
    public History AddUnknown(Family family, Guid id, string type)
    {
        Append(family, family.Stream(id), type, new UnknownFact(type, "{}"u8.ToArray(), "unknown-event-type"));
        return this;
    }

    /// <summary>Lets time pass.</summary>
    public History Wait(TimeSpan time)
    {
        Now += time;
        return this;
    }

    private static string EventType(object fact) => EventCatalog.NameOf(fact);

    private void Append(Family family, string stream, string type, object fact)
    {
        var revision = revisions[stream] = revisions.GetValueOrDefault(stream, -1) + 1;
        Now += TimeSpan.FromMinutes(1);
        var position = (ulong)(events.Count + 1);
        events.Add(new IncomingEvent(
            stream, family, revision, LogPosition.At(position), NameBasedId.From($"{stream}\n{revision}"), type, fact,
            new EventMetadata(new EventActor("quinn", ["quality-engineer"], "*"), Now, Now.AddSeconds(1), "hash")));
    }
}

/// <summary>One case from its deviations to its closing, as the services record it.</summary>
public static class WholeCase
{
    public static readonly Guid CaseId = NameBasedId.From("test case");
    public static readonly Guid CapaId = NameBasedId.From("test capa");
    public static readonly Guid AnalysisId = NameBasedId.From("test analysis");
    public static readonly Guid ReviewId = NameBasedId.From("test review");
    public static readonly Guid ConcessionId = NameBasedId.From("test concession");
    public static readonly Guid LineId = NameBasedId.From("test line");
    public static readonly Guid CauseId = NameBasedId.From("test cause");
    public static readonly Guid ActionId = NameBasedId.From("test action");

    public static readonly DeviationSubject Subject = new("plant-1", "valve", "milling", "m-1", "bore", null);

    private static readonly Signature Signed = new(
        "amira", "Amira", SignatureMeaning.Approved, new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero), "s", 3,
        "ab");

    /// <summary>The id of a deviation of the case.</summary>
    public static Guid DeviationId(int n) => NameBasedId.From($"test deviation {n}");

    /// <summary>A deviation of the subject.</summary>
    public static DeviationEvent.Received Deviation(int n, DateTimeOffset at, string site = "plant-1") => new(
        "urn:test", $"d-{n}", site, "valve", null, null, "milling", "m-1", null, "bore", null, 5.2, 4.8, 5.1, "mm",
        null, Severity.Major, at, null, "hash");

    /// <summary>Inspected production of the subject.</summary>
    public static ProductionEvent.Recorded Production(
        int n, DateTimeOffset from, DateTimeOffset to, double inspected) =>
        new("urn:test", $"p-{n}", "plant-1", "valve", "milling", "m-1", from, to, inspected, inspected, 0, "hash");

    /// <summary>The report of the case.</summary>
    public static NonconformityEvent.Reported Report(
        DateTimeOffset at, string site = "plant-1", string title = "Bores too wide") =>
        new(site, title, "Five bores above 5.1 mm.", new RequirementRef("drawing", "C", "4.2"),
            NonconformitySource.ProcessMonitoring, DetectionStage.InProcess, "valve", "milling", ["L-1"], 10, "pieces",
            Severity.Major, at, "service:nonconformities", Subject with { Site = site }, 1, 1, at.AddDays(-7));

    /// <summary>The whole history.</summary>
    public static History Tell()
    {
        var log = new History();
        var start = log.Now;
        foreach (var n in Enumerable.Range(0, 5))
            log.Add(Families.Deviation, DeviationId(n), Deviation(n, start.AddHours(n)));
        log.Add(Families.Deviation, DeviationId(0), new DeviationEvent.ConflictReceived("other", "{}"));
        log.Add(Families.Production, NameBasedId.From("test production"),
            Production(0, start.AddDays(-1), start, 500), new ProductionEvent.ConflictReceived("other", "{}"));
        log.Add(Families.Quarantine, NameBasedId.From("test quarantine"), new QuarantineEvent.Received(
            "unknown-type", "type", null, null, "application/json", Convert.ToBase64String("{}"u8)));
        log.Add(Families.TriagePolicy, "triage-policy", new TriagePolicyEvent.Set(
            1, [new TriageRule(Severity.Major, 3, 7)], "First policy."));
        log.Add(Families.Signature, Subject.SignatureId(), new SignatureEvent.Opened(
            Subject, 1, CaseId, 1, start, [DeviationId(0), DeviationId(1), DeviationId(2)]));
        Material(log);
        Leave(log);
        Cause(log);
        Plan(log);
        Judge(log);
        log.Add(Families.Nonconformity, CaseId,
            new NonconformityEvent.CapaStageNoted(CapaId, PlanStage.Closed, 1, Verdict.Effective),
            new NonconformityEvent.Closed("quinn", Signed));
        return log;
    }

    private static void Material(History log) => log
        .Add(Families.Nonconformity, CaseId,
            Report(log.Now),
            new NonconformityEvent.DeviationsAttached(
                [DeviationId(0), DeviationId(1), DeviationId(2)], log.Now, log.Now),
            new NonconformityEvent.DeviationsAttached([DeviationId(3), DeviationId(4)], log.Now, log.Now.AddHours(1)))
        .Add(Families.NonconformityNumbers, "numbering-nc-2026", new NumberingEvent.Assigned(CaseId, 12))
        .Add(Families.Nonconformity, CaseId,
            new NonconformityEvent.Accepted("quinn", Severity.Critical, 24),
            new NonconformityEvent.ContainmentPlanned("Sort all of L-1.", 8),
            new NonconformityEvent.ContainmentConfirmed("quinn", "Log 7", "L-2"),
            new NonconformityEvent.ReviewCompleted("quinn"),
            new NonconformityEvent.DispositionDecided(
                LineId, DispositionKind.Rework, 10, "L-1", "dora", "Can be honed."),
            new NonconformityEvent.DispositionExecuted(LineId, "otto", "Order 1"),
            new NonconformityEvent.DispositionFailedVerification(LineId, "vera", "gauge", "still wide"),
            new NonconformityEvent.DispositionExecuted(LineId, "otto", "Order 2"),
            new NonconformityEvent.DispositionVerified(LineId, "vera", "gauge", "good"),
            new NonconformityEvent.ContainmentLifted("quinn", "Done."),
            new NonconformityEvent.CustomerNoticeNotNeeded("Nothing was shipped."),
            new NonconformityEvent.CorrectiveActionRequired(
                CapaId, CapaLink.Open, 1, "quinn", "It recurs.", "plant-1", "Bores too wide", Subject, null, false));

    private static void Leave(History log) => log.Add(Families.Concession, ConcessionId,
        new ConcessionEvent.Requested(
            "plant-1", ConcessionKind.Concession, "valve", new RequirementRef("drawing", "C", "4.2"), "Up to 5.2 mm.",
            "No seal.", CaseId, ["L-1"], 10, "pieces", "quinn"),
        new ConcessionEvent.Granted(
            "amira", ConcessionAuthority.Customer, "Mail 7", "Mark each.", ["L-1"], 10, log.Now, log.Now.AddDays(30),
            Signed),
        new ConcessionEvent.Drawn(NameBasedId.From("draw 1"), CaseId, "L-1", 10),
        new ConcessionEvent.Exhausted(10),
        new ConcessionEvent.DrawReleased(NameBasedId.From("draw 1"), "Not decided."),
        new ConcessionEvent.Drawn(NameBasedId.From("draw 2"), CaseId, "L-1", 4),
        new ConcessionEvent.Expired(log.Now.AddDays(30)));

    private static void Cause(History log) => log
        .Add(Families.ActionPlan, CapaId, new ActionPlanEvent.Opened(
            "plant-1", "Bores too wide", "quinn", CaseId, "It recurs.", Subject, null, false))
        .Add(Families.CapaNumbers, "numbering-capa-2026", new NumberingEvent.Assigned(CapaId, 30))
        .Add(Families.RootCause, AnalysisId,
            new RootCauseEvent.Started(CapaId, CaseId, "plant-1", "quinn", "Bores too wide", Subject, false),
            new RootCauseEvent.CauseProposed(
                CauseId, CauseKind.Occurrence, "machine.wear", "Worn rail", ["Why?"], "quinn"),
            new RootCauseEvent.CauseVerified(CauseId, VerificationMethod.Measurement, "0.4 mm play", "vera"),
            new RootCauseEvent.ExtentChecked(
                "m-2", [new ExtentHit("m-2", ExtentDecision.NotAffected, "New rail.")], "quinn"),
            new RootCauseEvent.Completed("quinn", null),
            new RootCauseEvent.Approved(
                CapaId, 1, "amira", [new VerifiedCause(CauseId, CauseKind.Occurrence, "machine.wear", "Worn rail")],
                true, Signed));

    private static void Plan(History log) => log.Add(Families.ActionPlan, CapaId,
        new ActionPlanEvent.CausesReceived(AnalysisId, 1, [], true),
        new ActionPlanEvent.RiskRated(new RiskRating(3, 4), "quinn"),
        new ActionPlanEvent.ActionPlanned(
            ActionId, ActionKind.Corrective, "Replace the rail", "Replace it.", "oscar", new DateOnly(2026, 4, 1),
            [CauseId]),
        new ActionPlanEvent.EffectivenessCriteriaDefined(Criteria(log), Count(log, 12, 6000), "quinn"),
        new ActionPlanEvent.Submitted("quinn"),
        new ActionPlanEvent.Approved(1, "amira", Criteria(log), ["oscar"], Signed),
        new ActionPlanEvent.ActionStarted(ActionId, "oscar"),
        new ActionPlanEvent.ActionCompleted(ActionId, "oscar", "Order 3"),
        new ActionPlanEvent.ActionReturned(ActionId, "vera", "No protocol."),
        new ActionPlanEvent.ActionCompleted(ActionId, "oscar", "Order 3, protocol 1"),
        new ActionPlanEvent.ActionVerified(ActionId, "vera", "No play."),
        new ActionPlanEvent.MonitoringStarted(1, log.Now, log.Now.AddDays(30)));

    private static void Judge(History log) => log
        .Add(Families.Effectiveness, ReviewId,
            new EffectivenessEvent.CriteriaLocked(CapaId, 1, "plant-1", Criteria(log), ["oscar"], "amira"),
            new EffectivenessEvent.WindowOpened(log.Now, log.Now.AddDays(30)),
            new EffectivenessEvent.Evaluated(
                CapaId, 1, Verdict.Effective, new EffectivenessNumbers(0.002, 0, 0, 0, null, 0.0077),
                Count(log, 12, 6000), Count(log, 0, 3000), false, "paul"),
            new EffectivenessEvent.Approved(CapaId, 1, Verdict.Effective, null, "amira", null, Signed))
        .Add(Families.ActionPlan, CapaId,
            new ActionPlanEvent.EffectivenessReviewStarted(1, ReviewId, Verdict.Effective),
            new ActionPlanEvent.VerdictReceived(1, ReviewId, Verdict.Effective, null),
            new ActionPlanEvent.Closed("amira", new ClosingAnswers(
                new Answer(true, "RISK-1"), new Answer(false, "No."), new Answer(true, "FMEA-1"), "Check rails."),
                Signed));

    private static EffectivenessCriteria Criteria(History log) => new(
        Subject, log.Now.AddDays(-60), log.Now.AddDays(-1), 0.8, 0.05, 30, ExposureUnit.Inspected);

    private static EvidenceCount Count(History log, long deviations, double exposure) =>
        new(log.Now.AddDays(-60), log.Now, deviations, exposure, 1, 20, "ab");
}
