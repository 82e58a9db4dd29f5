using System.Buffers.Text;
using System.Globalization;
using System.Text;
using CapaEngine.ReadModels.AsOf;

namespace CapaEngine.ReadModels;

/// <summary>One page of a list.</summary>
/// <param name="NextCursor">Where the next page begins; absent on the last one.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor);

/// <summary>
/// A place in a list sorted by a time that never changes and the id: records that come or go meanwhile neither repeat
/// nor hide others. Callers see it as opaque text.
/// </summary>
/// <param name="Sort">The order it belongs to; another order cannot continue from it.</param>
/// <param name="Moment">The past that the list shows; null where it shows the present.</param>
public sealed record Cursor(string Sort, DateTimeOffset Time, Guid Id, Moment? Moment = null)
{
    /// <summary>Records a page has unless the caller says otherwise.</summary>
    public const int LimitDefault = 50;

    /// <summary>Records a page has at most.</summary>
    public const int LimitMax = 200;

    /// <summary>The opaque text.</summary>
    public override string ToString() => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"{Sort}|{Time.UtcTicks}|{Id:N}") + (Moment is null
            ? "" : string.Create(
                CultureInfo.InvariantCulture, $"|{Moment.AsOf.UtcTicks}|{Moment.KnownAt.UtcTicks}"))));

    /// <summary>The cursor a text stands for; false where it is none of this order.</summary>
    public static bool TryParse(string text, string sort, out Cursor? cursor)
    {
        cursor = null;
        if (!Base64Url.IsValid(text)) return false;
        var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split('|');
        if (parts.Length is not (3 or 5) || parts[0] != sort || !Guid.TryParseExact(parts[2], "N", out var id))
            return false;
        DateTimeOffset?[] instants = [.. parts.Where((_, place) => place is 1 or > 2).Select(Instant)];
        if (instants.Contains(null)) return false;
        cursor = new Cursor(
            sort, instants[0]!.Value, id,
            parts.Length == 3 ? null : new Moment(instants[1]!.Value, instants[2]!.Value));
        return true;
    }

    private static DateTimeOffset? Instant(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
        && ticks <= DateTimeOffset.MaxValue.UtcTicks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
}

/// <summary>What part of a list is asked for.</summary>
/// <param name="Sort"><see cref="NewestFirst"/> or <see cref="OldestFirst"/>.</param>
/// <param name="Moment">The past it shows; null for the present.</param>
public sealed record PageRequest(string Sort, int Limit, Cursor? After, Moment? Moment = null)
{
    /// <summary>The order in which what was opened last comes first.</summary>
    public const string NewestFirst = "-openedAt";

    /// <summary>The order in which what was opened first comes first.</summary>
    public const string OldestFirst = "openedAt";

    /// <summary>The query of a page, with one row more, which tells whether there is another page.</summary>
    internal SqlStatement Complete(string select, (string Time, string Id) key, Conditions conditions)
    {
        var (comparison, direction) = Sort == NewestFirst ? ("<", "desc") : (">", "asc");
        if (After is not null)
            conditions.And($"({key.Time}, {key.Id}) {comparison} ({{0}}, {{1}})", After.Time, After.Id);
        return new SqlStatement(
            $"{select} {conditions.Where} order by {key.Time} {direction}, {key.Id} {direction} limit {Limit + 1}",
            conditions.Values);
    }

    /// <summary>The page of the rows that <see cref="Complete"/> gave.</summary>
    internal Page<T> PageOf<T>(List<T> rows, Func<T, (DateTimeOffset Time, Guid Id)> key)
    {
        if (rows.Count <= Limit) return new Page<T>(rows, null);
        var (time, id) = key(rows[Limit - 1]);
        return new Page<T>(rows[..Limit], new Cursor(Sort, time, id, Moment).ToString());
    }
}
