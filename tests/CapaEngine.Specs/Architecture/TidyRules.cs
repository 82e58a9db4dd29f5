using System.Text.RegularExpressions;
using Shouldly;

namespace CapaEngine.Specs.Architecture;

/// <summary>A17: style is a test. What git tracks keeps to the lengths, words and links agreed on.</summary>
public sealed partial class TidyRules
{
    private const int LineLengthMax = 120;
    private const int FileLinesMax = 400;

    private static readonly List<string> Tracked = [.. Repository.TrackedFiles()];

    private static readonly List<string> Sources = [.. Tracked.Where(file => file.EndsWith(".cs"))];

    [Fact]
    public void lines_and_files_are_short_enough_to_be_read()
    {
        Sources.Count.ShouldBeGreaterThan(40);
        var long_ = Sources.SelectMany(file => Lines(file).Select((line, index) => (file, line, index)))
            .Where(entry => entry.line.Length > LineLengthMax)
            .Select(entry => $"{entry.file}:{entry.index + 1}");
        long_.ShouldBeEmpty();
        Sources.Where(file => Lines(file).Length > FileLinesMax).ShouldBeEmpty();
    }

    [Fact]
    public void nothing_is_left_to_do_in_the_code()
    {
        var found = Sources.Where(file => !file.EndsWith("TidyRules.cs"))
            .SelectMany(file => Lines(file).Select((line, index) => (file, line, index)))
            .Where(entry => Leftover().IsMatch(entry.line) || entry.line.Contains('\t'))
            .Select(entry => $"{entry.file}:{entry.index + 1}: {entry.line.Trim()}");
        found.ShouldBeEmpty();
    }

    [Fact]
    public void types_are_named_for_what_they_are()
    {
        var found = Sources.SelectMany(file => Lines(file)).Select(line => TypeName().Match(line))
            .Where(match => match.Success).Select(match => match.Groups[1].Value).ToList();
        found.Count.ShouldBeGreaterThan(100);
        found.Where(name => VagueName().IsMatch(name)).ShouldBeEmpty();
    }

    [Fact]
    public void every_link_in_the_documentation_leads_somewhere()
    {
        var documents = Tracked.Where(file => file.EndsWith(".md")).ToList();
        documents.ShouldContain("README.md");
        var broken = documents.SelectMany(file => Link().Matches(File.ReadAllText(Full(file)))
                .Select(match => (file, target: match.Groups[1].Value.Split('#')[0])))
            .Where(link => link.target.Length > 0 && !link.target.Contains("://"))
            .Where(link => !Path.Exists(Path.Combine(Path.GetDirectoryName(Full(link.file))!, link.target)))
            .Select(link => $"{link.file} -> {link.target}");
        broken.ShouldBeEmpty();
    }

    [Fact]
    public void every_project_is_in_the_solution()
    {
        var solution = File.ReadAllText(Full("CapaEngine.sln")).Replace('\\', '/');
        var projects = Tracked.Where(file => file.EndsWith(".csproj")).ToList();
        projects.Count.ShouldBeGreaterThan(10);
        projects.ShouldAllBe(project => solution.Contains(project));
    }

    private static string Full(string file) => Path.Combine(Repository.Root, file);

    private static string[] Lines(string file) => File.ReadAllLines(Full(file));

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|#region|NotImplementedException|Thread\.Sleep|Skip\s*=\s*""")]
    private static partial Regex Leftover();

    [GeneratedRegex(@"\b(?:class|record|struct|interface|enum) ([A-Z]\w+)")]
    private static partial Regex TypeName();

    [GeneratedRegex("(Manager|Helper|Util|Utils|Impl|Dto|Base)$")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
