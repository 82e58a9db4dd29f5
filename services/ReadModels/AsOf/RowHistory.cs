namespace CapaEngine.ReadModels.AsOf;

/// <summary>
/// What rows said at any instant, in the tables <c>*_history</c>. A state is what the row says from
/// <c>true_from</c> and <c>known_from</c> on, by the stream's events up to <c>event_revision</c>. Of the states that
/// have begun at an instant the one of the latest event holds, and of its states the one that began last.
/// <para>
/// An event changes what is said of every instant from its own on, in both times. Nearly always nothing is told yet of
/// later instants, and it adds one state; where it comes late it adds one for each later instant at which the row
/// changes, too. A state never changes once its event is through, so that repeats find all of theirs.
/// </para>
/// </summary>
internal static class RowHistory
{
    /// <summary>Which of several states holds, the first by this order.</summary>
    public const string LatestFirst = "event_revision desc, true_from desc, known_from desc";

    private const string EventColumns =
        "event_revision, event_occurred_at, event_recorded_at, true_from, known_from";

    /// <summary>The statements that make the same change to the states it concerns.</summary>
    public static IEnumerable<SqlStatement> Follow(RowChange change)
    {
        if (!change.Replaces) yield return Continue(change);
        yield return change.Columns is null ? Change(change) : Begin(change);
    }

    /// <summary>The condition that a state, by its alias, is one of the rows that a change concerns.</summary>
    public static string Match(RowChange change, string alias) =>
        string.Join(" and ", change.Keys.Select(key => $"{alias}.{key.Name} = ${key.Parameter}"));

    // States of this event that say for now what was said before, wherever there was a row.
    private static SqlStatement Continue(RowChange change)
    {
        var (parts, ofPart) = change.EachPartBy is { } part
            ? ($"(select distinct s.{part} from {Table(change.Table)} s where {Match(change, "s")}) part cross join ",
                $" and s.{part} = part.{part}")
            : ("", "");
        return Keyed(change, $"""
            insert into {Table(change.Table)}
            select state.* from {parts}{Instants(change)}
            cross join lateral (
              select s as state from {Table(change.Table)} s
              where {Match(change, "s")}{ofPart} and s.event_revision < $2
                and s.true_from <= valid.at and s.known_from <= known.at
              order by {LatestFirst} limit 1) before
            cross join lateral jsonb_populate_record(before.state, jsonb_build_object(
              'event_revision', $2::bigint, 'event_occurred_at', $4::timestamptz,
              'event_recorded_at', $5::timestamptz, 'true_from', valid.at, 'known_from', known.at)) state
            on conflict do nothing
            """);
    }

    private static SqlStatement Change(RowChange change) => new($"""
        update {Table(change.Table)} s set {change.PastAssignments ?? change.Assignments}
        where {Match(change, "s")} and event_revision = $2 and revision < $2
        {(change.Condition is { } condition ? $"and {condition}" : "")}
        """, [.. change.Values]);

    private static SqlStatement Begin(RowChange change) => new(change.Parent is not { } parent
        ? $"""
            insert into {Table(change.Table)} ({EventColumns}, {change.Columns})
            values ($2, $4, $5, $4, $5, {change.RowValues})
            on conflict do nothing
            """
        : $"""
            insert into {Table(change.Table)} ({EventColumns}, {change.Columns})
            select $2, $4, $5, valid.at, known.at, {change.RowValues} from {Instants(change)}
            cross join lateral (
              select s.* from {Table(parent)} s
              where s.id = $1 and s.event_revision < $2 and s.true_from <= valid.at and s.known_from <= known.at
              order by {LatestFirst} limit 1) p
            on conflict do nothing
            """, [.. change.Values]);

    // The event's own instants, and those later ones at which the row, or the one it takes values from, changes.
    private static string Instants(RowChange change) =>
        $"{Later(change, "true_from", 4)} valid cross join {Later(change, "known_from", 5)} known";

    private static string Later(RowChange change, string column, int parameter)
    {
        var own = $"""
            (select ${parameter}::timestamptz as at
            union select s.{column} from {Table(change.Table)} s
            where {Match(change, "s")} and s.event_revision < $2 and s.{column} > ${parameter}
            """;
        return change.Parent is not { } parent ? $"{own})" : $"""
            {own}
            union select s.{column} from {Table(parent)} s
            where s.id = $1 and s.event_revision < $2 and s.{column} > ${parameter})
            """;
    }

    /// <summary>The table with the states of a table's rows.</summary>
    public static string Table(string table) => $"read_models.{table}_history";

    /// <summary>
    /// A statement with the parameters of a change up to those of its keys: PostgreSQL refuses a null that nothing
    /// refers to, since it cannot know its type.
    /// </summary>
    public static SqlStatement Keyed(RowChange change, string text) =>
        new(text, [.. change.Values.Take(int.Max(5, change.Keys.Max(key => key.Parameter)))]);
}
