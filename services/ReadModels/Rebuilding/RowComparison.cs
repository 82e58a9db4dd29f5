using Npgsql;

namespace CapaEngine.ReadModels.Rebuilding;

/// <summary>How many rows a table has, live and rebuilt, and whether they are the same.</summary>
public sealed record TableTally(string Table, long Live, long Rebuilt, bool IsSame);

/// <summary>The first row, by its key, that is not what the log says.</summary>
/// <param name="Column">Null where one of the two has no such row.</param>
public sealed record RowDifference(string Table, string Key, string? Column, string? Live, string? Rebuilt);

/// <summary>
/// Compares live tables with rebuilt ones in one snapshot: by the sum of the rows' hashes, and row by row only where
/// the sums differ. The wall clock is outside, and so is what the database derives from other columns.
/// </summary>
internal sealed class RowComparison(NpgsqlConnection connection)
{
    private const string Present = "present", Missing = "missing";

    /// <summary>Counts the rows of a table and compares their hashes.</summary>
    public async Task<TableTally> CountAsync(string table, CancellationToken ct)
    {
        var row = RowOf("t", await ColumnsAsync(table, ct));
        return (await connection.QueryAsync<TableTally>(new SqlStatement($"""
            select $1::text, live.count, rebuilt.count, live.hashes = rebuilt.hashes and live.count = rebuilt.count
            from ({Sum(CopySchemas.Live)}) live cross join ({Sum(CopySchemas.Check)}) rebuilt
            """, table), ct)).Single();

        string Sum(string schema) => $"""
            select count(*), coalesce(sum(hashtextextended({row}::text, 0)::numeric), 0) as hashes
            from {schema}.{table} t
            """;
    }

    /// <summary>The first difference of a table; null where there is none.</summary>
    public async Task<RowDifference?> FirstDifferenceAsync(string table, CancellationToken ct)
    {
        var (columns, keys) = (await ColumnsAsync(table, ct), await KeysAsync(table, ct));
        var both = string.Join(" and ", keys.Select(key => $"live.{key} = rebuilt.{key}"));
        var either = keys.Select(key => $"coalesce(live.{key}, rebuilt.{key})").ToList();
        var text = $"""
            select concat_ws(' ', {string.Join(", ", either)}), live.{keys[0]} is not null, {TextOf("live", columns)},
              rebuilt.{keys[0]} is not null, {TextOf("rebuilt", columns)}
            from {CopySchemas.Live}.{table} live full join {CopySchemas.Check}.{table} rebuilt on {both}
            where live.{keys[0]} is null or rebuilt.{keys[0]} is null
              or {RowOf("live", columns)}::text <> {RowOf("rebuilt", columns)}::text
            order by {string.Join(", ", either)} limit 1
            """;
        await using var command = new NpgsqlCommand(text, connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct)) return null;
        var key = reader.GetString(0);
        if (!reader.GetBoolean(1)) return new RowDifference(table, key, null, Missing, Present);
        if (!reader.GetBoolean(3)) return new RowDifference(table, key, null, Present, Missing);
        var (live, rebuilt) = (
            await reader.GetFieldValueAsync<string?[]>(2, ct), await reader.GetFieldValueAsync<string?[]>(4, ct));
        var at = Enumerable.Range(0, columns.Count).First(column => live[column] != rebuilt[column]);
        return new RowDifference(table, key, columns[at], live[at], rebuilt[at]);
    }

    private Task<List<string>> ColumnsAsync(string table, CancellationToken ct) =>
        connection.ValuesAsync<string>(new SqlStatement("""
            select quote_ident(attname) from pg_attribute
            where attrelid = ('read_models.' || $1)::regclass and attnum > 0 and not attisdropped
              and attgenerated = '' and attname <> 'updated_at'
            order by attnum
            """, table), ct);

    private Task<List<string>> KeysAsync(string table, CancellationToken ct) =>
        connection.ValuesAsync<string>(new SqlStatement("""
            select quote_ident(a.attname) from pg_index i
            cross join lateral unnest(i.indkey::smallint[]) with ordinality as part (attnum, place)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = part.attnum
            where i.indrelid = ('read_models.' || $1)::regclass and i.indisprimary
            order by part.place
            """, table), ct);

    private static string RowOf(string alias, List<string> columns) =>
        $"row({string.Join(", ", columns.Select(column => $"{alias}.{column}"))})";

    private static string TextOf(string alias, List<string> columns) =>
        $"array[{string.Join(", ", columns.Select(column => $"{alias}.{column}::text"))}]";
}
