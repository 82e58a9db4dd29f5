using Npgsql;

namespace CapaEngine.EventLog.Reading;

/// <summary>A part of the log that was read: the events that pass, and how far all events were considered.</summary>
/// <param name="IsRecent">Whether it came from memory: only who keeps up reads there.</param>
internal sealed record Page(IReadOnlyList<LogEvent> Events, long Considered, bool IsRecent = false);

/// <summary>
/// Reads the table in pages that are bounded in rows and in bytes, so that neither a large event nor a slow client
/// costs more memory than one page, and no connection is held while a client takes its time.
/// </summary>
internal sealed class EventTable(NpgsqlDataSource database)
{
    public const int PageMax = 1_000;
    private const int PageMin = 8;
    private const long PageBytesMax = 4 * 1024 * 1024;

    private const string Columns = "position, stream, revision, event_id, type, is_json, created, data, metadata";

    private int _pageRows = PageMax;

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

    /// <summary>Those of the events that pass; most often all do.</summary>
    public static IReadOnlyList<LogEvent> Passing(IReadOnlyList<LogEvent> events, EventFilter filter) =>
        events.All(filter.Passes) ? events : [.. events.Where(filter.Passes)];

    private Task<(List<LogEvent> Events, bool Complete)> AllAsync(
        long first, long last, string order, long countMax, EventFilter filter, CancellationToken ct)
    {
        var condition = "position between $1 and $2";
        var parameters = Bounds(first, last, countMax);
        foreach (var (column, prefixes) in filter.Prefixes)
        {
            condition += $" and {column} ^@ any ($4)";
            parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. prefixes] });
        }

        return ReadAsync(condition, order, parameters, ct);
    }

    private Task<(List<LogEvent> Events, bool Complete)> StreamAsync(
        string stream, long first, long last, string order, long countMax, DateTime createdSince,
        CancellationToken ct) => ReadAsync(
        "stream = $4 and revision between $1 and $2 and created >= $5", order,
        [
            .. Bounds(first, last, countMax),
            new NpgsqlParameter<string> { TypedValue = stream },
            new NpgsqlParameter<DateTime> { TypedValue = DateTime.SpecifyKind(createdSince, DateTimeKind.Utc) },
        ],
        ct);

    private List<NpgsqlParameter> Bounds(long first, long last, long countMax) =>
    [
        new NpgsqlParameter<long> { TypedValue = first },
        new NpgsqlParameter<long> { TypedValue = last },
        new NpgsqlParameter<long> { TypedValue = Math.Min(countMax, Volatile.Read(ref _pageRows)) },
    ];

    /// <summary>What is found up to the bounds of a page; complete if no bound cut it.</summary>
    private async Task<(List<LogEvent> Events, bool Complete)> ReadAsync(
        string condition, string order, List<NpgsqlParameter> parameters, CancellationToken ct)
    {
        await using var command = database.CreateCommand(
            $"select {Columns} from eventlog.events where {condition} order by {order} limit $3");
        parameters.ForEach(parameter => command.Parameters.Add(parameter));
        await using var rows = await command.ExecuteReaderAsync(ct);
        var (events, bytes) = (new List<LogEvent>(), 0L);
        while (await rows.ReadAsync(ct))
        {
            var read = new LogEvent(
                rows.GetInt64(0), rows.GetString(1), rows.GetInt64(2), rows.GetGuid(3), rows.GetString(4),
                rows.GetBoolean(5), rows.GetDateTime(6), (byte[])rows[7], (byte[])rows[8]);
            events.Add(read);
            bytes += read.Bytes;
            if (bytes >= PageBytesMax)
            {
                break;
            }
        }

        if (events.Count > 0)
        {
            // What a page leaves unread was fetched in vain, so the next one asks for as many as should fit.
            Volatile.Write(ref _pageRows, (int)Math.Clamp(PageBytesMax * events.Count / (bytes + 1), PageMin, PageMax));
        }

        var limit = ((NpgsqlParameter<long>)parameters[2]).TypedValue;
        return (events, bytes < PageBytesMax && events.Count < limit);
    }
}
