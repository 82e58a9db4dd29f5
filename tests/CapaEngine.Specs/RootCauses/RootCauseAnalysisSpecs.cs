using CapaEngine.Contracts;
using CapaEngine.RootCauses.Domain;
using Shouldly;
using static CapaEngine.Contracts.RootCauseEvent;
using Ask = CapaEngine.RootCauses.Domain.RootCauseCommand;

namespace CapaEngine.Specs.RootCauses;

/// <summary>Why it happened: hypotheses, verification, extent, approval (§10.2.1 b; G10).</summary>
public sealed class RootCauseAnalysisSpecs
{
    private static readonly Guid Capa = NameBasedId.From("capa");
    private static readonly Guid Wear = NameBasedId.From("wear");
    private static readonly Guid Heat = NameBasedId.From("heat");
    private static readonly Guid Gauge = NameBasedId.From("gauge");

    private static readonly Started IsStarted = new(Capa, null, "berlin", "olga", "Bores too wide", null, false);
    private static readonly Started HasEscaped = IsStarted with { Escaped = true };
    private static readonly CauseProposed WearProposed =
        new(Wear, CauseKind.Occurrence, "machine.wear", "The rail is worn.", ["The cutter wanders."], "ada");
    private static readonly CauseProposed HeatProposed =
        new(Heat, CauseKind.Occurrence, "environment.heat", "The hall is warm.", [], "ada");
    private static readonly CauseProposed GaugeProposed =
        new(Gauge, CauseKind.Escape, "inspection.gauge", "The gauge was not calibrated.", [], "ada");
    private static readonly CauseVerified WearVerified = new(Wear, VerificationMethod.Measurement, "0.4 mm", "vera");
    private static readonly CauseVerified GaugeVerified = new(Gauge, VerificationMethod.Observation, "Seal", "vera");
    private static readonly ExtentChecked ExtentIsChecked =
        new("same machine", [new ExtentHit("m-2", ExtentDecision.NotAffected, "New rail.")], "ada");
    private static readonly Completed IsCompleted = new("olga", null);
    private static readonly Signature Signed = new(
        "amira", "Name of amira", SignatureMeaning.Approved, new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero), "spec", 7,
        "hash-of-content");
    private static readonly Approved IsApproved = new(
        Capa, 1, "amira", [new VerifiedCause(Wear, CauseKind.Occurrence, "machine.wear", "The rail is worn.")], false,
        Signed);

    private static DeciderSpec<RootCauseAnalysis, RootCauseCommand, RootCauseEvent> Given(
        params RootCauseEvent[] facts) =>
        new DeciderSpec<RootCauseAnalysis, RootCauseCommand, RootCauseEvent>(RootCauseAnalysis.Decider).Given(facts);

    [Fact]
    public void a_capa_starts_its_analysis() =>
        Given().When(new Ask.Start(Capa, null, "berlin", "olga", "Bores too wide", null, false)).Then(IsStarted);

    [Fact]
    public void another_capa_cannot_take_the_analysis_over() =>
        Given(IsStarted).When(new Ask.Start(Wear, null, "berlin", "olga", "Bores", null, false))
            .ThenRejected("wrong-stage");

    [Fact]
    public void nothing_can_be_proposed_to_an_analysis_that_does_not_exist() =>
        Given().When(new Ask.ProposeCause(CauseKind.Occurrence, "a", "b", [])).ThenNotFound();

    [Fact]
    public void a_cause_is_proposed_with_its_chain_of_whys() =>
        Given(IsStarted)
            .When(new Ask.ProposeCause(CauseKind.Occurrence, "machine.wear", "The rail is worn.", ["It wanders."]))
            .Then(facts => facts.ShouldHaveSingleItem().ShouldBeOfType<CauseProposed>().WhyChain
                .ShouldBe(["It wanders."]));

    [Fact]
    public void the_same_cause_is_proposed_once() =>
        Given(IsStarted, WearProposed)
            .When(new Ask.ProposeCause(CauseKind.Occurrence, "machine.wear", "The rail is worn.", []))
            .ThenRejected("already-proposed");

    [Fact]
    public void a_hypothesis_is_verified_with_evidence() =>
        Given(IsStarted, WearProposed)
            .When(new Ask.VerifyCause(Wear, VerificationMethod.Measurement, "0.4 mm"), by: "vera").Then(WearVerified);

    [Fact]
    public void a_cause_nobody_proposed_cannot_be_verified() =>
        Given(IsStarted).When(new Ask.VerifyCause(Wear, VerificationMethod.Measurement, "0.4 mm"))
            .ThenRejected("unknown-cause");

    [Fact]
    public void a_hypothesis_is_refuted_and_stays_refuted()
    {
        var refuted = new CauseRefuted(Wear, VerificationMethod.Reproduction, "No play", "vera");
        Given(IsStarted, WearProposed)
            .When(new Ask.RefuteCause(Wear, VerificationMethod.Reproduction, "No play"), by: "vera").Then(refuted);
        Given(IsStarted, WearProposed, refuted)
            .When(new Ask.VerifyCause(Wear, VerificationMethod.Measurement, "0.4 mm")).ThenRejected("already-judged");
    }

    [Fact]
    public void a_verified_cause_cannot_be_refuted_by_the_way() =>
        Given(IsStarted, WearProposed, WearVerified)
            .When(new Ask.RefuteCause(Wear, VerificationMethod.Measurement, "No play")).ThenRejected("already-judged");

    [Fact]
    public void the_cause_may_be_declared_unknown_with_a_justification() =>
        Given(IsStarted).When(new Ask.DeclareCauseUnknown("The parts are lost."))
            .Then(new CauseDeclaredUnknown("The parts are lost.", "ada"));

    [Fact]
    public void a_verified_cause_is_not_unknown() =>
        Given(IsStarted, WearProposed, WearVerified).When(new Ask.DeclareCauseUnknown("No idea."))
            .ThenRejected("cause-is-verified");

    [Fact]
    public void the_extent_is_checked_with_a_decision_on_each_hit() =>
        Given(IsStarted).When(new Ask.CheckExtent("same machine", ExtentIsChecked.Hits)).Then(ExtentIsChecked);

    [Fact]
    public void a_hit_without_a_reason_is_no_decision() =>
        Given(IsStarted).When(new Ask.CheckExtent("same", [new ExtentHit("m-2", ExtentDecision.SameCause, " ")]))
            .ThenRejected("hit-incomplete");

    [Fact]
    public void the_extent_can_still_be_checked_after_the_approval() =>
        Given(IsStarted, WearProposed, WearVerified, IsCompleted, IsApproved)
            .When(new Ask.CheckExtent("same machine", ExtentIsChecked.Hits)).Then(ExtentIsChecked);

    [Fact]
    public void what_lies_before_the_approver_does_not_change() =>
        Given(IsStarted, WearProposed, WearVerified, IsCompleted)
            .When(new Ask.CheckExtent("same machine", ExtentIsChecked.Hits)).ThenRejected("wrong-stage");

    [Fact]
    public void G10_a_verified_cause_of_the_occurrence_completes_it() =>
        Given(IsStarted, WearProposed, WearVerified).When(new Ask.Complete(null), by: "olga").Then(IsCompleted);

    [Fact]
    public void G10_the_part_of_human_factors_is_said_where_the_profile_asks()
    {
        Given(IsStarted, WearProposed, WearVerified).When(new Ask.Complete(), by: "olga")
            .Under(FixedProfiles.Named("as9100")).ThenRejected("human-factors-missing");
        Given(IsStarted, WearProposed, WearVerified).When(new Ask.Complete(HumanFactors: "None: no one acts."), "olga")
            .Under(FixedProfiles.Named("as9100")).Then(IsCompleted with { HumanFactors = "None: no one acts." });
    }

    [Fact]
    public void G10_a_hypothesis_does_not_complete_it() =>
        Given(IsStarted, WearProposed).When(new Ask.Complete(null), by: "olga").ThenRejected("no-verified-cause");

    [Fact]
    public void G10_a_justified_unknown_completes_it() =>
        Given(IsStarted, new CauseDeclaredUnknown("The parts are lost.", "ada"))
            .When(new Ask.Complete(null), by: "olga").Then(IsCompleted);

    [Fact]
    public void G10_what_reached_the_customer_needs_its_escape_cause()
    {
        Given(HasEscaped, WearProposed, WearVerified)
            .When(new Ask.Complete(null), by: "olga").ThenRejected("no-escape-cause");
        Given(HasEscaped, WearProposed, WearVerified, GaugeProposed, GaugeVerified)
            .When(new Ask.Complete(null), by: "olga").Then(IsCompleted);
    }

    [Theory]
    [InlineData("human-error")]
    [InlineData("human-error.slip")]
    public void G10_human_error_alone_needs_a_reason(string code)
    {
        var humanError = WearProposed with { Code = code };
        // An escape cause says why it got out; why it happened is still human error alone.
        RootCauseEvent[] facts = [IsStarted, humanError, WearVerified, GaugeProposed, GaugeVerified];
        Given(facts).When(new Ask.Complete(null), by: "olga").ThenRejected("human-error-alone");
        Given(facts).When(new Ask.Complete("Sabotage, proven."), by: "olga")
            .Then(new Completed("olga", "Sabotage, proven."));
    }

    [Fact]
    public void G10_human_error_beside_another_cause_needs_no_reason() =>
        Given(IsStarted, WearProposed, WearVerified, HeatProposed with { Code = "human-error" },
                new CauseVerified(Heat, VerificationMethod.Observation, "Log", "vera"))
            .When(new Ask.Complete(null), by: "olga").Then(IsCompleted);

    [Fact]
    public void only_the_owner_completes_it() =>
        Given(IsStarted, WearProposed, WearVerified).When(new Ask.Complete(null), by: "ada")
            .ThenRejected("not-the-owner");

    [Fact]
    public void it_is_sent_back_with_a_reason() =>
        Given(IsStarted, WearProposed, WearVerified, IsCompleted)
            .When(new Ask.SendBack("Which rail?"), by: "amira").Then(new SentBack("amira", "Which rail?"));

    [Fact]
    public void only_a_completed_analysis_is_sent_back() =>
        Given(IsStarted).When(new Ask.SendBack("Which rail?")).ThenRejected("wrong-stage");

    [Fact]
    public void another_person_approves_with_a_signature() =>
        Given(IsStarted, WearProposed, WearVerified, HeatProposed, IsCompleted)
            .When(new Ask.Approve(), by: "amira").Then(IsApproved);

    [Fact]
    public void the_approval_says_that_the_extent_was_checked() =>
        Given(IsStarted, WearProposed, WearVerified, ExtentIsChecked, IsCompleted)
            .When(new Ask.Approve(), by: "amira").Then(IsApproved with { ExtentIsChecked = true });

    [Fact]
    public void the_analysis_follows_the_capa_to_its_new_owner()
    {
        Given(IsStarted).When(new Ask.ChangeOwner("oda")).Then(new OwnerChanged("oda"));
        RootCauseEvent[] facts = [IsStarted, new OwnerChanged("oda"), WearProposed, WearVerified];
        Given(facts).When(new Ask.Complete(), by: "olga").ThenRejected("not-the-owner");
        Given([.. facts, new Completed("oda", null)]).When(new Ask.Approve(), by: "olga")
            .ThenRejected("self-approval");
    }

    [Theory]
    [InlineData("olga")]
    [InlineData("vera")]
    public void nobody_approves_their_own_analysis(string person) =>
        Given(IsStarted, WearProposed, WearVerified, IsCompleted)
            .When(new Ask.Approve(), by: person).ThenRejected("self-approval");

    [Fact]
    public void an_open_analysis_cannot_be_approved() =>
        Given(IsStarted, WearProposed, WearVerified).When(new Ask.Approve(), by: "amira").ThenRejected("wrong-stage");

    [Fact]
    public void a_new_cycle_opens_it_again() =>
        Given(IsStarted, WearProposed, WearVerified, IsCompleted, IsApproved)
            .When(new Ask.Reopen(2, "Not effective.")).Then(new Reopened(2, "Not effective."));

    [Fact]
    public void in_a_new_cycle_causes_are_verified_again_and_refuted_ones_stay()
    {
        RootCauseEvent[] secondCycle =
        [
            IsStarted, WearProposed, WearVerified, HeatProposed,
            new CauseRefuted(Heat, VerificationMethod.Measurement, "21 °C", "vera"), ExtentIsChecked, IsCompleted,
            IsApproved, new Reopened(2, "Not effective."),
        ];
        Given(secondCycle).When(new Ask.Complete(null), by: "olga").ThenRejected("no-verified-cause");
        Given(secondCycle).When(new Ask.VerifyCause(Heat, VerificationMethod.Measurement, "30 °C"))
            .ThenRejected("already-judged");
        Given([.. secondCycle, WearVerified, IsCompleted]).When(new Ask.Approve(), by: "amira")
            .Then(IsApproved with { Cycle = 2 });
    }

    [Fact]
    public void a_cycle_cannot_be_skipped_and_an_open_analysis_not_reopened()
    {
        Given(IsStarted, WearProposed, WearVerified, IsCompleted, IsApproved)
            .When(new Ask.Reopen(3, "Not effective.")).ThenRejected("wrong-stage");
        Given(IsStarted).When(new Ask.Reopen(2, "Not effective.")).ThenRejected("wrong-stage");
    }
}
