using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using Shouldly;
using static CapaEngine.Contracts.ActionPlanEvent;
using static CapaEngine.Specs.ActionPlans.Facts;
using Ask = CapaEngine.ActionPlans.Domain.ActionPlanCommand;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>Criteria that change after the lock (G22), and success runs instead of rates.</summary>
public sealed class CriteriaSpecs
{
    private static readonly Ask.DefineEffectivenessCriteria Stricter = new(
        Criteria.BaselineFrom, Criteria.BaselineTo, 0.8, 0.05, 90, ExposureUnit.Days)
    {
        Baseline = new Evidence(Baseline, []),
    };

    private static readonly EffectivenessCriteria StricterCriteria = Criteria with { ExpectedReduction = 0.8 };
    private static readonly CriteriaChangeProposed Proposed = new(StricterCriteria, Baseline, "ada", "Half is little.");
    private static readonly CriteriaChanged Changed = new(1, StricterCriteria, Baseline, "amira", Sign("amira"));

    // 6000 units in 180 days; 59 clean ones take less than two days.
    private static readonly Ask.DefineEffectivenessCriteria Run = Stricter with
    {
        ExposureUnit = ExposureUnit.Inspected, SuccessRunConfidence = 0.95, SuccessRunReliability = 0.95,
        Baseline = new Evidence(Baseline with { Deviations = 0, Exposure = 6000 }, []),
    };

    [Fact]
    public void G22_other_criteria_are_proposed_with_a_reason_until_the_window_opens() =>
        Given(Implementing).When(new Ask.ProposeCriteriaChange(Stricter, "Half is little.")).Then(Proposed);

    [Fact]
    public void G22_another_person_approves_them_with_a_signature()
    {
        ActionPlanEvent[] facts = [.. Implementing, Proposed];
        Given(facts).When(new Ask.ApproveCriteriaChange(), by: "amira").Then(Changed);
        foreach (var person in (string[])["ada", "olga", "oscar"])
            Given(facts).When(new Ask.ApproveCriteriaChange(), by: person).ThenRejected("self-approval");
        Given(Implementing).When(new Ask.ApproveCriteriaChange(), by: "amira").ThenRejected("no-change-proposed");
    }

    [Fact]
    public void G22_another_person_may_refuse_them_and_others_may_be_proposed()
    {
        ActionPlanEvent[] facts = [.. Implementing, Proposed];
        var refused = new CriteriaChangeRefused("amira", "Half is enough.");
        Given(facts).When(new Ask.RefuseCriteriaChange("Half is enough."), by: "amira").Then(refused);
        Given(facts).When(new Ask.RefuseCriteriaChange("Half."), by: "ada").ThenRejected("self-approval");
        Given([.. facts, refused]).When(new Ask.ApproveCriteriaChange(), by: "amira")
            .ThenRejected("no-change-proposed");
        Given([.. facts, refused]).When(new Ask.ProposeCriteriaChange(Stricter, "Half is little.")).Then(Proposed);
        Given(Monitoring).When(new Ask.RefuseCriteriaChange("Half."), by: "amira").ThenRejected("criteria-locked");
    }

    [Fact]
    public void G22_the_changed_window_is_the_one_that_opens()
    {
        var longer = Changed with { Criteria = StricterCriteria with { WindowDays = 120 } };
        ActionPlanEvent[] facts = [.. Implementing, Proposed, longer, .. Monitoring[Implementing.Length..^2]];
        Given(facts).When(new Ask.VerifyAction(Calibrate, "In order."), by: "vera")
            .Then(new ActionVerified(Calibrate, "vera", "In order."), Monitored with { To = Now.AddDays(120) });
    }

    [Fact]
    public void G22_once_the_window_is_open_they_take_another_cycle()
    {
        foreach (var facts in (ActionPlanEvent[][])[Monitoring, InReview])
        {
            Given(facts).When(new Ask.ProposeCriteriaChange(Stricter, "Half.")).ThenRejected("criteria-locked");
            Given(facts).When(new Ask.ApproveCriteriaChange(), by: "amira").ThenRejected("criteria-locked");
        }

        Given(Planning).When(new Ask.ProposeCriteriaChange(Stricter, "Half.")).ThenRejected("wrong-stage");
    }

    [Fact]
    public void other_criteria_keep_to_the_rules_of_the_first_ones()
    {
        Given(Implementing).When(new Ask.ProposeCriteriaChange(Stricter with { WindowDays = 20 }, "Shorter."))
            .ThenRejected("window-too-short");
        Given(Implementing).When(new Ask.ProposeCriteriaChange(Stricter with { Baseline = null }, "Half."))
            .ThenRejected("evidence-missing");
        Given(Implementing)
            .When(new Ask.ProposeCriteriaChange(Stricter with { ExpectedReduction = 0.5 }, "The same."))
            .ThenNothing();
    }

    [Fact]
    public void a_success_run_needs_no_deviations_before() =>
        Given(Planning).When(Run).Then(facts => facts.ShouldHaveSingleItem()
            .ShouldBeOfType<EffectivenessCriteriaDefined>().Criteria.SuccessRun.ShouldBe(new SuccessRun(0.95, 0.95)));

    [Fact]
    public void a_success_run_counts_units_and_knows_how_many()
    {
        Given(Planning).When(Run with { ExposureUnit = ExposureUnit.Days }).ThenRejected("units-not-counted");
        Given(Planning).When(Run with { SuccessRunReliability = null }).ThenRejected("success-run-incomplete");
        // 299 units at a unit a day.
        var slow = Run with
        {
            SuccessRunReliability = 0.99, Baseline = new Evidence(Baseline with { Deviations = 0 }, []),
        };
        Given(Planning).When(slow with { WindowDays = 298 }).ThenRejected("window-too-short");
        Given(Planning).When(slow with { WindowDays = 299 }).Then(facts => facts.Count.ShouldBe(1));
    }
}
