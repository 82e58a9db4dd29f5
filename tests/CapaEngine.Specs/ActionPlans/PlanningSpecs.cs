using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using Shouldly;
using static CapaEngine.Contracts.ActionPlanEvent;
using static CapaEngine.Specs.ActionPlans.Facts;
using Ask = CapaEngine.ActionPlans.Domain.ActionPlanCommand;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>A CAPA from its opening to the signed plan (G11).</summary>
public sealed class PlanningSpecs
{
    private static readonly Ask.PlanAction PlanReplace = new(
        ActionKind.Corrective, "Replace the rail", "Replace and align it.", "oscar", new(2026, 3, 20), [Wear]);

    private static readonly Ask.DefineEffectivenessCriteria Define = new(
        Criteria.BaselineFrom, Criteria.BaselineTo, 0.5, 0.05, 90, ExposureUnit.Days)
    {
        Baseline = new Evidence(Baseline, []),
    };

    [Fact]
    public void a_nonconformity_opens_it() =>
        Given().When(new Ask.OpenForNonconformity(
                FirstCase, "berlin", "Bores too wide", "olga", "Three in two days", Subject, Now.AddDays(-10), false))
            .Then(IsOpened);

    [Fact]
    public void preventive_action_opens_it_without_a_nonconformity() =>
        Given().When(new Ask.Open("berlin", "Worn rails elsewhere", "olga", "They age alike.", Subject))
            .Then(new Opened("berlin", "Worn rails elsewhere", "olga", null, "They age alike.", Subject, null, false));

    [Fact]
    public void its_subject_is_of_its_site()
    {
        Given().When(new Ask.Open("paris", "Worn rails", "olga", "They age.", Subject)).ThenRejected("other-site");
        Given().When(new Ask.OpenForNonconformity(FirstCase, "paris", "Bores", "olga", "Three", Subject, null, false))
            .ThenRejected("other-site");
    }

    [Fact]
    public void an_open_capa_is_not_opened_as_another() =>
        Given(IsOpened).When(new Ask.Open("berlin", "Worn rails", "olga", "They age alike.", null))
            .ThenRejected("already-opened");

    [Fact]
    public void nothing_happens_to_a_capa_that_does_not_exist() => Given().When(new Ask.Submit()).ThenNotFound();

    [Fact]
    public void a_further_nonconformity_joins() =>
        Given(IsOpened).When(new Ask.JoinNonconformity(Wear)).Then(new NonconformityJoined(Wear));

    [Fact]
    public void the_nonconformity_that_opened_it_need_not_join() =>
        Given(IsOpened).When(new Ask.JoinNonconformity(FirstCase)).ThenNothing();

    [Fact]
    public void no_nonconformity_joins_what_is_over() =>
        Given([.. InReview, FoundEffective, new Closed("amira", Answers, Sign("amira"))])
            .When(new Ask.JoinNonconformity(Wear)).ThenRejected("wrong-stage");

    [Fact]
    public void the_approved_analysis_brings_the_causes() =>
        Given(IsOpened).When(new Ask.ReceiveCauses(Analysis, 1, Caused.Causes, true)).Then(Caused);

    [Fact]
    public void the_analysis_of_a_later_cycle_is_not_taken_for_this_one() =>
        Given(IsOpened).When(new Ask.ReceiveCauses(Analysis, 2, Caused.Causes, true)).ThenRejected("cycle-ahead");

    [Fact]
    public void a_late_extent_check_reaches_the_planning()
    {
        var unchecked_ = Caused with { ExtentIsChecked = false };
        Given(IsOpened, unchecked_).When(new Ask.ReceiveCauses(Analysis, 1, Caused.Causes, true)).Then(Caused);
        Given(IsOpened, Caused).When(new Ask.ReceiveCauses(Analysis, 1, Caused.Causes, false)).ThenNothing();
    }

    [Fact]
    public void the_risk_is_rated_before_the_action() =>
        Given(IsOpened).When(new Ask.RateRisk(3, 4)).Then(Rated);

    [Fact]
    public void an_approved_plan_is_not_rated_again() =>
        Given(Implementing).When(new Ask.RateRisk(1, 1)).ThenRejected("wrong-stage");

    [Fact]
    public void an_action_is_planned_against_causes() =>
        Given(Planning).When(PlanReplace).Then(facts => facts.ShouldHaveSingleItem().ShouldBeOfType<ActionPlanned>()
            .ShouldBe(ReplacePlanned with { ActionId = facts[0].ShouldBeOfType<ActionPlanned>().ActionId }));

    [Fact]
    public void an_action_is_due_today_at_the_earliest()
    {
        Given(Planning).When(PlanReplace with { DueOn = new(2026, 3, 1) }).ThenRejected("due-in-the-past");
        Given(Planning).When(PlanReplace with { DueOn = new(2026, 3, 2) }).Then(facts => facts.Count.ShouldBe(1));
    }

    [Fact]
    public void an_action_against_a_cause_nobody_verified_is_refused() =>
        Given(Planning).When(PlanReplace with { Causes = [FirstCase] }).ThenRejected("unknown-cause");

    [Fact]
    public void no_action_is_planned_before_the_cause_is_known() =>
        Given(IsOpened).When(PlanReplace).ThenRejected("wrong-stage");

    [Fact]
    public void a_planned_action_is_taken_back() =>
        Given([.. Planning, ReplacePlanned]).When(new Ask.CancelAction(Replace, "A better one."))
            .Then(new ActionCancelled(Replace, "ada", "A better one."));

    [Fact]
    public void criteria_are_defined_with_the_baseline_counted() => Given(Planning).When(Define).Then(Defined);

    [Fact]
    public void criteria_need_a_subject_of_the_site()
    {
        Given(IsOpened with { Subject = null }, Caused).When(Define).ThenRejected("subject-missing");
        Given(Planning).When(Define with { Subject = Subject with { Site = "paris" } }).ThenRejected("other-site");
    }

    [Fact]
    public void a_baseline_has_ended()
    {
        Given(Planning).When(Define with { BaselineTo = Now.AddDays(1) }).ThenRejected("baseline-not-past");
        Given(Planning).When(Define with { BaselineFrom = Criteria.BaselineTo }).ThenRejected("baseline-not-past");
    }

    [Fact]
    public void a_baseline_does_not_overlap_the_cluster_that_opened_the_case_unless_with_a_reason()
    {
        var overlapping = Define with { BaselineTo = Now.AddDays(-5) };
        Given(Planning).When(overlapping).ThenRejected("baseline-overlaps-case");
        Given(Planning).When(overlapping with { BaselineReason = "A short record." })
            .Then(facts => facts.ShouldHaveSingleItem().ShouldBeOfType<EffectivenessCriteriaDefined>()
                .Criteria.BaselineReason.ShouldBe("A short record."));
    }

    [Fact]
    public void a_baseline_without_exposure_says_nothing()
    {
        Given(Planning).When(Define with { Baseline = new Evidence(Baseline with { Exposure = 0 }, []) })
            .ThenRejected("exposure-missing");
        var gap = new Period(Criteria.BaselineFrom, Criteria.BaselineFrom.AddDays(9));
        Given(Planning).When(Define with { Baseline = new Evidence(Baseline, [gap]) }).ThenRejected("exposure-missing");
        Given(Planning).When(Define with { Baseline = null }).ThenRejected("evidence-missing");
    }

    [Fact]
    public void a_baseline_without_deviations_leaves_nothing_to_reduce() =>
        Given(Planning).When(Define with { Baseline = new Evidence(Baseline with { Deviations = 0 }, []) })
            .ThenRejected("nothing-to-reduce");

    [Theory]
    [InlineData(180)]
    [InlineData(54_000)]
    public void a_window_too_short_to_show_anything_is_refused_whatever_the_unit(double exposure)
    {
        // The shortest useful window for 12 in 180 days at 5 % is 51.04 days.
        var counted = Define with { Baseline = new Evidence(Baseline with { Exposure = exposure }, []) };
        Given(Planning).When(counted with { WindowDays = 51 }).ThenRejected("window-too-short");
        Given(Planning).When(counted with { WindowDays = 52 }).Then(facts => facts.Count.ShouldBe(1));
    }

    [Fact]
    public void the_refusal_names_the_shortest_window() =>
        ActionPlan.Decide(Define with { WindowDays = 51 }, Planning.Aggregate(ActionPlan.NotOpened, ActionPlan.Evolve),
                DeciderSpec<ActionPlan, ActionPlanCommand, ActionPlanEvent>.Context("ada"))
            .ShouldBeOfType<CapaEngine.Kernel.Decision<ActionPlanEvent>.Rejected>().Reason.ShouldContain("51.04 days");

    [Fact]
    public void criteria_do_not_change_after_the_approval() =>
        Given(Implementing).When(Define).ThenRejected("wrong-stage");

    [Fact]
    public void a_complete_plan_is_submitted() => Given(Complete).When(new Ask.Submit()).Then(IsSubmitted);

    [Theory]
    [InlineData(nameof(Caused), "extent-not-checked")]
    [InlineData(nameof(CalibratePlanned), "cause-not-covered")]
    [InlineData(nameof(Defined), "criteria-missing")]
    [InlineData(nameof(Rated), "risk-not-rated")]
    public void G11_an_incomplete_plan_is_neither_submitted_nor_approved(string missing, string code)
    {
        ActionPlanEvent[] facts = missing switch
        {
            nameof(Caused) => [.. Complete.Select(fact =>
                fact is CausesReceived e ? e with { ExtentIsChecked = false } : fact)],
            nameof(CalibratePlanned) => [.. Complete.Except([CalibratePlanned])],
            nameof(Defined) => [.. Complete.Except([Defined])],
            _ => [.. Complete.Except([Rated])],
        };
        Given(facts).When(new Ask.Submit()).ThenRejected(code);
        Given([.. facts, IsSubmitted]).When(new Ask.Approve(), by: "amira").ThenRejected(code);
    }

    [Fact]
    public void G11_a_plan_without_actions_is_none_even_where_the_cause_is_unknown() =>
        Given(IsOpened, Caused with { Causes = [] }, Rated, Defined).When(new Ask.Submit()).ThenRejected("no-action");

    [Fact]
    public void G11_another_person_approves_with_a_signature() =>
        Given(InApproval).When(new Ask.Approve(), by: "amira").Then(IsApproved);

    [Theory]
    [InlineData("olga")]
    [InlineData("ada")]
    [InlineData("oscar")]
    public void G11_neither_owner_nor_submitter_nor_action_owner_approves(string person) =>
        Given(InApproval).When(new Ask.Approve(), by: person).ThenRejected("self-approval");

    [Fact]
    public void a_plan_is_sent_back_with_a_reason() =>
        Given(InApproval).When(new Ask.SendBack("Who pays?"), by: "amira").Then(new SentBack("amira", "Who pays?"));

    [Fact]
    public void only_a_submitted_plan_is_sent_back() =>
        Given(Complete).When(new Ask.SendBack("Who pays?"), by: "amira").ThenRejected("wrong-stage");
}
