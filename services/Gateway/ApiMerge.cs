using System.Text.Json.Nodes;

namespace CapaEngine.Gateway;

/// <summary>Merges OpenAPI documents; names that clash are qualified by their service.</summary>
internal static class ApiMerge
{
    private const string SchemaReference = "#/components/schemas/";

    public static JsonObject Merge(IReadOnlyList<(string Service, JsonObject Document)> documents)
    {
        var paths = new JsonObject();
        var schemas = new JsonObject();
        var components = new JsonObject { ["schemas"] = schemas };
        var operationIds = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (service, original) in documents)
        {
            var document = original.DeepClone().AsObject();
            RenameClashes(service, document, schemas);
            MakeUnique(service, document, operationIds);
            foreach (var (path, methods) in Members(document, "paths")) MergeInto(paths, path, methods);
            foreach (var (kind, parts) in Members(document, "components")) MergeInto(components, kind, parts);
        }

        return new JsonObject
        {
            ["openapi"] = documents[0].Document["openapi"]?.DeepClone() ?? "3.1.1",
            ["info"] = new JsonObject { ["title"] = "CapaEngine", ["version"] = "v1" },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" }),
            ["paths"] = paths,
            ["components"] = components,
        };
    }

    // One path may be written in one service and read in another.
    private static void MergeInto(JsonObject all, string name, JsonNode? members)
    {
        if (all[name] is not JsonObject known)
        {
            all[name] = members?.DeepClone();
            return;
        }

        foreach (var (member, value) in members!.AsObject()) known.TryAdd(member, value?.DeepClone());
    }

    private static void RenameClashes(string service, JsonObject document, JsonObject known)
    {
        if (document["components"]?["schemas"] is not JsonObject schemas) return;
        var renamed = schemas
            .Where(schema => known[schema.Key] is { } other && !JsonNode.DeepEquals(other, schema.Value))
            .Select(schema => schema.Key).ToHashSet(StringComparer.Ordinal);
        if (renamed.Count == 0) return;
        foreach (var name in renamed)
        {
            var schema = schemas[name];
            schemas.Remove(name);
            schemas[service + name] = schema;
        }

        Redirect(document, renamed, service);
    }

    private static void Redirect(JsonNode? node, HashSet<string> renamed, string service)
    {
        switch (node)
        {
            case JsonArray items:
                foreach (var item in items) Redirect(item, renamed, service);
                break;
            case JsonObject members:
                if (members["$ref"] is JsonValue reference && reference.TryGetValue<string>(out var target)
                    && target.StartsWith(SchemaReference, StringComparison.Ordinal)
                    && renamed.Contains(target[SchemaReference.Length..]))
                    members["$ref"] = $"{SchemaReference}{service}{target[SchemaReference.Length..]}";
                foreach (var (_, value) in members) Redirect(value, renamed, service);
                break;
        }
    }

    private static void MakeUnique(string service, JsonObject document, HashSet<string> taken)
    {
        foreach (var (_, methods) in Members(document, "paths"))
        {
            foreach (var operation in methods!.AsObject().Select(method => method.Value).OfType<JsonObject>())
            {
                if ((string?)operation["operationId"] is not { } id || taken.Add(id)) continue;
                operation["operationId"] = $"{service}.{id}";
                taken.Add($"{service}.{id}");
            }
        }
    }

    private static List<KeyValuePair<string, JsonNode?>> Members(JsonObject document, string name) =>
        document[name] is JsonObject members ? [.. members] : [];
}
