using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Grpc.Core;

namespace CapaEngine.EventStore.Protocol;

/// <summary>
/// Writes the fields of one protocol buffers message into the buffer from which it is sent; the counterpart of
/// <see cref="FieldReader"/>. Lengths go before what they measure, so sizes are known first. Field numbers are below
/// 16.
/// </summary>
internal ref struct FieldWriter(Span<byte> target)
{
    private const int Varint = 0, Delimited = 2;

    private readonly Span<byte> _target = target;

    /// <summary>How many bytes have been written.</summary>
    public int Written { get; private set; }

    public static int SizeOf(ulong number) => 1 + VarintSize(number);

    public static int SizeOf(int length) => 1 + VarintSize((ulong)length) + length;

    public static int SizeOf(string text) => SizeOf(Encoding.UTF8.GetByteCount(text));

    /// <summary>An id as the two signed halves that the protocol calls structured.</summary>
    public static int SizeOf(Guid id)
    {
        var (high, low) = Halves(id);
        return SizeOf(SizeOf(SizeOf(high) + SizeOf(low)));
    }

    /// <summary>An entry of a map from text to text.</summary>
    public static int SizeOfEntry(int keyLength, int valueLength) => SizeOf(SizeOf(keyLength) + SizeOf(valueLength));

    /// <summary>Hands a message of a known size to the call that sends it.</summary>
    public static FieldWriter For(SerializationContext context, int size)
    {
        context.SetPayloadLength(size);
        return new FieldWriter(context.GetBufferWriter().GetSpan(size));
    }

    /// <summary>Ends a message that was begun with <see cref="For"/>.</summary>
    public readonly void Complete(SerializationContext context)
    {
        context.GetBufferWriter().Advance(Written);
        context.Complete();
    }

    public void Number(int field, ulong value)
    {
        Tag(field, Varint);
        WriteVarint(value);
    }

    /// <summary>Begins a message of this length inside the message.</summary>
    public void Begin(int field, int length)
    {
        Tag(field, Delimited);
        WriteVarint((ulong)length);
    }

    public void Bytes(int field, scoped ReadOnlySpan<byte> value)
    {
        Begin(field, value.Length);
        value.CopyTo(_target[Written..]);
        Written += value.Length;
    }

    public void Text(int field, string value)
    {
        Begin(field, Encoding.UTF8.GetByteCount(value));
        Written += Encoding.UTF8.GetBytes(value, _target[Written..]);
    }

    public void Id(int field, Guid id)
    {
        const int structured = 1, mostSignificant = 1, leastSignificant = 2;
        var (high, low) = Halves(id);
        var halves = SizeOf(high) + SizeOf(low);
        Begin(field, SizeOf(halves));
        Begin(structured, halves);
        Number(mostSignificant, high);
        Number(leastSignificant, low);
    }

    public void Entry(int field, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> value)
    {
        Begin(field, SizeOf(key.Length) + SizeOf(value.Length));
        Bytes(1, key);
        Bytes(2, value);
    }

    private static (ulong High, ulong Low) Halves(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return (BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
    }

    private static int VarintSize(ulong value) => (BitOperations.Log2(value | 1) / 7) + 1;

    private void Tag(int field, int wireType) => _target[Written++] = (byte)((field << 3) | wireType);

    private void WriteVarint(ulong value)
    {
        while (value >= 0x80)
        {
            _target[Written++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _target[Written++] = (byte)value;
    }
}
