using System.Buffers;
using System.Globalization;
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
    /// <summary>What no name and no id may contain.</summary>
    internal static readonly SearchValues<char> ControlCharacters =
        SearchValues.Create([.. Enumerable.Range(0, 256).Select(code => (char)code).Where(char.IsControl)]);

    private const double NumberMax = 1e15;
    private const int NameLengthMax = 200;
    private const int TextLengthMax = 4_000;
    private const int CodeLengthMax = 100;
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
    public string? OptionalName(string member, int lengthMax = NameLengthMax)
    {
        var text = StringOf(member, lengthMax);
        if (text is null) return null;
        if (string.IsNullOrWhiteSpace(text)) throw Broken(member, "must not be blank");
        return text.AsSpan().ContainsAny(ControlCharacters)
            ? throw Broken(member, "must not contain control characters") : text;
    }

    /// <summary>A code such as <c>machine.wear</c>, whose dots say what it belongs below.</summary>
    public string? OptionalCode(string member)
    {
        var text = StringOf(member, CodeLengthMax);
        return text is null || IsCode(text)
            ? text : throw Broken(member, "must be words of a-z, 0-9 and hyphens, with dots between them");
    }

    /// <summary>A required longer text.</summary>
    public string Text(string member) => OptionalText(member) is { } text && !string.IsNullOrWhiteSpace(text)
        ? text : throw Broken(member, "is required");

    /// <summary>A longer text.</summary>
    public string? OptionalText(string member)
    {
        var text = StringOf(member, TextLengthMax);
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

    /// <summary>A required date of the calendar.</summary>
    public DateOnly Date(string member, DateOnly earliest, DateOnly latest) =>
        OptionalDate(member, earliest, latest) ?? throw Broken(member, "is required");

    /// <summary>A date of the calendar, in no time zone.</summary>
    public DateOnly? OptionalDate(string member, DateOnly earliest, DateOnly latest)
    {
        if (StringOf(member, NameLengthMax) is not { } text) return null;
        if (!DateOnly.TryParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
            throw Broken(member, "must be a date of the calendar, such as 2026-11-23");
        if (date > latest) throw Broken(member, "must not lie in the future");
        return date >= earliest
            ? date
            : throw Broken(member, string.Create(CultureInfo.InvariantCulture, $"must not lie before {earliest:O}"));
    }

    /// <summary>A required yes or no.</summary>
    public bool Flag(string member) =>
        !members.TryGetValue(member, out var json) ? throw Broken(member, "is required")
        : json.ValueKind is JsonValueKind.True or JsonValueKind.False ? json.GetBoolean()
        : throw Broken(member, "must be true or false");

    /// <summary>The site; a caller bound to one needs not name it, and cannot name another.</summary>
    public string SiteOf(Sender sender)
    {
        var site = OptionalName("site")
            ?? (sender.Actor.Site is "*" or "" ? throw Broken("site", "is required") : sender.Actor.Site);
        return sender.Actor.IsAt(site)
            ? site
            : throw new NotUnderstoodException("site-not-yours", $"site: you may not report for {site}");
    }

    /// <summary>A required severity.</summary>
    public Severity Severity(string member) => OptionalSeverity(member) ?? throw Broken(member, "is required");

    /// <summary>A severity.</summary>
    public Severity? OptionalSeverity(string member) => OptionalName(member) switch
    {
        null => null,
        "minor" => Contracts.Severity.Minor,
        "major" => Contracts.Severity.Major,
        "critical" => Contracts.Severity.Critical,
        _ => throw Broken(member, "must be one of minor, major, critical"),
    };

    /// <summary>The refusal of a member.</summary>
    public static NotUnderstoodException Invalid(string member, string rule) =>
        new("invalid-data", $"{(member.Length == 0 ? "data" : member)}: {rule}");

    private static bool IsCode(string text) => text.Split('.').All(word => word.Length > 0
        && word.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-'));

    private NotUnderstoodException Broken(string member, string rule) => Invalid(path + member, rule);

    private string? StringOf(string member, int lengthMax)
    {
        if (!members.TryGetValue(member, out var json)) return null;
        if (json.ValueKind != JsonValueKind.String) throw Broken(member, "must be a string");
        var text = json.GetString()!;
        return text.Length <= lengthMax ? text : throw Broken(member, $"must have at most {lengthMax} characters");
    }
}
