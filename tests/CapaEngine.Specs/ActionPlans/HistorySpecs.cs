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
        var owners = new Dictionary<Guid, string>();
        var completers = new Dictionary<Guid, string>();
        string? submitter = null, evaluator = null;
        IReadOnlyList<string> judged = [];
        foreach (var fact in CapaHistory.Of(steps).Log)
        {
            switch (fact)
            {
                case ActionPlanEvent.ActionPlanned e: owners[e.ActionId] = e.Owner; break;
                case ActionPlanEvent.Submitted e: submitter = e.SubmittedBy; break;
                case ActionPlanEvent.Approved e:
                    e.ActionOwners.ShouldBeSubsetOf(owners.Values);
                    new[] { CapaHistory.Owner, submitter }.Concat(e.ActionOwners).ShouldNotContain(e.ApprovedBy);
                    judged = e.ActionOwners;
                    break;
                case ActionPlanEvent.ActionCompleted e:
                    e.CompletedBy.ShouldBe(owners[e.ActionId]);
                    completers[e.ActionId] = e.CompletedBy;
                    break;
                case ActionPlanEvent.ActionVerified e:
                    new[] { owners[e.ActionId], completers[e.ActionId] }.ShouldNotContain(e.VerifiedBy);
                    break;
                case EffectivenessEvent.Evaluated e:
                    judged.ShouldNotContain(e.EvaluatedBy);
                    evaluator = e.EvaluatedBy;
                    break;
                case EffectivenessEvent.Approved e:
                    judged.Append(evaluator).ShouldNotContain(e.ApprovedBy);
                    break;
                case ActionPlanEvent.Closed e:
                    judged.Append(CapaHistory.Owner).ShouldNotContain(e.ClosedBy);
                    break;
            }
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
    private ActionPlan plan = ActionPlan.NotOpened;
    private DateTimeOffset now = Facts.Now;
    private int commandCount;

    /// <summary>Every fact in the order it came about.</summary>
    public List<object> Log { get; } = [];

    public static CapaHistory Of(IEnumerable<Step> steps)
    {
        var history = new CapaHistory();
        history.Give(new ActionPlanCommand.Open("berlin", "Bores", Owner, "They age alike.", Facts.Subject), "ada");
        foreach (var step in steps) history.Try(step);
        return history;
    }

    private EffectivenessReview Review => reviews.GetValueOrDefault(plan.Cycle, EffectivenessReview.NotStarted);

    private void Try(Step step)
    {
        now = now.AddDays(1);
        object[] choices = step.Stray
            ? [.. Enum.GetValues<PlanStage>().SelectMany(stage => Choices(stage, step))]
            : [.. Choices(plan.Stage, step)];
        if (choices.Length == 0) return;
        switch (choices[step.Choice % choices.Length])
        {
            case ActionPlanCommand.CompleteAction c when !step.Stray:
                Give(c, plan.Find(c.ActionId)?.Owner ?? step.Person);
                break;
            case ActionPlanCommand c: Give(c, step.Person); break;
            case EffectivenessCommand c: Give(c, step.Person, plan.Cycle); break;
        }
    }

    private IEnumerable<object> Choices(PlanStage stage, Step step)
    {
        var actions = plan.Actions.ToList();
        var actionId = actions.Count == 0 ? Guid.Empty : actions[step.Pick % actions.Count].Id;
        return stage switch
        {
            PlanStage.AwaitingCause =>
                [new ActionPlanCommand.ReceiveCauses(Facts.Analysis, plan.Cycle, Facts.Caused.Causes, true)],
            PlanStage.Planning =>
            [
                new ActionPlanCommand.RateRisk(3, 1 + step.Pick % 5), Plan(step), Define(),
                new ActionPlanCommand.Submit(),
                new ActionPlanCommand.CancelAction(actionId, "Another is better."),
            ],
            PlanStage.PlanInApproval =>
                [new ActionPlanCommand.Approve(), new ActionPlanCommand.SendBack($"Question {step.Pick}?")],
            PlanStage.Implementing =>
            [
                new ActionPlanCommand.StartAction(actionId), new ActionPlanCommand.CompleteAction(actionId, "Order"),
                new ActionPlanCommand.VerifyAction(actionId, "Fine."),
                new ActionPlanCommand.ReturnAction(actionId, $"Loose {step.Pick}."),
            ],
            PlanStage.Monitoring => [Evaluate(step)],
            PlanStage.InEffectivenessReview =>
                [Decide(step), Decide(step), new ActionPlanCommand.Close(Facts.Answers)],
            PlanStage.Closed => [new ActionPlanCommand.JoinNonconformity(Facts.FirstCase)],
            _ => [],
        };
    }

    private ActionPlanCommand.PlanAction Plan(Step step) => new(
        ActionKind.Corrective, "Replace", "Replace it.", People[step.Pick % People.Length],
        DateOnly.FromDateTime(now.UtcDateTime), [Facts.Wear, Facts.Gauge]);

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
        foreach (var fact in Accepted(ActionPlan.Decide(command, plan, Context(by))))
        {
            plan = ActionPlan.Evolve(plan, fact);
            if (fact is ActionPlanEvent.Approved e)
                Give(new EffectivenessCommand.LockCriteria(
                    Facts.FirstCase, e.Cycle, "berlin", e.Criteria, e.ActionOwners, e.ApprovedBy), "service", e.Cycle);
            if (fact is ActionPlanEvent.MonitoringStarted m)
                Give(new EffectivenessCommand.OpenWindow(m.From, m.To), "service", m.Cycle);
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
