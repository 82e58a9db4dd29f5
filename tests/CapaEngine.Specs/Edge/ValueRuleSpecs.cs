using System.ComponentModel.DataAnnotations;
using System.Reflection;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Shouldly;

namespace CapaEngine.Specs.Edge;

/// <summary>The rules that commands carry on their values, and that every command carries some.</summary>
public sealed class ValueRuleSpecs
{
    private static readonly string[] WriteServices = ["Nonconformities", "RootCauses", "ActionPlans"];
    private static readonly Order Good = new("A-1", 3, [new Line("x", 1)], new Line("y", 2), ["p"]);

    [Fact]
    public void a_command_that_keeps_its_rules_has_no_errors() => Errors(Good).ShouldBeEmpty();

    [Fact]
    public void every_broken_rule_is_told_with_the_path_of_its_member()
    {
        var wrong = new Order(
            "", 0, [new Line("x", 1), new Line("much too long", 12)], new Line(" ", 2), ["p", "q", "r"]);
        Errors(wrong).ShouldBe(
        [
            "number: must not be empty", "number: must have 2 to 10 characters", "count: must lie between 1 and 9",
            "lines[1].name: must have at most 5 characters", "lines[1].count: must lie between 1 and 9",
            "extra.name: must not be empty", "tags: must have at most 2 items",
        ], ignoreOrder: true);
    }

    [Fact]
    public void what_may_be_absent_is_not_checked_where_it_is() =>
        Errors(Good with { Extra = null, Tags = null }).ShouldBeEmpty();

    [Fact]
    public void an_attribute_on_the_parameter_of_a_record_counts_as_well() =>
        Errors(new Forgetful("")).ShouldBe(["name: must not be empty"]);

    /// <summary>A command without roles or with unbounded text would be a hole in the edge.</summary>
    [Fact]
    public void every_command_names_its_roles_and_bounds_its_text()
    {
        var commands = WriteServices
            .SelectMany(service => Assembly.Load($"CapaEngine.{service}").GetTypes())
            .Where(type => type is { IsNested: true, IsSealed: true }
                && type.DeclaringType!.Name.EndsWith("Command", StringComparison.Ordinal)
                && type.IsSubclassOf(type.DeclaringType)).ToList();
        commands.Count.ShouldBeGreaterThan(40);
        commands.Where(command => command.GetCustomAttribute<AllowAttribute>() is not { Roles.Count: > 0 })
            .ShouldBeEmpty();

        // What only services send does not come over HTTP.
        var texts = commands
            .Where(command => !command.GetCustomAttribute<AllowAttribute>()!.Roles.SequenceEqual([Roles.Service]))
            .SelectMany(command => command.GetProperties())
            .Where(member => member.PropertyType == typeof(string)).ToList();
        texts.Count.ShouldBeGreaterThan(20);
        texts.Where(member => !member.IsDefined(typeof(StringLengthAttribute)))
            .Select(member => $"{member.DeclaringType!.FullName}.{member.Name}").ShouldBeEmpty();
    }

    private static List<string> Errors(object value) =>
        [.. ValueRules.Check(value).Select(error => $"{error.Field}: {error.Rule}")];

    private sealed record Line([property: Required, StringLength(5)] string Name, [property: Range(1, 9)] int Count);

    private sealed record Order(
        [property: Required, StringLength(10, MinimumLength = 2)] string Number, [property: Range(1, 9)] int Count,
        ValueList<Line> Lines, Line? Extra, [property: MaxLength(2)] ValueList<string>? Tags);

    private sealed record Forgetful([Required] string Name);
}
