using CapaEngine.Contracts;
using CapaEngine.Nonconformities.Domain;
using Shouldly;
using static CapaEngine.Specs.Nonconformities.Cases;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;
using Fact = CapaEngine.Contracts.NonconformityEvent;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>From the report to the open case, and what machines and other services add.</summary>
public sealed class LifecycleSpecs
{
    private static readonly Command.Report Report = new(
        "plant-1", "Bore too wide", "Twelve bores above the limit.", new RequirementRef("ISO 9001", "2015", "8.7"),
        NonconformitySource.Production, DetectionStage.InProcess, "housing", "honing", ["L-7"], 12, "pieces",
        Severity.Minor, Detected, null);

    [Fact] public void G01_a_report_states_what_was_not_met_where_and_when() =>
        Given().When(Report, by: "rita").Then(new Fact.Reported(
            "plant-1", "Bore too wide", "Twelve bores above the limit.", Report.Requirement,
            NonconformitySource.Production, DetectionStage.InProcess, "housing", "honing", ["L-7"], 12, "pieces",
            Severity.Minor, Detected, "rita",
            null, null, null, null));

    [Fact] public void G01_a_report_without_a_requirement_is_refused() =>
        Given().When(Report with { Requirement = new("ISO 9001", "2015", " ") }).ThenRejected("requirement-missing");

    [Fact] public void G01_a_requirement_may_be_given_by_its_text() =>
        Given().When(Report with { Requirement = new("drawing", "C", "", "Bore 40 H7") })
            .Then(facts => facts.Count.ShouldBe(1));

    [Fact] public void G01_what_a_supplier_delivered_names_the_supplier()
    {
        var delivered = Report with { Source = NonconformitySource.Supplier };
        Given().When(delivered).ThenRejected("supplier-missing");
        Given().When(delivered with { Supplier = "Forge Ltd" })
            .Then(facts => facts[0].ShouldBeOfType<Fact.Reported>().Supplier.ShouldBe("Forge Ltd"));
    }

    [Fact] public void G01_nothing_is_detected_in_the_future() =>
        Given().When(Report, at: Detected.AddMinutes(-6)).ThenRejected("detected-in-the-future");

    [Fact] public void G01_a_clock_five_minutes_ahead_is_forgiven() =>
        Given().When(Report, at: Detected.AddMinutes(-5)).Then(facts => facts.Count.ShouldBe(1));

    [Fact] public void a_subject_belongs_to_the_site_of_the_report() =>
        Given().When(Report with { Subject = Bore with { Site = "plant-2" } }).ThenRejected("subject-elsewhere");

    [Fact] public void a_subject_names_what_deviated() =>
        Given().When(Report with { Subject = Bore with { Characteristic = null } }).ThenRejected("subject-incomplete");

    [Theory, InlineData(NonconformitySource.InternalAudit), InlineData(NonconformitySource.ExternalAudit)]
    public void G01_an_audit_reports_its_finding(NonconformitySource source) =>
        Given().When(Report with { Source = source, Finding = Finding, Serials = ["S-1"] }).Then(facts =>
        {
            var reported = facts.ShouldHaveSingleItem().ShouldBeOfType<Fact.Reported>();
            (reported.Finding, reported.Serials).ShouldBe((Finding, ["S-1"]));
            EventCatalog.Deserialize(EventCatalog.NameOf(reported), EventCatalog.Serialize(reported))
                .ShouldBe(reported);
        });

    [Fact] public void G01_an_audit_without_a_finding_is_refused() =>
        Given().When(Report with { Source = NonconformitySource.InternalAudit }).ThenRejected("finding-missing");

    [Fact] public void G01_a_finding_names_its_audit() =>
        Given().When(FromAudit(Finding with { Audit = " " })).ThenRejected("audit-missing");

    [Fact] public void G01_a_finding_without_evidence_is_refused() =>
        Given().When(FromAudit(Finding with { Evidence = " " })).ThenRejected("evidence-missing");

    [Fact] public void G01_a_finding_with_an_empty_criterion_is_refused() =>
        Given().When(FromAudit(Finding with { Criteria = [new("", "", "")] })).ThenRejected("criterion-missing");

    [Fact] public void G01_a_finding_without_any_criterion_is_refused() =>
        Given().When(FromAudit(Finding) with { Requirement = new("", "", "") }).ThenRejected("requirement-missing");

    [Fact] public void G01_only_an_audit_makes_findings() =>
        Given().When(Report with { Finding = Finding }).ThenRejected("finding-without-audit");

    [Fact] public void nothing_can_be_asked_of_a_case_that_was_never_reported() =>
        Given().When(new Command.CompleteReview()).ThenNotFound();

    [Fact] public void the_policy_opens_a_case_with_the_deviations_it_counted()
    {
        var counted = Enumerable.Range(0, 501).Select(n =>
            new CountedDeviation(NameBasedId.From($"d{n}"), Detected.AddMinutes(n))).ToValueList();
        Given().When(new Command.OpenByPolicy(
            "501 deviations", "They are many.", new RequirementRef("internal", "1", "specification"), Bore, 2, 1,
            Detected.AddDays(-7), Severity.Minor, 0, null, [], counted)).Then(facts =>
        {
            var reported = facts[0].ShouldBeOfType<Fact.Reported>();
            (reported.SignatureCycle, reported.PolicyVersion, reported.DetectedAt)
                .ShouldBe((2, 1, Detected.AddMinutes(500)));
            facts.Skip(1).Cast<Fact.DeviationsAttached>().Select(fact => fact.Deviations.Count).ShouldBe([500, 1]);
        });
    }

    [Fact] public void a_deviation_is_attached_once_however_often_it_is_told() =>
        Given(Reported(), new Fact.DeviationsAttached([Line], Detected, Detected))
            .When(new Command.AttachDeviations([new(Line, Detected), new(Capa, Detected), new(Capa, Detected)]))
            .Then(new Fact.DeviationsAttached([Capa], Detected, Detected));

    [Fact] public void a_deviation_that_came_before_the_closing_is_attached_after_it() =>
        Given([.. Opened(), .. Decisions, Closed]).When(new Command.AttachDeviations([new(Line, Detected)]))
            .Then(new Fact.DeviationsAttached([Line], Detected, Detected));

    [Fact] public void G02_a_report_is_accepted_for_review() =>
        Given(Reported()).When(new Command.Accept(Severity.Major, 24), by: "eve")
            .Then(new Fact.Accepted("eve", Severity.Major, 24));

    [Fact] public void G02_a_rejection_states_its_reason() =>
        Given(Reported()).When(new Command.Reject("Measured with a worn gauge."), by: "eve")
            .Then(new Fact.Rejected("eve", "Measured with a worn gauge."));

    [Fact] public void G02_nobody_rejects_their_own_report() =>
        Given(Reported()).When(new Command.Reject("Never mind."), by: "rita").ThenRejected("self-rejection");

    [Fact] public void G02_a_case_with_goods_on_hold_is_not_rejected() =>
        Given(Reported(), new Fact.ContainmentPlanned("Block lot L-7.", 8),
                new Fact.ContainmentConfirmed("eve", "Label 12", "L-8"))
            .When(new Command.Reject("Unfounded."), by: "eve").ThenRejected("containment-in-place");

    [Fact] public void a_rejected_case_takes_no_further_commands() =>
        Given(Reported(), new Fact.Rejected("eve", "Unfounded."))
            .When(new Command.Accept(Severity.Minor, null)).ThenRejected("wrong-stage");

    [Fact] public void G03_a_grave_case_needs_a_deadline_for_containment() =>
        Given(Reported()).When(new Command.Accept(Severity.Major, null)).ThenRejected("containment-deadline-missing");

    [Fact] public void G03_a_grave_case_that_is_contained_already_needs_no_deadline() =>
        Given(Reported(), new Fact.ContainmentPlanned("Block lot L-7.", 8))
            .When(new Command.Accept(Severity.Critical, null), by: "eve")
            .Then(new Fact.Accepted("eve", Severity.Critical, null));

    [Fact] public void G03_the_review_ends_when_containment_is_decided() =>
        Given(Opened().Take(3)).When(new Command.CompleteReview(), by: "eve").Then(new Fact.ReviewCompleted("eve"));

    [Fact] public void G03_the_review_cannot_end_while_containment_is_undecided() =>
        Given(Opened().Take(2)).When(new Command.CompleteReview()).ThenRejected("containment-undecided");

    [Fact] public void containment_is_possible_before_anybody_has_reviewed() =>
        Given(Reported()).When(new Command.PlanContainment("Block lot L-7.", 8))
            .Then(new Fact.ContainmentPlanned("Block lot L-7.", 8));

    [Fact] public void containment_is_planned_once() =>
        Given(Reported(), new Fact.ContainmentPlanned("Block lot L-7.", 8))
            .When(new Command.PlanContainment("Sort the stock.", 8)).ThenRejected("containment-decided");

    [Fact] public void containment_keeps_the_deadline_of_the_acceptance() =>
        Given(Opened().Take(2)).When(new Command.PlanContainment("Sort.", 25)).ThenRejected("beyond-deadline");

    [Fact] public void containment_may_be_decided_not_to_be_needed() =>
        Given(Reported()).When(new Command.DecideContainmentNotNeeded("Scrapped at once."))
            .Then(new Fact.ContainmentNotNeeded("Scrapped at once."));

    [Fact] public void containment_in_place_was_needed() =>
        Given(Reported(), new Fact.ContainmentPlanned("Block.", 8),
                new Fact.ContainmentConfirmed("eve", "Label", "L-8"))
            .When(new Command.DecideContainmentNotNeeded("Nothing to do.")).ThenRejected("containment-decided");

    [Fact] public void G04_containment_is_confirmed_with_evidence_and_a_clean_point() =>
        Given(Reported(), new Fact.ContainmentPlanned("Block.", 8))
            .When(new Command.ConfirmContainment("Label 12", "L-8"), by: "eve")
            .Then(new Fact.ContainmentConfirmed("eve", "Label 12", "L-8"));

    [Fact] public void G04_what_was_never_planned_cannot_be_confirmed() =>
        Given(Reported()).When(new Command.ConfirmContainment("Label", "L-8")).ThenRejected("containment-not-planned");

    [Fact] public void containment_is_lifted_with_a_reason() =>
        Given(Reported(), new Fact.ContainmentPlanned("Block.", 8),
                new Fact.ContainmentConfirmed("eve", "Label", "L-8"))
            .When(new Command.LiftContainment("Lot scrapped."), by: "eve")
            .Then(new Fact.ContainmentLifted("eve", "Lot scrapped."));

    [Fact] public void only_containment_in_place_can_be_lifted() =>
        Given(Reported()).When(new Command.LiftContainment("Done.")).ThenRejected("containment-not-in-place");

    private static readonly AuditFinding Finding = new(
        "IA-2026-3", [new RequirementRef("ISO 9001", "2015", "7.1.5")], "Gauge 12 was due on 1 February.", "minor");

    private static Command.Report FromAudit(AuditFinding finding) =>
        Report with { Source = NonconformitySource.ExternalAudit, Finding = finding };

    private static Fact Closed => new Fact.Closed(
        "eve", new Signature("eve", "Eve", SignatureMeaning.Approved, Detected, "spec", 7, "hash-of-content"));
}
