using System.Text.RegularExpressions;
using Shouldly;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>Codes are part of the API: the rules and the documentation name the same ones.</summary>
public sealed partial class RefusalSpecs
{
    private const int TimeoutMs = 1000;

    private static readonly List<string> InRules = CodesIn(RuleCode(), "services/RootCauses/Domain", "*.cs")
        .Union(CodesIn(RuleCode(), "services/ActionPlans/Domain", "*.cs")).Order(StringComparer.Ordinal).ToList();

    [Fact]
    public void every_code_is_documented_and_no_other()
    {
        InRules.Count.ShouldBeGreaterThan(30);
        CodesIn(DocumentedCode(), "docs", "capa.md").Order(StringComparer.Ordinal).ShouldBe(InRules);
    }

    private static IEnumerable<string> CodesIn(Regex code, string folder, string files) =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), files)
            .SelectMany(file => code.Matches(File.ReadAllText(file))).Select(match => match.Groups["code"].Value);

    [GeneratedRegex(@"Reject\(\s*""(?<code>[a-z-]+)""", RegexOptions.ExplicitCapture, TimeoutMs)]
    private static partial Regex RuleCode();

    [GeneratedRegex(
        @"^\| `(?<code>[a-z-]+)` \| (?!.* \|.*\|)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, TimeoutMs)]
    private static partial Regex DocumentedCode();
}
