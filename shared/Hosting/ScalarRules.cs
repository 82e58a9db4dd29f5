using System.Text.Json;
using CapaEngine.Contracts;

namespace CapaEngine.Hosting;

/// <summary>Says of a single JSON value, in the words of the caller, why it is not what a member expects.</summary>
internal static class ScalarRules
{
    /// <summary>The rule that <paramref name="json"/> breaks, or null.</summary>
    public static string? Broken(JsonElement json, Type type)
    {
        try
        {
            if (json.ValueKind == JsonValueKind.String && json.GetString()!.Contains('\0', StringComparison.Ordinal))
                return "must not contain the character U+0000";
            json.Deserialize(type, StrictJson.Requests);
            return null;
        }
        catch (InvalidOperationException)
        {
            return "must be valid Unicode";
        }
        catch (JsonException)
        {
            return Expected(type);
        }
    }

    /// <summary>Whether the member's name can be read; an escaped half of a surrogate pair cannot.</summary>
    public static bool IsUnicode(JsonProperty member)
    {
        try
        {
            return member.Name.Length >= 0;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static string Expected(Type type) => type switch
    {
        { IsEnum: true } => $"must be one of {string.Join(", ", Enum.GetNames(type).Select(CommandNames.Kebab))}",
        _ when type == typeof(string) => "must be a string",
        _ when type == typeof(bool) => "must be true or false",
        _ when type == typeof(Guid) => "must be a UUID",
        _ when type == typeof(DateTimeOffset) =>
            "must be an ISO 8601 time with an offset, such as 2026-11-23T08:00:00Z",
        _ when type == typeof(DateOnly) => "must be a date, such as 2026-11-23",
        _ when type == typeof(int) || type == typeof(long) => "must be a whole number",
        _ when type == typeof(double) || type == typeof(decimal) => "must be a number",
        _ => "is not valid",
    };
}
