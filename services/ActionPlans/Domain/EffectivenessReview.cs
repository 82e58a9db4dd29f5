using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Contracts.EffectivenessEvent;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.EffectivenessEvent>;

namespace CapaEngine.ActionPlans.Domain;

/// <summary>Where a review stands. An inconclusive verdict leads from in approval back to monitoring.</summary>
public enum ReviewStage { NotStarted, CriteriaLocked, Monitoring, InApproval, Decided }

/// <summary>What an evaluation proposes, by whom.</summary>
/// <param name="IsEarly">Whether a recurrence ended the window early.</param>
public sealed record Proposal(Verdict Proposed, bool IsEarly, string EvaluatedBy);

/// <summary>The review of one cycle's effectiveness against criteria that nobody can change (§10.2.1 d).</summary>
public sealed record EffectivenessReview
{
    /// <summary>Before the first event.</summary>
    public static readonly EffectivenessReview NotStarted = new();

    /// <summary>The rules of the family.</summary>
    public static readonly Decider<EffectivenessReview, EffectivenessCommand, EffectivenessEvent> Decider = new(
        Families.Effectiveness, NotStarted, Decide, Evolve, review => review.Locked?.Site);

    public ReviewStage Stage { get; init; }

    /// <summary>The locked criteria; null before.</summary>
    public CriteriaLocked? Locked { get; init; }

    /// <summary>The criteria that judge: the locked ones, or those approved instead before the window opened.</summary>
    public EffectivenessCriteria? Criteria { get; init; }

    public DateTimeOffset WindowFrom { get; init; }
    public DateTimeOffset WindowTo { get; init; }
    public ValueList<Guid> Recurrences { get; init; } = [];

    /// <summary>Those who have a part in the work: neither evaluates nor decides (G15).</summary>
    public ValueList<string> Excluded { get; init; } = [];

    /// <summary>Whether a recurrence was noted that no verdict has weighed yet.</summary>
    public bool HasRecurred { get; init; }

    public Proposal? Evaluation { get; init; }
    public Approved? Approval { get; init; }

    /// <summary>The id of the review of a CAPA's cycle.</summary>
    public static Guid IdFor(Guid capaId, int cycle) => NameBasedId.From($"effectiveness\n{capaId:D}\n{cycle}");

    /// <summary>The state after one more fact.</summary>
    public static EffectivenessReview Evolve(EffectivenessReview review, EffectivenessEvent fact) => fact switch
    {
        CriteriaLocked e => NotStarted with
        {
            Stage = ReviewStage.CriteriaLocked, Locked = e, Criteria = e.Criteria, Excluded = e.ActionOwners,
        },
        CriteriaChanged e => review with { Criteria = e.Criteria },
        PersonsExcluded e => review with { Excluded = review.Excluded.AddRange(e.Persons) },
        WindowOpened e => review with { Stage = ReviewStage.Monitoring, WindowFrom = e.From, WindowTo = e.To },
        RecurrenceDetected e => review with
        {
            HasRecurred = true, Recurrences = review.Recurrences.Add(e.NonconformityId),
        },
        Evaluated e => review.Propose(new Proposal(e.Proposed, e.EarlyOnRecurrence, e.EvaluatedBy)),
        SuccessRunEvaluated e => review.Propose(new Proposal(e.Proposed, e.EarlyOnRecurrence, e.EvaluatedBy)),
        Approved { WindowTo: { } to } e => review with
        {
            Stage = ReviewStage.Monitoring, WindowTo = to, HasRecurred = false, Evaluation = null, Approval = e,
        },
        Approved e => review with { Stage = ReviewStage.Decided, Approval = e },
        _ => throw new InvalidOperationException($"{fact.GetType().Name} is no fact of an effectiveness review."),
    };

    /// <summary>The rules, read as a decision table.</summary>
    public static Decision<EffectivenessEvent> Decide(
        EffectivenessCommand command, EffectivenessReview review, CommandContext context) =>
        (review.Stage, command) switch
        {
            (ReviewStage.NotStarted, EffectivenessCommand.LockCriteria c) => Accept(new CriteriaLocked(
                c.CapaId, c.Cycle, c.Site, c.Criteria, c.ActionOwners, c.PlanApprovedBy)),
            (ReviewStage.NotStarted, _) => NotFound(),
            (_, EffectivenessCommand.LockCriteria c) => c.Criteria == review.Locked!.Criteria
                ? Accept()
                : Reject("criteria-locked", "The criteria of this cycle are locked (G22)."),

            (_, EffectivenessCommand.ChangeCriteria c) when c.Criteria == review.Criteria => Accept(),
            (ReviewStage.CriteriaLocked, EffectivenessCommand.ChangeCriteria c) =>
                Accept(new CriteriaChanged(c.Criteria, c.ApprovedBy)),
            (_, EffectivenessCommand.ChangeCriteria) =>
                Reject("criteria-locked", "The window is open: other criteria take another cycle (G22)."),

            (ReviewStage.CriteriaLocked, EffectivenessCommand.OpenWindow c) => Open(c, review),
            // Its end may have moved since, by an inconclusive verdict.
            (_, EffectivenessCommand.OpenWindow c) => c.From == review.WindowFrom
                ? Accept()
                : Reject("window-open", "The window of this cycle has been opened before."),

            (ReviewStage.CriteriaLocked, EffectivenessCommand.NoteRecurrence) =>
                Reject("window-not-opened", "The window has not been opened yet."),
            (_, EffectivenessCommand.NoteRecurrence c) => Note(c, review),

            (ReviewStage.Monitoring, EffectivenessCommand.Evaluate c) => Evaluate(c, review, context),
            (ReviewStage.InApproval, EffectivenessCommand.Evaluate)
                when review.Evaluation?.EvaluatedBy == context.Person => Accept(),

            (ReviewStage.InApproval, EffectivenessCommand.Approve c) => Approve(c, review, context),
            (_, EffectivenessCommand.Approve c) when review.Approval is { } approval
                && approval.ApprovedBy == context.Person && approval.Verdict == c.Verdict => Accept(),

            _ => Reject("wrong-stage", $"Not possible while the review is {Words(review.Stage)}."),
        };

    private static Decision<EffectivenessEvent> Open(EffectivenessCommand.OpenWindow c, EffectivenessReview review)
    {
        var opened = new WindowOpened(c.From, c.To);
        var more = c.Workers.Except(review.Excluded).ToValueList();
        return more.Count == 0 ? Accept(opened) : Accept(new PersonsExcluded(more), opened);
    }

    // Only what was detected inside the window and before the decision speaks against the action.
    private static Decision<EffectivenessEvent> Note(
        EffectivenessCommand.NoteRecurrence c, EffectivenessReview review)
    {
        var counts = review.Stage is ReviewStage.Monitoring or ReviewStage.InApproval
            && c.DetectedAt >= review.WindowFrom && c.DetectedAt < review.WindowTo
            && !review.Recurrences.Contains(c.NonconformityId);
        return counts ? Accept(new RecurrenceDetected(c.NonconformityId)) : Accept();
    }

    // G15.
    private static Decision<EffectivenessEvent> Evaluate(
        EffectivenessCommand.Evaluate c, EffectivenessReview review, CommandContext context)
    {
        var (locked, criteria, now) = (review.Locked!, review.Criteria!, context.Now);
        if (review.Excluded.Contains(context.Person))
            return Reject("self-evaluation", "Who owned an action or worked on it does not evaluate it.");
        if (now < review.WindowTo && !review.HasRecurred)
            return Reject("window-not-over", $"The window ends {review.WindowTo:O}; only a recurrence ends it early.");
        var early = now < review.WindowTo;
        if (c.Baseline is not { } baseline || c.Window is not { } window)
            return Reject("evidence-missing", "An evaluation needs the counts of the baseline and of the window.");
        if (window.WhyUnusable("window") is { } windowGap) return Reject("exposure-missing", windowGap);
        if (criteria.SuccessRun is { } run)
        {
            var shown = SuccessRunTest.Evaluate(window.Count, run);
            return Accept(new SuccessRunEvaluated(
                locked.CapaId, locked.Cycle,
                review.HasRecurred ? Verdict.Ineffective : SuccessRunTest.Judge(shown, run), shown, window.Count,
                early, context.Person));
        }

        if (baseline.WhyUnusable("baseline") is { } baselineGap) return Reject("exposure-missing", baselineGap);
        if (baseline.Count.Deviations == 0)
            return Reject("nothing-to-reduce", "The baseline holds no deviation, so no reduction can be shown.");

        var numbers = RateComparison.Compare(baseline.Count, window.Count, criteria.Significance);
        var proposed = review.HasRecurred ? Verdict.Ineffective : RateComparison.Judge(numbers, criteria);
        return Accept(new Evaluated(
            locked.CapaId, locked.Cycle, proposed, numbers, baseline.Count, window.Count,
            early, context.Person));
    }

    private static Decision<EffectivenessEvent> Approve(
        EffectivenessCommand.Approve c, EffectivenessReview review, CommandContext context)
    {
        var (locked, evaluation) = (review.Locked!, review.Evaluation!);
        if (context.Person == evaluation.EvaluatedBy || review.Excluded.Contains(context.Person))
            return Reject("self-approval", "Who evaluated, or worked on an action, does not decide on it.");
        if (c.Verdict != evaluation.Proposed && string.IsNullOrWhiteSpace(c.ReasonAgainstNumbers))
            return Reject("reason-missing", "A decision against the numbers needs its reason.");
        if (c.Verdict == Verdict.Effective && evaluation.IsEarly)
            return Reject("window-not-over", "An evaluation before the end of the window cannot show effectiveness.");
        if (c.Verdict == Verdict.Inconclusive != c.ExtendWindowDays is not null)
            return Reject("extension-missing", "An inconclusive verdict, and no other, extends the window by days.");

        DateTimeOffset? windowTo = c.ExtendWindowDays is { } days ? review.WindowTo.AddDays(days) : null;
        return Accept(new Approved(
            locked.CapaId, locked.Cycle, c.Verdict, c.ReasonAgainstNumbers, context.Person, windowTo,
            context.Sign(SignatureMeaning.Approved)));
    }

    private EffectivenessReview Propose(Proposal proposal) =>
        this with { Stage = ReviewStage.InApproval, Evaluation = proposal };

    private static string Words(ReviewStage stage) => stage switch
    {
        ReviewStage.CriteriaLocked => "waiting for its window",
        ReviewStage.Monitoring => "monitoring",
        ReviewStage.InApproval => "in approval",
        ReviewStage.Decided => "decided",
        _ => "not started",
    };
}

/// <summary>What may be asked of an effectiveness review.</summary>
public abstract record EffectivenessCommand
{
    private EffectivenessCommand() { }

    /// <summary>Locks the criteria of an approved plan.</summary>
    [Allow(Roles.Service)]
    public sealed record LockCriteria(
        Guid CapaId, int Cycle, string Site, EffectivenessCriteria Criteria, ValueList<string> ActionOwners,
        string PlanApprovedBy) : EffectivenessCommand;

    /// <summary>Takes over other criteria, approved before the window opened (G22).</summary>
    [Allow(Roles.Service)]
    public sealed record ChangeCriteria(EffectivenessCriteria Criteria, string ApprovedBy) : EffectivenessCommand;

    /// <summary>Opens the monitoring window.</summary>
    /// <param name="Workers">Everybody who owned an action or worked on one up to now.</param>
    [Allow(Roles.Service)]
    public sealed record OpenWindow(DateTimeOffset From, DateTimeOffset To, ValueList<string> Workers)
        : EffectivenessCommand;

    /// <summary>Notes that a new case was opened on the subject.</summary>
    [Allow(Roles.Service)]
    public sealed record NoteRecurrence(Guid NonconformityId, DateTimeOffset DetectedAt) : EffectivenessCommand;

    /// <summary>Evaluates the data (G15). The counts are looked up by the service, never sent by the caller.</summary>
    [Allow(Roles.QualityEngineer, Roles.Auditor)]
    public sealed record Evaluate : EffectivenessCommand
    {
        [JsonIgnore]
        public Evidence? Baseline { get; init; }

        [JsonIgnore]
        public Evidence? Window { get; init; }
    }

    /// <summary>Decides with a signature, with or against the numbers.</summary>
    [Allow(Roles.Approver), Signs]
    public sealed record Approve(
        Verdict Verdict, [property: StringLength(4000)] string? ReasonAgainstNumbers = null,
        [property: Range(1, 3650)] int? ExtendWindowDays = null) : EffectivenessCommand;
}
