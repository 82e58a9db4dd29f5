using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using Shouldly;
using static CapaEngine.Contracts.ActionPlanEvent;
using static CapaEngine.Specs.ActionPlans.Facts;
using Ask = CapaEngine.ActionPlans.Domain.ActionPlanCommand;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>A CAPA from the signed plan to its end (G12, G13, G14, G16).</summary>
public sealed class ImplementationSpecs
{
    private static readonly VerdictReceived FoundIneffective = FoundEffective with { Verdict = Verdict.Ineffective };

    [Fact]
    public void work_on_an_action_begins() =>
        Given(Implementing).When(new Ask.StartAction(Replace), by: "oscar").Then(new ActionStarted(Replace, "oscar"));

    [Fact]
    public void no_work_begins_before_the_approval() =>
        Given(InApproval).When(new Ask.StartAction(Replace), by: "oscar").ThenRejected("wrong-stage");

    [Fact]
    public void an_action_nobody_planned_is_unknown() =>
        Given(Implementing).When(new Ask.StartAction(Wear), by: "oscar").ThenRejected("unknown-action");

    [Fact]
    public void G12_its_owner_completes_it_with_evidence() =>
        Given([.. Implementing, new ActionStarted(Replace, "oscar")])
            .When(new Ask.CompleteAction(Replace, "Order 4711"), by: "oscar")
            .Then(new ActionCompleted(Replace, "oscar", "Order 4711"));

    [Fact]
    public void G12_nobody_else_completes_it() =>
        Given([.. Implementing, new ActionStarted(Replace, "oscar")])
            .When(new Ask.CompleteAction(Replace, "Order 4711"), by: "otto").ThenRejected("not-the-action-owner");

    [Fact]
    public void an_action_is_completed_only_once_begun() =>
        Given(Implementing).When(new Ask.CompleteAction(Replace, "Order"), by: "oscar").ThenRejected("wrong-stage");

    [Fact]
    public void G13_another_person_verifies_it() =>
        Given(ReplaceDone).When(new Ask.VerifyAction(Replace, "No play."), by: "vera")
            .Then(new ActionVerified(Replace, "vera", "No play."));

    [Fact]
    public void G13_its_owner_does_not_judge_it()
    {
        Given(ReplaceDone).When(new Ask.VerifyAction(Replace, "Fine."), by: "oscar").ThenRejected("self-verification");
        Given(ReplaceDone).When(new Ask.ReturnAction(Replace, "Hm."), by: "oscar").ThenRejected("self-verification");
    }

    [Fact]
    public void a_returned_action_is_done_again()
    {
        var returned = new ActionReturned(Replace, "vera", "Still loose.");
        Given(ReplaceDone).When(new Ask.ReturnAction(Replace, "Still loose."), by: "vera").Then(returned);
        Given([.. ReplaceDone, returned]).When(new Ask.VerifyAction(Replace, "No play."), by: "vera")
            .ThenRejected("wrong-stage");
    }

    [Fact]
    public void G14_the_last_verified_action_starts_the_monitoring() =>
        Given([.. Monitoring[..^2]]).When(new Ask.VerifyAction(Calibrate, "In order."), by: "vera")
            .Then(new ActionVerified(Calibrate, "vera", "In order."), Monitored);

    [Fact]
    public void G14_cancelling_the_last_open_action_starts_it_too()
    {
        var spare = CalibratePlanned with { ActionId = FirstCase };
        ActionPlanEvent[] facts =
            [.. Complete, spare, IsSubmitted, IsApproved, .. Monitoring[Implementing.Length..^1]];
        Given(facts).When(new Ask.CancelAction(FirstCase, "Not needed."))
            .Then(new ActionCancelled(FirstCase, "ada", "Not needed."), Monitored);
    }

    [Fact]
    public void an_approved_plan_keeps_acting_on_every_cause() =>
        Given(Implementing).When(new Ask.CancelAction(Calibrate, "Too dear.")).ThenRejected("cause-not-covered");

    [Fact]
    public void a_verified_action_is_not_cancelled() =>
        Given([.. ReplaceDone, new ActionVerified(Replace, "vera", "No play.")])
            .When(new Ask.CancelAction(Replace, "Too dear.")).ThenRejected("wrong-stage");

    [Fact]
    public void the_evaluation_begins_the_review() =>
        Given(Monitoring).When(new Ask.StartEffectivenessReview(1, Review, Verdict.Effective)).Then(Reviewed);

    [Fact]
    public void nothing_is_reviewed_before_it_is_implemented() =>
        Given(Implementing).When(new Ask.StartEffectivenessReview(1, Review, Verdict.Effective))
            .ThenRejected("wrong-stage");

    [Fact]
    public void an_effective_verdict_awaits_the_closing() =>
        Given(InReview).When(new Ask.ReceiveVerdict(1, Review, Verdict.Effective, null)).Then(FoundEffective);

    [Fact]
    public void a_verdict_waits_for_its_evaluation() =>
        Given(Monitoring).When(new Ask.ReceiveVerdict(1, Review, Verdict.Effective, null))
            .ThenRejected("review-not-started");

    [Fact]
    public void an_inconclusive_verdict_leads_back_to_monitoring()
    {
        var unclear = new VerdictReceived(1, Review, Verdict.Inconclusive, Now.AddDays(120));
        Given(InReview).When(new Ask.ReceiveVerdict(1, Review, Verdict.Inconclusive, Now.AddDays(120))).Then(unclear);
        Given([.. InReview, unclear]).When(new Ask.StartEffectivenessReview(1, Review, Verdict.Effective))
            .Then(Reviewed);
    }

    [Fact]
    public void an_ineffective_verdict_begins_the_next_cycle_with_the_cause() =>
        Given(InReview).When(new Ask.ReceiveVerdict(1, Review, Verdict.Ineffective, null))
            .Then(FoundIneffective, new CycleStarted(2));

    [Fact]
    public void the_next_cycle_needs_everything_anew_and_keeps_what_was()
    {
        ActionPlanEvent[] facts = [.. InReview, FoundIneffective, new CycleStarted(2)];
        var plan = facts.Aggregate(ActionPlan.NotOpened, ActionPlan.Evolve);
        plan.AllActions.Count.ShouldBe(2);
        plan.Actions.ShouldBeEmpty();
        Given(facts).When(new Ask.ReceiveCauses(Analysis, 1, Caused.Causes, true)).ThenNothing();
        Given(facts).When(new Ask.ReceiveVerdict(1, Review, Verdict.Ineffective, null)).ThenNothing();
        Given(facts).When(new Ask.ReceiveCauses(Analysis, 2, Caused.Causes, true)).Then(Caused with { Cycle = 2 });
        Given([.. facts, Caused with { Cycle = 2 }]).When(new Ask.Submit()).ThenRejected("no-action");
        var both = ReplacePlanned with { ActionId = FirstCase, Causes = [Wear, Gauge] };
        Given([.. facts, Caused with { Cycle = 2 }, both])
            .When(new Ask.Submit()).ThenRejected("criteria-missing");
    }

    [Fact]
    public void G16_it_closes_on_an_effective_verdict_with_answers_and_a_signature() =>
        Given([.. InReview, FoundEffective]).When(new Ask.Close(Answers), by: "amira")
            .Then(new Closed("amira", Answers, Sign("amira")));

    [Fact]
    public void G16_without_the_verdict_it_stays_open()
    {
        Given(InReview).When(new Ask.Close(Answers), by: "amira").ThenRejected("not-effective");
        Given(Monitoring).When(new Ask.Close(Answers), by: "amira").ThenRejected("wrong-stage");
    }

    [Fact]
    public void G16_every_answer_is_given()
    {
        ActionPlanEvent[] facts = [.. InReview, FoundEffective];
        ClosingAnswers[] incomplete =
        [
            Answers with { RiskUpdate = new Answer(true, "") }, Answers with { QmsChange = new Answer(false, " ") },
            Answers with { FmeaUpdate = new Answer(true, "") }, Answers with { Lessons = " " },
        ];
        foreach (var answers in incomplete)
            Given(facts).When(new Ask.Close(answers), by: "amira").ThenRejected("answer-missing");
    }

    [Theory]
    [InlineData("olga")]
    [InlineData("otto")]
    public void nobody_closes_their_own_capa(string person) =>
        Given([.. InReview, FoundEffective]).When(new Ask.Close(Answers), by: person).ThenRejected("self-approval");

    [Fact]
    public void an_owner_whose_action_was_cancelled_does_not_close_it_either()
    {
        var spare = CalibratePlanned with { ActionId = FirstCase, Owner = "amira" };
        ActionPlanEvent[] facts =
        [
            .. Complete, spare, IsSubmitted, IsApproved with { ActionOwners = ["oscar", "otto", "amira"] },
            new ActionCancelled(FirstCase, "ada", "Not needed."), .. InReview[Implementing.Length..], FoundEffective,
        ];
        Given(facts).When(new Ask.Close(Answers), by: "amira").ThenRejected("self-approval");
    }

    [Fact]
    public void it_is_given_up_with_a_reason_and_then_stays_so()
    {
        var cancelled = new Cancelled("amira", "The product ends.");
        Given(Implementing).When(new Ask.Cancel("The product ends."), by: "amira").Then(cancelled);
        ActionPlanEvent[] facts = [.. Implementing, cancelled];
        Given(facts).When(new Ask.StartAction(Replace), by: "oscar").ThenRejected("wrong-stage");
        Given(facts).When(new Ask.ReceiveVerdict(1, Review, Verdict.Effective, null)).ThenNothing();
        Given(facts).When(new Ask.ReceiveCauses(Analysis, 1, Caused.Causes, true)).ThenNothing();
    }

    [Theory]
    [InlineData("olga")]
    [InlineData("oscar")]
    public void nobody_gives_up_their_own_capa(string person) =>
        Given(Implementing).When(new Ask.Cancel("Too much work."), by: person).ThenRejected("self-approval");
}
