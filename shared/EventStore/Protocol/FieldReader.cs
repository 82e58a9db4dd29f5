namespace CapaEngine.EventStore.Protocol;

/// <summary>
/// Reads the fields of one protocol buffers message where they lie. It serves the messages of which there are
/// thousands a second, events and appends: generated classes would be built only to be taken apart again. Malformed
/// bytes throw an <see cref="InvalidDataException"/>.
/// </summary>
internal ref struct FieldReader(ReadOnlySpan<byte> message)
{
    private const int Varint = 0, Fixed64 = 1, Delimited = 2, Fixed32 = 5;
    private const int VarintBytesMax = 10;

    private readonly ReadOnlySpan<byte> _message = message;
    private int _at;
    private int _wireType;

    /// <summary>The number of the field that <see cref="MoveNext"/> came to.</summary>
    public int Field { get; private set; }

    /// <summary>Goes to the next field; its value must then be read or skipped. False at the end.</summary>
    public bool MoveNext()
    {
        if (_at == _message.Length)
        {
            return false;
        }

        var tag = ReadVarint();
        (Field, _wireType) = (tag >> 3 is > 0 and < int.MaxValue and var field ? (int)field : 0, (int)(tag & 7));
        return Field > 0 ? true : throw Malformed();
    }

    /// <summary>The value of a numeric field.</summary>
    public ulong Number() => _wireType == Varint ? ReadVarint() : throw Malformed();

    /// <summary>The value of a field of text, bytes or a message.</summary>
    public ReadOnlySpan<byte> Bytes() => _message[BytesRange()];

    /// <summary>Where the value of a field of text, bytes or a message lies.</summary>
    public Range BytesRange()
    {
        var length = _wireType == Delimited ? ReadVarint() : throw Malformed();
        if (length > (ulong)(_message.Length - _at))
        {
            throw Malformed();
        }

        var start = _at;
        _at += (int)length;
        return start.._at;
    }

    /// <summary>Passes over a value that nobody here knows: a newer version may have more fields.</summary>
    public void Skip()
    {
        switch (_wireType)
        {
            case Varint:
                ReadVarint();
                break;
            case Delimited:
                BytesRange();
                break;
            case Fixed64 when _message.Length - _at >= sizeof(ulong):
                _at += sizeof(ulong);
                break;
            case Fixed32 when _message.Length - _at >= sizeof(uint):
                _at += sizeof(uint);
                break;
            default:
                throw Malformed();
        }
    }

    private static InvalidDataException Malformed() => new("The bytes are no message of the event store protocol.");

    private ulong ReadVarint()
    {
        var value = 0UL;
        for (var n = 0; n < VarintBytesMax && _at < _message.Length; n++)
        {
            var next = _message[_at++];
            value |= (ulong)(next & 0x7F) << (7 * n);
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Malformed();
    }
}
