using CapaEngine.ReadModels.Rebuilding;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>How far a routing key has come.</summary>
/// <param name="Parking">Counts up whenever a stream of the key is parked or released.</param>
public sealed record Standing(string RoutingKey, long Position, long Parking)
{
    /// <summary>The log position up to which its events have their rows.</summary>
    public ulong Through => checked((ulong)Position);
}

/// <summary>
/// What the projector needs of a database: rows and positions that move in one transaction. Everything it decides
/// lies above this.
/// </summary>
public interface IReadModelTables
{
    /// <summary>How far each routing key has come.</summary>
    Task<IReadOnlyList<Standing>> LoadStandingsAsync(CancellationToken ct);

    /// <summary>How far a routing key has come; one that is not there begins at 0.</summary>
    Task<Standing> StandingAsync(string routingKey, CancellationToken ct);

    /// <summary>The streams that wait.</summary>
    Task<IReadOnlyList<ParkedStream>> LoadParkedAsync(CancellationToken ct);

    /// <summary>From which version of its projection the rows of each model come.</summary>
    Task<IReadOnlyDictionary<string, int>> LoadVersionsAsync(CancellationToken ct);

    /// <summary>
    /// Carries out the statements, moves the position and counts the streams that they park, all or nothing. False
    /// where the key does not stand as <paramref name="expected"/>: nothing is written then. Throws
    /// <see cref="RowsRefusedException"/> where a value cannot be stored.
    /// </summary>
    Task<bool> CommitAsync(
        Standing expected, ulong through, int parkingCount, IReadOnlyList<SqlStatement> statements,
        CancellationToken ct);

    /// <summary>Begins a transaction that will be rolled back.</summary>
    Task<IRehearsal> RehearseAsync(CancellationToken ct);
}

/// <summary>Statements are tried in it, one group after another; nothing of it stays.</summary>
public interface IRehearsal : IAsyncDisposable
{
    /// <summary>Why the database cannot store what the statements write; null where they took effect.</summary>
    Task<string?> WhyRefusedAsync(IEnumerable<SqlStatement> statements, CancellationToken ct);
}

/// <summary>The database refuses values themselves, which no repetition mends.</summary>
public sealed class RowsRefusedException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>The tables in PostgreSQL.</summary>
public sealed class PostgresTables(NpgsqlDataSource database) : IReadModelTables
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<Standing>> LoadStandingsAsync(CancellationToken ct) =>
        await database.QueryAsync<Standing>(
            new SqlStatement($"select {Rows.ColumnsOf<Standing>()} from read_models.follower_position"), ct);

    /// <inheritdoc/>
    public async Task<Standing> StandingAsync(string routingKey, CancellationToken ct) =>
        (await database.FindAsync<Standing>(new SqlStatement($"""
            insert into read_models.follower_position (routing_key, position) values ($1, 0)
            on conflict (routing_key) do update set position = follower_position.position
            returning {Rows.ColumnsOf<Standing>()}
            """, routingKey), ct))!;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ParkedStream>> LoadParkedAsync(CancellationToken ct) =>
        await database.QueryAsync<ParkedStream>(
            new SqlStatement($"select {Rows.ColumnsOf<ParkedStream>()} from read_models.parked_stream"), ct);

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, int>> LoadVersionsAsync(CancellationToken ct) =>
        (await database.QueryAsync<ModelVersion>(
            new SqlStatement($"select {Rows.ColumnsOf<ModelVersion>()} from read_models.model_version"), ct))
        .ToDictionary(model => model.Name, model => model.Version);

    /// <inheritdoc/>
    public async Task<bool> CommitAsync(
        Standing expected, ulong through, int parkingCount, IReadOnlyList<SqlStatement> statements,
        CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var batch = new NpgsqlBatch(connection, transaction);
        var fence = Add(batch, Advance(expected, through, parkingCount));
        foreach (var statement in statements) Add(batch, statement);
        try
        {
            await batch.ExecuteNonQueryAsync(ct);
            if (fence.RecordsAffected != 1) return false;
            await transaction.CommitAsync(ct);
            return true;
        }
        catch (PostgresException refused) when (IsAboutData(refused))
        {
            throw new RowsRefusedException($"Rows of {expected.RoutingKey} were refused.", refused);
        }
    }

    /// <inheritdoc/>
    public async Task<IRehearsal> RehearseAsync(CancellationToken ct)
    {
        var connection = await database.OpenConnectionAsync(ct);
        return new Rehearsal(connection, await connection.BeginTransactionAsync(ct));
    }

    /// <summary>
    /// Carries out statements in the caller's transaction; why PostgreSQL refuses them, or null where it does not.
    /// What it refuses leaves nothing behind.
    /// </summary>
    public static async Task<string?> WhyRefusedAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IEnumerable<SqlStatement> statements,
        CancellationToken ct)
    {
        await transaction.SaveAsync("event", ct);
        try
        {
            await using var batch = new NpgsqlBatch(connection, transaction);
            foreach (var statement in statements) Add(batch, statement);
            if (batch.BatchCommands.Count > 0) await batch.ExecuteNonQueryAsync(ct);
            await transaction.ReleaseAsync("event", ct);
            return null;
        }
        catch (PostgresException refused) when (IsAboutData(refused))
        {
            await transaction.RollbackAsync("event", ct);
            return $"not-storable: {refused.SqlState}";
        }
    }

    // The values themselves (classes 22 and 23, such as a NUL character in a text).
    private static bool IsAboutData(PostgresException refused) =>
        refused.SqlState.StartsWith("22", StringComparison.Ordinal)
        || refused.SqlState.StartsWith("23", StringComparison.Ordinal);

    private static SqlStatement Advance(Standing expected, ulong through, int parkingCount) => new("""
        update read_models.follower_position
        set position = $4, parking = parking + $5, updated_at = now()
        where routing_key = $1 and position = $2 and parking = $3
        """, expected.RoutingKey, expected.Position, expected.Parking, checked((long)through), (long)parkingCount);

    private static NpgsqlBatchCommand Add(NpgsqlBatch batch, SqlStatement statement)
    {
        var command = new NpgsqlBatchCommand(statement.Text);
        foreach (var value in statement.Values) command.Parameters.Add(Rows.ToParameter(value));
        batch.BatchCommands.Add(command);
        return command;
    }

    private sealed class Rehearsal(NpgsqlConnection connection, NpgsqlTransaction transaction) : IRehearsal
    {
        public Task<string?> WhyRefusedAsync(IEnumerable<SqlStatement> statements, CancellationToken ct) =>
            PostgresTables.WhyRefusedAsync(connection, transaction, statements, ct);

        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
