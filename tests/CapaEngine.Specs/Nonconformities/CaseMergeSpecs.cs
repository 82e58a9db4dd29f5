using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using CapaEngine.Nonconformities.Merges;
using Shouldly;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>Merging over the store in memory: three steps on two streams, and what becomes of them (G20).</summary>
public sealed class CaseMergeSpecs
{
    private static readonly Guid First = NameBasedId.From("first");
    private static readonly Guid Second = NameBasedId.From("second");

    private readonly SettableClock clock = new() { Now = Cases.Detected.AddDays(1) };
    private readonly MemoryEventStore store;
    private readonly DeciderHandler<Nonconformity, Command, NonconformityEvent> decider;
    private readonly CaseMerges merges;

    public CaseMergeSpecs()
    {
        store = new MemoryEventStore(clock);
        decider = new(store, Nonconformity.Decider, clock, new FixedProfiles());
        merges = new CaseMerges(decider, clock);
    }

    [Fact] public async Task G20_a_duplicate_hands_over_its_lots_its_quantity_and_its_deviations()
    {
        await ReportAsync(First, "L-7");
        await ReportAsync(Second, "L-8");
        await decider.HandleAsync(First, new Command.AttachDeviations(
            [.. Enumerable.Range(0, 700).Select(n => new CountedDeviation(NameBasedId.From($"{n}"), Cases.Detected))]),
            By("attach"), default);
        (await MergeAsync(First, Second)).ShouldBeOfType<CommandOutcome.Done>();

        var target = await LoadAsync(Second);
        target.Lots.ShouldBe(["L-8", "L-7"]);
        (target.AffectedQuantity, target.Deviations.Count, target.Incoming.Count).ShouldBe((15, 700, 0));
        (await LoadAsync(First)).Stage.ShouldBe(NonconformityStage.Merged);
        (await MergeAsync(First, Second)).ShouldBeOfType<CommandOutcome.Done>().EventCount.ShouldBe(0);
    }

    [Fact] public async Task G20_merges_make_no_circle()
    {
        await ReportAsync(First, "L-7");
        await ReportAsync(Second, "L-8");
        await MergeAsync(First, Second);
        (await MergeAsync(Second, First)).ShouldBeOfType<CommandOutcome.Rejected>().Code.ShouldBe("target-merged");
    }

    [Fact] public async Task G20_two_that_are_merged_into_each_other_at_once_are_both_refused_and_freed()
    {
        await ReportAsync(First, "L-7");
        await ReportAsync(Second, "L-8");
        // The other merge has come as far as preparing its target, which is ours.
        var others = NameBasedId.From("other merge");
        await decider.HandleAsync(First, new Command.PrepareMerge(others, Second, "plant-1"), By("prepare"), default);
        (await MergeAsync(First, Second)).ShouldBeOfType<CommandOutcome.Rejected>().Code.ShouldBe("merge-in-progress");
        (await LoadAsync(Second)).Incoming.ShouldBeEmpty();

        clock.Now = clock.Now.AddMinutes(1);
        (await SettleAsync(First)).ShouldBeOfType<ReactionOutcome.Done>();
        (await SettleAsync(First)).ShouldBeOfType<ReactionOutcome.AlreadyDone>();
        (await LoadAsync(First)).Incoming.ShouldBeEmpty();
        (await LoadAsync(Second)).LapsedMerges.ShouldContain(others);
    }

    [Fact] public async Task a_merge_that_was_prepared_a_moment_ago_is_waited_for()
    {
        await ReportAsync(First, "L-7");
        await ReportAsync(Second, "L-8");
        await decider.HandleAsync(
            First, new Command.PrepareMerge(NameBasedId.From("m"), Second, "plant-1"), By("prepare"), default);
        (await SettleAsync(First)).ShouldBeOfType<ReactionOutcome.NotYet>();
    }

    [Fact] public async Task a_merge_that_was_decided_and_not_handed_over_is_finished_by_reaction()
    {
        await ReportAsync(First, "L-7");
        await ReportAsync(Second, "L-8");
        var context = By("merge");
        var mergeId = Merging.MergeIdOf(context with { Seen = new(Families.Nonconformity.Stream(First), 0, "") });
        await decider.HandleAsync(Second, new Command.PrepareMerge(mergeId, First, "plant-1"), By("prepare"), default);
        (await decider.HandleAsync(First, Asked(Second) with { IsPrepared = true }, context, default))
            .ShouldBeOfType<CommandOutcome.Done>();

        (await SettleAsync(Second)).ShouldBeOfType<ReactionOutcome.AlreadyDone>("The merge was decided.");
        var merged = await LastAsync(First);
        (await merges.FinishAsync(merged, default)).ShouldBeOfType<ReactionOutcome.Done>();
        (await merges.FinishAsync(merged, default)).ShouldBeOfType<ReactionOutcome.AlreadyDone>();
        (await LoadAsync(Second)).Lots.ShouldBe(["L-8", "L-7"]);
    }

    [Fact] public async Task G20_a_target_that_does_not_exist_is_named()
    {
        await ReportAsync(First, "L-7");
        (await MergeAsync(First, Second)).ShouldBeOfType<CommandOutcome.Rejected>().Code.ShouldBe("unknown-target");
    }

    private static Command.Merge Asked(Guid into) => new(into, "The same bores.", 5);

    private Task<CommandOutcome> MergeAsync(Guid from, Guid into) =>
        merges.MergeAsync(from, Asked(into), By($"merge {from}"), default);

    private async Task ReportAsync(Guid id, string lot) =>
        (await decider.HandleAsync(id, new Command.Report(
            "plant-1", "Bore too wide", "Above the limit.", new RequirementRef("drawing", "C", "4.2"),
            NonconformitySource.Production, DetectionStage.InProcess, "housing", "honing", [lot], 10, "pieces",
            Severity.Minor, Cases.Detected, null), By("report"), default)).ShouldBeOfType<CommandOutcome.Done>();

    private async Task<Nonconformity> LoadAsync(Guid id) => (await decider.LoadAsync(id, default)).State;

    private async Task<ReactionOutcome> SettleAsync(Guid target)
    {
        await foreach (var recorded in store.ReadStreamAsync(Families.Nonconformity.Stream(target), 0, 100, default))
        {
            var incoming = EventEnvelope.Of(recorded).ToIncoming();
            if (incoming.Fact is NonconformityEvent.MergePrepared prepared)
                return await merges.SettleAsync(incoming, prepared, default);
        }

        throw new InvalidOperationException("Nothing was prepared.");
    }

    private async Task<IncomingEvent> LastAsync(Guid id)
    {
        await foreach (var recorded in store.ReadStreamBackwardsAsync(Families.Nonconformity.Stream(id), 1, default))
            return EventEnvelope.Of(recorded).ToIncoming();
        throw new InvalidOperationException("The stream is empty.");
    }

    private static CommandContext By(string commandId) => new(new Actor("eve", "Eve", [], "*", []), commandId);
}
