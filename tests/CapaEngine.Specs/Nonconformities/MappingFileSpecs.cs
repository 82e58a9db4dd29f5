using System.Text;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Nonconformities.Intake;
using CapaEngine.Nonconformities.Intake.Mapping;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Shouldly;
using static CapaEngine.Specs.Nonconformities.MappedMessages;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>A wrong mapping is refused with file, path and rule, and never half in force.</summary>
public sealed class MappingFileSpecs : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("capa-mappings-").FullName;

    [Theory]
    [InlineData("""{ "form": ["$.a"] }""", "form")]
    [InlineData("""{ }""", "produces[0].members.lot: has exactly one of from, constant and count")]
    [InlineData("""{ "from": ["$.a"], "constant": 1 }""", "has exactly one of from, constant and count")]
    [InlineData("""{ "from": ["lot.a"] }""", "produces[0].members.lot.from[0]: 'lot' is none of $, event")]
    [InlineData("""{ "from": ["$..a"] }""", "from[0]: the path '$..a' is wrong: a path names a member after each dot")]
    [InlineData("""{ "from": ["$.a[x]"] }""", "has an index, * or a quoted member in brackets")]
    [InlineData("""{ "from": ["$.a[0"] }""", "closes each bracket and separates with dots")]
    [InlineData("""{ "from": ["$.a[*]"] }""", "'$.a[*]' leads to several values: say pick")]
    [InlineData("""{ "from": ["$.a[*]"], "pick": "any" }""", "lot.pick: must be earliest or latest")]
    [InlineData("""{ "from": ["$.a"], "otherwise": 1 }""", "lot.otherwise: belongs to a map or ranges")]
    [InlineData("""{ "from": ["$.a"], "where": { "member": "a", "in": [1] } }""", "lot.where: belongs to count")]
    [InlineData("""{ "from": ["$.a"], "map": {}, "ranges": [] }""", "has a map or ranges, not both")]
    [InlineData("""{ "from": ["$.a"], "ranges": [{ "from": 2, "to": 1, "value": 1 }] }""", "from must not exceed to")]
    [InlineData(
        """{ "from": ["$.a"], "ranges": [{ "from": 1, "to": 2, "value": 1 }, { "from": 2, "to": 3, "value": 2 }] }""",
        "lot.ranges[1]: must begin above the range before it")]
    public void a_wrong_value_is_refused_with_its_path_and_rule(string value, string expected) =>
        Refused(Text($"\"lot\": {value}")).ShouldContain(expected);

    [Theory]
    [InlineData("\"type\": \"mine\"", "\"type\": \"capa.deviation.v1\"", "match.type: needs no mapping")]
    [InlineData("\"version\": 1", "\"version\": 0", "version: must be 1 or more")]
    [InlineData("\"type\": \"capa.deviation.v1\"", "\"type\": \"other\"", "produces[0].type: must be one of")]
    [InlineData("\"defectCode\"", "\"defektCode\"", "produces[0].members.defektCode: is not a member of")]
    [InlineData(
        "\"members\"", "\"id\": [\"$.a\"], \"members\"", "produces[0].id: is there exactly where there is each")]
    [InlineData(
        "\"members\"", "\"each\": [{ \"as\": \"event\", \"in\": \"$.a[*]\" }], \"id\": [\"event.a\"], \"members\"",
        "produces[0].each[0].as: 'event' is taken")]
    public void a_wrong_mapping_is_refused_with_its_path_and_rule(string before, string after, string expected) =>
        Refused(Text("").Replace(before, after, StringComparison.Ordinal)).ShouldContain(expected);

    [Fact] public void two_mappings_of_the_same_messages_are_refused() =>
        Should.Throw<WrongMappingException>(() => MappingSet.Read(
            [File("a", Text("", name: "one")), File("b", Text("", name: "two"))]))
            .Message.ShouldBe("b: match: is the same as in a");

    [Fact] public void a_later_file_replaces_one_of_the_same_name() =>
        MappingSet.Read([File("a", Text("")), File("b", Text("", version: 2))])
            .All.ShouldHaveSingleItem().Reference.Version.ShouldBe(2);

    [Fact] public void the_longest_prefix_of_the_source_decides()
    {
        var set = MappingSet.Read([
            File("a", Text("", name: "all")),
            File("b", Text("", name: "line").Replace(
                "\"type\": \"mine\"", "\"type\": \"mine\", \"sourcePrefix\": \"urn:line:\"",
                StringComparison.Ordinal))]);
        set.For("mine", "urn:line:4")!.Reference.Name.ShouldBe("line");
        set.For("mine", "urn:other")!.Reference.Name.ShouldBe("all");
        set.For("other", "urn:line:4").ShouldBeNull();
    }

    [Theory]
    [InlineData("$.a.b", "1")]
    [InlineData("$['a']['b']", "1")]
    [InlineData("$.list[1]", "20")]
    [InlineData("$.list[*]", "10,20,30")]
    [InlineData("$.items[*].n", "1,2")]
    [InlineData("$.list[7]", "")]
    [InlineData("$.nothing.b", "")]
    [InlineData("$.null", "")]
    [InlineData("$.a[0]", "")]
    public void a_path_leads_to_values_or_to_none(string path, string expected)
    {
        var json = JsonElement.Parse("""
            {"a":{"b":1},"list":[10,20,30],"items":[{"n":1},{"m":0},{"n":2}],"null":null}
            """u8);
        string.Join(',', MappingPath.Parse(path, "here").From(json).Select(value => value.GetRawText()))
            .ShouldBe(expected);
    }

    [Fact] public async Task a_changed_file_is_read_again_and_a_wrong_one_leaves_the_former_in_force()
    {
        Write("mine.json", Text(""));
        using var mappings = Open();
        Reference(mappings).Version.ShouldBe(1);
        Write("mine.json", Text("", version: 2));
        mappings.ReadAgain();
        Reference(mappings).Version.ShouldBe(2);

        Write("mine.json", "{");
        Should.Throw<WrongMappingException>(mappings.ReadAgain).Message.ShouldContain("mine.json");
        Reference(mappings).Version.ShouldBe(2);
        (await mappings.CheckHealthAsync(new HealthCheckContext())).Status.ShouldBe(HealthStatus.Healthy);

        // Told by the watch, which goes on.
        await mappings.StartAsync(default);
        await UntilAsync(mappings, HealthStatus.Degraded);
        Write("mine.json", Text("", version: 3));
        await UntilAsync(mappings, HealthStatus.Healthy);
        Reference(mappings).Version.ShouldBe(3);
        await mappings.StopAsync(default);
    }

    [Fact] public void another_text_under_the_same_version_is_refused()
    {
        Write("mine.json", Text(""));
        using var mappings = Open();
        Write("mine.json", Text("\"lot\": { \"constant\": \"L\" }"));
        Should.Throw<WrongMappingException>(mappings.ReadAgain).Rule.ShouldStartWith("1 is another text already");
    }

    [Fact] public void a_wrong_file_stops_the_start()
    {
        Write("mine.json", Text("\"lot\": { }"));
        Should.Throw<WrongMappingException>(Open).Message
            .ShouldBe($"{Path.Combine(folder, "mine.json")}: produces[0].members.lot: "
                + "has exactly one of from, constant and count");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static MappingText File(string name, string text) => new(name, Encoding.UTF8.GetBytes(text));

    private static string Refused(string text) =>
        Should.Throw<WrongMappingException>(() => MappingSet.Read([File("mine.json", text)])).Message;

    private static async Task UntilAsync(Mappings mappings, HealthStatus status)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while ((await mappings.CheckHealthAsync(new HealthCheckContext(), limit.Token)).Status != status)
            await poll.WaitForNextTickAsync(limit.Token);
    }

    private static MappingReference Reference(Mappings mappings) =>
        mappings.Current.For("mine", "urn:any")!.Reference;

    private void Write(string name, string text) => System.IO.File.WriteAllText(Path.Combine(folder, name), text);

    private Mappings Open() => new(
        Options.Create(new IntakeOptions { MappingsFolder = folder, MappingsPeriodMs = 20 }), TimeProvider.System,
        NullLogger<Mappings>.Instance);
}
