using CapaEngine.EventLog.Access;
using Npgsql;
using NpgsqlTypes;

namespace CapaEngine.EventLog.Writing;

/// <summary>
/// The writer's own connections: one for what it has to know before it writes, one for the write, so that it can look
/// ahead while it writes.
/// </summary>
internal sealed class WriterTables(NpgsqlConnection connection, NpgsqlConnection writes) : IAsyncDisposable
{
    public async Task<long> LastPositionAsync(CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select coalesce(max(position), 0) from eventlog.events", connection);
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    public async Task<Dictionary<string, StreamLimits>> LimitsAsync(CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select stream, max_count, truncate_before, max_age_seconds, acl from eventlog.stream_limits", connection);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var limits = new Dictionary<string, StreamLimits>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct))
        {
            var access = await rows.IsDBNullAsync(4, ct) ? null : AccessList.Parse(rows.GetString(4));
            limits.Add(rows.GetString(0), new StreamLimits(Number(rows, 1), Number(rows, 2), Number(rows, 3), access));
        }

        return limits;
    }

    /// <summary>What the last event of the settings stream says; deleting the stream does not unsay it.</summary>
    public async Task<AccessDefaults> AccessDefaultsAsync(CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select data from eventlog.events where stream = $1 and type <> $2 order by revision desc limit 1
            """, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = SystemNames.Settings });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = SystemNames.TombstoneType });
        return await command.ExecuteScalarAsync(ct) is byte[] data
            ? AccessDefaults.Parse(data)
            : AccessDefaults.OfProtocol;
    }

    /// <summary>The heads of streams; a stream without events is not in the answer.</summary>
    public async Task<List<(string Stream, StreamHead Head)>> HeadsAsync(string[] streams, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select wanted.stream, last.revision, last.position, last.event_id
            from unnest($1) as wanted (stream)
            cross join lateral (
              select revision, position, event_id from eventlog.events
              where events.stream = wanted.stream
              order by revision desc limit 1) as last
            """, connection);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = streams });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var heads = new List<(string, StreamHead)>();
        while (await rows.ReadAsync(ct))
        {
            var head = StreamHead.At(rows.GetInt64(1), rows.GetInt64(2), rows.GetGuid(3));
            heads.Add((rows.GetString(0), head));
        }

        return heads;
    }

    /// <summary>Ids and positions of the events of a stream between two revisions, in order.</summary>
    public Task<List<(Guid Id, long Revision, long Position)>> IdsAsync(
        string stream, long first, long last, CancellationToken ct) => PlacesAsync(
        """
        select event_id, revision, position from eventlog.events
        where stream = $1 and revision between $2 and $3
        order by revision
        """, stream, [first, last], ct);

    /// <summary>Ids and positions of the last events of a stream, oldest first.</summary>
    public Task<List<(Guid Id, long Revision, long Position)>> RecentIdsAsync(string stream, CancellationToken ct) =>
        PlacesAsync(
            """
            select event_id, revision, position from (
              select event_id, revision, position from eventlog.events
              where stream = $1
              order by revision desc limit $2) as recent
            order by revision
            """, stream, [RecentIds.CountMax], ct);

    /// <summary>The body of the event at a revision of a stream; empty if there is none.</summary>
    public async Task<ReadOnlyMemory<byte>> DataAsync(string stream, long revision, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select data from eventlog.events where stream = $1 and revision = $2", connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = stream });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = revision });
        return await command.ExecuteScalarAsync(ct) as byte[] ?? [];
    }

    /// <summary>
    /// Writes events and limits in one transaction and one round trip. False if another writer has a later epoch;
    /// then nothing was written. The row lock on the epoch makes a later writer wait for this transaction to end.
    /// </summary>
    public async Task<bool> WriteAsync(
        long epoch, IReadOnlyList<LogEvent> events, IReadOnlyDictionary<string, StreamLimits> limits,
        CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(writes);
        batch.BatchCommands.Add(Insert(epoch, events));
        foreach (var (stream, limit) in limits)
        {
            batch.BatchCommands.Add(Upsert(epoch, stream, limit));
        }

        await batch.ExecuteNonQueryAsync(ct);
        return batch.BatchCommands[0].Rows == (ulong)events.Count;
    }

    public async ValueTask DisposeAsync()
    {
        await connection.DisposeAsync();
        await writes.DisposeAsync();
    }

    private async Task<List<(Guid Id, long Revision, long Position)>> PlacesAsync(
        string sql, string stream, long[] numbers, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = stream });
        foreach (var number in numbers)
        {
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = number });
        }

        await using var rows = await command.ExecuteReaderAsync(ct);
        var places = new List<(Guid, long, long)>();
        while (await rows.ReadAsync(ct))
        {
            places.Add((rows.GetGuid(0), rows.GetInt64(1), rows.GetInt64(2)));
        }

        return places;
    }

    private static long? Number(NpgsqlDataReader rows, int column) =>
        rows.IsDBNull(column) ? null : rows.GetInt64(column);

    private static NpgsqlBatchCommand Insert(long epoch, IReadOnlyList<LogEvent> events)
    {
        var command = new NpgsqlBatchCommand(
            """
            with fence as (select 1 from eventlog.epoch where epoch = $1 for share)
            insert into eventlog.events
              (position, stream, revision, event_id, type, is_json, created, data, metadata)
            select e.* from fence, unnest($2, $3, $4, $5, $6, $7, $8, $9, $10) as e
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = epoch });
        command.Parameters.Add(Column(events, NpgsqlDbType.Bigint, e => e.Position));
        command.Parameters.Add(Column(events, NpgsqlDbType.Text, e => e.Stream));
        command.Parameters.Add(Column(events, NpgsqlDbType.Bigint, e => e.Revision));
        command.Parameters.Add(Column(events, NpgsqlDbType.Uuid, e => e.Id));
        command.Parameters.Add(Column(events, NpgsqlDbType.Text, e => e.Type));
        command.Parameters.Add(Column(events, NpgsqlDbType.Boolean, e => e.IsJson));
        command.Parameters.Add(Column(events, NpgsqlDbType.TimestampTz, e => e.Created));
        command.Parameters.Add(Column(events, NpgsqlDbType.Bytea, e => e.Data));
        command.Parameters.Add(Column(events, NpgsqlDbType.Bytea, e => e.Metadata));
        return command;
    }

    private static NpgsqlBatchCommand Upsert(long epoch, string stream, StreamLimits limits) => new(
        """
        insert into eventlog.stream_limits (stream, max_count, truncate_before, max_age_seconds, acl)
        select $2, $3, $4, $5, $6 from eventlog.epoch where epoch = $1
        on conflict (stream) do update set
          max_count = excluded.max_count,
          truncate_before = excluded.truncate_before,
          max_age_seconds = excluded.max_age_seconds,
          acl = excluded.acl
        """)
    {
        Parameters =
        {
            new NpgsqlParameter<long> { TypedValue = epoch },
            new NpgsqlParameter<string> { TypedValue = stream },
            Nullable(limits.MaxCount),
            Nullable(limits.TruncateBefore),
            Nullable(limits.MaxAgeSeconds),
            new NpgsqlParameter
            {
                NpgsqlDbType = NpgsqlDbType.Json,
                Value = limits.Access is { } access ? access.ToJson() : DBNull.Value,
            },
        },
    };

    private static NpgsqlParameter Nullable(long? value) =>
        new() { NpgsqlDbType = NpgsqlDbType.Bigint, Value = value is { } number ? number : DBNull.Value };

    private static NpgsqlParameter<T[]> Column<T>(
        IReadOnlyList<LogEvent> events, NpgsqlDbType type, Func<LogEvent, T> value)
    {
        var column = new T[events.Count];
        for (var i = 0; i < column.Length; i++)
        {
            column[i] = value(events[i]);
        }

        return new NpgsqlParameter<T[]> { NpgsqlDbType = NpgsqlDbType.Array | type, TypedValue = column };
    }
}
