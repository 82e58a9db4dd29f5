using System.Globalization;
using System.Text.Json;

namespace CapaEngine.Verify;

/// <summary>Values of events and of columns as one and the same text, so that they can be compared.</summary>
internal static class Text
{
    private static readonly long PostgresEpochTicks = new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    /// <summary>The text of a value; null for what is absent.</summary>
    public static string? Of(object? value) => value switch
    {
        null or DBNull => null,
        string text => text,
        bool truth => truth ? "true" : "false",
        Enum name => JsonNamingPolicy.KebabCaseLower.ConvertName(name.ToString()),
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        DateTimeOffset time => Microseconds(time.UtcTicks),
        DateTime time => Microseconds(time.Ticks),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new NotSupportedException($"A column of {value.GetType()} is not compared."),
    };

    // PostgreSQL keeps microseconds, and what lies between two is cut off on the way there.
    private static string Microseconds(long ticks) =>
        ((ticks - PostgresEpochTicks) / TimeSpan.TicksPerMicrosecond).ToString(CultureInfo.InvariantCulture) + " us";
}
