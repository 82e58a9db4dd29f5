using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using CapaEngine.Contracts;

namespace CapaEngine.Hosting;

/// <summary>Reads the CloudEvents of a batch in one pass; attributes it does not know are skipped.</summary>
internal static class CloudEventReader
{
    private enum Attribute
    {
        Id, Type, Subject, Position, ActorId, ActorRoles, ActorSite, PayloadHash, OnBehalfOf, IdempotencyKey,
        RequestHash, CorrelationId, CausationId, TraceParent, Profile,
    }

    private static readonly byte[][] Names =
        [.. Enum.GetNames<Attribute>().Select(name => System.Text.Encoding.ASCII.GetBytes(name.ToLowerInvariant()))];

    /// <summary>The event of a JSON object. Throws <see cref="JsonException"/> where it is not one of ours.</summary>
    public static EventEnvelope Read(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("An event is an object.");
        var texts = new string?[Names.Length];
        long? sequence = null;
        DateTimeOffset? time = null, recordedAt = null;
        var imported = false;
        byte[]? data = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (IndexOf(ref reader) is var index and >= 0) texts[index] = Value(ref reader).GetString();
            else if (reader.ValueTextEquals("data"u8)) data = RawValue(ref reader);
            else if (reader.ValueTextEquals("sequence"u8)) sequence = Value(ref reader).GetInt64();
            else if (reader.ValueTextEquals("time"u8)) time = Value(ref reader).GetDateTimeOffset().ToUniversalTime();
            else if (reader.ValueTextEquals("recordedat"u8))
                recordedAt = Value(ref reader).GetDateTimeOffset().ToUniversalTime();
            else if (reader.ValueTextEquals("imported"u8)) imported = Value(ref reader).GetBoolean();
            else if (reader.ValueTextEquals("data_base64"u8)) data = Value(ref reader).GetBytesFromBase64();
            else Value(ref reader).Skip();
        }

        return new EventEnvelope(
            Guid.ParseExact(Required(texts, Attribute.Id), "D"), Required(texts, Attribute.Type),
            Required(texts, Attribute.Subject), sequence ?? throw Missing("sequence"),
            ulong.Parse(Required(texts, Attribute.Position), NumberStyles.None, CultureInfo.InvariantCulture),
            time ?? throw Missing("time"), data ?? throw Missing("data"),
            MetadataOf(texts, time.Value, recordedAt, imported));
    }

    private static EventMetadata? MetadataOf(
        string?[] texts, DateTimeOffset occurredAt, DateTimeOffset? recordedAt, bool imported)
    {
        if (texts[(int)Attribute.ActorId] is not { } actor) return null;
        var roles = Required(texts, Attribute.ActorRoles).Split(',', StringSplitOptions.RemoveEmptyEntries);
        var trace = texts[(int)Attribute.TraceParent]?.Split('-');
        return new EventMetadata(
            new EventActor(actor, roles.ToValueList(), Required(texts, Attribute.ActorSite)),
            occurredAt, recordedAt ?? throw Missing("recordedat"), Required(texts, Attribute.PayloadHash),
            texts[(int)Attribute.OnBehalfOf], imported, texts[(int)Attribute.IdempotencyKey],
            texts[(int)Attribute.RequestHash], texts[(int)Attribute.CorrelationId], texts[(int)Attribute.CausationId],
            trace?[1], trace?[2], trace?[3] == "01",
            texts[(int)Attribute.Profile]);
    }

    private static int IndexOf(ref Utf8JsonReader reader)
    {
        for (var index = 0; index < Names.Length; index++)
            if (reader.ValueTextEquals(Names[index])) return index;
        return -1;
    }

    private static ref Utf8JsonReader Value(ref Utf8JsonReader reader)
    {
        reader.Read();
        return ref reader;
    }

    private static byte[] RawValue(ref Utf8JsonReader reader)
    {
        reader.Read();
        return JsonMarshal.GetRawUtf8Value(JsonElement.ParseValue(ref reader)).ToArray();
    }

    private static string Required(string?[] texts, Attribute attribute) =>
        texts[(int)attribute] ?? throw Missing(attribute.ToString());

    private static JsonException Missing(string name) => new($"The attribute '{name}' is missing.");
}
