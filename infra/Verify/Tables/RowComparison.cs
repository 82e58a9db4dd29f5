using CapaEngine.Kernel;
using Npgsql;

namespace CapaEngine.Verify.Tables;

/// <summary>Compares the rows of one table with what the log says they must be.</summary>
/// <param name="waiting">The streams that the projector has set aside, which are told elsewhere.</param>
/// <param name="round">The number of this inspection.</param>
internal sealed class RowComparison(
    IEventStore store, Inspection inspection, IReadOnlySet<string> waiting, int round)
{
    private const string MissingCheck = "row-missing", ExtraCheck = "row-extra", RevisionCheck = "row-revision";
    private const string ContentCheck = "row-content";

    /// <summary>Reads the table's rows once and notes every difference.</summary>
    public async Task CompareAsync(TableFold table, NpgsqlConnection connection, CancellationToken ct)
    {
        var different = new List<(Guid Id, FoldedRow Row, string?[] Texts)>();
        await using (var command = new NpgsqlCommand(
            $"select t.id, t.revision, t.position, {string.Join(", ", table.Columns.Select(column => column.Sql))} "
            + $"from {table.Source} t", connection))
        {
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                var id = reader.GetGuid(0);
                var texts = new string?[table.Columns.Count];
                for (var column = 0; column < texts.Length; column++)
                    texts[column] = Text.Of(reader.GetValue(column + 3));
                if (CompareRow(table, id, reader.GetInt64(1), (ulong)reader.GetInt64(2), texts) is { } row)
                    different.Add((id, row, texts));
            }
        }

        foreach (var (id, row, texts) in different) await ExplainAsync(table, id, row, texts, ct);
        TellMissing(table);
    }

    // The folded row where the contents differ, which takes another look at the log to explain.
    private FoldedRow? CompareRow(TableFold table, Guid id, long revision, ulong position, string?[] texts)
    {
        inspection.Examined(ExtraCheck, 1);
        if (!table.Rows.TryGetValue(id, out var row))
        {
            inspection.Found(ExtraCheck, Subject(table, id), "has a row, but no stream in the log");
            return null;
        }

        row.SeenIn = round;
        if (IsWaiting(table, id)) return null;
        inspection.Examined(RevisionCheck, 1);
        if (revision != row.Revision || position != row.Position)
        {
            inspection.Found(
                RevisionCheck, Subject(table, id),
                $"the row is of revision {revision} at {position}, {Standing(revision, row)}");
            return null;
        }

        inspection.Examined(ContentCheck, 1);
        return TableFold.Digest(texts.AsSpan(0, table.FixedCount)) == row.Digest
            && texts.AsSpan(table.FixedCount).SequenceEqual(row.Changing) ? null : row;
    }

    // A stream that goes on must not make a row that stands still look as if it moved.
    private static string Standing(long revision, FoldedRow row) => revision < row.Revision
        ? "the stream is further" : $"the stream ends with {row.Revision} at {row.Position}";

    private async Task ExplainAsync(TableFold table, Guid id, FoldedRow row, string?[] texts, CancellationToken ct)
    {
        var expected = new string?[table.Columns.Count];
        row.Changing.CopyTo(expected, table.FixedCount);
        texts.AsSpan(0, table.FixedCount).CopyTo(expected);
        await foreach (var recorded in store.ReadStreamAsync(table.Family.Stream(id), 0, 1, ct))
            if (LogFold.Read(table.Family, recorded, null) is { } first) table.FixedOf(first).CopyTo(expected, 0);
        if (texts.AsSpan().SequenceEqual(expected))
            inspection.Found(ContentCheck, Subject(table, id), "is not what the log said when it was read first");
        for (var column = 0; column < texts.Length; column++)
        {
            if (texts[column] != expected[column])
                inspection.Found(
                    ContentCheck, Subject(table, id),
                    $"{table.Columns[column].Name} is {Quoted(texts[column])}, by the log {Quoted(expected[column])}");
        }
    }

    private void TellMissing(TableFold table)
    {
        inspection.Examined(MissingCheck, table.Rows.Count);
        foreach (var (id, row) in table.Rows)
        {
            if (row.SeenIn != round && !IsWaiting(table, id))
                inspection.Found(MissingCheck, Subject(table, id), "has no row");
        }
    }

    private bool IsWaiting(TableFold table, Guid id) => waiting.Count > 0 && waiting.Contains(table.Family.Stream(id));

    private static string Subject(TableFold table, Guid id) => $"{table.Name} {id:D}";

    private static string Quoted(string? text) => text is null ? "null" : $"'{text}'";
}
