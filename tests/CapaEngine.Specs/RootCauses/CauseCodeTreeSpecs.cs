using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.RootCauses.Domain;
using CapaEngine.Specs.ActionPlans;
using Shouldly;
using static CapaEngine.Contracts.CauseCodesEvent;
using Ask = CapaEngine.RootCauses.Domain.CauseCodesCommand;

namespace CapaEngine.Specs.RootCauses;

/// <summary>The tree of cause codes changes at run time, and every version stays.</summary>
public sealed class CauseCodeTreeSpecs
{
    private static readonly Set FirstTree = new(
        1, [new CauseCode("machine", "Machine"), new CauseCode("machine.wear", "Wear")], "We begin.", "ada");

    private static DeciderSpec<CauseCodeTree, CauseCodesCommand, CauseCodesEvent> Given(
        params CauseCodesEvent[] facts) =>
        new DeciderSpec<CauseCodeTree, CauseCodesCommand, CauseCodesEvent>(CauseCodeTree.Decider).Given(facts);

    [Fact]
    public void a_tree_is_set_with_a_reason() => Given().When(Tree("machine", "machine.wear")).Then(FirstTree);

    [Fact]
    public void another_version_follows_and_the_same_one_does_not()
    {
        Given(FirstTree).When(Tree("machine"))
            .Then(new Set(2, [new CauseCode("machine", "Machine")], "We begin.", "ada"));
        Given(FirstTree).When(Tree("machine", "machine.wear")).ThenNothing();
    }

    [Fact]
    public void a_code_stands_once_and_below_another()
    {
        Given().When(Tree("machine", "machine")).ThenRejected("code-twice");
        Given().When(Tree("machine.wear")).ThenRejected("code-without-parent");
        Given().When(Tree("machine", "machine.wear.rail")).ThenRejected("code-without-parent");
    }

    [Fact]
    public async Task there_is_one_stream_whatever_the_id()
    {
        var clock = new FixedClock(new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero));
        var store = new MemoryEventStore(clock);
        var trees = new DeciderHandler<CauseCodeTree, CauseCodesCommand, CauseCodesEvent>(
            store, CauseCodeTree.Decider, clock, new FixedProfiles());
        var actor = new Actor("ada", "Ada", ["administrator"], "*", []);
        foreach (var id in (string[])["a", "b"])
        {
            var outcome = await trees.HandleAsync(
                NameBasedId.From(id), Tree("machine", id), new CommandContext(actor, id),
                TestContext.Current.CancellationToken);
            outcome.ShouldBeOfType<CommandOutcome.Done>();
        }

        var (tree, revision) = await trees.LoadAsync(Guid.Empty, TestContext.Current.CancellationToken);
        (tree.Version, revision).ShouldBe((2, 1));
        tree.Allows("b").ShouldBeTrue();
        tree.Allows("a").ShouldBeFalse();
    }

    private static Ask.Set Tree(params string[] codes) => new(
        codes.Select(code => new NewCauseCode(code, Title(code))).ToValueList(), "We begin.");

    private static string Title(string code) =>
        code.Split('.')[^1] is var last ? char.ToUpperInvariant(last[0]) + last[1..] : code;
}
