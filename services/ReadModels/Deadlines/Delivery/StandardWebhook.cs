using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CapaEngine.ReadModels.Deadlines.Delivery;

/// <summary>Signatures as the Standard Webhooks specification describes them, version 1 (HMAC-SHA256).</summary>
public static class StandardWebhook
{
    public const string IdHeader = "webhook-id";
    public const string TimestampHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";
    private const string SecretPrefix = "whsec_";

    /// <summary>The value of the signature header: one signature for each secret, the newest first.</summary>
    public static string Sign(
        IEnumerable<byte[]> secrets, string id, DateTimeOffset timestamp, ReadOnlySpan<byte> body)
    {
        var head = Encoding.UTF8.GetBytes($"{id}.{Seconds(timestamp)}.");
        byte[] signed = [.. head, .. body];
        return string.Join(' ', secrets.Select(secret =>
            $"v1,{Convert.ToBase64String(HMACSHA256.HashData(secret, signed))}"));
    }

    /// <summary>The value of the timestamp header.</summary>
    public static string Seconds(DateTimeOffset timestamp) =>
        timestamp.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// The secrets of a file: base64 with or without <c>whsec_</c>, one a line. Throws <see cref="FormatException"/>
    /// where a line is none or there is no line.
    /// </summary>
    public static IReadOnlyList<byte[]> ParseSecrets(string text)
    {
        List<byte[]> secrets =
        [
            .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(line => Convert.FromBase64String(
                    line.StartsWith(SecretPrefix, StringComparison.Ordinal) ? line[SecretPrefix.Length..] : line)),
        ];
        return secrets.Count > 0 ? secrets : throw new FormatException("The file holds no secret.");
    }
}
