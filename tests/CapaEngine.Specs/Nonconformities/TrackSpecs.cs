using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using Shouldly;
using static CapaEngine.Specs.Nonconformities.Cases;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;
using Fact = CapaEngine.Contracts.NonconformityEvent;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>Dispositions, customer notice, the cause decision and closing.</summary>
public sealed class TrackSpecs
{
    private static readonly DispositionKind[] Qualified = [DispositionKind.Rework, DispositionKind.Scrap];
    private static readonly Command.DecideDisposition ScrapTwelve = new(DispositionKind.Scrap, 12, "L-7", "Oversize.");
    private static readonly Command.VerifyDisposition Pass = new(Line, "gauge", "40.01 mm", true);

    [Fact] public void G05_an_authority_decides_what_happens_to_a_quantity() =>
        Given(Opened(Reported(affected: 12))).When(ScrapTwelve, by: "mia", kinds: Qualified).Then(facts =>
        {
            var decided = facts.ShouldHaveSingleItem().ShouldBeOfType<Fact.DispositionDecided>();
            (decided.AuthorityId, decided.Kind, decided.Quantity).ShouldBe(("mia", DispositionKind.Scrap, 12));
        });

    [Theory, InlineData(0), InlineData(-1)]
    public void G05_a_quantity_is_above_zero(double quantity) =>
        Given(Opened(Reported(affected: 12))).When(ScrapTwelve with { Quantity = quantity }, kinds: Qualified)
            .ThenRejected("quantity-not-positive");

    [Fact] public void G05_no_more_is_decided_than_is_affected() =>
        Given([.. Opened(Reported(affected: 12)), Decided(DispositionKind.Rework, 1)])
            .When(ScrapTwelve, kinds: Qualified).ThenRejected("exceeds-affected-quantity");

    [Fact] public void G05_tenths_may_add_up_to_the_whole() =>
        Given([.. Opened(Reported(affected: 0.3)), Decided(DispositionKind.Rework, 0.1)])
            .When(ScrapTwelve with { Quantity = 0.2 }, kinds: Qualified).Then(facts => facts.Count.ShouldBe(1));

    [Fact] public void G05_the_authority_must_be_qualified_for_the_kind() =>
        Given(Opened(Reported(affected: 12))).When(ScrapTwelve, kinds: [DispositionKind.Rework])
            .ThenRejected("not-qualified");

    [Fact] public void G05_the_lot_is_one_of_the_case() =>
        Given(Opened(Reported(affected: 12))).When(ScrapTwelve with { Lot = "L-9" }, kinds: Qualified)
            .ThenRejected("unknown-lot");

    [Theory, InlineData(DispositionKind.UseAsIs), InlineData(DispositionKind.Repair)]
    public void G06_accepting_what_does_not_conform_needs_a_concession(DispositionKind kind) =>
        Given(Opened(Reported(affected: 12))).When(ScrapTwelve with { Kind = kind }, kinds: [kind])
            .ThenRejected("concession-required");

    [Theory, InlineData(DispositionKind.UseAsIs), InlineData(DispositionKind.Repair)]
    public void G06_under_a_drawn_concession_it_is_accepted(DispositionKind kind) =>
        Given(Opened(Reported(affected: 12)))
            .When(ScrapTwelve with { Kind = kind, ConcessionId = Capa, IsDrawn = true }, by: "mia", kinds: [kind])
            .Then(facts => facts.ShouldHaveSingleItem().ShouldBeOfType<Fact.DispositionDecided>()
                .ConcessionId.ShouldBe(Capa));

    [Fact] public void G06_naming_a_concession_is_not_drawing_it() =>
        Given(Opened(Reported(affected: 12)))
            .When(ScrapTwelve with { Kind = DispositionKind.UseAsIs, ConcessionId = Capa },
                kinds: [DispositionKind.UseAsIs])
            .ThenRejected("concession-required");

    [Fact] public void G06_scrap_needs_no_concession() =>
        Given(Opened(Reported(affected: 12))).When(ScrapTwelve with { ConcessionId = Capa }, kinds: Qualified)
            .ThenRejected("concession-not-applicable");

    [Fact] public void G06_a_line_given_up_is_given_up_once() =>
        Given(Opened(Reported(affected: 12))).When(new Command.GiveUpDraw(Line, Capa))
            .Then(new Fact.ConcessionDrawLapsed(Line, Capa));

    [Fact] public void G06_a_decided_line_is_not_given_up() =>
        Given(WithLine()).When(new Command.GiveUpDraw(Line, Capa)).ThenRejected("disposition-decided");

    [Fact] public void G06_the_concession_of_a_line_is_kept_in_the_log()
    {
        var decided = Decided(DispositionKind.Repair, 3) with { ConcessionId = Capa };
        var stored = EventCatalog.Serialize(decided);
        EventCatalog.Deserialize(EventCatalog.NameOf(decided), stored).ShouldBe(decided);
    }

    [Fact] public void a_disposition_waits_for_the_review() =>
        Given(Reported(affected: 12)).When(ScrapTwelve, kinds: Qualified).ThenRejected("wrong-stage");

    [Fact] public void a_decided_line_is_carried_out() =>
        Given(WithLine()).When(new Command.ExecuteDisposition(Line, "Order 81"), by: "rob")
            .Then(new Fact.DispositionExecuted(Line, "rob", "Order 81"));

    [Fact] public void a_line_is_carried_out_once() =>
        Given(Executed()).When(new Command.ExecuteDisposition(Line, "Order 81"), by: "mia")
            .ThenRejected("already-executed");

    [Fact] public void a_line_that_was_never_decided_is_not_carried_out() =>
        Given(Opened()).When(new Command.ExecuteDisposition(Line, "Order 81")).ThenRejected("unknown-line");

    [Fact] public void G07_rework_is_verified_by_somebody_else() =>
        Given(Executed()).When(Pass, by: "vic").Then(new Fact.DispositionVerified(Line, "vic", "gauge", "40.01 mm"));

    [Fact] public void G07_whoever_reworked_cannot_verify_it() =>
        Given(Executed()).When(Pass, by: "rob").ThenRejected("self-verification");

    [Fact] public void G07_nor_who_reworked_it_before_a_verification_failed() =>
        Given([
                .. Executed(), new Fact.DispositionFailedVerification(Line, "vic", "gauge", "40.10 mm"),
                new Fact.DispositionExecuted(Line, "raoul", "Order 82"),
            ])
            .When(Pass, by: "rob").ThenRejected("self-verification");

    [Fact] public void G07_a_failed_verification_returns_the_line() =>
        Given(Executed()).When(Pass with { Passed = false }, by: "vic")
            .Then(new Fact.DispositionFailedVerification(Line, "vic", "gauge", "40.01 mm"));

    [Fact] public void G07_only_what_was_carried_out_can_be_verified() =>
        Given(WithLine()).When(Pass).ThenRejected("not-executed");

    [Fact] public void G07_a_returned_line_is_carried_out_again() =>
        Given([.. Executed(), new Fact.DispositionFailedVerification(Line, "vic", "gauge", "40.10 mm")])
            .When(new Command.ExecuteDisposition(Line, "Order 82"), by: "rob")
            .Then(new Fact.DispositionExecuted(Line, "rob", "Order 82"));

    [Fact] public void G08_scrap_is_proven_where_the_profile_asks() =>
        Given(WithScrap()).When(new Command.ExecuteDisposition(Line, "Bin 3")).Under(Aerospace)
            .ThenRejected("scrap-not-proven");

    [Fact] public void G08_proven_scrap_is_carried_out() =>
        Given(WithScrap()).When(new Command.ExecuteDisposition(Line, "Bin 3", "Sawn in two."), by: "rob")
            .Under(Aerospace).Then(new Fact.DispositionExecuted(Line, "rob", "Bin 3") { Destruction = "Sawn in two." });

    [Fact] public void G08_other_profiles_take_the_evidence_alone() =>
        Given(WithScrap()).When(new Command.ExecuteDisposition(Line, "Bin 3"), by: "rob")
            .Then(new Fact.DispositionExecuted(Line, "rob", "Bin 3"));

    [Fact] public void the_customer_need_not_be_told_of_what_never_left() =>
        Given(Reported()).When(new Command.DecideCustomerNoticeNotNeeded("Nothing left."))
            .Then(new Fact.CustomerNoticeNotNeeded("Nothing left."));

    [Theory, InlineData(DetectionStage.AfterDelivery), InlineData(DetectionStage.DuringService)]
    public void only_an_approver_decides_not_to_tell_of_what_left(DetectionStage stage)
    {
        var waive = new Command.DecideCustomerNoticeNotNeeded("A label of ours alone.");
        Given(Reported(stage: stage)).When(waive).ThenRejected("waiver-needs-approver");
        Given(Reported(stage: stage)).When(waive, by: "ann", roles: [Roles.Approver])
            .Then(new Fact.CustomerNoticeNotNeeded("A label of ours alone.") { WaivedBy = "ann" });
    }

    [Fact] public void a_profile_may_want_the_customer_told_of_what_left_and_soon()
    {
        var escaped = Reported(stage: DetectionStage.AfterDelivery);
        Given(escaped).When(new Command.DecideCustomerNoticeNotNeeded("Minor."), by: "ann", roles: [Roles.Approver])
            .Under(Automotive).ThenRejected("customer-notice-mandatory");
        Given(escaped).When(new Command.RequireCustomerNotice(new(2026, 3, 4))).Under(Automotive)
            .ThenRejected("notice-too-late");
        Given(escaped).When(new Command.RequireCustomerNotice(new(2026, 3, 3))).Under(Automotive)
            .Then(new Fact.CustomerNoticeRequired(new(2026, 3, 3)));
        Given(Reported()).When(new Command.RequireCustomerNotice(new(2026, 3, 9))).Under(Automotive)
            .Then(new Fact.CustomerNoticeRequired(new(2026, 3, 9)));
    }

    [Fact] public void G05_rework_is_assessed_where_the_profile_asks()
    {
        var rework = new Command.DecideDisposition(DispositionKind.Rework, 12, null, "Ream it.");
        var assessment = new ReworkAssessment("WI-17", "The wall may become too thin; it is measured.");
        Given(Opened(Reported(affected: 12))).When(rework, by: "mia", kinds: [DispositionKind.Rework])
            .Under(FixedProfiles.Named("iso13485")).ThenRejected("rework-not-assessed");
        Given(Opened(Reported(affected: 12)))
            .When(rework with { Assessment = assessment }, by: "mia", kinds: [DispositionKind.Rework])
            .Under(FixedProfiles.Named("iso13485")).Then(facts => facts.ShouldHaveSingleItem()
                .ShouldBeOfType<Fact.DispositionDecided>().Assessment.ShouldBe(assessment));
    }

    [Fact] public void G06_rework_needs_the_customers_leave_where_the_profile_asks() =>
        Given(Opened()).When(
                new Command.DecideDisposition(DispositionKind.Rework, 12, null, "Ream it."), by: "mia",
                kinds: [DispositionKind.Rework])
            .Under(Automotive).ThenRejected("concession-required");

    [Fact] public void a_notice_is_required_with_its_date() =>
        Given(Reported()).When(new Command.RequireCustomerNotice(new(2026, 3, 9)))
            .Then(new Fact.CustomerNoticeRequired(new(2026, 3, 9)));

    [Fact] public void a_notice_that_was_sent_is_not_required_again() =>
        Given([Reported(), .. Informed]).When(new Command.RequireCustomerNotice(new(2026, 3, 9)))
            .ThenRejected("customer-informed");

    [Fact] public void a_due_notice_is_confirmed() =>
        Given(Reported(), Informed[0]).When(new Command.ConfirmCustomerInformed("Mail 4"), by: "eve")
            .Then(new Fact.CustomerInformed("eve", "Mail 4"));

    [Fact] public void a_notice_nobody_required_is_not_confirmed() =>
        Given(Reported()).When(new Command.ConfirmCustomerInformed("Mail 4")).ThenRejected("customer-notice-not-due");

    [Fact] public void corrective_action_opens_a_capa_whose_id_everybody_can_compute() =>
        Given(Opened()).When(new Command.RequireCorrectiveAction("omar", "Systematic.", null))
            .Then(new Fact.CorrectiveActionRequired(
                NameBasedId.From("capa\nspec\n1"), CapaLink.Open, 1, "omar", "Systematic.", "plant-1", "Bore too wide",
                null, null, false));

    [Fact] public void corrective_action_may_join_a_capa_and_says_that_the_fault_escaped() =>
        Given([.. Opened(Reported(stage: DetectionStage.DuringService)), CapaRequired])
            .When(new Command.RequireCorrectiveAction("omar", "The same tool.", Line))
            .Then(new Fact.CorrectiveActionRequired(
                Line, CapaLink.Join, 2, "omar", "The same tool.", "plant-1", "Bore too wide", null, null, true));

    [Fact] public void corrective_action_waits_for_the_review() =>
        Given(Reported()).When(new Command.RequireCorrectiveAction("omar", "Why.", null)).ThenRejected("wrong-stage");

    [Fact] public void G09_no_corrective_action_is_a_decision_with_a_justification() =>
        Given(Opened()).When(new Command.DecideNoCorrectiveAction("One slip.", null), by: "eve")
            .Then(new Fact.CorrectiveActionNotRequired("eve", "One slip.", null, null));

    [Fact] public void G09_a_critical_case_needs_corrective_action() =>
        Given(Opened(Reported(Severity.Critical))).When(new Command.DecideNoCorrectiveAction("One slip.", "Because."))
            .ThenRejected("corrective-action-mandatory");

    [Fact] public void G09_a_recurring_case_needs_corrective_action() =>
        Given(Opened(Reported(cycle: 2))).When(new Command.DecideNoCorrectiveAction("One slip.", null))
            .ThenRejected("recurrence");

    [Fact] public void G09_only_an_approver_overrides_the_recurrence_rule() =>
        Given(Opened(Reported(cycle: 2))).When(new Command.DecideNoCorrectiveAction("One slip.", "Tool replaced."))
            .ThenRejected("recurrence-needs-approver");

    [Fact] public void G09_an_approver_overrides_the_recurrence_rule_by_name() =>
        Given(Opened(Reported(cycle: 2)))
            .When(new Command.DecideNoCorrectiveAction("One slip.", "Replaced."), by: "ann", roles: [Roles.Approver])
            .Then(new Fact.CorrectiveActionNotRequired("ann", "One slip.", "ann", "Replaced."));

    [Fact] public void G09_a_required_action_is_not_decided_away() =>
        Given([.. Opened(), CapaRequired]).When(new Command.DecideNoCorrectiveAction("Never mind.", null))
            .ThenRejected("corrective-action-decided");

    [Fact] public void the_stage_of_a_capa_is_noted() =>
        Given([.. Opened(), CapaRequired]).When(new Command.NoteCapaStage(Capa, PlanStage.Planning, 1, null))
            .Then(new Fact.CapaStageNoted(Capa, PlanStage.Planning, 1, null));

    [Fact] public void the_stage_of_a_foreign_capa_is_not_noted() =>
        Given(Opened()).When(new Command.NoteCapaStage(Capa, PlanStage.Planning, 1, null)).ThenRejected("unknown-capa");

    [Fact] public void G17_a_case_closes_signed_when_every_track_is_at_its_end() =>
        Given([.. Executed(), new Fact.DispositionVerified(Line, "vic", "gauge", "good"), Decisions[0],
                CapaRequired, Effective])
            .When(new Command.Close(), by: "eve").Then(facts =>
            {
                var closed = facts.ShouldHaveSingleItem().ShouldBeOfType<Fact.Closed>();
                (closed.ClosedBy, closed.Signature.PersonId, closed.Signature.Revision).ShouldBe(("eve", "eve", 7));
            });

    [Fact] public void G17_a_case_without_material_closes_on_its_decisions() =>
        Given([.. Opened(), .. Decisions]).When(new Command.Close()).Then(facts => facts.Count.ShouldBe(1));

    [Fact] public void G17_a_report_is_told_what_is_missing_before_its_review() =>
        Given(Reported()).When(new Command.Close()).ThenRejected("containment-open");

    [Fact] public void G17_containment_must_be_lifted() =>
        Given([.. Opened(), new Fact.ContainmentPlanned("Block.", 8), .. Decisions])
            .When(new Command.Close()).ThenRejected("containment-open");

    [Fact] public void G17_rework_must_be_verified() =>
        Given([.. Executed(), .. Decisions]).When(new Command.Close()).ThenRejected("dispositions-open");

    [Fact] public void G17_repair_must_be_verified() =>
        Given([.. Opened(Reported(affected: 12)), Decided(DispositionKind.Repair, 12),
                new Fact.DispositionExecuted(Line, "rob", "Order 81"), .. Decisions])
            .When(new Command.Close()).ThenRejected("dispositions-open");

    [Fact] public void G17_the_whole_affected_quantity_needs_a_disposition() =>
        Given([.. Opened(Reported(affected: 13)), Decided(DispositionKind.Scrap, 12),
                new Fact.DispositionExecuted(Line, "rob", "Bin 3"), .. Decisions])
            .When(new Command.Close()).ThenRejected("dispositions-open");

    [Fact] public void G17_a_due_notice_must_be_sent() =>
        Given([.. Opened(), Informed[0], Decisions[1]]).When(new Command.Close()).ThenRejected("customer-notice-open");

    [Fact] public void G17_what_left_the_house_closes_only_with_the_notice_decided() =>
        Given([.. Opened(Reported(stage: DetectionStage.AfterDelivery)), Decisions[1]])
            .When(new Command.Close()).ThenRejected("customer-notice-undecided");

    [Fact] public void G17_the_notice_must_be_decided() =>
        Given([.. Opened(), Decisions[1]]).When(new Command.Close()).ThenRejected("customer-notice-undecided");

    [Fact] public void G17_the_cause_decision_must_be_made() =>
        Given([.. Opened(), Decisions[0]]).When(new Command.Close()).ThenRejected("corrective-action-undecided");

    [Fact] public void G17_a_cancelled_capa_decides_nothing() =>
        Given([.. Opened(), Decisions[0], CapaRequired, new Fact.CapaStageNoted(Capa, PlanStage.Cancelled, 1, null)])
            .When(new Command.Close()).ThenRejected("corrective-action-undecided");

    [Fact] public void G17_every_capa_must_be_closed_as_effective() =>
        Given([.. Opened(), Decisions[0], CapaRequired, Effective,
                new Fact.CorrectiveActionRequired(
                    Line, CapaLink.Join, 2, "omar", "Same.", "plant-1", "Bore too wide", null, null, false)])
            .When(new Command.Close()).ThenRejected("capa-open");

    [Fact] public void G17_a_profile_may_let_the_case_close_before_its_capa() =>
        Given([.. Opened(), Decisions[0], CapaRequired])
            .When(new Command.Close())
            .Under(Profile.Iso9001 with { Rules = Profile.Iso9001.Rules with { CapasMayBeOpen = true } })
            .Then(facts => facts.ShouldHaveSingleItem().ShouldBeOfType<Fact.Closed>());

    private static readonly Profile Automotive = FixedProfiles.Named("iatf16949");

    private static readonly Profile Aerospace = FixedProfiles.Named("as9100");

    private static Fact[] WithScrap() => [.. Opened(Reported(affected: 12)), Decided(DispositionKind.Scrap, 12)];

    private static readonly Fact[] Informed =
        [new Fact.CustomerNoticeRequired(new(2026, 3, 9)), new Fact.CustomerInformed("eve", "Mail 4")];

    private static readonly Fact Effective = new Fact.CapaStageNoted(Capa, PlanStage.Closed, 1, Verdict.Effective);

    private static Fact[] WithLine() => [.. Opened(Reported(affected: 12)), Decided(DispositionKind.Rework, 12)];

    private static Fact[] Executed() => [.. WithLine(), new Fact.DispositionExecuted(Line, "rob", "Order 81")];
}
