using System.Globalization;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Hosting;

/// <summary>The data of an event that this version cannot read; its stream waits for one that can.</summary>
/// <param name="Data">The bytes as stored.</param>
/// <param name="Reason">A kebab-case code.</param>
public sealed record UnknownFact(string Type, ReadOnlyMemory<byte> Data, string Reason);

/// <summary>
/// An event between the log and its followers. Read from the log or from a message it is the same, so that a
/// follower cannot tell by which way an event reached it.
/// </summary>
/// <param name="Position">The commit position.</param>
/// <param name="Time">When it was true; the store's clock where the metadata do not say.</param>
/// <param name="Data">The bytes as stored; nothing on the way reads them.</param>
/// <param name="Metadata">Null where this version cannot read them.</param>
public sealed record EventEnvelope(
    Guid Id, string Type, string Stream, long Revision, ulong Position, DateTimeOffset Time,
    ReadOnlyMemory<byte> Data, EventMetadata? Metadata)
{
    /// <summary>The envelope of an event as the log holds it.</summary>
    public static EventEnvelope Of(RecordedEvent recorded)
    {
        var metadata = MetadataOf(recorded.Metadata.Span);
        return new EventEnvelope(
            recorded.Id, recorded.Type, recorded.Stream, recorded.Revision, recorded.Position.Commit,
            metadata?.OccurredAt ?? recorded.Created.ToUniversalTime(), recorded.Data, metadata);
    }

    /// <summary>The event as reactions and projections see it, in today's shape.</summary>
    public IncomingEvent ToIncoming() => new(
        Stream, FamilyOf(Stream), Revision, LogPosition.At(Position), Id, Type, ReadFact(),
        Metadata ?? new EventMetadata(new EventActor("unknown", [], ""), Time, Time, ""));

    /// <summary>Writes a CloudEvent, one JSON object.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("specversion"u8, "1.0"u8);
        writer.WriteString("id"u8, Id);
        writer.WriteString("type"u8, Type);
        writer.WriteString("source"u8, $"/capaengine/{FamilyOf(Stream).Owner}");
        writer.WriteString("subject"u8, Stream);
        writer.WriteNumber("sequence"u8, Revision);
        writer.WriteString("time"u8, Rfc3339.Text(Time));
        writer.WriteString("position"u8, Position.ToString(CultureInfo.InvariantCulture));
        if (Metadata is not null) WriteAttributes(writer, Metadata);
        WriteData(writer);
        writer.WriteEndObject();
    }

    private static Family FamilyOf(string stream) =>
        Families.Of(stream) ?? throw new JsonException($"The stream '{stream}' belongs to no family.");

    private static EventMetadata? MetadataOf(ReadOnlySpan<byte> metadata)
    {
        try
        {
            return EventCatalog.Metadata(metadata);
        }
        catch (JsonException)
        {
            // Somebody else's event: it travels without attributes and is set aside by whoever needs them.
            return null;
        }
    }

    private object ReadFact()
    {
        if (Metadata is null) return new UnknownFact(Type, Data, "unreadable-metadata");
        try
        {
            return EventCatalog.Deserialize(Type, Data.Span);
        }
        catch (UnknownEventTypeException)
        {
            return new UnknownFact(Type, Data, "unknown-event-type");
        }
        catch (JsonException)
        {
            return new UnknownFact(Type, Data, "unreadable-data");
        }
    }

    private static void WriteAttributes(Utf8JsonWriter writer, EventMetadata metadata)
    {
        writer.WriteString("actorid"u8, metadata.Actor.PersonId);
        writer.WriteString("actorroles"u8, string.Join(',', metadata.Actor.Roles));
        writer.WriteString("actorsite"u8, metadata.Actor.Site);
        writer.WriteString("recordedat"u8, Rfc3339.Text(metadata.RecordedAt));
        writer.WriteString("payloadhash"u8, metadata.PayloadHash);
        if (metadata.Imported) writer.WriteBoolean("imported"u8, true);
        WriteOptional(writer, "onbehalfof", metadata.OnBehalfOf);
        WriteOptional(writer, "idempotencykey", metadata.IdempotencyKey);
        WriteOptional(writer, "requesthash", metadata.RequestHash);
        WriteOptional(writer, "correlationid", metadata.CorrelationId);
        WriteOptional(writer, "causationid", metadata.CausationId);
        WriteOptional(writer, "profile", metadata.Profile);
        if (metadata is { TraceId: not null, SpanId: not null })
            writer.WriteString(
                "traceparent"u8, $"00-{metadata.TraceId}-{metadata.SpanId}-{(metadata.TraceSampled ? "01" : "00")}");
    }

    // The stored bytes go out as they are. Bytes that are no JSON travel as CloudEvents has it for such data.
    private void WriteData(Utf8JsonWriter writer)
    {
        if (IsJson(Data.Span))
        {
            writer.WriteString("datacontenttype"u8, "application/json"u8);
            writer.WritePropertyName("data"u8);
            writer.WriteRawValue(Data.Span, skipInputValidation: true);
            return;
        }

        writer.WriteString("datacontenttype"u8, "application/octet-stream"u8);
        writer.WriteBase64String("data_base64"u8, Data.Span);
    }

    private static bool IsJson(ReadOnlySpan<byte> data)
    {
        // White space around the value would not survive the way, so such bytes are not sent as JSON either.
        if (data.IsEmpty || data[0] <= ' ' || data[^1] <= ' ') return false;
        var reader = new Utf8JsonReader(data);
        try
        {
            reader.Read();
            reader.Skip();
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static void WriteOptional(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null) writer.WriteString(name, value);
    }
}
