using Npgsql;

namespace CapaEngine.EventLog.Writing;

/// <summary>
/// The right to write. The lock, held by a connection of its own, lets only one node try; the epoch, checked in every
/// write transaction, makes sure that a node which lost the lock without noticing cannot write any more.
/// </summary>
internal sealed class WriterLease : IAsyncDisposable
{
    // Any constant will do: advisory locks belong to a database, and this database to one event log.
    private const long LockKey = 0x4341_5041_4C4F_47;

    private readonly NpgsqlConnection _connection;

    private WriterLease(NpgsqlConnection connection, long epoch) => (_connection, Epoch) = (connection, epoch);

    public long Epoch { get; }

    /// <summary>Null if another node holds the lock.</summary>
    public static async Task<WriterLease?> TryTakeAsync(
        NpgsqlDataSource database, string holder, CancellationToken ct)
    {
        var connection = await database.OpenConnectionAsync(ct);
        try
        {
            await using var take = new NpgsqlCommand("select pg_try_advisory_lock($1)", connection);
            take.Parameters.Add(new NpgsqlParameter<long> { TypedValue = LockKey });
            if (await take.ExecuteScalarAsync(ct) is true)
            {
                return new WriterLease(connection, await NextEpochAsync(connection, holder, ct));
            }
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }

        await connection.DisposeAsync();
        return null;
    }

    /// <summary>Throws as soon as the connection that holds the lock, or the epoch, is gone.</summary>
    public async Task CheckAsync(CancellationToken ct)
    {
        await using var check = new NpgsqlCommand("select epoch from eventlog.epoch", _connection);
        var current = (long)(await check.ExecuteScalarAsync(ct))!;
        if (current != Epoch)
        {
            throw new InvalidOperationException($"Epoch {Epoch} is over: epoch {current} writes.");
        }
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    // Waits for a write transaction of the last epoch that is still under way: each holds a row lock on its epoch.
    private static async Task<long> NextEpochAsync(NpgsqlConnection connection, string holder, CancellationToken ct)
    {
        await using var next = new NpgsqlCommand(
            "update eventlog.epoch set epoch = epoch + 1, holder = $1, taken_at = now() returning epoch", connection);
        next.Parameters.Add(new NpgsqlParameter<string> { TypedValue = holder });
        return (long)(await next.ExecuteScalarAsync(ct))!;
    }
}
