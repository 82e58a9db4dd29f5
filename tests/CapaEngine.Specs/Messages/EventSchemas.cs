using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using CapaEngine.Contracts;

namespace CapaEngine.Specs.Messages;

/// <summary>
/// The JSON Schema of every event, made of the records themselves. A member without a value is absent, so no schema
/// speaks of null; members that are added later are allowed.
/// </summary>
internal static class EventSchemas
{
    private static readonly JsonSchemaExporterOptions Options = new()
    {
        TreatNullObliviousAsNonNullable = true,
        TransformSchemaNode = Transform,
    };

    /// <summary>The schema of the data of an event type, with what the contracts say of it.</summary>
    public static JsonObject Of(string eventType)
    {
        var type = EventCatalog.TypeOf(eventType);
        var schema = Of(type);
        schema.Insert(0, "description", EventWords.Summary(type));
        return schema;
    }

    /// <summary>The schema of any type that events are made of.</summary>
    public static JsonObject Of(Type type)
    {
        var root = StrictJson.Stored.GetJsonSchemaAsNode(type, Options);
        return (JsonObject)Inlined(root, root, depth: 0)!;
    }

    // Converters of our own are opaque to the exporter: it would say that anything may stand there.
    private static JsonObject Transform(JsonSchemaExporterContext context, JsonNode schema)
    {
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        if (type == typeof(DateTimeOffset)) return Text("date-time");
        if (type == typeof(DateOnly)) return Text("date");
        if (type == typeof(Guid)) return Text("uuid");
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueList<>))
            return new JsonObject { ["type"] = "array", ["items"] = Of(type.GetGenericArguments()[0]) };
        if (schema is not JsonObject members)
            throw new InvalidOperationException($"Nothing is said of {type}: {schema.ToJsonString()}");
        if (members["type"] is JsonArray kinds)
            members["type"] = kinds.Single(kind => (string?)kind != "null")!.DeepClone();
        if (members["enum"] is JsonArray words)
        {
            members.Insert(0, "type", "string");
            members["enum"] = new JsonArray([.. words.Where(word => word is not null).Select(w => w!.DeepClone())]);
        }

        if (members["properties"] is JsonObject properties) Describe(properties, context.TypeInfo);
        // The exporter takes every parameter of a constructor for required; what may be null may also be absent.
        members.Remove("required");
        if (context.TypeInfo.Properties.Where(property => property.IsRequired).ToList() is { Count: > 0 } required)
            members["required"] = new JsonArray([.. required.Select(p => (JsonNode)JsonValue.Create(p.Name))]);
        return members;
    }

    private static void Describe(JsonObject properties, JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            var name = (property.AttributeProvider as System.Reflection.MemberInfo)?.Name ?? property.Name;
            if (properties[property.Name] is JsonObject schema && EventWords.Member(type.Type, name) is { } words)
                schema["description"] = words;
        }
    }

    private static JsonObject Text(string format) => new() { ["type"] = "string", ["format"] = format };

    // The exporter refers to a type's first occurrence; a path into the middle of another member says little to people.
    private static JsonNode? Inlined(JsonNode? node, JsonNode root, int depth)
    {
        if (depth > 40) throw new InvalidOperationException("An event that contains itself has no finite schema.");
        return node switch
        {
            JsonObject reference when (string?)reference["$ref"] is { } path =>
                Inlined(At(root, path), root, depth + 1),
            JsonObject members => new JsonObject(members.Select(member =>
                KeyValuePair.Create(member.Key, Inlined(member.Value, root, depth + 1)))),
            JsonArray items => new JsonArray([.. items.Select(item => Inlined(item, root, depth + 1))]),
            _ => node?.DeepClone(),
        };
    }

    private static JsonNode? At(JsonNode root, string path) =>
        path.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries).Aggregate<string, JsonNode?>(
            root, (node, step) => node is JsonArray items
                ? items[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)] : node![step]);
}
