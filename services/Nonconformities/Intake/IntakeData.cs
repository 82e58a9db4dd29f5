using System.Text.Json;
using CapaEngine.Contracts;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>An event that cannot be understood: why, as a code and as the member and its rule.</summary>
public sealed class NotUnderstoodException(string reason, string detail) : Exception(detail)
{
    /// <summary>A kebab-case code.</summary>
    public string Reason { get; } = reason;
}

/// <summary>
/// Reads the members of an event's data and names the first that breaks a rule. Members nobody asked for are an error:
/// a misspelt limit would otherwise vanish.
/// </summary>
public sealed class IntakeData
{
    private const double NumberMax = 1e15;
    private const int NameLengthMax = 200;
    private const int TextLengthMax = 4_000;
    private static readonly DateTimeOffset TimeMin = DateTimeOffset.UnixEpoch;

    private readonly Dictionary<string, JsonElement> members = new(StringComparer.Ordinal);
    private readonly string path;

    /// <summary>
    /// The members of <paramref name="data"/>, of which only <paramref name="known"/> may be there; errors name them
    /// below <paramref name="path"/>.
    /// </summary>
    public IntakeData(JsonElement data, IReadOnlySet<string> known, string path = "")
    {
        this.path = path;
        if (data.ValueKind != JsonValueKind.Object) throw Invalid(path.TrimEnd('.'), "must be an object");
        foreach (var member in data.EnumerateObject())
        {
            if (!known.Contains(member.Name)) throw Broken(member.Name, "is not a member of this event type");
            if (member.Value.ValueKind != JsonValueKind.Null) members[member.Name] = member.Value;
        }
    }

    /// <summary>The members of a required object within.</summary>
    public IntakeData Members(string member, IReadOnlySet<string> known) =>
        members.TryGetValue(member, out var json)
            ? new IntakeData(json, known, $"{path}{member}.") : throw Broken(member, "is required");

    /// <summary>A required short text.</summary>
    public string Name(string member) => OptionalName(member) ?? throw Broken(member, "is required");

    /// <summary>A short text on one line: it becomes part of ids.</summary>
    public string? OptionalName(string member)
    {
        var text = Text(member, NameLengthMax);
        if (text is null) return null;
        if (string.IsNullOrWhiteSpace(text)) throw Broken(member, "must not be blank");
        return text.Any(char.IsControl) ? throw Broken(member, "must not contain control characters") : text;
    }

    /// <summary>A longer text.</summary>
    public string? OptionalText(string member)
    {
        var text = Text(member, TextLengthMax);
        return text?.Contains('\0', StringComparison.Ordinal) == true
            ? throw Broken(member, "must not contain the character U+0000") : text;
    }

    /// <summary>A number that a double holds.</summary>
    public double? OptionalNumber(string member)
    {
        if (!members.TryGetValue(member, out var json)) return null;
        if (json.ValueKind != JsonValueKind.Number || !json.TryGetDouble(out var number))
            throw Broken(member, "must be a number");
        return Math.Abs(number) <= NumberMax
            ? number : throw Broken(member, $"must lie between -{NumberMax:R} and {NumberMax:R}");
    }

    /// <summary>A required number that is not negative.</summary>
    public double Count(string member) => OptionalCount(member) ?? throw Broken(member, "is required");

    /// <summary>A number that is not negative.</summary>
    public double? OptionalCount(string member) =>
        OptionalNumber(member) switch
        {
            < 0 => throw Broken(member, "must not be negative"),
            var number => number,
        };

    /// <summary>A required time with an offset, not after <paramref name="latest"/>.</summary>
    public DateTimeOffset Time(string member, DateTimeOffset latest)
    {
        if (!members.TryGetValue(member, out var json)) throw Broken(member, "is required");
        try
        {
            var time = json.Deserialize<DateTimeOffset>(StrictJson.Requests);
            if (time > latest) throw Broken(member, "must not lie in the future");
            return time >= TimeMin ? time : throw Broken(member, "must not lie before 1970");
        }
        catch (JsonException)
        {
            throw Broken(member, "must be an ISO 8601 time with an offset, such as 2026-11-23T08:00:00Z");
        }
    }

    /// <summary>A required severity.</summary>
    public Severity Severity(string member) => Name(member) switch
    {
        "minor" => Contracts.Severity.Minor,
        "major" => Contracts.Severity.Major,
        "critical" => Contracts.Severity.Critical,
        _ => throw Broken(member, "must be one of minor, major, critical"),
    };

    /// <summary>The refusal of a member.</summary>
    public static NotUnderstoodException Invalid(string member, string rule) =>
        new("invalid-data", $"{(member.Length == 0 ? "data" : member)}: {rule}");

    private NotUnderstoodException Broken(string member, string rule) => Invalid(path + member, rule);

    private string? Text(string member, int lengthMax)
    {
        if (!members.TryGetValue(member, out var json)) return null;
        if (json.ValueKind != JsonValueKind.String) throw Broken(member, "must be a string");
        var text = json.GetString()!;
        return text.Length <= lengthMax ? text : throw Broken(member, $"must have at most {lengthMax} characters");
    }
}
