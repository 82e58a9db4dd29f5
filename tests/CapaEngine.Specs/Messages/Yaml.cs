using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace CapaEngine.Specs.Messages;

/// <summary>Writes JSON as YAML for people: what fits on one line stands there, the rest in blocks.</summary>
internal static partial class Yaml
{
    private const int FlowLengthMax = 105;
    private static readonly HashSet<string> Reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    private static readonly JsonSerializerOptions Readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The members of an object, indented by so many columns, each with its line end.</summary>
    public static string Members(JsonObject node, int indent)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in node)
        {
            text.Append(' ', indent).Append(Scalar(name)).Append(':');
            WriteValue(text, value, indent);
        }

        return text.ToString();
    }

    private static void WriteValue(StringBuilder text, JsonNode? value, int indent)
    {
        var flow = Flow(value);
        if (IsLeaf(value) || indent + flow.Length < FlowLengthMax)
            text.Append(' ').Append(flow).Append('\n');
        else if (value is JsonObject members)
            text.Append('\n').Append(Members(members, indent + 2));
        else
            WriteItems(text.Append('\n'), (JsonArray)value!, indent + 2);
    }

    private static void WriteItems(StringBuilder text, JsonArray items, int indent)
    {
        foreach (var item in items)
        {
            var flow = Flow(item);
            if (IsLeaf(item) || indent + flow.Length < FlowLengthMax)
                text.Append(' ', indent).Append("- ").Append(flow).Append('\n');
            else if (item is JsonObject members)
                text.Append(' ', indent).Append("- ").Append(Members(members, indent + 2).AsSpan(indent + 2));
            else
                throw new NotSupportedException("A list in a list is not needed here.");
        }
    }

    private static bool IsLeaf(JsonNode? node) => node is null or JsonValue or JsonObject { Count: 0 }
        or JsonArray { Count: 0 };

    private static string Flow(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject { Count: 0 } => "{}",
        JsonObject members =>
            $"{{ {string.Join(", ", members.Select(member => $"{Scalar(member.Key)}: {Flow(member.Value)}"))} }}",
        JsonArray items => $"[{string.Join(", ", items.Select(Flow))}]",
        JsonValue value when value.GetValueKind() == JsonValueKind.String => Scalar(value.GetValue<string>()),
        _ => node.ToJsonString(),
    };

    private static string Scalar(string text) =>
        Plain().IsMatch(text) && !Reserved.Contains(text.ToLowerInvariant())
            ? text : JsonSerializer.Serialize(text, Readable);

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_./ -]*(?<! )$")]
    private static partial Regex Plain();
}
