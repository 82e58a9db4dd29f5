using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using Shouldly;
using static CapaEngine.Contracts.EffectivenessEvent;
using Ask = CapaEngine.ActionPlans.Domain.EffectivenessCommand;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>Whether the action worked, by locked criteria and counted data (§10.2.1 d; G15, G22).</summary>
public sealed class EffectivenessReviewSpecs
{
    private static readonly DateTimeOffset From = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset To = From.AddDays(90);
    private static readonly Guid Capa = NameBasedId.From("capa");
    private static readonly Guid NewCase = NameBasedId.From("new case");

    private static readonly EffectivenessCriteria Criteria = new(
        new DeviationSubject("berlin", "bracket", "milling", null, "bore", null),
        From.AddDays(-300), From.AddDays(-120), 0.5, 0.05, 90, ExposureUnit.Days);
    private static readonly CriteriaLocked Locked =
        new(Capa, 1, "berlin", Criteria, ["oscar", "otto"], "amira");
    private static readonly WindowOpened Opened = new(From, To);
    private static readonly RecurrenceDetected Recurred = new(NewCase);
    private static readonly EvidenceCount Baseline =
        new(Criteria.BaselineFrom, Criteria.BaselineTo, 12, 180, 1, 900, "b");
    private static readonly Evaluated IsEffective = Evaluation(Verdict.Effective, 1);

    private static DeciderSpec<EffectivenessReview, EffectivenessCommand, EffectivenessEvent> Given(
        params EffectivenessEvent[] facts) =>
        new DeciderSpec<EffectivenessReview, EffectivenessCommand, EffectivenessEvent>(EffectivenessReview.Decider)
            .Given(facts);

    [Fact]
    public void the_approved_plan_locks_the_criteria() =>
        Given().When(new Ask.LockCriteria(Capa, 1, "berlin", Criteria, ["oscar", "otto"], "amira")).Then(Locked);

    [Fact]
    public void G22_locked_criteria_stay_as_they_are() =>
        Given(Locked).When(new Ask.LockCriteria(Capa, 1, "berlin", Criteria with { Significance = 0.2 }, [], "otto"))
            .ThenRejected("criteria-locked");

    [Fact]
    public void G22_other_criteria_are_taken_over_until_the_window_opens()
    {
        var other = Criteria with { ExpectedReduction = 0.9 };
        var changed = new CriteriaChanged(other, "amira");
        Given(Locked).When(new Ask.ChangeCriteria(other, "amira")).Then(changed);
        Given(Locked, Opened).When(new Ask.ChangeCriteria(other, "amira")).ThenRejected("criteria-locked");
        // 1 in 90 days after 12 in 180 is a reduction by 83 %: enough for the first criteria, not for these.
        Given(Locked, changed, Opened).When(Evaluate(1), by: "paul", at: To)
            .Then(IsEffective with { Proposed = Verdict.Inconclusive });
        Given(Locked, changed).When(new Ask.LockCriteria(Capa, 1, "berlin", Criteria, ["oscar", "otto"], "amira"))
            .ThenNothing();
    }

    [Theory]
    [InlineData(0, 59, Verdict.Effective)]
    [InlineData(0, 58, Verdict.Inconclusive)]
    [InlineData(1, 59, Verdict.Inconclusive)]
    [InlineData(12, 59, Verdict.Ineffective)]
    public void G15_where_units_are_counted_a_success_run_judges(long failures, double units, Verdict proposed)
    {
        var run = new SuccessRun(0.95, 0.95);
        var locked = Locked with
        {
            Criteria = Criteria with { ExposureUnit = ExposureUnit.Inspected, SuccessRun = run },
        };
        var window = Window(failures) with { Exposure = units };
        var evaluate = new Ask.Evaluate
        {
            Baseline = new Evidence(Baseline with { Deviations = 0 }, []), Window = new Evidence(window, []),
        };
        Given(locked, Opened).When(evaluate, by: "paul", at: To).Then(new SuccessRunEvaluated(
            Capa, 1, proposed, SuccessRunTest.Evaluate(window, run), window, false, "paul"));
        Given(locked, Opened, Recurred).When(evaluate, by: "paul", at: To.AddDays(-9)).Then(new SuccessRunEvaluated(
            Capa, 1, Verdict.Ineffective, SuccessRunTest.Evaluate(window, run), window, true, "paul"));
    }

    [Fact]
    public void a_success_run_is_decided_like_any_other_evaluation()
    {
        var shown = new SuccessRunEvaluated(
            Capa, 1, Verdict.Effective, new SuccessRunNumbers(59, 60, 0, 0.951, 1), Window(0), false, "paul");
        Given(Locked, Opened, shown).When(new Ask.Approve(Verdict.Effective), by: "paul", at: To)
            .ThenRejected("self-approval");
        Given(Locked, Opened, shown).When(new Ask.Approve(Verdict.Ineffective), by: "amira", at: To)
            .ThenRejected("reason-missing");
        Given(Locked, Opened, shown).When(new Ask.Approve(Verdict.Effective), by: "amira", at: To)
            .Then(Decided(Verdict.Effective));
    }

    [Fact]
    public void no_window_opens_before_the_criteria_are_locked() =>
        Given().When(new Ask.OpenWindow(From, To, [])).ThenNotFound();

    [Fact]
    public void the_window_opens_once()
    {
        Given(Locked).When(new Ask.OpenWindow(From, To, ["oscar"])).Then(Opened);
        Given(Locked, Opened).When(new Ask.OpenWindow(From.AddDays(1), To.AddDays(1), []))
            .ThenRejected("window-open");
        Given(Locked, Opened).When(new Ask.OpenWindow(From, To.AddDays(-30), [])).ThenNothing();
    }

    [Fact]
    public void G15_who_took_part_after_the_approval_does_not_judge_either()
    {
        var excluded = new PersonsExcluded(["otmar"]);
        Given(Locked).When(new Ask.OpenWindow(From, To, ["oscar", "otmar", "otmar"])).Then(excluded, Opened);
        Given(Locked, excluded, Opened).When(Evaluate(0), by: "otmar", at: To).ThenRejected("self-evaluation");
        Given(Locked, excluded, Opened, IsEffective)
            .When(new Ask.Approve(Verdict.Effective), by: "otmar", at: To).ThenRejected("self-approval");
    }

    [Fact]
    public void a_case_inside_the_window_is_a_recurrence() =>
        Given(Locked, Opened).When(new Ask.NoteRecurrence(NewCase, From.AddDays(10))).Then(Recurred);

    [Fact]
    public void a_case_detected_outside_the_window_is_none()
    {
        Given(Locked, Opened).When(new Ask.NoteRecurrence(NewCase, From.AddSeconds(-1))).ThenNothing();
        Given(Locked, Opened).When(new Ask.NoteRecurrence(NewCase, To)).ThenNothing();
    }

    [Fact]
    public void a_recurrence_waits_for_the_window() =>
        Given(Locked).When(new Ask.NoteRecurrence(NewCase, From)).ThenRejected("window-not-opened");

    [Fact]
    public void a_recurrence_after_the_decision_changes_nothing() =>
        Given(Locked, Opened, IsEffective, Decided(Verdict.Effective))
            .When(new Ask.NoteRecurrence(NewCase, From.AddDays(89))).ThenNothing();

    [Fact]
    public void G15_after_the_window_the_numbers_propose_the_verdict() =>
        Given(Locked, Opened).When(Evaluate(1), by: "paul", at: To).Then(IsEffective);

    [Theory]
    [InlineData(3, Verdict.Inconclusive)]
    [InlineData(6, Verdict.Ineffective)]
    public void G15_other_counts_propose_other_verdicts(long deviations, Verdict proposed) =>
        Given(Locked, Opened).When(Evaluate(deviations), by: "paul", at: To).Then(Evaluation(proposed, deviations));

    [Fact]
    public void G15_nobody_evaluates_before_the_window_ends() =>
        Given(Locked, Opened).When(Evaluate(0), by: "paul", at: To.AddSeconds(-1)).ThenRejected("window-not-over");

    [Fact]
    public void G15_a_recurrence_ends_the_window_early_as_ineffective() =>
        Given(Locked, Opened, Recurred).When(Evaluate(1), by: "paul", at: To.AddDays(-60))
            .Then(IsEffective with { Proposed = Verdict.Ineffective, EarlyOnRecurrence = true });

    [Fact]
    public void G15_a_recurrence_stands_against_good_numbers_at_the_end_too() =>
        Given(Locked, Opened, Recurred).When(Evaluate(1), by: "paul", at: To)
            .Then(IsEffective with { Proposed = Verdict.Ineffective });

    [Theory]
    [InlineData("oscar")]
    [InlineData("otto")]
    public void G15_no_owner_of_an_action_evaluates(string person) =>
        Given(Locked, Opened).When(Evaluate(0), by: person, at: To).ThenRejected("self-evaluation");

    [Fact]
    public void G15_silence_is_not_success()
    {
        var gap = new Period(From.AddDays(3), From.AddDays(9));
        var silent = Evaluate(0) with { Window = new Evidence(Window(0), [gap]) };
        Given(Locked, Opened).When(silent, by: "paul", at: To).ThenRejected("exposure-missing");
        var nothing = Evaluate(0) with { Window = new Evidence(Window(0) with { Exposure = 0 }, []) };
        Given(Locked, Opened).When(nothing, by: "paul", at: To).ThenRejected("exposure-missing");
        var noBaseline = Evaluate(0) with { Baseline = new Evidence(Baseline, [gap]) };
        Given(Locked, Opened).When(noBaseline, by: "paul", at: To).ThenRejected("exposure-missing");
    }

    [Fact]
    public void an_evaluation_without_counts_is_none() =>
        Given(Locked, Opened).When(new Ask.Evaluate(), by: "paul", at: To).ThenRejected("evidence-missing");

    [Fact]
    public void an_empty_baseline_cannot_be_improved_on() =>
        Given(Locked, Opened)
            .When(
                Evaluate(0) with { Baseline = new Evidence(Baseline with { Deviations = 0 }, []) },
                by: "paul", at: To)
            .ThenRejected("nothing-to-reduce");

    [Fact]
    public void nothing_is_evaluated_before_the_window_opens() =>
        Given(Locked).When(Evaluate(0), by: "paul", at: To).ThenRejected("wrong-stage");

    [Fact]
    public void another_person_decides_with_a_signature() =>
        Given(Locked, Opened, IsEffective).When(new Ask.Approve(Verdict.Effective, null, null), by: "amira", at: To)
            .Then(Decided(Verdict.Effective));

    [Theory]
    [InlineData("paul")]
    [InlineData("oscar")]
    public void nobody_decides_on_their_own_work_or_evaluation(string person) =>
        Given(Locked, Opened, IsEffective).When(new Ask.Approve(Verdict.Effective, null, null), by: person, at: To)
            .ThenRejected("self-approval");

    [Fact]
    public void a_decision_against_the_numbers_needs_its_reason()
    {
        Given(Locked, Opened, IsEffective)
            .When(new Ask.Approve(Verdict.Ineffective, " ", null), by: "amira", at: To).ThenRejected("reason-missing");
        Given(Locked, Opened, IsEffective)
            .When(new Ask.Approve(Verdict.Ineffective, "The gauge was broken.", null), by: "amira", at: To)
            .Then(Decided(Verdict.Ineffective) with { ReasonAgainstNumbers = "The gauge was broken." });
    }

    [Fact]
    public void an_early_evaluation_never_becomes_effective() =>
        Given(Locked, Opened, Recurred, Evaluation(Verdict.Ineffective, 1) with { EarlyOnRecurrence = true })
            .When(new Ask.Approve(Verdict.Effective, "Another cause.", null), by: "amira", at: To)
            .ThenRejected("window-not-over");

    [Fact]
    public void an_inconclusive_verdict_extends_the_window_and_no_other_does()
    {
        var unclear = Evaluation(Verdict.Inconclusive, 3);
        Given(Locked, Opened, unclear).When(new Ask.Approve(Verdict.Inconclusive, null, null), by: "amira", at: To)
            .ThenRejected("extension-missing");
        Given(Locked, Opened, IsEffective).When(new Ask.Approve(Verdict.Effective, null, 30), by: "amira", at: To)
            .ThenRejected("extension-missing");
        Given(Locked, Opened, unclear).When(new Ask.Approve(Verdict.Inconclusive, null, 30), by: "amira", at: To)
            .Then(Decided(Verdict.Inconclusive) with { WindowTo = To.AddDays(30) });
    }

    [Fact]
    public void the_extended_window_is_evaluated_when_it_ends()
    {
        var extended = Decided(Verdict.Inconclusive) with { WindowTo = To.AddDays(30) };
        EffectivenessEvent[] facts = [Locked, Opened, Recurred, Evaluation(Verdict.Inconclusive, 3), extended];
        // The recurrence was weighed by the verdict that extended the window.
        Given(facts).When(Evaluate(0), by: "paul", at: To.AddDays(29)).ThenRejected("window-not-over");
        Given(facts).When(Evaluate(0), by: "paul", at: To.AddDays(30))
            .Then(facts => facts.ShouldHaveSingleItem().ShouldBeOfType<Evaluated>().Proposed
                .ShouldBe(Verdict.Effective));
        Given(facts).When(new Ask.NoteRecurrence(NewCase, From.AddDays(10))).ThenNothing();
    }

    [Fact]
    public void nothing_is_decided_before_it_is_evaluated() =>
        Given(Locked, Opened).When(new Ask.Approve(Verdict.Effective, null, null), by: "amira", at: To)
            .ThenRejected("wrong-stage");

    private static Ask.Evaluate Evaluate(long deviations) => new()
    {
        Baseline = new Evidence(Baseline, []), Window = new Evidence(Window(deviations), []),
    };

    private static EvidenceCount Window(long deviations) => new(From, To, deviations, 90, 1, 950, "w");

    private static Evaluated Evaluation(Verdict proposed, long deviations) => new(
        Capa, 1, proposed, RateComparison.Compare(Baseline, Window(deviations), 0.05), Baseline, Window(deviations),
        false, "paul");

    private static Approved Decided(Verdict verdict) => new(
        Capa, 1, verdict, null, "amira", null,
        new Signature("amira", "Name of amira", SignatureMeaning.Approved, To, "spec", 7, "hash-of-content"));
}
