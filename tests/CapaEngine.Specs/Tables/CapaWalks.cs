using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.RootCauses.Domain;
using CapaEngine.Specs.ActionPlans;
using static CapaEngine.Specs.Tables.NonconformityWalks;

namespace CapaEngine.Specs.Tables;

/// <summary>What can be tried on analyses, action plans and reviews of effectiveness.</summary>
internal static class CapaWalks
{
    private const string NotOpened = "not-opened";
    private static readonly TableAnswer Low = new("low", "default-1"), High = new("high", "default-1");
    private static readonly string[] People = ["olga", "oscar", "otto", "vera", "amira"];
    private static readonly DateTimeOffset Later = Facts.Now.AddDays(400);

    public static DecisionTable OfAnalyses() => DecisionTable.Of(RootCauseAnalysis.Decider, new(
        StagesOf<AnalysisStage>(), state => Kebab(state.Stage), [[]], Menu, [.. People.Select(person => By(person))])
    {
        WalkCount = 20,
    });

    public static DecisionTable OfPlans() => DecisionTable.Of(ActionPlan.Decider, new(
        [NotOpened, .. StagesOf<PlanStage>()], state => state.Opening is null ? NotOpened : Kebab(state.Stage),
        [
            [], [Facts.IsOpened, Facts.Caused with { ExtentIsChecked = false }], Facts.Planning, Facts.Complete,
            Facts.InApproval, Facts.Implementing, Facts.ReplaceDone,
            [.. Facts.Complete, Polish, Facts.IsSubmitted, Facts.IsApproved],
            [.. Facts.Monitoring, RailWears], Facts.InReview,
            [.. Facts.InReview, Facts.FoundEffective],
            [.. Facts.InReview, Facts.FoundEffective, new ActionPlanEvent.Closed(
                "amira", Facts.Answers, Facts.Sign("amira"))],
        ],
        Menu, [.. People.Select(person => By(person))]));

    public static DecisionTable OfReviews() => DecisionTable.Of(EffectivenessReview.Decider, new(
        StagesOf<ReviewStage>(), state => Kebab(state.Stage), [[]], Menu,
        [By("oscar"), By("vera"), By("amira"), By("vera", Later), By("amira", Later)]) { WalkCount = 20 });

    // One action more than the causes need, so that one can be done without.
    private static readonly ActionPlanEvent.ActionPlanned Polish =
        Facts.ReplacePlanned with { ActionId = NameBasedId.From("polish"), Title = "Polish the rail" };

    private static readonly ActionPlanEvent.FailureModeRated RailWears = new(
        "Rail wears", RatingMoment.Before, new FailureRating(8, 6, 5), High, "ada");

    private static CommandContext By(string person, DateTimeOffset? at = null) =>
        DeciderSpec<ActionPlan, ActionPlanCommand, ActionPlanEvent>.Context(person, at);

    private static IEnumerable<RootCauseCommand> Menu(RootCauseAnalysis state)
    {
        var cause = state.Hypotheses.FirstOrDefault(one => one.Judgement is null)?.Id ?? Guid.Empty;
        var number = state.Hypotheses.Count;
        var tree = new CauseCodeTree { Version = 1, Codes = [new("machine", "Machine")] };
        return
        [
            new RootCauseCommand.Start(
                Facts.FirstCase, null, "berlin", "olga", "Bores too wide", Facts.Subject, Escaped: true),
            new RootCauseCommand.ChangeOwner(state.Owners.Count % 2 == 0 ? "olga" : "oscar"),
            new RootCauseCommand.ChooseCategories([.. state.Groundwork.Categories, $"Category {number}"]),
            new RootCauseCommand.NoteFactor(state.Groundwork.Categories[0], $"Influence {number}."),
            new RootCauseCommand.NoteFactor("Nowhere", "Influence."),
            new RootCauseCommand.AnswerWhy($"Because {number}."), new RootCauseCommand.AnswerWhy("So.", Guid.Empty),
            new RootCauseCommand.NoteContrast(ContrastAspect.Where, "Line 1", "Line 2", $"The rail {number}."),
            new RootCauseCommand.ProposeCause(CauseKind.Occurrence, "machine.wear", $"Worn {number}.", []),
            new RootCauseCommand.ProposeCause(CauseKind.Escape, "inspection.gauge", $"Off {number}.", []),
            new RootCauseCommand.ProposeCause(CauseKind.Occurrence, "human-error", $"Slip {number}.", []),
            new RootCauseCommand.ProposeCause(CauseKind.System, "nothing", "Unknown code.", []) { Codes = tree },
            new RootCauseCommand.VerifyCause(cause, VerificationMethod.Measurement, "0.2 mm"),
            new RootCauseCommand.RefuteCause(cause, VerificationMethod.Observation, "No trace."),
            new RootCauseCommand.DeclareCauseUnknown($"No trace {number}."),
            new RootCauseCommand.CheckExtent($"Same bore {number}?", []), new RootCauseCommand.Complete(),
            new RootCauseCommand.Complete("Sabotage."), new RootCauseCommand.SendBack("More."),
            new RootCauseCommand.Approve(), new RootCauseCommand.Reopen(state.Cycle + 1, "Ineffective."),
        ];
    }

    private static IEnumerable<ActionPlanCommand> Menu(ActionPlan plan)
    {
        var standing = plan.Actions.Where(action => action.Status != ActionStatus.Verified).ToList();
        var action = standing.FirstOrDefault() ?? plan.Actions.FirstOrDefault();
        var (id, due) = (action?.Id ?? Guid.Empty, action?.DueOn ?? new DateOnly(2026, 4, 1));
        var owner = action?.Owner == "oscar" ? "olga" : "oscar";
        var criteria = new ActionPlanCommand.DefineEffectivenessCriteria(
            Facts.Criteria.BaselineFrom, Facts.Criteria.BaselineTo, 0.5, 0.05, 60, ExposureUnit.Days)
        {
            Baseline = new Evidence(Facts.Baseline, []),
        };
        return
        [
            new ActionPlanCommand.Open("berlin", "Bores", "olga", "They age alike.", Facts.Subject),
            new ActionPlanCommand.OpenForNonconformity(
                Facts.FirstCase, "berlin", "Bores", "olga", "Three", Facts.Subject, null, false),
            new ActionPlanCommand.JoinNonconformity(NameBasedId.From($"case {plan.Nonconformities.Count}")),
            new ActionPlanCommand.ReceiveCauses(Facts.Analysis, plan.Cycle, Facts.Caused.Causes, true),
            new ActionPlanCommand.RateRisk(3, 2) { Class = Low },
            new ActionPlanCommand.RateResidualRisk(2, 2) { Class = Low },
            new ActionPlanCommand.RateFailureMode("Rail wears", 8, 6, 5) { Priority = High },
            new ActionPlanCommand.RateFailureMode("Rail breaks", 8, 6, 5) { Priority = High },
            new ActionPlanCommand.CheckAdverseEffects(false, "None."),
            new ActionPlanCommand.PlanDeployment(["turning"]),
            new ActionPlanCommand.AnswerDeployment("turning", new Answer(true, "WI-9")),
            new ActionPlanCommand.PlanAction(
                ActionKind.Corrective, "Replace", "Replace it.", "oscar", new(2026, 4, 1), [Facts.Wear, Facts.Gauge]),
            new ActionPlanCommand.CancelAction(id, "Another is better."),
            new ActionPlanCommand.ReplaceAction(
                id, "Better.", ActionKind.Corrective, "Grind", "Grind it.", "oscar", due),
            new ActionPlanCommand.ChangeActionOwner(id, owner, "Ill."),
            new ActionPlanCommand.ChangeOwner(owner, "Left."),
            new ActionPlanCommand.RequestExtension(id, due.AddDays(10), "Late."),
            new ActionPlanCommand.GrantExtension(id), new ActionPlanCommand.RefuseExtension(id, "No."), criteria,
            new ActionPlanCommand.ProposeCriteriaChange(criteria with { WindowDays = 70 }, "A slow line."),
            new ActionPlanCommand.ApproveCriteriaChange(), new ActionPlanCommand.RefuseCriteriaChange("No."),
            new ActionPlanCommand.Submit(),
            new ActionPlanCommand.SendBack("Why so?"), new ActionPlanCommand.Approve(),
            new ActionPlanCommand.StartAction(id), new ActionPlanCommand.CompleteAction(id, "Order 1"),
            new ActionPlanCommand.VerifyAction(id, "Fine."), new ActionPlanCommand.ReturnAction(id, "Loose."),
            new ActionPlanCommand.StartEffectivenessReview(plan.Cycle, Facts.Review, Verdict.Effective),
            new ActionPlanCommand.ReceiveVerdict(plan.Cycle, Facts.Review, Verdict.Effective, null),
            new ActionPlanCommand.ReceiveVerdict(plan.Cycle, Facts.Review, Verdict.Ineffective, null),
            new ActionPlanCommand.ReceiveVerdict(plan.Cycle, Facts.Review, Verdict.Inconclusive, Later),
            new ActionPlanCommand.Close(Facts.Answers), new ActionPlanCommand.Reopen($"Again in {plan.Cycle}."),
            new ActionPlanCommand.Cancel("Not worth it."),
        ];
    }

    private static IEnumerable<EffectivenessCommand> Menu(EffectivenessReview review)
    {
        var counted = new EffectivenessCommand.Evaluate
        {
            Baseline = new Evidence(Facts.Baseline, []),
            Window = new Evidence(Facts.Baseline with { Deviations = 0, Exposure = 90 }, []),
        };
        return
        [
            new EffectivenessCommand.LockCriteria(Facts.FirstCase, 1, "berlin", Facts.Criteria, ["oscar"], "amira"),
            new EffectivenessCommand.LockCriteria(
                Facts.FirstCase, 1, "berlin", Facts.Criteria with { WindowDays = 70 }, ["oscar"], "amira"),
            new EffectivenessCommand.ChangeCriteria(Facts.Criteria with { WindowDays = 80 }, "amira"),
            new EffectivenessCommand.OpenWindow(Facts.Now.AddDays(-5), Facts.Now.AddDays(85), ["otto"]),
            new EffectivenessCommand.OpenWindow(Facts.Now.AddDays(-4), Facts.Now.AddDays(85), []),
            new EffectivenessCommand.NoteRecurrence(Facts.FirstCase, Facts.Now), counted,
            new EffectivenessCommand.Evaluate(), new EffectivenessCommand.Approve(Verdict.Effective),
            new EffectivenessCommand.Approve(Verdict.Ineffective, "We know better."),
            new EffectivenessCommand.Approve(Verdict.Inconclusive, "Too few.", 400),
        ];
    }
}
