using System.Globalization;
using System.Text.Json;

namespace CapaEngine.Nonconformities.Intake.Mapping;

/// <summary>A mapping that is wrong: where in the file, and which rule it breaks.</summary>
public sealed class WrongMappingException(string path, string rule) : Exception($"{path}: {rule}")
{
    /// <summary>The member of the file.</summary>
    public string Path { get; } = path;

    /// <summary>What is not as it must be.</summary>
    public string Rule { get; } = rule;
}

/// <summary>
/// A way to values in JSON, a part of JSONPath (RFC 9535): <c>root.member['member'][0][*]</c>, where the root is
/// <c>$</c>, <c>event</c> or the name of an item.
/// </summary>
public sealed class MappingPath
{
    private const int Every = -1;

    private readonly string text;
    private readonly List<(string? Member, int Index)> steps = [];

    private MappingPath(string text) => this.text = text;

    /// <summary>What the path begins with.</summary>
    public string Root { get; private set; } = "";

    /// <summary>Whether it may lead to several values.</summary>
    public bool IsMany => steps.Exists(step => step is { Member: null, Index: Every });

    /// <summary>Reads a path that stands at <paramref name="where"/> in the file.</summary>
    public static MappingPath Parse(string text, string where)
    {
        var path = new MappingPath(text);
        var end = text.AsSpan().IndexOfAny('.', '[');
        path.Root = end < 0 ? text : text[..end];
        if (path.Root.Length == 0) throw Wrong(text, where, "begins with $, event or the name of an item");
        for (var at = path.Root.Length; at < text.Length;)
            at = text[at] == '.' ? path.ReadMember(at + 1, where) : path.ReadBracket(at, where);
        return path;
    }

    /// <summary>The values it leads to from the value of its root; none where a step is not there or null.</summary>
    public IEnumerable<JsonElement> From(JsonElement root) => From(root, 0);

    /// <inheritdoc/>
    public override string ToString() => text;

    private IEnumerable<JsonElement> From(JsonElement json, int step)
    {
        if (step == steps.Count) return json.ValueKind == JsonValueKind.Null ? [] : [json];
        var (member, index) = steps[step];
        if (member is not null)
            return json.ValueKind == JsonValueKind.Object && json.TryGetProperty(member, out var value)
                ? From(value, step + 1) : [];
        if (json.ValueKind != JsonValueKind.Array) return [];
        if (index == Every) return json.EnumerateArray().SelectMany(item => From(item, step + 1));
        return index < json.GetArrayLength() ? From(json[index], step + 1) : [];
    }

    private int ReadMember(int from, string where)
    {
        var length = text.AsSpan(from).IndexOfAny('.', '[');
        var end = length < 0 ? text.Length : from + length;
        if (end == from) throw Wrong(text, where, "names a member after each dot");
        steps.Add((text[from..end], 0));
        return end;
    }

    private int ReadBracket(int open, string where)
    {
        var close = text.IndexOf(']', open);
        if (close < 0 || text[open] != '[') throw Wrong(text, where, "closes each bracket and separates with dots");
        var inner = text[(open + 1)..close];
        if (inner == "*")
            steps.Add((null, Every));
        else if (inner is ['\'', .., '\''] && inner.Length > 2)
            steps.Add((inner[1..^1], 0));
        else if (int.TryParse(inner, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
            steps.Add((null, index));
        else
            throw Wrong(text, where, "has an index, * or a quoted member in brackets");
        return close + 1;
    }

    private static WrongMappingException Wrong(string text, string where, string rule) =>
        new(where, $"the path '{text}' is wrong: a path {rule}");
}
