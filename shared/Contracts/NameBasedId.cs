using System.Security.Cryptography;
using System.Text;

namespace CapaEngine.Contracts;

/// <summary>
/// Ids derived from names (RFC 9562 version 5), so that whoever repeats a step computes the same id: the ground on
/// which every reaction and intake is idempotent.
/// </summary>
public static class NameBasedId
{
    /// <summary>The namespace of all ids that CapaEngine derives from text alone.</summary>
    public static readonly Guid Root = new("5f0d9b1c-3c0e-5a7e-9d53-2f6a1c4be6a7");

    private const int SpaceBytes = 16;
    private const int StackBytesMax = 512;

    /// <summary>The id of <paramref name="name"/> in <see cref="Root"/>.</summary>
    public static Guid From(string name) => From(Root, name);

    /// <summary>The id of <paramref name="name"/> within <paramref name="space"/>.</summary>
    public static Guid From(Guid space, string name) => From(space, Encoding.UTF8.GetBytes(name));

    /// <summary>The id of the bytes within <paramref name="space"/>.</summary>
    public static Guid From(Guid space, ReadOnlySpan<byte> name)
    {
        // In one piece: a hash that is fed in parts has a native context of its own, for each of many thousand ids.
        var length = SpaceBytes + name.Length;
        Span<byte> input = length <= StackBytesMax ? stackalloc byte[length] : new byte[length];
        space.TryWriteBytes(input, bigEndian: true, out _);
        name.CopyTo(input[SpaceBytes..]);
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        CryptographicOperations.HashData(HashAlgorithmName.SHA1, input, hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}
