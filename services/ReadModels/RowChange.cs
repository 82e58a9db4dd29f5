using CapaEngine.Hosting;

namespace CapaEngine.ReadModels;

/// <summary>A column of a table's key and the number of the parameter that holds its value.</summary>
internal sealed record KeyColumn(string Name, int Parameter);

/// <summary>
/// A statement on rows that follow one stream, which says what it changes, so that the same change can be made to what
/// the rows said at any past instant as well.
/// </summary>
internal sealed class RowChange(string text, params object?[] values) : SqlStatement(text, values)
{
    /// <summary>The table in the schema <c>read_models</c>.</summary>
    public required string Table { get; init; }

    /// <summary>Which rows, the stream's id first.</summary>
    public required IReadOnlyList<KeyColumn> Keys { get; init; }

    /// <summary>The columns a new row states; null for a change of rows that are there.</summary>
    public string? Columns { get; init; }

    /// <summary>The values of these columns.</summary>
    public string? RowValues { get; init; }

    /// <summary>The table of the stream's own row, <c>p</c> in the values, which a new row takes values from.</summary>
    public string? Parent { get; init; }

    /// <summary>Whether a new row takes the place of the one with its key.</summary>
    public bool Replaces { get; init; }

    /// <summary>The assignments of a change, its revision and position among them.</summary>
    public string? Assignments { get; init; }

    /// <summary>What else must hold of the rows that are changed.</summary>
    public string? Condition { get; init; }

    /// <summary>The column that tells the parts apart where all parts of a stream's record may change.</summary>
    public string? EachPartBy { get; init; }

    /// <summary>The assignments to a past state where they differ: those that count rows of another table.</summary>
    public string? PastAssignments { get; init; }
}

/// <summary>Statements on rows that follow one stream.</summary>
internal static class Row
{
    private static readonly KeyColumn[] Id = [new("id", 1)];

    /// <summary>
    /// A statement whose first five parameters are the stream's id, the event's revision and position, and when it
    /// occurred and was recorded; <paramref name="more"/> begins at <c>$6</c>.
    /// </summary>
    public static SqlStatement Statement(IncomingEvent incoming, string text, params object?[] more) =>
        Keyed(incoming, incoming.StreamId, text, more);

    /// <summary>As <see cref="Statement"/>, for streams that are not named after an id.</summary>
    public static SqlStatement Keyed(IncomingEvent incoming, object key, string text, params object?[] more) =>
        new(text, Values(incoming, key, more));

    /// <summary>Inserts the stream's row, unless it is there.</summary>
    public static RowChange Insert(
        IncomingEvent incoming, string table, string columns, string values, params object?[] more) =>
        Insert(incoming, table, Id, columns, values, null, more);

    /// <summary>
    /// Inserts a part of the stream's record, found by the columns after the owner's in <paramref name="keys"/>, whose
    /// values begin at <c>$6</c>; unless it is there.
    /// </summary>
    /// <param name="parent">The table of the stream's row, <c>p</c> in the values, if they need it.</param>
    public static RowChange InsertPart(
        IncomingEvent incoming, string table, string[] keys, string columns, string values, string? parent = null,
        params object?[] more) =>
        Insert(incoming, table, KeysOf(keys), columns, values, parent, more);

    /// <summary>As <see cref="InsertPart"/>, but the part that is there gives way to the new one.</summary>
    public static RowChange ReplacePart(
        IncomingEvent incoming, string table, string[] keys, string columns, string values, params object?[] more)
    {
        var replaced = columns.Split(',', StringSplitOptions.TrimEntries).Except(keys)
            .Select(column => $"{column} = excluded.{column}");
        return new RowChange($"""
            insert into read_models.{table} ({columns}) values ({values})
            on conflict ({string.Join(", ", keys)}) do update set {string.Join(", ", replaced)}, updated_at = now()
            where {table}.revision < excluded.revision
            """, Values(incoming, incoming.StreamId, more))
        {
            Table = table, Keys = KeysOf(keys), Columns = columns, RowValues = values, Replaces = true,
        };
    }

    /// <summary>Changes the stream's row, unless it has seen this event; always moves the row's revision.</summary>
    public static RowChange Update(
        IncomingEvent incoming, string table, string? set = null, params object?[] more) =>
        UpdateWithPast(incoming, table, set, null, more);

    /// <summary>As <see cref="Update"/>; <paramref name="pastSet"/> is what to set in a past state.</summary>
    public static RowChange UpdateWithPast(
        IncomingEvent incoming, string table, string? set, string? pastSet, params object?[] more)
    {
        const string moved =
            "revision = $2, position = $3, occurred_at = $4, recorded_at = $5, updated_at = now()";
        var assignments = set is null ? moved : $"{set}, {moved}";
        return new RowChange($"""
            update read_models.{table} set {assignments}
            where id = $1 and revision < $2
            """, Values(incoming, incoming.StreamId, more))
        {
            Table = table, Keys = Id, Assignments = assignments,
            PastAssignments = pastSet is null ? null : $"{pastSet}, {moved}",
        };
    }

    /// <summary>Changes a part of the stream's record, found by its own key in <c>$6</c>.</summary>
    public static RowChange UpdatePart(
        IncomingEvent incoming, string table, string[] keys, string set, object part, params object?[] more)
    {
        var assignments = $"{set}, revision = $2, position = $3, updated_at = now()";
        return new RowChange($"""
            update read_models.{table} set {assignments}
            where {keys[0]} = $1 and {keys[1]} = $6 and revision < $2
            """, Values(incoming, incoming.StreamId, [part, .. more]))
        {
            Table = table, Keys = KeysOf(keys), Assignments = assignments,
        };
    }

    /// <summary>Changes those parts of the stream's record of which a condition holds.</summary>
    public static RowChange UpdateParts(
        IncomingEvent incoming, string table, string[] keys, string set, string condition)
    {
        var assignments = $"{set}, revision = $2, position = $3, updated_at = now()";
        return new RowChange($"""
            update read_models.{table} set {assignments}
            where {keys[0]} = $1 and {condition} and revision < $2
            """, Values(incoming, incoming.StreamId, []))
        {
            Table = table, Keys = [new KeyColumn(keys[0], 1)], Assignments = assignments, Condition = condition,
            EachPartBy = keys[1],
        };
    }

    private static RowChange Insert(
        IncomingEvent incoming, string table, KeyColumn[] keys, string columns, string values, string? parent,
        object?[] more) =>
        new($"""
            insert into read_models.{table} ({columns})
            {(parent is null ? $"values ({values})" : $"select {values} from read_models.{parent} p where p.id = $1")}
            on conflict do nothing
            """, Values(incoming, incoming.StreamId, more))
        {
            Table = table, Keys = keys, Columns = columns, RowValues = values, Parent = parent,
        };

    // The owner is the stream's id; what is told of with a number of its own is found by the event's revision.
    private static KeyColumn[] KeysOf(string[] keys) =>
        [.. keys.Select((name, place) => new KeyColumn(name, place == 0 ? 1 : name == "revision" ? 2 : place + 5))];

    private static object?[] Values(IncomingEvent incoming, object key, object?[] more) =>
    [
        key, incoming.Revision, checked((long)incoming.Position.Commit), incoming.Metadata.OccurredAt,
        incoming.Metadata.RecordedAt, .. more,
    ];
}
