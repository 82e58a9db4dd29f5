using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Nonconformities.Intake;

namespace CapaEngine.Specs.Messages;

/// <summary>What machines send: the members the intake knows, with the types that the facts keep them in.</summary>
internal static class MachineEventSchemas
{
    // A caller of one site need not name it.
    private const string Site = "site";

    /// <summary>The body of a message: one event or several.</summary>
    public static JsonObject Events() => new()
    {
        ["oneOf"] = new JsonArray(
            Envelopes.Reference("machineEvent"),
            new JsonObject { ["type"] = "array", ["items"] = Envelopes.Reference("machineEvent") }),
    };

    /// <summary>One event; those of other types are understood by mappings, or kept until one exists.</summary>
    public static JsonObject Event() => new()
    {
        ["description"] = "A CloudEvent. Source and id together are unique; sent again, it is a duplicate.",
        ["type"] = "object",
        ["required"] = new JsonArray("specversion", "source", "id", "type", "data"),
        ["properties"] = new JsonObject
        {
            ["specversion"] = new JsonObject { ["type"] = "string", ["const"] = "1.0" },
            ["source"] = Text(500),
            ["id"] = Text(500),
            ["type"] = Text(500),
            ["subject"] = new JsonObject { ["type"] = "string" },
            ["datacontenttype"] = new JsonObject { ["type"] = "string" },
            ["data"] = new JsonObject { ["description"] = "As its type says." },
        },
        ["allOf"] = new JsonArray(
            Envelopes.DataOf(MachineEvent.DeviationType), Envelopes.DataOf(MachineEvent.ProductionType)),
    };

    /// <summary>The data of a deviation.</summary>
    public static JsonObject Deviation()
    {
        var schema = Known(MachineEvent.DeviationType, typeof(DeviationEvent.Received));
        schema["anyOf"] = new JsonArray(
            new JsonObject { ["required"] = new JsonArray("characteristic") },
            new JsonObject { ["required"] = new JsonArray("defectCode") });
        return schema;
    }

    /// <summary>The data of a production count.</summary>
    public static JsonObject Production()
    {
        var schema = Known(MachineEvent.ProductionType, typeof(ProductionEvent.Recorded));
        var time = EventSchemas.Of(typeof(DateTimeOffset));
        schema["properties"]!["period"] = new JsonObject
        {
            ["type"] = "object",
            ["required"] = new JsonArray("from", "to"),
            ["properties"] = new JsonObject { ["from"] = time, ["to"] = time.DeepClone() },
            ["additionalProperties"] = false,
        };
        schema["required"]!.AsArray().Add("period");
        return schema;
    }

    // What the intake adds, such as hashes, is no member of what is sent.
    private static JsonObject Known(string type, Type fact)
    {
        var stored = EventSchemas.Of(fact);
        var sent = stored["properties"]!.AsObject().Where(member => MachineEvent.HasMember(type, member.Key)).ToList();
        var required = stored["required"]!.AsArray().Select(name => (string)name!)
            .Where(name => name != Site && MachineEvent.HasMember(type, name));
        return new JsonObject
        {
            ["type"] = "object",
            ["required"] = new JsonArray([.. required.Select(name => (JsonNode)JsonValue.Create(name))]),
            ["properties"] = new JsonObject(
                sent.Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone()))),
            ["additionalProperties"] = false,
        };
    }

    private static JsonObject Text(int lengthMax) =>
        new() { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = lengthMax };
}
