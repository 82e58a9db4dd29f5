using System.Globalization;
using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Reports;

/// <summary>Values as people read them, the same in every rendering and on every machine.</summary>
internal static class Wording
{
    public static string Time(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";

    public static string? Time(DateTimeOffset? at) => at is { } given ? Time(given) : null;

    public static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static string? Day(DateOnly? day) => day is { } given ? Day(given) : null;

    public static string Number(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);

    public static string? Number(double? value) => value is { } given ? Number(given) : null;

    /// <summary>A rate or a probability, which may be small.</summary>
    public static string Small(double value) => value.ToString("G5", CultureInfo.InvariantCulture);

    public static string Percent(double share) => Number(share * 100) + " %";

    public static string Quantity(double quantity, string? unit) => $"{Number(quantity)} {unit ?? "units"}";

    public static string YesNo(bool value) => value ? "yes" : "no";

    public static string? Joined(IReadOnlyCollection<string> values) =>
        values.Count == 0 ? null : string.Join(", ", values);

    public static string Requirement(RequirementRef requirement)
    {
        var place = $"{requirement.Standard}, {requirement.Edition}, {requirement.Clause}";
        return requirement.Text is { } text ? $"{place}: {text}" : place;
    }

    /// <summary>A stored event's name in words: <c>a.cause-found.v1</c> is "a: cause found".</summary>
    public static string Act(string eventType)
    {
        var parts = eventType.Split('.');
        return parts.Length == 3 ? $"{parts[0]}: {Words(parts[1])}" : eventType;
    }

    /// <summary>A kebab-case word of the wire in words.</summary>
    public static string Words(string kebab) => kebab.Replace('-', ' ');

    /// <summary>A person and a time.</summary>
    public static string? ByAt(string? by, DateTimeOffset? at) =>
        by is null && at is null ? null : at is { } when ? $"{by ?? "unknown"}, {Time(when)}" : by;
}
