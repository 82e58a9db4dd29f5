using System.Security.Cryptography;
using System.Text.Json;
using CapaEngine.Contracts;

namespace CapaEngine.Nonconformities.Intake.Mapping;

/// <summary>Makes native events of the messages of one type, by rules that stand in a file.</summary>
public sealed class MessageMapping
{
    private const string Data = "$";
    private const string Event = "event";
    private static readonly string[] Roots = [Data, Event];

    private readonly List<(MappingPath From, IReadOnlyList<JsonElement> In, string Because)> ignored;
    private readonly List<MappedProduct> products;

    private MessageMapping(MappingFile file, string hash)
    {
        if (string.IsNullOrWhiteSpace(file.Name)) throw new WrongMappingException("name", "must not be blank");
        if (file.Version < 1) throw new WrongMappingException("version", "must be 1 or more");
        if (MachineIntake.MachineTypes.Contains(file.Match.Type))
            throw new WrongMappingException("match.type", "needs no mapping");
        if (file.Produces.Count == 0) throw new WrongMappingException("produces", "must not be empty");
        Reference = new MappingReference(file.Name, file.Version, hash);
        (Type, SourcePrefix) = (file.Match.Type, file.Match.SourcePrefix);
        ignored = [.. (file.Ignore ?? []).Select((rule, n) =>
            (MappedValue.RootedPath(rule.From, $"ignore[{n}].from", Roots), rule.In, rule.Because))];
        products = [.. file.Produces.Select((product, n) => new MappedProduct(product, $"produces[{n}]", Roots))];
        if (products.Where(product => product.IsOfWhole).GroupBy(product => product.Type).Any(same => same.Count() > 1))
            throw new WrongMappingException("produces", "makes two events of one type with the same id");
    }

    /// <summary>What events name as the mapping that made them.</summary>
    public MappingReference Reference { get; }

    /// <summary>The type of the messages.</summary>
    public string Type { get; }

    /// <summary>What the source of the messages begins with.</summary>
    public string SourcePrefix { get; }

    /// <summary>Reads the text of a file. Throws <see cref="WrongMappingException"/>.</summary>
    public static MessageMapping Read(ReadOnlySpan<byte> text) =>
        new(MappingFile.Read(text), Convert.ToHexStringLower(SHA256.HashData(text)));

    /// <summary>
    /// The events that a message holds, or why it holds none. Throws <see cref="NotUnderstoodException"/>; then nothing
    /// of the message is recorded.
    /// </summary>
    public Understood Apply(Envelope message, Sender sender, DateTimeOffset now)
    {
        var roots = new Dictionary<string, JsonElement>(StringComparer.Ordinal)
        {
            [Data] = message.Data,
            [Event] = JsonSerializer.SerializeToElement(
                new { source = message.Source, id = message.Id, type = message.Type, subject = message.Subject }),
        };
        foreach (var (path, values, because) in ignored)
            if (path.From(roots[path.Root]).Any(value => values.Any(one => JsonElement.DeepEquals(one, value))))
                return new Understood([], null, $"{Name}: {because}");
        var events = products.SelectMany(product => Make(product, message, roots, sender, now)).ToList();
        if (events.GroupBy(made => made.Stream, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1)
            is { } twins)
            throw Failed($"two items have the id {twins.First().SourceEventId}");
        return events.Count > 0
            ? new Understood(events, null) : new Understood([], null, $"{Name}: the message names no item");
    }

    private string Name => $"{Reference.Name}/{Reference.Version}";

    private IEnumerable<MachineEvent> Make(
        MappedProduct product, Envelope message, IReadOnlyDictionary<string, JsonElement> roots, Sender sender,
        DateTimeOffset now)
    {
        foreach (var (id, data) in MakeData(product, message, roots))
        {
            var made = message with { Id = id, Type = product.Type, Data = data };
            yield return Understand(product, made, message, sender, now);
        }
    }

    private List<(string Id, JsonElement Data)> MakeData(
        MappedProduct product, Envelope message, IReadOnlyDictionary<string, JsonElement> roots)
    {
        try
        {
            return [.. product.Make(message.Id!, roots)];
        }
        catch (NotUnderstoodException why)
        {
            throw Failed(why.Message);
        }
    }

    private MachineEvent Understand(
        MappedProduct product, Envelope made, Envelope message, Sender sender, DateTimeOffset now)
    {
        try
        {
            return MachineEvent.ReadMapped(made, message, Reference, sender, now);
        }
        catch (NotUnderstoodException why) when (why.Reason == "invalid-data")
        {
            throw Failed(product.Explain(why.Message));
        }
    }

    private NotUnderstoodException Failed(string detail) => new("mapping-failed", $"{Name}, {detail}");
}
