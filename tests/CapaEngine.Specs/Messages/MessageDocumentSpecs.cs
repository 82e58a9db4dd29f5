using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Nonconformities.Intake;
using Shouldly;

namespace CapaEngine.Specs.Messages;

/// <summary>The document of the messages says what the code sends and takes.</summary>
public sealed class MessageDocumentSpecs
{
    [Fact]
    public void the_document_is_what_the_code_says()
    {
        var path = Path.Combine(Repository.Root, MessageDocument.Path);
        var document = File.ReadAllText(path);
        if (Environment.GetEnvironmentVariable("CAPA_WRITE_ASYNCAPI") == "1")
            File.WriteAllText(path, document = MessageDocument.Renew(document));
        document.ShouldBe(
            MessageDocument.Renew(document), "CAPA_WRITE_ASYNCAPI=1 makes this spec write the document.");
    }

    [Fact]
    public void every_attribute_of_an_event_is_described_and_no_other()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer)) Envelopes.Full.WriteTo(writer);
        using var written = JsonDocument.Parse(buffer.WrittenMemory);
        written.RootElement.EnumerateObject().Select(attribute => attribute.Name)
            .ShouldBe([.. Envelopes.AttributeNames, "data"], ignoreOrder: true);
    }

    [Fact]
    public void every_event_has_a_schema_that_knows_each_of_its_members()
    {
        var names = EventCatalog.Names.ToList();
        names.Count.ShouldBeGreaterThan(100);
        foreach (var name in names)
        {
            var stored = JsonNode.Parse(EventCatalog.Serialize(Contracts.Sample.Of(EventCatalog.TypeOf(name))))!;
            var described = EventSchemas.Of(name)["properties"]!.AsObject();
            stored.AsObject().Select(member => member.Key).Where(member => !described.ContainsKey(member))
                .ShouldBeEmpty(name);
        }
    }

    [Theory]
    [InlineData(MachineEvent.DeviationType, 17)]
    [InlineData(MachineEvent.ProductionType, 8)]
    public void what_machines_may_send_is_described_whole(string type, int members)
    {
        var schema = type == MachineEvent.DeviationType
            ? MachineEventSchemas.Deviation() : MachineEventSchemas.Production();
        schema["properties"]!.AsObject().Count.ShouldBe(members);
    }
}
