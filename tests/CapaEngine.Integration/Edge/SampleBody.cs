using System.Text.Json.Nodes;

namespace CapaEngine.Integration.Edge;

/// <summary>Bodies that a description allows: what is required, each member with a value its schema takes.</summary>
internal sealed class SampleBody(JsonObject schemas)
{
    /// <summary>A body for the operation.</summary>
    public JsonNode For(JsonNode operation) =>
        operation["requestBody"]?["content"]?["application/json"]?["schema"] is { } schema
            ? Sample(schema) ?? new JsonObject()
            : new JsonObject();

    private JsonNode? Sample(JsonNode schema)
    {
        if ((string?)schema["$ref"] is { } reference)
            return Sample(schemas[reference[(reference.LastIndexOf('/') + 1)..]]!);
        if (schema["oneOf"] is JsonArray choices)
            return Sample(choices.First(choice => (string?)choice!["type"]?.ToString() != "null")!);
        if (schema["enum"] is JsonArray { Count: > 0 } words)
            return words.First(word => word is not null)!.DeepClone();
        return TypeOf(schema) switch
        {
            "string" => Text((string?)schema["format"]),
            "integer" => Math.Max(1, (long?)(double?)schema["minimum"] ?? 1),
            "number" => 0.25,
            "boolean" => true,
            "array" => Items(schema),
            _ => Members(schema),
        };
    }

    // A value that may be null, or a number that may be text, names several types.
    private static string? TypeOf(JsonNode schema) => schema["type"] switch
    {
        JsonArray types => types.Select(type => (string?)type).LastOrDefault(type => type is not ("null" or "string"))
            ?? types.Select(type => (string?)type).First(type => type != "null"),
        var type => (string?)type,
    };

    // The one word fits everywhere: as a name, as a code, and as the recipient of a notification.
    private static JsonNode Text(string? format) => format switch
    {
        "uuid" => Guid.NewGuid(),
        "date" => "2099-01-01",
        "date-time" => "2025-01-06T06:00:00Z",
        _ => "owner",
    };

    private JsonArray Items(JsonNode schema) =>
        schema["items"] is { } items && (int?)schema["minItems"] > 0 ? new JsonArray(Sample(items)) : [];

    private JsonObject Members(JsonNode schema)
    {
        var sample = new JsonObject();
        foreach (var name in schema["required"]?.AsArray().Select(name => (string)name!) ?? [])
            sample[name] = Sample(schema["properties"]![name]!);
        return sample;
    }
}
