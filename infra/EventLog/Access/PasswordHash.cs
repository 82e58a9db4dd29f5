using System.Globalization;
using System.Security.Cryptography;

namespace CapaEngine.EventLog.Access;

/// <summary>
/// A password as it is kept: PBKDF2 with HMAC-SHA-512, written <c>$pbkdf2-sha512$i=iterations$salt$hash</c>. Slow by
/// intention, so that who steals the file still has to guess.
/// </summary>
internal sealed class PasswordHash
{
    public const int IterationsMin = 100_000;
    private const int Iterations = 210_000;
    private const int IterationsMax = 10_000_000;
    private const int SaltBytes = 16;
    private const int HashBytes = 64;
    private const string Scheme = "pbkdf2-sha512";

    private readonly byte[] _salt;
    private readonly byte[] _hash;
    private readonly int _iterations;

    private PasswordHash(int iterations, byte[] salt, byte[] hash)
    {
        (_iterations, _salt, _hash) = (iterations, salt, hash);
        Text = $"${Scheme}$i={iterations}${Convert.ToBase64String(salt)}${Convert.ToBase64String(hash)}";
    }

    public string Text { get; }

    public static PasswordHash Of(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        return new PasswordHash(Iterations, salt, Derive(password, salt, Iterations));
    }

    /// <summary>Costs as much as the dearest of these, and no password matches it.</summary>
    public static PasswordHash DecoyFor(IEnumerable<PasswordHash> hashes) => new(
        hashes.Select(hash => hash._iterations).DefaultIfEmpty(Iterations).Max(),
        RandomNumberGenerator.GetBytes(SaltBytes), RandomNumberGenerator.GetBytes(HashBytes));

    /// <summary>Null if the text is no hash, or one that is too cheap to be worth anything.</summary>
    public static PasswordHash? Parse(string text)
    {
        if (text.Split('$') is not ["", Scheme, ['i', '=', .. var count], var salt, var hash]
            || !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)
            || iterations is < IterationsMin or > IterationsMax)
        {
            return null;
        }

        return Bytes(salt) is { Length: >= SaltBytes } saltBytes && Bytes(hash) is { Length: HashBytes } hashBytes
            ? new PasswordHash(iterations, saltBytes, hashBytes)
            : null;
    }

    public bool Matches(string password) =>
        CryptographicOperations.FixedTimeEquals(Derive(password, _salt, _iterations), _hash);

    private static byte[] Derive(string password, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA512, HashBytes);

    private static byte[]? Bytes(string base64)
    {
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var length) ? bytes[..length] : null;
    }
}
