using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Contracts.RootCauseEvent;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.RootCauseEvent>;

namespace CapaEngine.RootCauses.Domain;

/// <summary>
/// What hypotheses grow from: chains of whys, influences by category, and where the problem is and is not. It stays
/// through all cycles, because a chain that led to the wrong cause is worth reading.
/// </summary>
public sealed record Groundwork
{
    /// <summary>The six categories people begin with; an analysis may choose its own.</summary>
    public static readonly ValueList<string> UsualCategories =
        ["machine", "method", "material", "people", "measurement", "environment"];

    /// <summary>Nothing yet.</summary>
    public static readonly Groundwork Empty = new();

    public ValueList<string> Categories { get; init; } = UsualCategories;
    public ValueList<FactorNoted> Factors { get; init; } = [];
    public ValueList<WhyAnswered> Whys { get; init; } = [];
    public ValueList<ContrastNoted> Contrasts { get; init; } = [];

    /// <summary>The answers from the problem to this one; null where there is no such answer.</summary>
    public ValueList<string>? ChainTo(Guid whyId)
    {
        var chain = new List<string>();
        for (Guid? id = whyId; id is not null;)
        {
            if (Whys.FirstOrDefault(why => why.WhyId == id) is not { } answered) return null;
            chain.Add(answered.Answer);
            id = answered.AsksAfter;
        }

        chain.Reverse();
        return chain.ToValueList();
    }

    /// <summary>The groundwork after one more fact; throws on a fact that no part of an analysis knows.</summary>
    public static Groundwork Evolve(Groundwork work, RootCauseEvent fact) => fact switch
    {
        CategoriesChosen e => work with { Categories = e.Categories },
        FactorNoted e => work with { Factors = work.Factors.Add(e) },
        WhyAnswered e => work with { Whys = work.Whys.Add(e) },
        ContrastNoted e => work with { Contrasts = work.Contrasts.Add(e) },
        _ => throw new InvalidOperationException($"{fact.GetType().Name} is no fact of an analysis."),
    };

    /// <summary>The rules, while the analysis is open; null for a command that is not about the groundwork.</summary>
    internal static Decision<RootCauseEvent>? Decide(
        RootCauseCommand command, Groundwork work, CommandContext context) => command switch
    {
        RootCauseCommand.ChooseCategories c => Choose(c, work, context),
        RootCauseCommand.NoteFactor c => Note(c, work, context),
        RootCauseCommand.AnswerWhy c => Answer(c, work, context),
        RootCauseCommand.NoteContrast c => Contrast(
            new ContrastNoted(c.Aspect, c.Is, c.IsNot, c.Distinction, context.Person), work),
        _ => null,
    };

    /// <summary>Why a cause cannot follow from what it names; null where it can.</summary>
    internal Decision<RootCauseEvent>? WhyGroundless(RootCauseCommand.ProposeCause c)
    {
        if (c.WhyId is { } whyId)
        {
            if (ChainTo(whyId) is null) return Reject("unknown-why", "The analysis has no such answer.");
            if (c.WhyChain.Count > 0) return Reject("chain-twice", "The chain follows from the answer it ends with.");
        }

        return c.FactorId is { } factorId && Factors.All(factor => factor.FactorId != factorId)
            ? Reject("unknown-factor", "The analysis has no such influence.")
            : null;
    }

    private static Decision<RootCauseEvent> Choose(
        RootCauseCommand.ChooseCategories c, Groundwork work, CommandContext context)
    {
        if (c.Categories.Equals(work.Categories)) return Accept();
        if (c.Categories.Any(string.IsNullOrWhiteSpace) || c.Categories.Distinct().Count() < c.Categories.Count)
            return Reject("category-unclear", "Categories have names of their own.");
        return work.Factors.FirstOrDefault(factor => !c.Categories.Contains(factor.Category)) is { } left
            ? Reject("category-in-use", $"An influence stands under '{left.Category}'.")
            : Accept(new CategoriesChosen(c.Categories, context.Person));
    }

    private static Decision<RootCauseEvent> Note(
        RootCauseCommand.NoteFactor c, Groundwork work, CommandContext context)
    {
        var id = context.DeriveId("factor");
        if (work.Factors.Any(factor => factor.FactorId == id)) return Accept();
        if (!work.Categories.Contains(c.Category))
            return Reject("unknown-category", $"The categories are {string.Join(", ", work.Categories)}.");
        return work.Factors.Any(factor => factor.Category == c.Category && factor.Statement == c.Statement)
            ? Reject("already-noted", "The same influence was noted before.")
            : Accept(new FactorNoted(id, c.Category, c.Statement, context.Person));
    }

    private static Decision<RootCauseEvent> Answer(
        RootCauseCommand.AnswerWhy c, Groundwork work, CommandContext context)
    {
        var id = context.DeriveId("why");
        if (work.Whys.Any(why => why.WhyId == id)) return Accept();
        if (c.AsksAfter is { } before && work.Whys.All(why => why.WhyId != before))
            return Reject("unknown-why", "The analysis has no such answer to ask after.");
        return work.Whys.Any(why => why.AsksAfter == c.AsksAfter && why.Answer == c.Answer)
            ? Reject("already-noted", "The same answer was given before.")
            : Accept(new WhyAnswered(id, c.AsksAfter, c.Answer, context.Person));
    }

    private static Decision<RootCauseEvent> Contrast(ContrastNoted noted, Groundwork work) =>
        work.Contrasts.Contains(noted) ? Accept() : Accept(noted);
}
