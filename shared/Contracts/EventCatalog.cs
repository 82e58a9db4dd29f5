using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace CapaEngine.Contracts;

/// <summary>The name under which an event is stored, for ever: <c>family.fact.vN</c>, never a CLR name.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class EventTypeAttribute(string name) : Attribute
{
    /// <summary>The stored name.</summary>
    public string Name { get; } = name;
}

/// <summary>An event type this version does not know: written by a later one, or by somebody else.</summary>
public sealed class UnknownEventTypeException(string type)
    : Exception($"The event type '{type}' is unknown to this version.")
{
    /// <summary>The stored type name.</summary>
    public string Type { get; } = type;
}

/// <summary>Stored type names and their records, and the one way to write and read them.</summary>
public static class EventCatalog
{
    private static readonly FrozenDictionary<string, JsonTypeInfo> ByName = typeof(EventCatalog).Assembly.GetTypes()
        .Select(type => (Type: type, Name: type.GetCustomAttribute<EventTypeAttribute>()?.Name))
        .Where(entry => entry.Name is not null)
        .ToFrozenDictionary(entry => entry.Name!, entry => StrictJson.Stored.GetTypeInfo(entry.Type));

    private static readonly FrozenDictionary<Type, string> ByType =
        ByName.ToFrozenDictionary(entry => entry.Value.Type, entry => entry.Key);

    /// <summary>All stored names, current and retired.</summary>
    public static IEnumerable<string> Names => ByName.Keys;

    /// <summary>The record behind a stored name. Throws <see cref="UnknownEventTypeException"/>.</summary>
    public static Type TypeOf(string name) =>
        ByName.TryGetValue(name, out var info) ? info.Type : throw new UnknownEventTypeException(name);

    /// <summary>The stored name of an event. Throws <see cref="KeyNotFoundException"/> for anything else.</summary>
    public static string NameOf(object fact) => ByType[fact.GetType()];

    /// <summary>The event's data as stored: UTF-8 JSON.</summary>
    public static byte[] Serialize(object fact) => JsonSerializer.SerializeToUtf8Bytes(fact, ByName[NameOf(fact)]);

    /// <summary>
    /// The event of stored data, in today's shape: retired versions pass through <see cref="Retired.Upcast"/>.
    /// Throws <see cref="UnknownEventTypeException"/>, or <see cref="JsonException"/> where the data do not fit.
    /// </summary>
    public static object Deserialize(string name, ReadOnlySpan<byte> data) =>
        Retired.Upcast(JsonSerializer.Deserialize(data, ByName.TryGetValue(name, out var info)
            ? info : throw new UnknownEventTypeException(name))
            ?? throw new JsonException($"The data of a '{name}' event are null."));

    /// <summary>The metadata as stored.</summary>
    public static byte[] Serialize(EventMetadata metadata) =>
        JsonSerializer.SerializeToUtf8Bytes(metadata, StrictJson.Stored.GetTypeInfo(typeof(EventMetadata)));

    /// <summary>The metadata of stored bytes. Throws <see cref="JsonException"/>.</summary>
    public static EventMetadata Metadata(ReadOnlySpan<byte> metadata) =>
        (EventMetadata)JsonSerializer.Deserialize(metadata, StrictJson.Stored.GetTypeInfo(typeof(EventMetadata)))!;
}
