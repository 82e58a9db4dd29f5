using System.Text;
using System.Text.RegularExpressions;
using Shouldly;

namespace CapaEngine.Specs.Tables;

/// <summary>The tables of all families whose records go through stages, and the document made of them.</summary>
internal static partial class DecisionTables
{
    /// <summary>Where the document is, relative to the repository.</summary>
    public const string Document = "docs/decision-tables.md";

    private const int TimeoutMs = 1000;

    private static readonly Lazy<IReadOnlyList<DecisionTable>> Explored = new(() =>
    [
        NonconformityWalks.OfNonconformities(), NonconformityWalks.OfConcessions(), CapaWalks.OfAnalyses(),
        CapaWalks.OfPlans(), CapaWalks.OfReviews(),
    ]);

    public static IReadOnlyList<DecisionTable> All => Explored.Value;

    /// <summary>What a spec saw accepted, the table of its family must say is possible.</summary>
    public static void Expect(string family, object state, object command)
    {
        if (All.FirstOrDefault(table => table.Family.Name == family) is not { } table) return;
        var cell = table.At(table.StageOf(state), command.GetType());
        (cell.Facts.Count > 0).ShouldBeTrue(
            $"The walks through {family} miss {command.GetType().Name} in the stage {table.StageOf(state)}.");
    }

    /// <summary>The whole document.</summary>
    public static string ToMarkdown()
    {
        var text = new StringBuilder("""
            # What is possible when

            Made from the rules themselves by `./capa test`, which fails when it is not what the rules say
            (`CAPA_WRITE_TABLES=1` writes it anew). Each family of streams has its stages and the events that lead from
            one to the next, and its commands: ● may be accepted in that stage and record something, ○ was carried out
            before and records nothing, blank is always refused. Everything refused only because of the stage is
            `wrong-stage`.


            """);
        foreach (var table in All) text.Append(table.ToMarkdown());
        text.Append("## Every refusal\n\nThe codes of all rules, with what they say.\n\n| code | says |\n|---|---|\n");
        foreach (var (code, sentences) in Refusals())
            text.Append($"| `{code}` | ").AppendJoin("<br>", sentences).Append(" |\n");
        return text.ToString();
    }

    /// <summary>Every code with which a rule refuses, and its sentences, as the code has them.</summary>
    public static IReadOnlyList<(string Code, IReadOnlyList<string> Sentences)> Refusals() =>
    [
        .. Repository.TrackedFiles()
            .Where(file => file.EndsWith(".cs", StringComparison.Ordinal)
                && (file.StartsWith("services/", StringComparison.Ordinal)
                    || file.StartsWith("shared/Kernel/", StringComparison.Ordinal)))
            .SelectMany(file => Refusal().Matches(File.ReadAllText(Path.Combine(Repository.Root, file))))
            .GroupBy(match => match.Groups["code"].Value, match => Sentence(match.Groups["text"].Value))
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => (group.Key, (IReadOnlyList<string>)
                [.. group.Where(sentence => sentence.Length > 0).Distinct().Order(StringComparer.Ordinal)])),
    ];

    private static string Sentence(string literal) =>
        Hole().Replace(literal, "…").Replace("|", "\\|", StringComparison.Ordinal);

    [GeneratedRegex(
        """(Reject|Rejected)(<[A-Za-z.]+>)?\(\s*"(?<code>[a-z-]+)",\s*(\$?"(?<text>([^"\\{]|\{[^}]*\})*)")?""",
        RegexOptions.ExplicitCapture, TimeoutMs)]
    private static partial Regex Refusal();

    [GeneratedRegex(@"\{[^}]*\}", RegexOptions.ExplicitCapture, TimeoutMs)]
    private static partial Regex Hole();
}
