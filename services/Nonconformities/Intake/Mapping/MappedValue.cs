using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CapaEngine.Nonconformities.Intake.Mapping;

/// <summary>How one value is found in a message, checked when the mapping is read.</summary>
internal sealed class MappedValue
{
    private const string Earliest = "earliest";
    private const string Latest = "latest";

    private readonly ValueFile file;
    private readonly string where;
    private readonly List<MappingPath> from;
    private readonly MappingPath? count;

    /// <summary>The value that stands at <paramref name="where"/> in a file.</summary>
    public MappedValue(ValueFile file, string where, IReadOnlyCollection<string> roots)
    {
        (this.file, this.where) = (file, where);
        from = [.. (file.From ?? []).Select((text, n) => RootedPath(text, $"{where}.from[{n}]", roots))];
        count = file.Count is { } text ? RootedPath(text, $"{where}.count", roots) : null;
        if ((from.Count > 0 ? 1 : 0) + (file.Constant is null ? 0 : 1) + (count is null ? 0 : 1) != 1)
            throw new WrongMappingException(where, "has exactly one of from, constant and count");
        if (file.Where is not null && count is null)
            throw new WrongMappingException($"{where}.where", "belongs to count");
        if (file.Pick is not (null or Earliest or Latest))
            throw new WrongMappingException($"{where}.pick", "must be earliest or latest");
        if (file.Pick is null && from.FirstOrDefault(path => path.IsMany) is { } many)
            throw new WrongMappingException($"{where}.from", $"'{many}' leads to several values: say pick");
        if (file is { Map: not null, Ranges: not null })
            throw new WrongMappingException(where, "has a map or ranges, not both");
        if (file.Otherwise is not null && file.Map is null && file.Ranges is null)
            throw new WrongMappingException($"{where}.otherwise", "belongs to a map or ranges");
        CheckRanges(file.Ranges ?? []);
    }

    /// <summary>A path whose root is known where it stands.</summary>
    public static MappingPath RootedPath(string text, string where, IReadOnlyCollection<string> roots)
    {
        var path = MappingPath.Parse(text, where);
        return roots.Contains(path.Root)
            ? path
            : throw new WrongMappingException(where, $"'{path.Root}' is none of {string.Join(", ", roots)}");
    }

    /// <summary>Where the value comes from, for people.</summary>
    public string Origin => from.Count > 0 ? string.Join(" or ", from) : file.Count ?? "a constant";

    /// <summary>The value in a message, null without one. Throws <see cref="NotUnderstoodException"/>.</summary>
    public JsonNode? Find(IReadOnlyDictionary<string, JsonElement> roots)
    {
        if (file.Constant is { } constant) return ToNode(constant);
        if (count is not null) return JsonValue.Create(count.From(roots[count.Root]).Count(IsCounted));
        if (Found(roots) is not { } found) return file.Default is { } value ? ToNode(value) : null;
        if (file.Map is { } map)
            return ToNode(map.TryGetValue(TextOf(found), out var mapped) ? mapped : Otherwise(found, "the map"));
        if (file.Ranges is { } ranges) return ToNode(InRange(found, ranges));
        return file.AsText ? JsonValue.Create(TextOf(found)) : ToNode(found);
    }

    private JsonElement? Found(IReadOnlyDictionary<string, JsonElement> roots)
    {
        foreach (var path in from)
        {
            var values = path.From(roots[path.Root]);
            if (file.Pick is not null) values = InOrderOfTime(values, path);
            foreach (var value in values) return value;
        }

        return null;
    }

    private IEnumerable<JsonElement> InOrderOfTime(IEnumerable<JsonElement> values, MappingPath path)
    {
        var times = values.Select(value => (Value: value, Time: TimeOf(value, path)));
        return (file.Pick == Earliest ? times.OrderBy(time => time.Time) : times.OrderByDescending(time => time.Time))
            .Select(time => time.Value);
    }

    private DateTimeOffset TimeOf(JsonElement value, MappingPath path) =>
        value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var time)
            ? time : throw Fails($"{TextOf(value)} at {path} is not a time");

    private bool IsCounted(JsonElement item) =>
        file.Where is not { } condition
        || (item.ValueKind == JsonValueKind.Object && item.TryGetProperty(condition.Member, out var value)
            && condition.In.Any(one => JsonElement.DeepEquals(one, value)));

    private JsonElement InRange(JsonElement found, IReadOnlyList<RangeFile> ranges)
    {
        if (found.ValueKind != JsonValueKind.Number || !found.TryGetDouble(out var number))
            throw Fails($"{TextOf(found)} at {Origin} is not a number");
        foreach (var range in ranges)
            if (range.From <= number && number <= range.To) return range.Value;
        return Otherwise(found, "a range");
    }

    private JsonElement Otherwise(JsonElement found, string what) =>
        file.Otherwise ?? throw Fails($"{TextOf(found)} at {Origin} is not in {what}");

    private void CheckRanges(IReadOnlyList<RangeFile> ranges)
    {
        for (var n = 0; n < ranges.Count; n++)
        {
            if (ranges[n].From > ranges[n].To)
                throw new WrongMappingException($"{where}.ranges[{n}]", "from must not exceed to");
            if (n > 0 && ranges[n].From <= ranges[n - 1].To)
                throw new WrongMappingException($"{where}.ranges[{n}]", "must begin above the range before it");
        }
    }

    private NotUnderstoodException Fails(string rule) => new("mapping-failed", $"{where}: {rule}");

    private static string TextOf(JsonElement json) =>
        json.ValueKind == JsonValueKind.String ? json.GetString()! : json.GetRawText();

    private static JsonNode? ToNode(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => JsonObject.Create(json),
        JsonValueKind.Array => JsonArray.Create(json),
        _ => JsonValue.Create(json),
    };
}
