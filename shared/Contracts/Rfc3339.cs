using System.Globalization;

namespace CapaEngine.Contracts;

/// <summary>
/// Times as text (RFC 3339): a date, a time and always an offset, without which a time is another one elsewhere.
/// </summary>
public static class Rfc3339
{
    private const string Utc = "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'";
    private static readonly string[] Forms = [Utc, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz"];

    /// <summary>The time in UTC with a trailing <c>Z</c>, as every event and answer writes it.</summary>
    public static string Text(DateTimeOffset time) =>
        time.UtcDateTime.ToString(Utc, CultureInfo.InvariantCulture);

    /// <summary>The time of a text, in UTC; false where it has no offset or is none.</summary>
    public static bool TryParse(string? text, out DateTimeOffset time) => DateTimeOffset.TryParseExact(
        text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
        out time);
}
