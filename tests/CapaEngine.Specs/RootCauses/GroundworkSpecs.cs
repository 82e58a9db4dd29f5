using CapaEngine.Contracts;
using CapaEngine.RootCauses.Domain;
using Shouldly;
using static CapaEngine.Contracts.RootCauseEvent;
using Ask = CapaEngine.RootCauses.Domain.RootCauseCommand;

namespace CapaEngine.Specs.RootCauses;

/// <summary>What hypotheses grow from: whys that answer one another, influences by category, contrasts.</summary>
public sealed class GroundworkSpecs
{
    private static readonly Guid Capa = NameBasedId.From("capa");
    private static readonly Guid Wanders = NameBasedId.From("wanders");
    private static readonly Guid Play = NameBasedId.From("play");
    private static readonly Guid Factor = NameBasedId.From("factor");

    private static readonly Started IsStarted = new(Capa, null, "berlin", "olga", "Bores too wide", null, false);
    private static readonly WhyAnswered First = new(Wanders, null, "The cutter wanders.", "ada");
    private static readonly WhyAnswered Second = new(Play, Wanders, "The rail has play.", "ada");
    private static readonly FactorNoted Noted = new(Factor, "machine", "The rail is old.", "ada");
    private static readonly Ask.ProposeCause Worn = new(CauseKind.Occurrence, "machine.wear", "The rail is worn.", []);

    private static DeciderSpec<RootCauseAnalysis, RootCauseCommand, RootCauseEvent> Given(
        params RootCauseEvent[] facts) =>
        new DeciderSpec<RootCauseAnalysis, RootCauseCommand, RootCauseEvent>(RootCauseAnalysis.Decider).Given(facts);

    [Fact]
    public void each_why_asks_after_the_problem_or_after_an_answer()
    {
        Given(IsStarted).When(new Ask.AnswerWhy("The cutter wanders.")).Then(facts => facts.ShouldHaveSingleItem()
            .ShouldBeOfType<WhyAnswered>().AsksAfter.ShouldBeNull());
        Given(IsStarted, First).When(new Ask.AnswerWhy("The rail has play.", Wanders)).Then(facts =>
            facts.ShouldHaveSingleItem().ShouldBeOfType<WhyAnswered>().AsksAfter.ShouldBe(Wanders));
        Given(IsStarted).When(new Ask.AnswerWhy("The rail has play.", Wanders)).ThenRejected("unknown-why");
        Given(IsStarted, First).When(new Ask.AnswerWhy("The cutter wanders.")).ThenRejected("already-noted");
    }

    [Fact]
    public void a_cause_takes_its_chain_from_the_answer_it_follows_from()
    {
        Given(IsStarted, First, Second).When(Worn with { WhyId = Play }).Then(facts =>
        {
            var proposed = facts.ShouldHaveSingleItem().ShouldBeOfType<CauseProposed>();
            proposed.WhyChain.ShouldBe(["The cutter wanders.", "The rail has play."]);
            proposed.WhyId.ShouldBe(Play);
        });
        Given(IsStarted, First).When(Worn with { WhyId = Play }).ThenRejected("unknown-why");
        Given(IsStarted, First).When(Worn with { WhyId = Wanders, WhyChain = ["Because."] })
            .ThenRejected("chain-twice");
    }

    [Fact]
    public void an_influence_stands_under_one_of_the_six_categories()
    {
        Given(IsStarted).When(new Ask.NoteFactor("machine", "The rail is old.")).Then(facts =>
            facts.ShouldHaveSingleItem().ShouldBeOfType<FactorNoted>().Category.ShouldBe("machine"));
        Given(IsStarted).When(new Ask.NoteFactor("moon", "It was full.")).ThenRejected("unknown-category");
        Given(IsStarted, Noted).When(new Ask.NoteFactor("machine", "The rail is old.")).ThenRejected("already-noted");
    }

    [Fact]
    public void an_analysis_may_choose_its_own_categories()
    {
        var chosen = new CategoriesChosen(["people", "process", "policy"], "ada");
        Given(IsStarted).When(new Ask.ChooseCategories(chosen.Categories)).Then(chosen);
        Given(IsStarted, chosen).When(new Ask.NoteFactor("machine", "Old.")).ThenRejected("unknown-category");
        Given(IsStarted, Noted).When(new Ask.ChooseCategories(["people"])).ThenRejected("category-in-use");
        Given(IsStarted).When(new Ask.ChooseCategories(["people", "people"])).ThenRejected("category-unclear");
    }

    [Fact]
    public void a_cause_may_follow_from_an_influence()
    {
        Given(IsStarted, Noted).When(Worn with { FactorId = Factor }).Then(facts =>
            facts.ShouldHaveSingleItem().ShouldBeOfType<CauseProposed>().FactorId.ShouldBe(Factor));
        Given(IsStarted).When(Worn with { FactorId = Factor }).ThenRejected("unknown-factor");
    }

    [Fact]
    public void where_the_problem_is_and_is_not_is_contrasted() =>
        Given(IsStarted)
            .When(new Ask.NoteContrast(ContrastAspect.Where, "Machine 1", "Machine 2", "Another rail"))
            .Then(new ContrastNoted(ContrastAspect.Where, "Machine 1", "Machine 2", "Another rail", "ada"));

    [Fact]
    public void the_groundwork_rests_once_the_analysis_is_complete()
    {
        RootCauseEvent[] facts = [IsStarted, new CauseDeclaredUnknown("No trace.", "ada"), new Completed("olga", null)];
        Given(facts).When(new Ask.AnswerWhy("Why not?")).ThenRejected("wrong-stage");
        Given(facts).When(new Ask.NoteFactor("machine", "Old.")).ThenRejected("wrong-stage");
    }

    [Fact]
    public void a_cause_is_proposed_under_the_codes_in_force()
    {
        var codes = new CauseCodeTree { Version = 3, Codes = [new CauseCode("machine", "Machine")] };
        Given(IsStarted).When(Worn with { Codes = codes }).ThenRejected("unknown-cause-code");
        Given(IsStarted).When(Worn with { Codes = codes, Code = "machine" }).Then(facts => facts.Count.ShouldBe(1));
        Given(IsStarted).When(Worn with { Codes = CauseCodeTree.NotSet }).Then(facts => facts.Count.ShouldBe(1));
    }
}
