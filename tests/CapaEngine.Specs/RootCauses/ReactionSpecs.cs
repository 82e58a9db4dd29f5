using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.RootCauses.Domain;
using CapaEngine.Specs.ActionPlans;
using Shouldly;
using Reactions = CapaEngine.RootCauses.Reactions;

namespace CapaEngine.Specs.RootCauses;

/// <summary>What an analysis does when its CAPA moves.</summary>
public sealed class ReactionSpecs
{
    private static readonly DateTimeOffset Now = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
    private static readonly Guid Capa = NameBasedId.From("capa");
    private static readonly Guid Wear = NameBasedId.From("wear");
    private static readonly ActionPlanEvent.Opened Opened =
        new("berlin", "Bores too wide", "olga", null, "Three in two days", null, null, true);
    private static readonly RootCauseEvent.Started Started =
        new(Capa, null, "berlin", "olga", "Bores too wide", null, true);

    private readonly MemoryEventStore store;
    private readonly Reactions reactions;
    private readonly DeciderHandler<RootCauseAnalysis, RootCauseCommand, RootCauseEvent> analyses;

    public ReactionSpecs()
    {
        var clock = new FixedClock(Now);
        store = new MemoryEventStore(clock);
        analyses = new(store, RootCauseAnalysis.Decider, clock, new FixedProfiles());
        reactions = new Reactions(analyses);
    }

    [Fact]
    public async Task an_opened_capa_starts_its_analysis_once()
    {
        (await ReactAsync(Opened)).ShouldBeOfType<ReactionOutcome.Done>();
        (await ReactAsync(Opened)).ShouldBeOfType<ReactionOutcome.AlreadyDone>();
        (await FactsAsync()).ShouldBe([Started]);
    }

    [Fact]
    public async Task a_new_cycle_waits_for_an_analysis_and_reopens_the_approved_one_once()
    {
        var second = new ActionPlanEvent.CycleStarted(2);
        (await ReactAsync(second)).ShouldBeOfType<ReactionOutcome.NotYet>();
        await ReactAsync(Opened);
        (await ReactAsync(second)).ShouldBeOfType<ReactionOutcome.Refused>().Code.ShouldBe("wrong-stage");
        await ApproveAsync();
        (await ReactAsync(second)).ShouldBeOfType<ReactionOutcome.Done>();
        (await ReactAsync(second)).ShouldBeOfType<ReactionOutcome.AlreadyDone>();
        (await FactsAsync()).OfType<RootCauseEvent.Reopened>().Count().ShouldBe(1);
    }

    [Fact]
    public async Task a_new_owner_of_the_capa_owns_its_analysis()
    {
        await ReactAsync(Opened);
        var changed = new ActionPlanEvent.OwnerChanged("oda", "ada", "Olga left.");
        (await ReactAsync(changed)).ShouldBeOfType<ReactionOutcome.Done>();
        (await ReactAsync(changed)).ShouldBeOfType<ReactionOutcome.AlreadyDone>();
        (await FactsAsync()).ShouldBe([Started, new RootCauseEvent.OwnerChanged("oda")]);
    }

    [Fact]
    public async Task other_events_of_the_capa_are_not_its_concern() =>
        (await ReactAsync(new ActionPlanEvent.NonconformityJoined(Wear))).ShouldBeOfType<ReactionOutcome.AlreadyDone>();

    private async Task ApproveAsync()
    {
        var facts = new RootCauseEvent[]
        {
            new RootCauseEvent.CauseProposed(Wear, CauseKind.Occurrence, "machine.wear", "Worn.", [], "ada"),
            new RootCauseEvent.CauseVerified(Wear, VerificationMethod.Measurement, "0.4 mm", "vera"),
            new RootCauseEvent.Completed("olga", null),
            new RootCauseEvent.Approved(Capa, 1, "amira", [], true, new Signature(
                "amira", "Amira", SignatureMeaning.Approved, Now, "spec", 1, "hash")),
        };
        var metadata = EventCatalog.Serialize(new EventMetadata(new EventActor("ada", [], "*"), Now, Now, "hash"));
        await store.AppendAsync(
            Families.RootCause.Stream(RootCauseAnalysis.IdFor(Capa)), ExpectedRevision.StreamExists,
            [.. facts.Select(fact => new NewEvent(
                Guid.NewGuid(), EventCatalog.NameOf(fact), EventCatalog.Serialize(fact), metadata))],
            TestContext.Current.CancellationToken);
    }

    private Task<ReactionOutcome> ReactAsync(ActionPlanEvent fact) => reactions.ReactAsync(
        new IncomingEvent(
            Families.ActionPlan.Stream(Capa), Families.ActionPlan, 0, LogPosition.At(9), NameBasedId.From($"{fact}"),
            EventCatalog.NameOf(fact), fact, new EventMetadata(new EventActor("ada", [], "*"), Now, Now, "hash")),
        TestContext.Current.CancellationToken);

    private async Task<List<object>> FactsAsync()
    {
        var facts = new List<object>();
        var stream = Families.RootCause.Stream(RootCauseAnalysis.IdFor(Capa));
        await foreach (var e in store.ReadStreamAsync(stream, 0, long.MaxValue, TestContext.Current.CancellationToken))
            facts.Add(EventCatalog.Deserialize(e.Type, e.Data.Span));
        return facts;
    }
}
