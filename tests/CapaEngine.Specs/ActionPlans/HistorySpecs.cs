using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Shouldly;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>Whatever people try, in whatever order: nobody judges their own work, and closed means effective.</summary>
public sealed class HistorySpecs
{
    private const int StepCount = 160;

    private static readonly Gen<Step[]> Steps = Gen.ArrayOf(
        from person in Gen.Choose(0, CapaHistory.People.Length - 1)
        from choice in Gen.Choose(0, 1000)
        from pick in Gen.Choose(0, 1000)
        from stray in Gen.Frequency((4, Gen.Constant(false)), (1, Gen.Constant(true)))
        select new Step(CapaHistory.People[person], choice, pick, stray), StepCount);

    [Property(MaxTest = 200)]
    public Property nobody_verifies_approves_or_evaluates_their_own_work() => Prop.ForAll(Arb.From(Steps), steps =>
    {
        // Written apart from the rules: whoever has ever owned or touched an action.
        var people = new Dictionary<Guid, HashSet<string>>();
        var owners = new Dictionary<Guid, string>();
        var planOwners = new HashSet<string> { CapaHistory.Owner };
        var judged = new HashSet<string>();
        string? submitter = null, evaluator = null, approver = null;
        foreach (var fact in CapaHistory.Of(steps).Log)
        {
            switch (fact)
            {
                case ActionPlanEvent.ActionPlanned e:
                    (owners[e.ActionId], people[e.ActionId]) = (e.Owner, [e.Owner]);
                    if (approver is not null) judged.Add(e.Owner);
                    break;
                case ActionPlanEvent.ActionOwnerChanged e:
                    owners[e.ActionId] = e.Owner;
                    people[e.ActionId].Add(e.Owner);
                    if (approver is not null) judged.Add(e.Owner);
                    break;
                case ActionPlanEvent.OwnerChanged e: planOwners.Add(e.Owner); break;
                case ActionPlanEvent.ActionStarted e:
                    people[e.ActionId].Add(e.StartedBy);
                    judged.Add(e.StartedBy);
                    break;
                case ActionPlanEvent.CycleStarted:
                    approver = null;
                    judged.Clear();
                    break;
                case ActionPlanEvent.Submitted e: submitter = e.SubmittedBy; break;
                case ActionPlanEvent.Approved e:
                    e.ActionOwners.ShouldBeSubsetOf(people.Values.SelectMany(some => some));
                    planOwners.Append(submitter).Concat(e.ActionOwners).ShouldNotContain(e.ApprovedBy);
                    approver = e.ApprovedBy;
                    judged.UnionWith(e.ActionOwners);
                    break;
                case ActionPlanEvent.ActionCompleted e: e.CompletedBy.ShouldBe(owners[e.ActionId]); break;
                case ActionPlanEvent.ActionVerified e: people[e.ActionId].ShouldNotContain(e.VerifiedBy); break;
                case ActionPlanEvent.ExtensionGranted e:
                    judged.Concat(planOwners).ShouldNotContain(e.GrantedBy);
                    break;
                case EffectivenessEvent.Evaluated e:
                    judged.ShouldNotContain(e.EvaluatedBy);
                    evaluator = e.EvaluatedBy;
                    break;
                case EffectivenessEvent.Approved e:
                    judged.Append(evaluator).ShouldNotContain(e.ApprovedBy);
                    break;
                case ActionPlanEvent.Closed e:
                    judged.Concat(planOwners).ShouldNotContain(e.ClosedBy);
                    break;
            }

            if (approver is not null) judged.Concat(planOwners).ShouldNotContain(approver);
        }
    });

    [Property(MaxTest = 200)]
    public Property due_dates_never_move_without_a_granted_extension() => Prop.ForAll(Arb.From(Steps), steps =>
    {
        var due = new Dictionary<Guid, DateOnly>();
        var requested = new Dictionary<Guid, DateOnly>();
        var approved = false;
        var history = CapaHistory.Of(steps);
        foreach (var fact in history.Log)
        {
            switch (fact)
            {
                case ActionPlanEvent.Approved: approved = true; break;
                case ActionPlanEvent.CycleStarted: approved = false; break;
                case ActionPlanEvent.ActionPlanned e: due.Add(e.ActionId, e.DueOn); break;
                case ActionPlanEvent.ActionReplaced e when approved:
                    due[e.SuccessorId].ShouldBeLessThanOrEqualTo(due[e.ActionId]);
                    break;
                case ActionPlanEvent.ExtensionRequested e: requested[e.ActionId] = e.DueOn; break;
                case ActionPlanEvent.ExtensionGranted e:
                    requested.Remove(e.ActionId, out var asked).ShouldBeTrue();
                    e.DueOn.ShouldBe(asked);
                    due[e.ActionId] = asked;
                    break;
                case ActionPlanEvent.ExtensionRefused e: requested.Remove(e.ActionId).ShouldBeTrue(); break;
            }
        }

        history.Plan.AllActions.ShouldAllBe(action => action.DueOn == due[action.Id]);
    });

    [Property(MaxTest = 200)]
    public Property no_history_takes_a_step_that_its_stage_does_not_know() => Prop.ForAll(Arb.From(Steps), steps =>
    {
        // The stages a CAPA goes through, by the event that leads on, written down once more.
        var stage = PlanStage.AwaitingCause;
        foreach (var fact in CapaHistory.Of(steps).Log)
        {
            var (from, to) = fact switch
            {
                ActionPlanEvent.CausesReceived => (PlanStage.AwaitingCause, PlanStage.Planning),
                ActionPlanEvent.Submitted => (PlanStage.Planning, PlanStage.PlanInApproval),
                ActionPlanEvent.SentBack => (PlanStage.PlanInApproval, PlanStage.Planning),
                ActionPlanEvent.Approved => (PlanStage.PlanInApproval, PlanStage.Implementing),
                ActionPlanEvent.ActionStarted or ActionPlanEvent.ActionCompleted or ActionPlanEvent.ActionVerified
                    or ActionPlanEvent.ActionReturned or ActionPlanEvent.ExtensionRequested
                    or ActionPlanEvent.ExtensionGranted or ActionPlanEvent.ExtensionRefused
                    => (PlanStage.Implementing, PlanStage.Implementing),
                ActionPlanEvent.MonitoringStarted => (PlanStage.Implementing, PlanStage.Monitoring),
                ActionPlanEvent.EffectivenessReviewStarted => (PlanStage.Monitoring, PlanStage.InEffectivenessReview),
                ActionPlanEvent.VerdictReceived { Verdict: Verdict.Inconclusive }
                    => (PlanStage.InEffectivenessReview, PlanStage.Monitoring),
                ActionPlanEvent.CycleStarted => (PlanStage.InEffectivenessReview, PlanStage.AwaitingCause),
                ActionPlanEvent.Closed => (PlanStage.InEffectivenessReview, PlanStage.Closed),
                _ => (stage, stage),
            };
            stage.ShouldBe(from, fact.ToString());
            stage = to;
        }
    });

    [Property(MaxTest = 200)]
    public Property closed_implies_effective() => Prop.ForAll(Arb.From(Steps), steps =>
    {
        var log = CapaHistory.Of(steps).Log;
        if (!log.Any(fact => fact is ActionPlanEvent.Closed)) return;
        log.OfType<EffectivenessEvent.Approved>().Last().Verdict.ShouldBe(Verdict.Effective);
        log.OfType<ActionPlanEvent.VerdictReceived>().Last().Verdict.ShouldBe(Verdict.Effective);
        log.SkipWhile(fact => fact is not ActionPlanEvent.Closed).Count().ShouldBe(1, "Nothing happens after closing.");
    });

    [Fact]
    public void the_histories_reach_what_they_are_to_try()
    {
        var logs = Gen.Sample(Steps, 300).Select(steps => CapaHistory.Of(steps).Log).ToList();
        logs.Count(log => log.Any(fact => fact is ActionPlanEvent.Closed)).ShouldBeGreaterThan(10);
        logs.Count(log => log.Any(fact => fact is ActionPlanEvent.CycleStarted)).ShouldBeGreaterThan(10);
        logs.Count(log => log.Any(fact => fact is ActionPlanEvent.ActionReturned)).ShouldBeGreaterThan(10);
        logs.Count(log => log.Any(fact => fact is ActionPlanEvent.SentBack)).ShouldBeGreaterThan(10);
        logs.Count(log => log.Any(fact => fact is ActionPlanEvent.ExtensionGranted)).ShouldBeGreaterThan(10);
        logs.Count(log => log.Any(fact => fact is ActionPlanEvent.ActionReplaced)).ShouldBeGreaterThan(10);
        logs.Count(log => log.Any(fact => fact is ActionPlanEvent.OwnerChanged)).ShouldBeGreaterThan(10);
        logs.Count(log => log.Any(fact => fact is EffectivenessEvent.PersonsExcluded)).ShouldBeGreaterThan(10);
    }
}

/// <summary>Somebody tries something.</summary>
/// <param name="Stray">True for any command at all, false for one that people would try at that stage.</param>
internal sealed record Step(string Person, int Choice, int Pick, bool Stray);

/// <summary>A CAPA and its reviews, driven by random steps; reactions follow at once.</summary>
internal sealed class CapaHistory
{
    public const string Owner = "olga";
    public static readonly string[] People = [Owner, "oscar", "otto", "vera", "amira", "paul", "ada"];

    private readonly Dictionary<int, EffectivenessReview> reviews = [];
    private DateTimeOffset now = Facts.Now;
    private int commandCount;

    /// <summary>The CAPA as it stands.</summary>
    public ActionPlan Plan { get; private set; } = ActionPlan.NotOpened;

    /// <summary>Every fact in the order it came about.</summary>
    public List<object> Log { get; } = [];

    public static CapaHistory Of(IEnumerable<Step> steps)
    {
        var history = new CapaHistory();
        history.Give(new ActionPlanCommand.Open("berlin", "Bores", Owner, "They age alike.", Facts.Subject), "ada");
        foreach (var step in steps) history.Try(step);
        return history;
    }

    private EffectivenessReview Review => reviews.GetValueOrDefault(Plan.Cycle, EffectivenessReview.NotStarted);

    private void Try(Step step)
    {
        now = now.AddDays(1);
        object[] choices = step.Stray
            ? [.. Enum.GetValues<PlanStage>().SelectMany(stage => Choices(stage, step))]
            : [.. Choices(Plan.Stage, step)];
        if (choices.Length == 0) return;
        switch (choices[step.Choice % choices.Length])
        {
            case ActionPlanCommand.CompleteAction c when !step.Stray:
                Give(c, Plan.Find(c.ActionId)?.Owner ?? step.Person);
                break;
            case ActionPlanCommand.StartAction c when !step.Stray:
                Give(c, Plan.Find(c.ActionId)?.Owner ?? step.Person);
                break;
            case ActionPlanCommand c: Give(c, step.Person); break;
            case EffectivenessCommand c: Give(c, step.Person, Plan.Cycle); break;
        }
    }

    private IEnumerable<object> Choices(PlanStage stage, Step step)
    {
        var actions = Plan.Actions.ToList();
        var actionId = actions.Count == 0 ? Guid.Empty : actions[step.Pick % actions.Count].Id;
        return stage switch
        {
            PlanStage.AwaitingCause =>
                [new ActionPlanCommand.ReceiveCauses(Facts.Analysis, Plan.Cycle, Facts.Caused.Causes, true)],
            PlanStage.Planning =>
            [
                new ActionPlanCommand.RateRisk(3, 1 + step.Pick % 5), PlanOne(step), Define(),
                new ActionPlanCommand.Submit(),
                new ActionPlanCommand.CancelAction(actionId, "Another is better."), .. Changes(actionId, step),
            ],
            PlanStage.PlanInApproval =>
                [new ActionPlanCommand.Approve(), new ActionPlanCommand.SendBack($"Question {step.Pick}?")],
            PlanStage.Implementing =>
            [
                new ActionPlanCommand.StartAction(actionId), new ActionPlanCommand.CompleteAction(actionId, "Order"),
                new ActionPlanCommand.VerifyAction(actionId, "Fine."),
                new ActionPlanCommand.ReturnAction(actionId, $"Loose {step.Pick}."),
                new ActionPlanCommand.RequestExtension(actionId, Day(step.Pick % 60), "Late."),
                new ActionPlanCommand.GrantExtension(actionId), new ActionPlanCommand.GrantExtension(actionId),
                new ActionPlanCommand.RefuseExtension(actionId, "No."), .. Changes(actionId, step),
            ],
            PlanStage.Monitoring => [Evaluate(step)],
            PlanStage.InEffectivenessReview =>
                [Decide(step), Decide(step), new ActionPlanCommand.Close(Facts.Answers)],
            PlanStage.Closed => [new ActionPlanCommand.JoinNonconformity(Facts.FirstCase)],
            _ => [],
        };
    }

    private ActionPlanCommand.PlanAction PlanOne(Step step) => new(
        ActionKind.Corrective, "Replace", "Replace it.", People[step.Pick % People.Length],
        Day(5), [Facts.Wear, Facts.Gauge]);

    private DateOnly Day(int ahead) => DateOnly.FromDateTime(now.UtcDateTime).AddDays(ahead);

    private ActionPlanCommand[] Changes(Guid actionId, Step step) =>
    [
        new ActionPlanCommand.ReplaceAction(actionId, "Better.", ActionKind.Corrective, "Grind", "Grind it.",
            People[step.Pick % People.Length], Plan.Find(actionId)?.DueOn.AddDays(step.Pick % 2) ?? Day(5)),
        new ActionPlanCommand.ChangeActionOwner(actionId, People[step.Pick % People.Length], "Ill."),
        new ActionPlanCommand.ChangeOwner(People[step.Pick % 3], "Left."),
    ];

    private ActionPlanCommand.DefineEffectivenessCriteria Define() => new(
        Facts.Criteria.BaselineFrom, Facts.Criteria.BaselineTo, 0.5, 0.05, 60, ExposureUnit.Days)
    {
        Baseline = new Evidence(Facts.Baseline, []),
    };

    // Waits for the end of the window, else few histories would get past it.
    private EffectivenessCommand.Evaluate Evaluate(Step step)
    {
        if (!step.Stray && now < Review.WindowTo) now = Review.WindowTo;
        var window = Facts.Baseline with { Deviations = step.Pick % 8, Exposure = 60 };
        return new EffectivenessCommand.Evaluate
        {
            Baseline = new Evidence(Facts.Baseline, []), Window = new Evidence(window, []),
        };
    }

    private static EffectivenessCommand.Approve Decide(Step step)
    {
        var verdict = (Verdict)(step.Pick % 3);
        return new EffectivenessCommand.Approve(
            verdict, step.Choice % 2 == 0 ? "A reason." : null, verdict == Verdict.Inconclusive ? 10 : null);
    }

    private void Give(ActionPlanCommand command, string by)
    {
        foreach (var fact in Accepted(ActionPlan.Decide(command, Plan, Context(by))))
        {
            Plan = ActionPlan.Evolve(Plan, fact);
            if (fact is ActionPlanEvent.Approved e)
                Give(new EffectivenessCommand.LockCriteria(
                    Facts.FirstCase, e.Cycle, "berlin", e.Criteria, e.ActionOwners, e.ApprovedBy), "service", e.Cycle);
            if (fact is ActionPlanEvent.MonitoringStarted m)
                Give(new EffectivenessCommand.OpenWindow(m.From, m.To, Plan.Workers), "service", m.Cycle);
        }
    }

    private void Give(EffectivenessCommand command, string by, int cycle)
    {
        var review = reviews.GetValueOrDefault(cycle, EffectivenessReview.NotStarted);
        foreach (var fact in Accepted(EffectivenessReview.Decide(command, review, Context(by))))
        {
            reviews[cycle] = review = EffectivenessReview.Evolve(review, fact);
            if (fact is EffectivenessEvent.Evaluated e)
                Give(new ActionPlanCommand.StartEffectivenessReview(e.Cycle, Facts.Review, e.Proposed), "service");
            if (fact is EffectivenessEvent.Approved a)
                Give(new ActionPlanCommand.ReceiveVerdict(a.Cycle, Facts.Review, a.Verdict, a.WindowTo), "service");
        }
    }

    private ValueList<TEvent> Accepted<TEvent>(Decision<TEvent> decision)
    {
        var facts = decision is Decision<TEvent>.Accepted accepted ? accepted.Events : [];
        Log.AddRange(facts.Cast<object>());
        return facts;
    }

    private CommandContext Context(string by) =>
        DeciderSpec<ActionPlan, ActionPlanCommand, ActionPlanEvent>.Context(by, now)
            with { CommandId = $"command-{commandCount++}" };
}
