using System.Text.Json;
using System.Text.Json.Serialization;

namespace CapaEngine.Hosting;

/// <summary>
/// What one message carries: the events of one routing key between two positions of the log. A follower compares
/// <paramref name="After"/> with how far it has come and so notices everything that was lost on the way.
/// </summary>
/// <param name="Partition">The partition whose streams these are.</param>
/// <param name="After">Every event of the key up to here was published before.</param>
/// <param name="Through">Every event of the key up to here is published with this batch.</param>
/// <param name="Events">In log order; empty where the batch only tells how far the log has been read.</param>
[JsonConverter(typeof(EventBatchConverter))]
public sealed record EventBatch(int Partition, ulong After, ulong Through, IReadOnlyList<EventEnvelope> Events);

/// <summary>The JSON of a batch, readable by any AMQP client.</summary>
public sealed class EventBatchConverter : JsonConverter<EventBatch>
{
    /// <inheritdoc/>
    public override EventBatch Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw Malformed();
        try
        {
            int? partition = null;
            ulong? after = null, through = null;
            List<EventEnvelope>? events = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString();
                reader.Read();
                switch (name)
                {
                    case "partition": partition = reader.GetInt32(); break;
                    case "after": after = reader.GetUInt64(); break;
                    case "through": through = reader.GetUInt64(); break;
                    case "events": events = ReadEvents(ref reader); break;
                    default: reader.Skip(); break;
                }
            }

            return new EventBatch(
                partition ?? throw Malformed(), after ?? throw Malformed(), through ?? throw Malformed(),
                events ?? throw Malformed());
        }
        catch (Exception malformed) when (malformed is FormatException or InvalidOperationException
                                              or IndexOutOfRangeException or OverflowException)
        {
            throw Malformed(malformed);
        }
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, EventBatch value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteNumber("partition"u8, value.Partition);
        writer.WriteNumber("after"u8, value.After);
        writer.WriteNumber("through"u8, value.Through);
        writer.WriteStartArray("events"u8);
        foreach (var e in value.Events) e.WriteTo(writer);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static List<EventEnvelope> ReadEvents(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Malformed();
        var events = new List<EventEnvelope>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            events.Add(CloudEventReader.Read(ref reader));
        return events;
    }

    private static JsonException Malformed(Exception? cause = null) => new("This is no batch of events.", cause);
}
