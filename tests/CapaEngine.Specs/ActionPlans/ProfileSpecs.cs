using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Shouldly;
using static CapaEngine.Contracts.ActionPlanEvent;
using static CapaEngine.Specs.ActionPlans.Facts;
using Ask = CapaEngine.ActionPlans.Domain.ActionPlanCommand;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>What profiles ask of a plan beyond ISO 9001, and what its risk asks (R-10.2-g).</summary>
public sealed class ProfileSpecs
{
    private static readonly Profile Medical = FixedProfiles.Named("iso13485");
    private static readonly Profile Automotive = FixedProfiles.Named("iatf16949");
    private static readonly Profile Aerospace = FixedProfiles.Named("as9100");
    private static readonly AdverseEffectsChecked Harmless = new(false, "None found.", "ada");

    private static readonly VerifiedCause Neglect = new(
        NameBasedId.From("neglect"), CauseKind.System, "maintenance.plan", "No plan covers the rail.");

    private static readonly ActionPlanned PlanMaintenance = new(
        NameBasedId.From("plan maintenance"), ActionKind.Corrective, "Cover the rail", "Add it to the plan.", "oscar",
        new(2026, 3, 20), [Neglect.CauseId]);

    [Fact]
    public void G11_harm_elsewhere_is_checked_where_the_profile_asks()
    {
        Given(Complete).When(new Ask.Submit()).Under(Medical).ThenRejected("adverse-effects-not-checked");
        Given([.. Complete, Harmless]).When(new Ask.Submit()).Under(Medical).Then(IsSubmitted);
        Given(Complete).When(new Ask.Submit()).Then(IsSubmitted);
    }

    [Fact]
    public void G11_the_approval_says_why_where_the_profile_asks()
    {
        ActionPlanEvent[] submitted = [.. Complete, Harmless, IsSubmitted];
        Given(submitted).When(new Ask.Approve(), by: "amira").Under(Medical).ThenRejected("rationale-missing");
        Given(submitted).When(new Ask.Approve("Both causes are acted on."), by: "amira").Under(Medical)
            .Then(IsApproved with { Rationale = "Both causes are acted on." });
    }

    [Fact]
    public void G11_a_grave_risk_needs_the_approval_of_several_persons()
    {
        var plan = AtRisk("critical");
        var first = new ApprovalGiven(1, "amira", null, Sign("amira"));
        Given(plan).When(new Ask.Approve(), by: "amira").Then(first);
        Given([.. plan, first]).When(new Ask.Approve(), by: "amira").ThenNothing();
        Given([.. plan, first]).When(new Ask.Approve(), by: "anton").Then(facts =>
        {
            var approved = facts.ShouldHaveSingleItem().ShouldBeOfType<Approved>();
            (approved.ApprovedBy, approved.Signature).ShouldBe(("anton", Sign("anton")));
        });
    }

    [Fact]
    public void G11_what_is_sent_back_needs_all_approvals_again() =>
        Given([
                .. AtRisk("critical"), new ApprovalGiven(1, "amira", null, Sign("amira")),
                new SentBack("anton", "The date."), IsSubmitted,
            ])
            .When(new Ask.Approve(), by: "anton").Then(new ApprovalGiven(1, "anton", null, Sign("anton")));

    [Fact]
    public void G11_nobody_who_approved_becomes_an_owner() =>
        Given([
                .. AtRisk("critical"), new ApprovalGiven(1, "amira", null, Sign("amira")), IsApproved with
                {
                    ApprovedBy = "anton",
                },
            ])
            .When(new Ask.ChangeOwner("amira", "She knows it."), by: "ada").ThenRejected("self-approval");

    [Fact]
    public void G11_a_grave_risk_needs_the_cause_in_the_system()
    {
        ActionPlanEvent[] deep = [.. AtRisk("critical").Where(fact => fact is not Submitted)];
        ActionPlanEvent[] shallow = [.. deep.Where(fact => fact != PlanMaintenance)
            .Select(fact => fact is CausesReceived ? Caused : fact)];
        Given(shallow).When(new Ask.Submit()).ThenRejected("cause-depth-missing");
        Given(deep).When(new Ask.Submit()).Then(IsSubmitted);
    }

    [Fact]
    public void G16_the_control_plan_is_answered_where_the_profile_asks()
    {
        ActionPlanEvent[] effective = [.. InReview, FoundEffective];
        Given(effective).When(new Ask.Close(Answers), by: "amira").Under(Automotive).ThenRejected("answer-missing");
        Given(effective).When(new Ask.Close(Answers with { ControlPlanUpdate = new(true, " ") }), by: "amira")
            .Under(Automotive).ThenRejected("answer-missing");
        var answered = Answers with { ControlPlanUpdate = new Answer(true, "CP-3 rev. D") };
        Given(effective).When(new Ask.Close(answered), by: "amira").Under(Automotive)
            .Then(new Closed("amira", answered, Sign("amira")));
    }

    [Fact]
    public void G16_failure_modes_are_rated_again_where_the_profile_asks()
    {
        var table = new TableAnswer("high", "default-1");
        var before = new FailureModeRated("Rail wears", RatingMoment.Before, new(8, 6, 5), table, "ada");
        var answered = Answers with { ControlPlanUpdate = new Answer(true, "CP-3 rev. D") };
        var close = new Ask.Close(answered);
        Given([.. InReview, before, FoundEffective]).When(close, by: "amira").Under(Automotive)
            .ThenRejected("failure-mode-open");
        Given([.. InReview, before, before with { Moment = RatingMoment.After }, FoundEffective])
            .When(close, by: "amira").Under(Automotive).Then(new Closed("amira", answered, Sign("amira")));
    }

    [Fact]
    public void G16_flow_down_to_suppliers_is_answered_where_the_profile_asks()
    {
        ActionPlanEvent[] effective = [.. InReview, FoundEffective];
        Given(effective).When(new Ask.Close(Answers), by: "amira").Under(Aerospace).ThenRejected("answer-missing");
        var answered = Answers with { FlowDown = new Answer(false, "Made in house.") };
        Given(effective).When(new Ask.Close(answered), by: "amira").Under(Aerospace)
            .Then(new Closed("amira", answered, Sign("amira")));
    }

    [Fact]
    public void a_closed_capa_that_recurred_begins_its_next_cycle()
    {
        ActionPlanEvent[] closed = [.. InReview, FoundEffective, new Closed("amira", Answers, Sign("amira"))];
        Given(closed).When(new Ask.Reopen("Three again."), by: "amira")
            .Then(new Reopened("amira", "Three again."), new CycleStarted(2));
        Given(closed).When(new Ask.Reopen("Three again."), by: "olga").ThenRejected("self-approval");
        Given(InReview).When(new Ask.Reopen("Three again."), by: "amira").ThenRejected("wrong-stage");
    }

    // A plan in approval at this risk, with a cause in the system and an action against it.
    private static ActionPlanEvent[] AtRisk(string riskClass) =>
    [
        IsOpened, Caused with { Causes = Caused.Causes.Add(Neglect) },
        Rated with { Class = new TableAnswer(riskClass, "default-1") }, ReplacePlanned, CalibratePlanned,
        PlanMaintenance, Defined, IsSubmitted,
    ];
}
