using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Specs.Contracts;

namespace CapaEngine.Specs.Messages;

/// <summary>Batches and the CloudEvents in them: their schemas, and an event that has every attribute.</summary>
internal static class Envelopes
{
    private const string TypeOfFull = "nonconformity.accepted.v1";
    private static readonly DateTimeOffset Instant = new(2026, 3, 2, 8, 15, 30, 250, TimeSpan.Zero);

    private static readonly (string Name, string Type, string? Format, bool Required, string Says)[] Attributes =
    [
        ("specversion", "string", null, true, "1.0"),
        ("id", "string", "uuid", true, "The id of the event. It is seen again when a batch is repeated."),
        ("type", "string", null, true, "The stored type with its version; types that are unknown may come."),
        ("source", "string", "uri-reference", true, "The service that decided it."),
        ("subject", "string", null, true, "The stream."),
        ("sequence", "integer", null, true, "The revision in the stream, from 0 without gaps."),
        ("time", "string", "date-time", true, "When it was true."),
        ("position", "string", null, true, "The position in the log, an unsigned 64-bit integer in decimal."),
        ("actorid", "string", null, false, "The person or machine, or service:{name} for a reaction."),
        ("actorroles", "string", null, false, "The roles of the actor, with commas between them."),
        ("actorsite", "string", null, false, "The site of the actor, or * for all."),
        ("recordedat", "string", "date-time", false, "When the server wrote it down."),
        ("payloadhash", "string", null, false, "SHA-256 of the data as stored, in hexadecimal."),
        ("imported", "boolean", null, false, "Whether it is the history of another system."),
        ("onbehalfof", "string", null, false, "The person of the other system whose deed it was."),
        ("idempotencykey", "string", null, false, "The key under which the command was sent."),
        ("requesthash", "string", null, false, "SHA-256 of the command sent under that key."),
        ("correlationid", "string", null, false, "What it belongs to."),
        ("causationid", "string", null, false, "What it followed from."),
        ("profile", "string", null, false, "The profile that was decided under, as name/version."),
        ("traceparent", "string", null, false, "The trace of the append (W3C)."),
        ("datacontenttype", "string", null, true, "application/json where data is there."),
    ];

    /// <summary>The names of the attributes that are described.</summary>
    public static IEnumerable<string> AttributeNames => Attributes.Select(attribute => attribute.Name);

    /// <summary>An event with every attribute.</summary>
    public static EventEnvelope Full { get; } = new(
        NameBasedId.From("example of an event"), TypeOfFull,
        Families.Nonconformity.Stream(NameBasedId.From("example of a case")), 3, 48193, Instant,
        EventCatalog.Serialize(Sample.Of(EventCatalog.TypeOf(TypeOfFull))),
        new EventMetadata(
            new EventActor("p-17", ["quality-engineer", "verifier"], "*"), Instant, Instant.AddMilliseconds(20),
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "p-9", Imported: true, "key-1",
            "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752", "c-1", "c-0",
            "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", TraceSampled: true, "standard/1"));

    /// <summary>The schema of a message.</summary>
    public static JsonObject BatchSchema() => new()
    {
        ["type"] = "object",
        ["required"] = new JsonArray("partition", "after", "through", "events"),
        ["properties"] = new JsonObject
        {
            ["partition"] = Described("integer", "The partition whose streams these are.", ("minimum", 0)),
            ["after"] = Described(
                "integer", "Every event of the routing key up to this position was published before.", ("minimum", 0)),
            ["through"] = Described(
                "integer", "Every event of the routing key up to this position is published now.", ("minimum", 0)),
            ["events"] = new JsonObject
            {
                ["type"] = "array",
                ["description"] = "In the order of the log; empty where nothing happened.",
                ["maxItems"] = new PipelineOptions().BatchEventsMax,
                ["items"] = Reference("event"),
            },
        },
    };

    /// <summary>The schema of an event, whose type says which data it has.</summary>
    public static JsonObject EventSchema(IReadOnlyList<string> types)
    {
        var properties = new JsonObject();
        foreach (var (name, type, format, _, says) in Attributes)
        {
            properties[name] = name == "specversion"
                ? new JsonObject { ["type"] = "string", ["const"] = says } : Described(type, says);
            if (format is not null) properties[name]!["format"] = format;
        }

        properties["data"] = new JsonObject { ["description"] = "The stored JSON, byte for byte." };
        properties["data_base64"] = Described("string", "Instead of data, where the stored bytes are no JSON.");
        return new JsonObject
        {
            ["description"] = "A CloudEvent.",
            ["type"] = "object",
            ["required"] = new JsonArray([.. Attributes.Where(attribute => attribute.Required)
                .Select(attribute => (JsonNode)JsonValue.Create(attribute.Name))]),
            ["properties"] = properties,
            ["oneOf"] = new JsonArray(
                new JsonObject { ["required"] = new JsonArray("data") },
                new JsonObject { ["required"] = new JsonArray("data_base64") }),
            ["allOf"] = new JsonArray([.. types.Select(DataOf)]),
        };
    }

    /// <summary>A reference to another schema of the document.</summary>
    public static JsonObject Reference(string schema) => new() { ["$ref"] = $"#/components/schemas/{schema}" };

    /// <summary>The data of an event of this type are what the schema of that name says.</summary>
    public static JsonNode DataOf(string type) => new JsonObject
    {
        ["if"] = new JsonObject
        {
            ["properties"] = new JsonObject { ["type"] = new JsonObject { ["const"] = type } },
        },
        ["then"] = new JsonObject { ["properties"] = new JsonObject { ["data"] = Reference(type) } },
    };

    private static JsonObject Described(string type, string says, params (string Name, JsonNode Value)[] more)
    {
        var schema = new JsonObject { ["type"] = type, ["description"] = says };
        foreach (var (name, value) in more) schema[name] = value;
        return schema;
    }
}
