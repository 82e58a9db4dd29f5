using Shouldly;

namespace CapaEngine.Specs.Tables;

/// <summary>The document says what the rules decide, and says it of every command in every stage.</summary>
public sealed class DecisionTableSpecs
{
    [Fact]
    public void every_command_was_tried_and_every_stage_was_reached()
    {
        DecisionTables.All.Sum(table => table.Commands.Count).ShouldBeGreaterThan(80);
        foreach (var table in DecisionTables.All)
        {
            table.Untried.ShouldBeEmpty(table.Family.Name);
            table.Unreached.ShouldBeEmpty(table.Family.Name);
        }
    }

    [Fact]
    public void every_command_is_possible_somewhere()
    {
        foreach (var table in DecisionTables.All)
            table.Commands.Where(command => table.Stages.All(stage => table.At(stage, command).Facts.Count == 0))
                .ShouldBeEmpty(table.Family.Name);
    }

    [Fact]
    public void the_document_is_what_the_rules_say()
    {
        var path = Path.Combine(Repository.Root, DecisionTables.Document);
        if (Environment.GetEnvironmentVariable("CAPA_WRITE_TABLES") == "1")
            File.WriteAllText(path, DecisionTables.ToMarkdown());
        File.ReadAllText(path).ShouldBe(DecisionTables.ToMarkdown());
    }

    [Fact]
    public void every_code_is_tried_in_a_test()
    {
        var codes = DecisionTables.Refusals().Select(refusal => refusal.Code).ToList();
        codes.Count.ShouldBeGreaterThan(80);
        var tests = Repository.TrackedFiles()
            .Where(file => file.StartsWith("tests/", StringComparison.Ordinal)
                && file.EndsWith(".cs", StringComparison.Ordinal)).Distinct()
            .Select(file => File.ReadAllText(Path.Combine(Repository.Root, file))).ToList();
        codes.Where(code => !tests.Any(text => text.Contains($"\"{code}\"", StringComparison.Ordinal)))
            .ShouldBeEmpty();
    }
}
