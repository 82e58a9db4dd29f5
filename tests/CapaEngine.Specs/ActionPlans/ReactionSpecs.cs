using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Shouldly;
using static CapaEngine.Specs.ActionPlans.Facts;
using Reactions = CapaEngine.ActionPlans.Reactions;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>What a CAPA does when something happens elsewhere: once, in whatever order it hears.</summary>
public sealed class ReactionSpecs
{
    private static readonly Guid Capa = NameBasedId.From("capa");
    private static readonly Guid SecondCase = NameBasedId.From("second case");
    private static readonly Guid ReviewId = EffectivenessReview.IdFor(Capa, 1);
    private static readonly string PlanStream = Families.ActionPlan.Stream(Capa);
    private static readonly string ReviewStream = Families.Effectiveness.Stream(ReviewId);

    private static readonly NonconformityEvent.CorrectiveActionRequired Required = new(
        Capa, CapaLink.Open, 1, "olga", "Three in two days", "berlin", "Bores too wide", Subject, Now.AddDays(-10),
        false);
    private static readonly RootCauseEvent.Approved CauseFound =
        new(Capa, 1, "amira", Caused.Causes, true, Sign("amira"));
    private static readonly EffectivenessEvent.CriteriaLocked Locked =
        new(Capa, 1, "berlin", Criteria, ["oscar", "otto"], "amira");
    private static readonly EffectivenessEvent.WindowOpened Window = new(Monitored.From, Monitored.To);
    private static readonly NonconformityEvent.Reported Recurred = new(
        "berlin", "Bores again", "Bores too wide", new RequirementRef("drawing", "4", "7"),
        NonconformitySource.Production, DetectionStage.InProcess, "bracket", "milling", [], 3, "pcs", Severity.Major,
        Now.AddDays(20), "service:nonconformities", Subject, 2, 1, null);

    private readonly MemoryEventStore store;
    private readonly Reactions reactions;

    public ReactionSpecs()
    {
        var clock = new FixedClock(Now.AddDays(30));
        store = new MemoryEventStore(clock);
        reactions = new Reactions(
            new(store, ActionPlan.Decider, clock, new FixedProfiles()),
            new(store, EffectivenessReview.Decider, clock, new FixedProfiles()), store);
    }

    [Fact]
    public async Task a_nonconformity_opens_its_capa_once()
    {
        await ReactAsync<ReactionOutcome.Done>(Families.Nonconformity, FirstCase, Required);
        await ReactAsync<ReactionOutcome.AlreadyDone>(Families.Nonconformity, FirstCase, Required);
        (await FactsAsync(PlanStream)).ShouldBe([IsOpened]);
    }

    [Fact]
    public async Task a_further_nonconformity_joins_once_the_capa_is_there()
    {
        var join = Required with { Link = CapaLink.Join };
        await ReactAsync<ReactionOutcome.NotYet>(Families.Nonconformity, SecondCase, join);
        await ReactAsync<ReactionOutcome.Done>(Families.Nonconformity, FirstCase, Required);
        await ReactAsync<ReactionOutcome.Done>(Families.Nonconformity, SecondCase, join);
        await ReactAsync<ReactionOutcome.AlreadyDone>(Families.Nonconformity, SecondCase, join);
        (await FactsAsync(PlanStream)).ShouldBe([IsOpened, new ActionPlanEvent.NonconformityJoined(SecondCase)]);
    }

    [Fact]
    public async Task joining_a_closed_capa_is_refused_with_its_code()
    {
        await WriteAsync(PlanStream,
            [.. InReview, FoundEffective, new ActionPlanEvent.Closed("amira", Answers, Sign("amira"))]);
        var refused = await ReactAsync<ReactionOutcome.Refused>(
            Families.Nonconformity, SecondCase, Required with { Link = CapaLink.Join });
        refused.Code.ShouldBe("wrong-stage");
    }

    [Fact]
    public async Task the_causes_wait_for_the_capa_and_arrive_once()
    {
        await ReactAsync<ReactionOutcome.NotYet>(Families.RootCause, Analysis, CauseFound);
        await WriteAsync(PlanStream, [IsOpened]);
        await ReactAsync<ReactionOutcome.Done>(Families.RootCause, Analysis, CauseFound);
        await ReactAsync<ReactionOutcome.AlreadyDone>(Families.RootCause, Analysis, CauseFound);
        (await FactsAsync(PlanStream)).ShouldBe([IsOpened, Caused]);
    }

    [Fact]
    public async Task the_causes_of_the_next_cycle_wait_for_it()
    {
        await WriteAsync(PlanStream, [IsOpened]);
        var later = await ReactAsync<ReactionOutcome.NotYet>(
            Families.RootCause, Analysis, CauseFound with { Cycle = 2 });
        later.Reason.ShouldBe("cycle-ahead");
    }

    [Fact]
    public async Task an_extent_checked_after_the_approval_reaches_the_plan()
    {
        var checkedLate = new RootCauseEvent.ExtentChecked("same machine", [], "ada");
        var early = CauseFound with { ExtentIsChecked = false };
        await WriteAsync(PlanStream, [IsOpened, Caused with { ExtentIsChecked = false }]);
        await WriteAsync(Families.RootCause.Stream(Analysis), [checkedLate]);
        await ReactAsync<ReactionOutcome.AlreadyDone>(Families.RootCause, Analysis, checkedLate);
        await WriteAsync(Families.RootCause.Stream(Analysis), [early, checkedLate]);
        await ReactAsync<ReactionOutcome.Done>(Families.RootCause, Analysis, checkedLate with { Query = "again" });
        (await FactsAsync(PlanStream))[^1].ShouldBe(Caused);
    }

    [Fact]
    public async Task the_approved_plan_locks_its_criteria_and_monitoring_opens_the_window()
    {
        await ReactAsync<ReactionOutcome.NotYet>(Families.ActionPlan, Capa, Monitored);
        await ReactAsync<ReactionOutcome.Done>(Families.ActionPlan, Capa, IsApproved);
        await ReactAsync<ReactionOutcome.Done>(Families.ActionPlan, Capa, Monitored);
        await ReactAsync<ReactionOutcome.AlreadyDone>(Families.ActionPlan, Capa, IsApproved);
        await ReactAsync<ReactionOutcome.AlreadyDone>(Families.ActionPlan, Capa, Monitored);
        (await FactsAsync(ReviewStream)).ShouldBe([Locked, Window]);
    }

    [Fact]
    public async Task other_criteria_wait_for_the_lock_and_are_taken_over_once()
    {
        var changed = new ActionPlanEvent.CriteriaChanged(
            1, Criteria with { WindowDays = 120 }, Baseline, "amira", Sign("amira"));
        await ReactAsync<ReactionOutcome.NotYet>(Families.ActionPlan, Capa, changed);
        await WriteAsync(ReviewStream, [Locked]);
        await ReactAsync<ReactionOutcome.Done>(Families.ActionPlan, Capa, changed);
        await ReactAsync<ReactionOutcome.AlreadyDone>(Families.ActionPlan, Capa, changed);
        (await FactsAsync(ReviewStream)).ShouldBe(
            [Locked, new EffectivenessEvent.CriteriaChanged(changed.Criteria, "amira")]);
    }

    [Fact]
    public async Task who_took_part_after_the_approval_is_excluded_when_the_window_opens()
    {
        await WriteAsync(PlanStream,
            [.. Implementing, new ActionPlanEvent.ActionOwnerChanged(Replace, "otmar", "ada", "Ill."), Monitored]);
        await WriteAsync(ReviewStream, [Locked]);
        await ReactAsync<ReactionOutcome.Done>(Families.ActionPlan, Capa, Monitored);
        (await FactsAsync(ReviewStream)).ShouldBe(
            [Locked, new EffectivenessEvent.PersonsExcluded(["otmar"]), Window]);
    }

    [Fact]
    public async Task a_success_run_reaches_the_plan_too()
    {
        await WriteAsync(PlanStream, Monitoring);
        await ReactAsync<ReactionOutcome.Done>(
            Families.Effectiveness, ReviewId, new EffectivenessEvent.SuccessRunEvaluated(
                Capa, 1, Verdict.Effective, new SuccessRunNumbers(59, 60, 0, 0.951, 1), Baseline, false, "paul"));
        (await FactsAsync(PlanStream))[^1].ShouldBe(Reviewed with { ReviewId = ReviewId });
    }

    [Fact]
    public async Task the_evaluation_and_then_the_verdict_reach_the_plan()
    {
        await WriteAsync(PlanStream, Monitoring);
        var decided = Decided(Verdict.Effective);
        var early = await ReactAsync<ReactionOutcome.NotYet>(Families.Effectiveness, ReviewId, decided);
        early.Reason.ShouldBe("review-not-started");
        await ReactAsync<ReactionOutcome.Done>(Families.Effectiveness, ReviewId, Evaluation(Verdict.Effective));
        await ReactAsync<ReactionOutcome.Done>(Families.Effectiveness, ReviewId, decided);
        await ReactAsync<ReactionOutcome.AlreadyDone>(Families.Effectiveness, ReviewId, Evaluation(Verdict.Effective));
        await ReactAsync<ReactionOutcome.AlreadyDone>(Families.Effectiveness, ReviewId, decided);
        (await FactsAsync(PlanStream))[Monitoring.Length..].ShouldBe(
            [Reviewed with { ReviewId = ReviewId }, FoundEffective with { ReviewId = ReviewId }]);
    }

    [Fact]
    public async Task an_ineffective_verdict_begins_one_new_cycle_however_often_it_arrives()
    {
        await WriteAsync(PlanStream, InReview);
        var decided = Decided(Verdict.Ineffective);
        await ReactAsync<ReactionOutcome.Done>(Families.Effectiveness, ReviewId, decided);
        await ReactAsync<ReactionOutcome.AlreadyDone>(Families.Effectiveness, ReviewId, decided);
        (await FactsAsync(PlanStream)).OfType<ActionPlanEvent.CycleStarted>().ShouldBe([new(2)]);
    }

    [Fact]
    public async Task a_repeated_evaluation_does_not_undo_the_verdict_after_it()
    {
        await WriteAsync(PlanStream, Monitoring);
        await ReactAsync<ReactionOutcome.Done>(Families.Effectiveness, ReviewId, Evaluation(Verdict.Inconclusive));
        await ReactAsync<ReactionOutcome.Done>(
            Families.Effectiveness, ReviewId, Decided(Verdict.Inconclusive) with { WindowTo = Now.AddDays(120) });
        await ReactAsync<ReactionOutcome.AlreadyDone>(
            Families.Effectiveness, ReviewId, Evaluation(Verdict.Inconclusive));
        (await FactsAsync(PlanStream))[^1].ShouldBeOfType<ActionPlanEvent.VerdictReceived>();
    }

    [Fact]
    public async Task a_case_that_recurs_in_the_window_is_noted_on_the_review()
    {
        await WriteAsync(PlanStream, Monitoring);
        await ReactAsync<ReactionOutcome.NotYet>(Families.Nonconformity, SecondCase, Recurred);
        await WriteSignatureAsync();
        await ReactAsync<ReactionOutcome.NotYet>(Families.Nonconformity, SecondCase, Recurred);
        await WriteAsync(ReviewStream, [Locked]);
        await ReactAsync<ReactionOutcome.NotYet>(Families.Nonconformity, SecondCase, Recurred);
        await WriteAsync(ReviewStream, [Window]);
        await ReactAsync<ReactionOutcome.Done>(Families.Nonconformity, SecondCase, Recurred);
        await ReactAsync<ReactionOutcome.AlreadyDone>(Families.Nonconformity, SecondCase, Recurred);
        (await FactsAsync(ReviewStream)).ShouldBe(
            [Locked, Window, new EffectivenessEvent.RecurrenceDetected(SecondCase)]);
    }

    [Fact]
    public async Task a_case_that_recurs_before_the_action_or_after_the_verdict_is_not()
    {
        await WriteSignatureAsync();
        await WriteAsync(PlanStream, Implementing);
        await ReactAsync<ReactionOutcome.AlreadyDone>(Families.Nonconformity, SecondCase, Recurred);
        await WriteAsync(PlanStream, [.. InReview[Implementing.Length..], FoundEffective]);
        await WriteAsync(ReviewStream, [Locked, Window, Evaluation(Verdict.Effective), Decided(Verdict.Effective)]);
        await ReactAsync<ReactionOutcome.AlreadyDone>(Families.Nonconformity, SecondCase, Recurred);
        (await FactsAsync(ReviewStream)).Count.ShouldBe(4);
    }

    [Fact]
    public async Task the_first_case_of_a_subject_is_no_recurrence() =>
        await ReactAsync<ReactionOutcome.AlreadyDone>(
            Families.Nonconformity, SecondCase, Recurred with { SignatureCycle = 1 });

    [Fact]
    public async Task in_a_history_the_capa_opens_when_its_cause_happened()
    {
        await ReactAsync<ReactionOutcome.Done>(Families.Nonconformity, FirstCase, Required, imported: true);
        await foreach (var recorded in store.ReadStreamAsync(PlanStream, 0, 1, TestContext.Current.CancellationToken))
        {
            var metadata = EventCatalog.Metadata(recorded.Metadata.Span);
            metadata.Imported.ShouldBeTrue();
            metadata.OccurredAt.ShouldBe(Now);
        }
    }

    private async Task WriteSignatureAsync()
    {
        await WriteAsync(Families.Signature.Stream(Subject.SignatureId()),
        [
            new SignatureEvent.Opened(Subject, 1, FirstCase, 1, null, []),
            new SignatureEvent.Opened(Subject, 2, SecondCase, 1, null, []),
        ]);
        await WriteAsync(Families.Nonconformity.Stream(FirstCase), [Required]);
    }

    private async Task<TOutcome> ReactAsync<TOutcome>(Family family, Guid id, object fact, bool imported = false)
        where TOutcome : ReactionOutcome
    {
        var actor = new EventActor("ada", [], "*");
        var incoming = new IncomingEvent(
            family.Stream(id), family, 3, LogPosition.At(77), NameBasedId.From($"{id}{fact}"),
            EventCatalog.NameOf(fact), fact,
            new EventMetadata(actor, Now, Now.AddDays(30), "hash", Imported: imported));
        var outcome = await reactions.ReactAsync(incoming, TestContext.Current.CancellationToken);
        return outcome.ShouldBeOfType<TOutcome>($"after {fact}: {outcome}");
    }

    private async Task WriteAsync(string stream, IEnumerable<object> facts)
    {
        var metadata = EventCatalog.Serialize(new EventMetadata(new EventActor("ada", [], "*"), Now, Now, "hash"));
        var events = facts.Select(fact => new NewEvent(
            Guid.NewGuid(), EventCatalog.NameOf(fact), EventCatalog.Serialize(fact), metadata)).ToList();
        (await store.AppendAsync(stream, ExpectedRevision.Any, events, TestContext.Current.CancellationToken))
            .ShouldBeOfType<AppendResult.Appended>();
    }

    private async Task<List<object>> FactsAsync(string stream)
    {
        var facts = new List<object>();
        await foreach (var e in store.ReadStreamAsync(stream, 0, long.MaxValue, TestContext.Current.CancellationToken))
            facts.Add(EventCatalog.Deserialize(e.Type, e.Data.Span));
        return facts;
    }

    private static EffectivenessEvent.Evaluated Evaluation(Verdict proposed) => new(
        Capa, 1, proposed, RateComparison.Compare(Baseline, Baseline, 0.05), Baseline, Baseline, false, "paul");

    private static EffectivenessEvent.Approved Decided(Verdict verdict) =>
        new(Capa, 1, verdict, null, "amira", null, Sign("amira"));
}
