using System.Diagnostics;
using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace CapaEngine.Benchmarks;

/// <summary>
/// What the database alone does with the same rows on the same disk: the limit beside which the log is measured. The
/// table is a copy of the log's, with its keys; one connection writes, as in the log.
/// </summary>
internal sealed class RawPostgres(string database) : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(database);

    /// <summary>Creates the copy of the log's table. The log must have created its own.</summary>
    public async Task PrepareAsync(CancellationToken ct)
    {
        await using var create = _source.CreateCommand(
            """
            drop table if exists raw_events;
            create table raw_events (like eventlog.events including all);
            """);
        await create.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Rows per second when groups of rows are inserted and committed, one group after the other.</summary>
    public async Task<double> GroupedInsertAsync(int groupRows, Sample sample, TimeSpan duration, CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct);
        await using var truncate = new NpgsqlCommand("truncate raw_events", connection);
        await truncate.ExecuteNonQueryAsync(ct);
        await using var insert = new NpgsqlCommand(
            """
            insert into raw_events (position, stream, revision, event_id, type, is_json, created, data, metadata)
            select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """, connection);
        var started = Stopwatch.GetTimestamp();
        var rows = 0L;
        while (Stopwatch.GetElapsedTime(started) < duration)
        {
            Fill(insert, rows, groupRows, sample);
            if (rows == 0)
            {
                await insert.PrepareAsync(ct);
            }

            rows += await insert.ExecuteNonQueryAsync(ct);
        }

        return rows / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Rows per second when the log's own table is copied out, in order, in binary, and thrown away.</summary>
    public async Task<double> CopyOutAsync(CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct);
        await using var count = new NpgsqlCommand("select count(*) from eventlog.events", connection);
        var rows = (long)(await count.ExecuteScalarAsync(ct))!;
        var buffer = new byte[64 * 1024];
        var started = Stopwatch.GetTimestamp();
        await using var copy = await connection.BeginRawBinaryCopyAsync(
            """
            copy (select position, stream, revision, event_id, type, is_json, created, data, metadata
                  from eventlog.events order by position) to stdout (format binary)
            """, ct);
        while (await copy.ReadAsync(buffer, ct) > 0)
        {
        }

        return rows / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Makes the planner know the size of the log, as it does on a system that has run for a while.</summary>
    public async Task AnalyzeAsync(CancellationToken ct)
    {
        await using var analyze = _source.CreateCommand("vacuum analyze eventlog.events");
        await analyze.ExecuteNonQueryAsync(ct);
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private static void Fill(NpgsqlCommand insert, long first, int count, Sample sample)
    {
        var created = DateTime.UtcNow;
        var numbers = Enumerable.Range(0, count).Select(n => first + n).ToArray();
        insert.Parameters.Clear();
        Add(insert, NpgsqlDbType.Bigint, numbers);
        Add(insert, NpgsqlDbType.Text, Array.ConvertAll(
            numbers, n => $"raw-{Guid.NewGuid()}"));
        Add(insert, NpgsqlDbType.Bigint, new long[count]);
        Add(insert, NpgsqlDbType.Uuid, Array.ConvertAll(numbers, _ => Guid.NewGuid()));
        Add(insert, NpgsqlDbType.Text, Array.ConvertAll(numbers, _ => Sample.Type));
        Add(insert, NpgsqlDbType.Boolean, Array.ConvertAll(numbers, _ => true));
        Add(insert, NpgsqlDbType.TimestampTz, Array.ConvertAll(numbers, _ => created));
        Add(insert, NpgsqlDbType.Bytea, Array.ConvertAll(numbers, _ => sample.Data));
        Add(insert, NpgsqlDbType.Bytea, Array.ConvertAll(numbers, _ => sample.Metadata));
    }

    private static void Add<T>(NpgsqlCommand insert, NpgsqlDbType type, T[] column) => insert.Parameters.Add(
        new NpgsqlParameter<T[]> { NpgsqlDbType = NpgsqlDbType.Array | type, TypedValue = column });
}
