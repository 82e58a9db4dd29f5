using System.Buffers.Binary;
using System.Text;

namespace CapaEngine.EventStore.Protocol;

/// <summary>Values inside messages that <see cref="FieldReader"/> reads.</summary>
internal static class Values
{
    // Event types and content types are few, and each comes a million times: they are not made into text anew.
    private static readonly string?[] Known = new string?[1_024];

    /// <summary>An id in either of its two forms: two signed halves, or text.</summary>
    public static Guid Id(ReadOnlySpan<byte> message)
    {
        var fields = new FieldReader(message);
        Guid? id = null;
        while (fields.MoveNext())
        {
            switch (fields.Field)
            {
                case 1:
                    id = Structured(fields.Bytes());
                    break;
                case 2:
                    id = Guid.TryParse(Encoding.UTF8.GetString(fields.Bytes()), out var parsed) ? parsed : null;
                    break;
                default:
                    fields.Skip();
                    break;
            }
        }

        return id ?? throw new InvalidDataException("An id is missing or malformed.");
    }

    /// <summary>The name inside a stream identifier; empty if there is none.</summary>
    public static string StreamName(ReadOnlySpan<byte> message)
    {
        const int streamName = 3;
        var fields = new FieldReader(message);
        var name = "";
        while (fields.MoveNext())
        {
            if (fields.Field == streamName)
            {
                name = Encoding.UTF8.GetString(fields.Bytes());
            }
            else
            {
                fields.Skip();
            }
        }

        return name;
    }

    /// <summary>Key and value of an entry of a map.</summary>
    public static void Entry(ReadOnlySpan<byte> entry, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        var fields = new FieldReader(entry);
        key = value = [];
        while (fields.MoveNext())
        {
            switch (fields.Field)
            {
                case 1:
                    key = fields.Bytes();
                    break;
                case 2:
                    value = fields.Bytes();
                    break;
                default:
                    fields.Skip();
                    break;
            }
        }
    }

    /// <summary>A text of which there are few different ones.</summary>
    public static string Term(ReadOnlySpan<byte> utf8)
    {
        var hash = default(HashCode);
        hash.AddBytes(utf8);
        ref var known = ref Known[(uint)hash.ToHashCode() % (uint)Known.Length];
        var text = Volatile.Read(ref known);
        if (text is null || !Ascii.Equals(utf8, text))
        {
            text = Encoding.UTF8.GetString(utf8);
            Volatile.Write(ref known, text);
        }

        return text;
    }

    private static Guid Structured(ReadOnlySpan<byte> message)
    {
        var fields = new FieldReader(message);
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        while (fields.MoveNext())
        {
            switch (fields.Field)
            {
                case 1:
                    BinaryPrimitives.WriteUInt64BigEndian(bytes, fields.Number());
                    break;
                case 2:
                    BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], fields.Number());
                    break;
                default:
                    fields.Skip();
                    break;
            }
        }

        return new Guid(bytes, bigEndian: true);
    }
}
