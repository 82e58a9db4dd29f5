using System.Buffers.Text;
using System.Text;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using RecordedEvent = CapaEngine.Kernel.RecordedEvent;

namespace CapaEngine.EventStore;

/// <summary>A message of a read: the protocol's <c>ReadResp</c>, an event or, seldom, something else.</summary>
/// <param name="Event">Null if the message is something else.</param>
/// <param name="Other">Null if the message is an event.</param>
internal sealed record ReadAnswer(RecordedEvent? Event, ReadResp? Other)
{
    private const byte EventTag = (1 << 3) | 2;

    private static ReadOnlySpan<byte> TypeKey => "type"u8;
    private static ReadOnlySpan<byte> CreatedKey => "created"u8;

    public static ReadAnswer Parse(ReadOnlySpan<byte> message)
    {
        // A message has one content, so the first byte tells whether it is an event.
        if (message is not [EventTag, ..])
        {
            return new ReadAnswer(null, ReadResp.Parser.ParseFrom(message));
        }

        var fields = new FieldReader(message);
        fields.MoveNext();
        return new ReadAnswer(Recorded(ReadEvent(fields.Bytes())), null);
    }

    private static ReadOnlySpan<byte> ReadEvent(ReadOnlySpan<byte> message)
    {
        var fields = new FieldReader(message);
        while (fields.MoveNext())
        {
            if (fields.Field == 1)
            {
                return fields.Bytes();
            }

            fields.Skip();
        }

        throw new InvalidDataException("A link was sent without its event.");
    }

    private static RecordedEvent Recorded(ReadOnlySpan<byte> message)
    {
        const int id = 1, stream = 2, revision = 3, prepare = 4, commit = 5, metadata = 6, custom = 7, data = 8;
        var (eventId, name, number, type, created) = (Guid.Empty, "", 0L, "", 0L);
        var (at, atPrepare, customBytes, dataBytes) = (0UL, 0UL, default(Range), default(Range));
        var fields = new FieldReader(message);
        while (fields.MoveNext())
        {
            switch (fields.Field)
            {
                case id:
                    eventId = Values.Id(fields.Bytes());
                    break;
                case stream:
                    name = Values.StreamName(fields.Bytes());
                    break;
                case revision:
                    number = (long)fields.Number();
                    break;
                case prepare:
                    atPrepare = fields.Number();
                    break;
                case commit:
                    at = fields.Number();
                    break;
                case metadata:
                    Note(fields.Bytes(), ref type, ref created);
                    break;
                case custom:
                    customBytes = fields.BytesRange();
                    break;
                case data:
                    dataBytes = fields.BytesRange();
                    break;
                default:
                    fields.Skip();
                    break;
            }
        }

        var (body, about) = Copy(message[dataBytes], message[customBytes]);
        return new RecordedEvent(
            name, number, new LogPosition(at, atPrepare), eventId, type, DateTimeOffset.UnixEpoch.AddTicks(created),
            body, about);
    }

    private static void Note(ReadOnlySpan<byte> entry, ref string type, ref long created)
    {
        Values.Entry(entry, out var key, out var value);
        if (key.SequenceEqual(TypeKey))
        {
            type = Values.Term(value);
        }
        else if (key.SequenceEqual(CreatedKey) && !Utf8Parser.TryParse(value, out created, out _))
        {
            throw new InvalidDataException($"'{Encoding.UTF8.GetString(value)}' is no time of creation.");
        }
    }

    // The buffer of the message is used again for the next one; both bodies of an event share one copy.
    private static (ReadOnlyMemory<byte> Data, ReadOnlyMemory<byte> Metadata) Copy(
        ReadOnlySpan<byte> data, ReadOnlySpan<byte> metadata)
    {
        var copy = GC.AllocateUninitializedArray<byte>(data.Length + metadata.Length);
        data.CopyTo(copy);
        metadata.CopyTo(copy.AsSpan(data.Length));
        return (copy.AsMemory(0, data.Length), copy.AsMemory(data.Length));
    }
}
