using System.Text;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;

namespace CapaEngine.Integration.ReadModels.AsOf;

/// <summary>
/// Histories that no rule restrains: every type of event of every case family in any order, parts told of before they
/// were begun, twice or never, and times that do not follow the order in which the events were appended.
/// </summary>
public sealed class RandomCases(int seed)
{
    private const int RepeatCount = 6;

    private static readonly DateTimeOffset Begin = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    // Every stream begins with one of these and has no other.
    private static readonly string[] Beginnings =
    [
        "nonconformity.reported.v1", "nonconformity.imported.v1", "actionplan.opened.v1", "concession.requested.v1",
        "rootcause.started.v1", "effectiveness.criteria-locked.v1",
    ];

    private readonly Random random = new(seed);
    private readonly List<IncomingEvent> events = [];

    /// <summary>The ids of the nonconformities.</summary>
    public static Guid[] Cases { get; } = [IdOf("case", 0), IdOf("case", 1)];

    /// <summary>The ids of CAPAs, the first of which is told of.</summary>
    public static Guid[] Capas { get; } = [IdOf("capa", 0), IdOf("capa", 1)];

    /// <summary>The events in log order.</summary>
    public IReadOnlyList<IncomingEvent> Tell()
    {
        AddStream(Families.Nonconformity, Cases[0], "nonconformity.reported.v1");
        AddStream(Families.Nonconformity, Cases[1], "nonconformity.imported.v1");
        AddStream(Families.ActionPlan, Capas[0], "actionplan.opened.v1");
        AddStream(Families.Concession, IdOf("concession", 0), "concession.requested.v1");
        AddStream(Families.RootCause, IdOf("analysis", 0), "rootcause.started.v1");
        AddStream(Families.Effectiveness, IdOf("review", 0), "effectiveness.criteria-locked.v1");
        foreach (var (place, id) in Cases.Index())
            Add(
                Families.NonconformityNumbers, "numbering-nc-2026", place,
                new NumberingEvent.Assigned(id, (ulong)place));
        foreach (var (place, id) in Capas.Index())
            Add(Families.CapaNumbers, "numbering-capa-2026", place, new NumberingEvent.Assigned(id, (ulong)place));
        return events;
    }

    /// <summary>An instant at which something happened or was written down, or one in between.</summary>
    public DateTimeOffset AnyInstant() => events[random.Next(events.Count)].Metadata is var metadata
        && random.Next(2) == 0 ? metadata.OccurredAt : metadata.RecordedAt.AddSeconds(random.Next(2) * 30);

    private static Guid IdOf(string kind, int number) => NameBasedId.From($"{kind} {number}");

    private void AddStream(Family family, Guid id, string first)
    {
        var types = EventCatalog.Names
            .Where(name => name.StartsWith($"{family.Name}.", StringComparison.Ordinal) && !Beginnings.Contains(name))
            .ToList();
        types.AddRange(random.GetItems(types.ToArray(), RepeatCount));
        random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(types));
        foreach (var (revision, type) in types.Prepend(first).Index())
            Add(family, family.Stream(id), revision, FactOf(type));
    }

    // Most follow each other, some were reported late or by a clock that was set back; many share a minute.
    private void Add(Family family, string stream, int revision, object fact)
    {
        var occurred = random.Next(4) == 0 ? random.Next(60) : revision;
        var recorded = random.Next(6) == 0 ? int.Max(0, revision - random.Next(4)) : revision;
        events.Add(new IncomingEvent(
            stream, family, revision, LogPosition.At((ulong)events.Count + 1),
            NameBasedId.From($"{stream}\n{revision}"), EventCatalog.NameOf(fact), fact,
            new EventMetadata(
                new EventActor("quinn", [], "*"), Begin.AddMinutes(occurred), Begin.AddMinutes(recorded), "hash")));
    }

    private object FactOf(string type)
    {
        var path = Path.Combine(
            ServiceProcess.RepositoryRoot(), "tests/CapaEngine.Specs/Contracts/Golden", $"{type}.json");
        var fact = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        foreach (var (name, _) in fact.ToList())
        {
            if (ValueOf(name, type) is { } value) fact[name] = value;
        }

        return EventCatalog.Deserialize(type, Encoding.UTF8.GetBytes(fact.ToJsonString()));
    }

    private JsonNode? ValueOf(string name, string type) => name switch
    {
        "lineId" or "actionId" or "causeId" or "drawId" or "whyId" or "factorId" => IdOf(name, random.Next(2)),
        "capaId" => Capas[random.Next(Capas.Length)],
        "nonconformityId" => Cases[random.Next(Cases.Length)],
        "deviations" => Some(number => IdOf("deviation", number)),
        "lots" => Some(number => $"L-{number}"),
        "processes" => Some(number => $"process {number}"),
        "process" when type == "actionplan.deployment-answered.v1" => $"process {random.Next(6)}",
        "failureMode" => $"mode {random.Next(2)}",
        "moment" => random.Next(2) == 0 ? "before" : "after",
        "cycle" => random.Next(1, 4),
        "quantity" or "additionalQuantity" or "affectedQuantity" => random.Next(5),
        "detectedFrom" or "detectedTo" => Begin.AddHours(random.Next(100)),
        _ => null,
    };

    private JsonArray Some<T>(Func<int, T> name) =>
        [.. Enumerable.Range(0, 6).Where(_ => random.Next(3) == 0).Select(n => JsonValue.Create(name(n)))];
}
