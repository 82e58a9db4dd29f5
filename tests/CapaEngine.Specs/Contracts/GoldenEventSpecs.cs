using System.Text;
using System.Text.Json;
using CapaEngine.Contracts;
using Shouldly;

namespace CapaEngine.Specs.Contracts;

/// <summary>
/// The stored form of every event, byte for byte. A golden file may be added, never edited: it stands for events that
/// are in somebody's log. Run with <c>CAPA_WRITE_GOLDEN=1</c> to add the files of new event types.
/// </summary>
public sealed class GoldenEventSpecs
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests/CapaEngine.Specs/Contracts/Golden");

    public static TheoryData<string> EventNames() => [.. EventCatalog.Names.Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(EventNames))]
    public void an_event_is_stored_as_its_golden_file_says(string name)
    {
        var written = EventCatalog.Serialize(Sample.Of(EventCatalog.TypeOf(name)));
        var path = Path.Combine(Folder, $"{name}.json");
        if (Environment.GetEnvironmentVariable("CAPA_WRITE_GOLDEN") == "1" && !File.Exists(path))
            File.WriteAllText(path, Encoding.UTF8.GetString(written) + "\n");

        File.Exists(path).ShouldBeTrue($"The event '{name}' has no golden file.");
        Encoding.UTF8.GetString(written).ShouldBe(File.ReadAllText(path).TrimEnd('\n'));
    }

    [Fact]
    public void every_golden_file_ever_committed_is_still_read()
    {
        var files = Directory.GetFiles(Folder, "*.json");
        files.Length.ShouldBeGreaterThan(40);
        foreach (var file in files)
        {
            var name = Path.GetFileNameWithoutExtension(file);
            var fact = EventCatalog.Deserialize(name, File.ReadAllBytes(file));
            fact.ShouldNotBeNull(name);
        }
    }

    [Theory, MemberData(nameof(EventNames))]
    public void a_member_of_a_later_version_is_ignored_in_stored_events(string name)
    {
        var stored = EventCatalog.Serialize(Sample.Of(EventCatalog.TypeOf(name)));
        var later = "{\"addedLater\":{\"a\":1}," + Encoding.UTF8.GetString(stored)[1..];
        EventCatalog.Deserialize(name, Encoding.UTF8.GetBytes(later))
            .ShouldBe(EventCatalog.Deserialize(name, stored));
    }

    [Fact]
    public void a_missing_member_is_an_error_and_never_a_default()
    {
        var stored = """{"rating":{"severity":3},"ratedBy":"ada"}"""u8.ToArray();
        Should.Throw<JsonException>(() => EventCatalog.Deserialize("actionplan.risk-rated.v1", stored))
            .Message.ShouldContain("likelihood");
    }

    [Fact]
    public void an_unknown_event_type_is_named() =>
        Should.Throw<UnknownEventTypeException>(() => EventCatalog.Deserialize("deviation.received.v99", "{}"u8))
            .Type.ShouldBe("deviation.received.v99");
}
