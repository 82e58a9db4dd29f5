using Npgsql;

namespace CapaEngine.EventLog.Reading;

/// <summary>A part of the log that was read: the events that pass, and how far all events were considered.</summary>
internal sealed record Page(IReadOnlyList<LogEvent> Events, long Considered);

/// <summary>
/// Reads the table in pages that are bounded in rows and in bytes, so that neither a large event nor a slow client
/// costs more memory than one page, and no connection is held while a client takes its time.
/// </summary>
internal sealed class EventTable(NpgsqlDataSource database)
{
    public const int PageMax = 1_000;
    private const long PageBytesMax = 4 * 1024 * 1024;

    private const string Columns = "position, stream, revision, event_id, type, is_json, created, data, metadata";

    // The sizes are known without reading the bodies, and the first event passes whatever its size.
    private const string Sized = $"""
        {Columns}, count(*) over () as found,
          coalesce(sum(octet_length(data) + octet_length(metadata)) over (
            order by {OrderKey} rows between unbounded preceding and 1 preceding), 0) as bytes_before
        """;

    private const string OrderKey = "{order}";
    private const string StreamFilter = "(cardinality($4) = 0 or stream ^@ any ($4))";
    private const string TypeFilter = "(cardinality($5) = 0 or type ^@ any ($5))";

    /// <summary>Forwards after a position, up to another one.</summary>
    public async Task<Page> AfterAsync(
        long after, long through, long countMax, EventFilter filter, CancellationToken ct)
    {
        var end = Math.Min(through, after + PageMax);
        var (events, complete) = await AllAsync(after + 1, end, "position", countMax, filter, ct);
        return new Page(Passing(events, filter), complete ? end : events[^1].Position);
    }

    /// <summary>Backwards before a position.</summary>
    public async Task<Page> BeforeAsync(long before, long countMax, EventFilter filter, CancellationToken ct)
    {
        var begin = Math.Max(1, before - PageMax);
        var (events, complete) = await AllAsync(begin, before - 1, "position desc", countMax, filter, ct);
        return new Page(Passing(events, filter), complete ? begin : events[^1].Position);
    }

    /// <summary>The last event of a stream; null if it has none.</summary>
    public async Task<LogEvent?> LastOfAsync(string stream, CancellationToken ct)
    {
        var (events, _) = await StreamAsync(stream, 0, long.MaxValue, "revision desc", 1, default, ct);
        return events.Count == 0 ? null : events[0];
    }

    /// <summary>Events of a stream between two revisions.</summary>
    /// <param name="createdSince">Older events are not seen.</param>
    public async Task<IReadOnlyList<LogEvent>> OfStreamAsync(
        string stream, long first, long last, bool backwards, long countMax, DateTime createdSince,
        CancellationToken ct)
    {
        var order = backwards ? "revision desc" : "revision";
        var (events, _) = await StreamAsync(stream, first, last, order, countMax, createdSince, ct);
        return events;
    }

    private static List<LogEvent> Passing(List<LogEvent> events, EventFilter filter) =>
        events.TrueForAll(filter.Passes) ? events : events.FindAll(filter.Passes);

    private Task<(List<LogEvent> Events, bool Complete)> AllAsync(
        long first, long last, string order, long countMax, EventFilter filter, CancellationToken ct) => ReadAsync(
        $"position between $1 and $2 and {StreamFilter} and {TypeFilter}", order,
        [
            new NpgsqlParameter<long> { TypedValue = first },
            new NpgsqlParameter<long> { TypedValue = last },
            new NpgsqlParameter<long> { TypedValue = Math.Min(countMax, PageMax) },
            new NpgsqlParameter<string[]> { TypedValue = [.. filter.StreamPrefixes] },
            new NpgsqlParameter<string[]> { TypedValue = [.. filter.TypePrefixes] },
        ],
        ct);

    private Task<(List<LogEvent> Events, bool Complete)> StreamAsync(
        string stream, long first, long last, string order, long countMax, DateTime createdSince,
        CancellationToken ct) => ReadAsync(
        "stream = $4 and revision between $1 and $2 and created >= $5", order,
        [
            new NpgsqlParameter<long> { TypedValue = first },
            new NpgsqlParameter<long> { TypedValue = last },
            new NpgsqlParameter<long> { TypedValue = Math.Min(countMax, PageMax) },
            new NpgsqlParameter<string> { TypedValue = stream },
            new NpgsqlParameter<DateTime> { TypedValue = DateTime.SpecifyKind(createdSince, DateTimeKind.Utc) },
        ],
        ct);

    private async Task<(List<LogEvent> Events, bool Complete)> ReadAsync(
        string condition, string order, NpgsqlParameter[] parameters, CancellationToken ct)
    {
        await using var command = database.CreateCommand(
            $"""
            select {Columns}, found from (
              select {Sized.Replace(OrderKey, order, StringComparison.Ordinal)}
              from (select {Columns} from eventlog.events where {condition} order by {order} limit $3) as page
            ) as sized
            where bytes_before < {PageBytesMax}
            order by {order}
            """);
        command.Parameters.AddRange(parameters);
        await using var rows = await command.ExecuteReaderAsync(ct);
        var events = new List<LogEvent>();
        var found = 0L;
        while (await rows.ReadAsync(ct))
        {
            events.Add(new LogEvent(
                rows.GetInt64(0), rows.GetString(1), rows.GetInt64(2), rows.GetGuid(3), rows.GetString(4),
                rows.GetBoolean(5), rows.GetDateTime(6), (byte[])rows[7], (byte[])rows[8]));
            found = rows.GetInt64(9);
        }

        var limit = ((NpgsqlParameter<long>)parameters[2]).TypedValue;
        return (events, events.Count == found && found < limit);
    }
}
