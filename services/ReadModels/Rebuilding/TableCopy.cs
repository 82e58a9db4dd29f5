using System.Globalization;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Npgsql;

namespace CapaEngine.ReadModels.Rebuilding;

/// <summary>How far a copy has come, as the database knows it.</summary>
/// <param name="Epoch">Counts who has taken the work up.</param>
/// <param name="Composition">The models it holds, with their versions.</param>
/// <param name="Position">The log position through which it has the rows.</param>
public sealed record CopyState(
    string Target, long Epoch, string Composition, string Phase, long Position, long EventCount);

/// <summary>Another process makes a copy in the same place.</summary>
public sealed class CopyInProgressException(string target)
    : Exception($"Another process is at work on the tables in {target}.");

/// <summary>Somebody else has taken the copy up; what this process believes of it is no longer true.</summary>
public sealed class CopyLostException(string target)
    : Exception($"Another process has taken up the tables in {target}.");

/// <summary>
/// A second set of tables that is filled from the log. Rows and the position that they lead to are written in one
/// transaction, so that whoever takes the work up after a crash goes on where it ended. One process works on it at a
/// time: the one whose session holds the lock, and should a session live on that was given up for lost, the one of the
/// latest epoch.
/// </summary>
internal sealed class TableCopy : IAsyncDisposable
{
    private const string Parked = "parked_stream";
    private const long LockOfNext = 0x43415041_00000002;
    private const long LockOfCheck = 0x43415041_00000003;

    private readonly NpgsqlConnection _connection;
    private readonly IEventStore _store;
    private readonly CopyWriter _writer;
    private readonly PipelineOptions _options;

    private TableCopy(
        NpgsqlConnection connection, IEventStore store, CopyWriter writer, PipelineOptions options, CopyState state,
        IReadOnlyList<string> tables)
    {
        (_connection, _store, _writer, _options) = (connection, store, writer, options);
        (State, Tables) = (state, tables);
    }

    /// <summary>How far it has come.</summary>
    public CopyState State { get; private set; }

    /// <summary>The tables it holds, partitions among them, parents first.</summary>
    public IReadOnlyList<string> Tables { get; }

    /// <summary>The session that holds the lock and writes.</summary>
    public NpgsqlConnection Connection => _connection;

    /// <summary>
    /// Takes up the copy of these models, or begins it. Throws <see cref="CopyInProgressException"/> where another
    /// process is at work on it.
    /// </summary>
    /// <param name="anew">Whether what an interrupted run left is of no use.</param>
    public static async Task<TableCopy> OpenAsync(
        NpgsqlDataSource database, IEventStore store, IReadOnlyList<IReadModel> models, string target,
        PipelineOptions options, CancellationToken ct, bool anew = false)
    {
        var connection = await database.OpenConnectionAsync(ct);
        try
        {
            var locked = await connection.ValuesAsync<bool>(
                new SqlStatement("select pg_try_advisory_lock($1)", LockOf(target)), ct);
            if (!locked[0]) throw new CopyInProgressException(target);
            var tables = await TableShapes.NamesAsync(connection, models.SelectMany(model => model.Tables), ct);
            var state = await TakeUpAsync(connection, models, tables, target, anew, ct);
            var writer = new CopyWriter(models, target, [.. tables, Parked], options.PartitionCount);
            await writer.LoadParkedAsync(connection, ct);
            return new TableCopy(connection, store, writer, options, state, tables);
        }
        catch
        {
            await LeaveAsync(connection, target);
            throw;
        }
    }

    /// <summary>Reads from the log what is missing, in transactions of their own; how many events.</summary>
    public Task<long> CatchUpAsync(Action<CopyState>? told, CancellationToken ct) =>
        CatchUpAsync(ulong.MaxValue, wanted: null, told, ct);

    /// <summary>Reads what is missing up to a position, but for the events that are not wanted.</summary>
    public async Task<long> CatchUpAsync(
        ulong through, Func<IncomingEvent, bool>? wanted, Action<CopyState>? told, CancellationToken ct)
    {
        var before = State.EventCount;
        await foreach (var chunk in ReadOnAsync(through, ct))
        {
            await using var transaction = await _connection.BeginTransactionAsync(ct);
            // What a crash of the database takes is read again: the rows and the position are lost together.
            await _connection.ExecuteAsync(new SqlStatement("set local synchronous_commit = off"), ct);
            await WriteAsync(transaction, wanted is null ? chunk : chunk.Only(wanted), ct);
            await transaction.CommitAsync(ct);
            told?.Invoke(State);
        }

        return State.EventCount - before;
    }

    /// <summary>What is missing up to a position, or to the end of the log where that is nearer.</summary>
    public IAsyncEnumerable<LogChunk> ReadOnAsync(ulong through, CancellationToken ct) => LogChunks.ReadAsync(
        _store, (ulong)State.Position, through, _writer.Families, _options.CatchUpEventsMax, ct);

    /// <summary>Writes a chunk in the caller's transaction.</summary>
    public async Task WriteAsync(NpgsqlTransaction transaction, LogChunk chunk, CancellationToken ct)
    {
        await MoveAsync(
            State with
            {
                Position = checked((long)chunk.Through), EventCount = State.EventCount + chunk.Events.Count,
            },
            ct);
        await _writer.WriteAsync(_connection, transaction, chunk.Events, ct);
    }

    /// <summary>Notes the phase, in the caller's transaction where there is one.</summary>
    public Task EnterAsync(string phase, CancellationToken ct) => MoveAsync(State with { Phase = phase }, ct);

    /// <summary>Reads again how far it has come, after a transaction was rolled back.</summary>
    public async Task ReloadAsync(CancellationToken ct)
    {
        var epoch = State.Epoch;
        State = await LoadAsync(_connection, State.Target, ct) is { } stored && stored.Epoch == epoch
            ? stored : throw new CopyLostException(State.Target);
        await _writer.LoadParkedAsync(_connection, ct);
    }

    /// <summary>Gathers the statistics without which the first queries would be planned blindly.</summary>
    public async Task AnalyzeAsync(CancellationToken ct)
    {
        foreach (var table in Tables)
            await _connection.ExecuteAsync(new SqlStatement($"analyze {State.Target}.{table}"), ct);
    }

    /// <summary>Removes what was copied.</summary>
    public async Task DiscardAsync(CancellationToken ct)
    {
        await TableShapes.DropAsync(_connection, State.Target, ct);
        await EnterAsync(CopyPhases.Done, ct);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await LeaveAsync(_connection, State.Target);

    /// <summary>Whether the tables still have the shape of the live ones, which a migration may have changed.</summary>
    public static async Task<bool> IsLikeTheLiveTablesAsync(
        NpgsqlConnection connection, IReadOnlyList<string> tables, string target, CancellationToken ct)
    {
        List<string> compared = [.. tables, Parked];
        var live = await TableShapes.DescribeAsync(connection, compared, CopySchemas.Live, ct);
        return live.SequenceEqual(await TableShapes.DescribeAsync(connection, compared, target, ct));
    }

    private static async Task<CopyState> TakeUpAsync(
        NpgsqlConnection connection, IReadOnlyList<IReadModel> models, List<string> tables, string target,
        bool anew, CancellationToken ct)
    {
        var composition = CompositionOf(models);
        var stored = await LoadAsync(connection, target, ct);
        var goesOn = !anew && stored is not null && stored.Phase != CopyPhases.Done && stored.Composition == composition
            && await IsLikeTheLiveTablesAsync(connection, tables, target, ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (!goesOn)
        {
            await TableShapes.DropAsync(connection, target, ct);
            await TableShapes.CreateAsync(
                connection, models.SelectMany(model => model.Tables).Append(Parked), target, ct);
        }

        var taken = await connection.QueryAsync<CopyState>(new SqlStatement($"""
            insert into read_models.table_copy (target, epoch, composition, phase, position, event_count)
            values ($1, 1, $2, $3, 0, 0)
            on conflict (target) do update set epoch = table_copy.epoch + 1, composition = excluded.composition,
              phase = excluded.phase, updated_at = now(),
              position = case when $4 then table_copy.position else 0 end,
              event_count = case when $4 then table_copy.event_count else 0 end,
              begun_at = case when $4 then table_copy.begun_at else now() end
            returning {Rows.ColumnsOf<CopyState>()}
            """, target, composition, CopyPhases.Copying, goesOn), ct);
        await transaction.CommitAsync(ct);
        return taken.Single();
    }

    private static async Task<CopyState?> LoadAsync(
        NpgsqlConnection connection, string target, CancellationToken ct) =>
        (await connection.QueryAsync<CopyState>(new SqlStatement(
            $"select {Rows.ColumnsOf<CopyState>()} from read_models.table_copy where target = $1", target), ct))
        .SingleOrDefault();

    private async Task MoveAsync(CopyState next, CancellationToken ct)
    {
        var moved = await _connection.ExecuteAsync(new SqlStatement("""
            update read_models.table_copy set phase = $3, position = $4, event_count = $5, updated_at = now()
            where target = $1 and epoch = $2
            """, State.Target, State.Epoch, next.Phase, next.Position, next.EventCount), ct);
        if (moved != 1) throw new CopyLostException(State.Target);
        State = next;
    }

    private static string CompositionOf(IReadOnlyList<IReadModel> models) => string.Join(' ', models
        .Select(model => string.Create(CultureInfo.InvariantCulture, $"{model.Name}@{model.Version}"))
        .Order(StringComparer.Ordinal));

    private static long LockOf(string target) => target switch
    {
        CopySchemas.Next => LockOfNext,
        CopySchemas.Check => LockOfCheck,
        _ => throw new ArgumentOutOfRangeException(nameof(target)),
    };

    // The session goes back to the pool and would keep its lock there.
    private static async Task LeaveAsync(NpgsqlConnection connection, string target)
    {
        await using (connection)
        {
            if (connection.FullState != System.Data.ConnectionState.Open) return;
            await connection.ExecuteAsync(
                new SqlStatement("select pg_advisory_unlock($1)", LockOf(target)), CancellationToken.None);
        }
    }
}

/// <summary>What happens to a copy, as it is stored and shown.</summary>
public static class CopyPhases
{
    /// <summary>It takes in the log, or what came meanwhile.</summary>
    public const string Copying = "copying";

    /// <summary>Its statistics are gathered.</summary>
    public const string Analyzing = "analyzing";

    /// <summary>It is compared with the live tables.</summary>
    public const string Comparing = "comparing";

    /// <summary>Nothing is left to do.</summary>
    public const string Done = "done";
}
