using System.Text.Json;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Nonconformities.Intake;

namespace CapaEngine.Specs.Messages;

/// <summary>
/// The parts of <c>docs/asyncapi.yaml</c> that follow from the code: routing keys, the example of a batch, and the
/// schemas of everything that travels. Each stands between <c># generated: name</c> and <c># end of name</c>.
/// </summary>
internal static class MessageDocument
{
    public const string Path = "docs/asyncapi.yaml";

    /// <summary>The generated parts by name, as lines of YAML.</summary>
    public static IReadOnlyDictionary<string, string> Parts { get; } = new Dictionary<string, string>
    {
        ["address of events"] = Yaml.Members(EventsAddress(), 4),
        ["example of a batch"] = Yaml.Members(new() { ["payload"] = Example() }, 10),
        ["schemas"] = Yaml.Members(Schemas(), 4),
    };

    /// <summary>The document with its generated parts written anew.</summary>
    public static string Renew(string document) => Parts.Aggregate(document, (text, part) =>
    {
        var (begin, end) = ($"# generated: {part.Key}\n", $"# end of {part.Key}");
        var from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        var to = text.LastIndexOf('\n', text.IndexOf(end, StringComparison.Ordinal)) + 1;
        if (from < begin.Length || to < from) throw new InvalidOperationException($"No place for {part.Key}.");
        return text[..from] + part.Value + text[to..];
    });

    private static JsonObject EventsAddress() => new()
    {
        ["address"] = Partitions.RoutingKey("{family}", 0).Replace("0", "{partition}", StringComparison.Ordinal),
        ["parameters"] = new JsonObject
        {
            ["family"] = new JsonObject
            {
                ["description"] = "The family of the streams whose events these are.",
                ["enum"] = Texts(Families.All.Select(family => family.Name)),
            },
            ["partition"] = new JsonObject
            {
                ["description"] = "FNV-1a (32 bit) of the stream's name in UTF-8, modulo the number of partitions.",
                ["enum"] = Texts(Enumerable.Range(0, Partitions.CountDefault).Select(n => $"{n}")),
            },
        },
        ["bindings"] = new JsonObject
        {
            ["amqp"] = new JsonObject
            {
                ["is"] = "routingKey",
                ["exchange"] = new JsonObject
                {
                    ["name"] = Partitions.Exchange(Partitions.CountDefault), ["type"] = "topic", ["durable"] = true,
                },
                ["bindingVersion"] = "0.3.0",
            },
        },
    };

    private static JsonNode Example() => JsonSerializer.SerializeToNode(new EventBatch(
        Partitions.Of(Envelopes.Full.Stream, Partitions.CountDefault), Envelopes.Full.Position - 73,
        Envelopes.Full.Position, [Envelopes.Full]))!;

    private static JsonObject Schemas()
    {
        var names = EventCatalog.Names.Order(StringComparer.Ordinal).ToList();
        var schemas = new JsonObject
        {
            ["batch"] = Envelopes.BatchSchema(),
            ["event"] = Envelopes.EventSchema(names),
            ["machineEvents"] = MachineEventSchemas.Events(),
            ["machineEvent"] = MachineEventSchemas.Event(),
            [MachineEvent.DeviationType] = MachineEventSchemas.Deviation(),
            [MachineEvent.ProductionType] = MachineEventSchemas.Production(),
        };
        foreach (var name in names) schemas[name] = EventSchemas.Of(name);
        return schemas;
    }

    private static JsonArray Texts(IEnumerable<string> texts) =>
        new([.. texts.Select(text => (JsonNode)JsonValue.Create(text))]);
}
