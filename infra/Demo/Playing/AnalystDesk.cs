using System.Globalization;
using Npgsql;

namespace CapaEngine.Demo.Playing;

/// <summary>A question in SQL and what it answers.</summary>
public sealed record SqlQuestion(string About, string Sql)
{
    /// <summary>The question as an argument of a command line.</summary>
    public string OnOneLine() => string.Join(' ', Sql.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}

/// <summary>The read models as the analyst queries them.</summary>
public sealed class AnalystDesk(NpgsqlDataSource database)
{
    /// <summary>How many deviations and production reports of a source have become rows.</summary>
    public async Task<long> RowCountAsync(string source, CancellationToken ct)
    {
        await using var command = database.CreateCommand("""
            select (select count(*) from reporting.deviation where source = $1)
              + (select count(*) from reporting.production where source = $1)
            """);
        command.Parameters.AddWithValue(source);
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>The rows of a query with positional parameters.</summary>
    public async Task<List<T>> ListAsync<T>(
        string sql, Func<NpgsqlDataReader, T> row, CancellationToken ct, params IReadOnlyList<object> values)
    {
        await using var command = database.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await using var reader = await command.ExecuteReaderAsync(ct);
        List<T> rows = [];
        while (await reader.ReadAsync(ct)) rows.Add(row(reader));
        return rows;
    }

    /// <summary>The answer as lines of a table, its header first.</summary>
    public async Task<IReadOnlyList<string>> AskAsync(SqlQuestion question, CancellationToken ct)
    {
        await using var command = database.CreateCommand(question.Sql);
        await using var reader = await command.ExecuteReaderAsync(ct);
        List<string[]> rows = [[.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)]];
        while (await reader.ReadAsync(ct))
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(column => Text(reader.GetValue(column)))]);
        return Align(rows);
    }

    /// <summary>The rows with their columns below each other.</summary>
    public static IReadOnlyList<string> Align(IReadOnlyList<string[]> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToList();
        return [.. rows.Select(row =>
            string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd())];
    }

    private static string Text(object value) => value switch
    {
        DBNull => "",
        DateTime time => time.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
        bool flag => flag ? "yes" : "no",
        double number => number.ToString(
            Math.Abs(number) is 0 or >= 0.001 ? "0.####" : "G3", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
