using System.Text.Json;
using System.Text.Json.Nodes;

namespace CapaEngine.Nonconformities.Intake.Mapping;

/// <summary>A native event that a mapping makes of a message: of the whole, or of each of its items.</summary>
internal sealed class MappedProduct
{
    private readonly string where;
    private readonly List<(string Name, MappingPath In)> each = [];
    private readonly List<MappingPath> id;
    private readonly List<(string Member, MappedValue Value)> members;

    /// <summary>The product that stands at <paramref name="where"/> in a file.</summary>
    public MappedProduct(ProductFile file, string where, IReadOnlyList<string> roots)
    {
        this.where = where;
        Type = file.Type;
        if (!MachineIntake.MachineTypes.Contains(Type))
            throw new WrongMappingException(
                $"{where}.type", $"must be one of {string.Join(", ", MachineIntake.MachineTypes)}");
        List<string> known = [.. roots];
        foreach (var (item, n) in (file.Each ?? []).Select((item, n) => (item, n)))
        {
            each.Add((item.As, MappedValue.RootedPath(item.In, $"{where}.each[{n}].in", known)));
            if (known.Contains(item.As))
                throw new WrongMappingException($"{where}.each[{n}].as", $"'{item.As}' is taken");
            known.Add(item.As);
        }

        id = [.. (file.Id ?? []).Select((text, n) => MappedValue.RootedPath(text, $"{where}.id[{n}]", known))];
        if (each.Count > 0 != id.Count > 0)
            throw new WrongMappingException($"{where}.id", "is there exactly where there is each");
        members = [.. file.Members.Select(member =>
            (member.Key, new MappedValue(member.Value, $"{where}.members.{member.Key}", known)))];
        if (members.FirstOrDefault(member => !MachineEvent.HasMember(Type, member.Member)).Member is { } unknown)
            throw new WrongMappingException($"{where}.members.{unknown}", $"is not a member of {Type}");
    }

    /// <summary>The native type.</summary>
    public string Type { get; }

    /// <summary>Whether the whole message makes one event.</summary>
    public bool IsOfWhole => each.Count == 0;

    /// <summary>The events made of a message: each id and data. Throws <see cref="NotUnderstoodException"/>.</summary>
    public IEnumerable<(string Id, JsonElement Data)> Make(
        string messageId, IReadOnlyDictionary<string, JsonElement> message) =>
        Items(message, 0).Select(item => (IdOf(messageId, item), DataOf(item)));

    /// <summary>Tells of a refused member where it comes from.</summary>
    public string Explain(string refusal)
    {
        var member = refusal.Split(':')[0];
        return members.Find(known => known.Member == member).Value is { } value
            ? $"{where}.members.{refusal}, from {value.Origin}" : $"{where}: {refusal}";
    }

    private IEnumerable<IReadOnlyDictionary<string, JsonElement>> Items(
        IReadOnlyDictionary<string, JsonElement> roots, int level)
    {
        if (level == each.Count) return [roots];
        var (name, path) = each[level];
        return path.From(roots[path.Root]).SelectMany(item => Items(
            new Dictionary<string, JsonElement>(roots, StringComparer.Ordinal) { [name] = item }, level + 1));
    }

    private string IdOf(string messageId, IReadOnlyDictionary<string, JsonElement> item) =>
        IsOfWhole ? messageId : $"{messageId}#{string.Join('/', id.Select(path => KeyOf(path, item)))}";

    private string KeyOf(MappingPath path, IReadOnlyDictionary<string, JsonElement> item)
    {
        foreach (var key in path.From(item[path.Root]))
        {
            if (key.ValueKind == JsonValueKind.String) return key.GetString()!;
            if (key.ValueKind == JsonValueKind.Number) return key.GetRawText();
        }

        throw new NotUnderstoodException("mapping-failed", $"{where}.id: no text or number is at {path}");
    }

    private JsonElement DataOf(IReadOnlyDictionary<string, JsonElement> item)
    {
        var data = new JsonObject();
        foreach (var (member, value) in members)
        {
            if (value.Find(item) is not { } found) continue;
            var holder = data;
            var names = member.Split('.');
            foreach (var outer in names[..^1])
            {
                if (holder[outer] is not JsonObject inner) holder[outer] = inner = [];
                holder = inner;
            }

            holder[names[^1]] = found;
        }

        return JsonSerializer.SerializeToElement(data);
    }
}
