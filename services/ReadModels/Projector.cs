using System.Collections.Concurrent;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>
/// Where the followed events become rows. One transaction holds the rows of a batch and the position it leads to, and
/// the position moves only from where this process believes it to be: of two projectors, one moves it and the other
/// sees that it has moved.
/// </summary>
public sealed class Projector(
    NpgsqlDataSource database, IEnumerable<IReadModel> readModels, ParkedStreams parked, ILogger<Projector> logger)
    : IFollowerSink
{
    /// <summary>The name of this follower in queues and metrics.</summary>
    public const string FollowerName = ServiceNames.ReadModels;

    private const int AttemptCountMax = 5;

    private readonly ConcurrentDictionary<string, ulong> positions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadModel[]> modelsByFamily = Contracts.Families.All.ToDictionary(
        family => family.Name, family => readModels.Where(model => model.Families.Contains(family)).ToArray());

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, ulong>> LoadPositionsAsync(CancellationToken ct)
    {
        await parked.LoadAsync(ct);
        var stored = await database.QueryAsync<StoredPosition>(
            new SqlStatement("select routing_key, position from read_models.follower_position"), ct);
        foreach (var row in stored) positions[row.RoutingKey] = checked((ulong)row.Position);
        return stored.ToDictionary(row => row.RoutingKey, row => checked((ulong)row.Position));
    }

    /// <inheritdoc/>
    public async Task ApplyAsync(
        string routingKey, IReadOnlyList<IncomingEvent> events, ulong through, CancellationToken ct)
    {
        for (var attempt = 1; attempt <= AttemptCountMax; attempt++)
        {
            var expected = positions.GetValueOrDefault(routingKey);
            if (through <= expected) return;
            // Whoever moved the position meanwhile wrote the rows of the events up to it.
            var missing = events.Where(incoming => incoming.Position.Commit > expected).ToList();
            if (await TryApplyAsync(routingKey, missing, expected, through, ct)) return;
            await ReloadAsync(routingKey, expected, ct);
        }

        throw new InvalidOperationException($"Others keep moving the position of {routingKey}.");
    }

    /// <summary>The statements of events of one family, in the order they must be carried out.</summary>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) =>
        events.Count == 0 ? [] : modelsByFamily[events[0].Family.Name].SelectMany(model => model.Project(events));

    private async Task<bool> TryApplyAsync(
        string routingKey, List<IncomingEvent> events, ulong expected, ulong through, CancellationToken ct)
    {
        var (known, newlyParked) = parked.Divide(routingKey, events);
        try
        {
            return await CommitAsync(routingKey, [.. newlyParked, .. Project(known)], expected, through, ct);
        }
        catch (PostgresException refused) when (ParkedStreams.IsAboutData(refused))
        {
            // One event that PostgreSQL cannot store must not hold up the others: find it, and park its stream.
            logger.LogWarning(refused, "Rows of {RoutingKey} were refused; its events are tried singly.", routingKey);
            return await ApplyOneByOneAsync(routingKey, newlyParked, known, expected, through, ct);
        }
        finally
        {
            if (newlyParked.Count > 0) await parked.LoadAsync(ct);
        }
    }

    private async Task<bool> CommitAsync(
        string routingKey, IReadOnlyList<SqlStatement> statements, ulong expected, ulong through, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var batch = new NpgsqlBatch(connection, transaction);
        var fence = Add(batch, Advance(routingKey, expected, through));
        foreach (var statement in statements) Add(batch, statement);
        await batch.ExecuteNonQueryAsync(ct);
        if (fence.RecordsAffected != 1) return false;
        await transaction.CommitAsync(ct);
        positions[routingKey] = through;
        return true;
    }

    private async Task<bool> ApplyOneByOneAsync(
        string routingKey, IReadOnlyList<SqlStatement> newlyParked, List<IncomingEvent> events, ulong expected,
        ulong through, CancellationToken ct)
    {
        List<IncomingEvent> good = [];
        List<SqlStatement> parking = [.. newlyParked];
        HashSet<string> refusedStreams = [];
        await using (var connection = await database.OpenConnectionAsync(ct))
        {
            // A rehearsal that is rolled back: it only tells which events can be stored.
            await using var transaction = await connection.BeginTransactionAsync(ct);
            foreach (var incoming in events.Where(incoming => !refusedStreams.Contains(incoming.Stream)))
            {
                if (await WhyRefusedAsync(connection, transaction, incoming, ct) is not { } reason)
                {
                    good.Add(incoming);
                    continue;
                }

                refusedStreams.Add(incoming.Stream);
                parking.Add(ParkedStreams.Park(routingKey, incoming, reason));
            }
        }

        var done = await CommitAsync(routingKey, [.. parking, .. Project(good)], expected, through, ct);
        await parked.LoadAsync(ct);
        return done;
    }

    private async Task<string?> WhyRefusedAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IncomingEvent incoming, CancellationToken ct)
    {
        await transaction.SaveAsync("event", ct);
        try
        {
            await using var batch = new NpgsqlBatch(connection, transaction);
            foreach (var statement in Project([incoming])) Add(batch, statement);
            if (batch.BatchCommands.Count > 0) await batch.ExecuteNonQueryAsync(ct);
            await transaction.ReleaseAsync("event", ct);
            return null;
        }
        catch (PostgresException refused) when (ParkedStreams.IsAboutData(refused))
        {
            await transaction.RollbackAsync("event", ct);
            return $"not-storable: {refused.SqlState}";
        }
    }

    private async Task ReloadAsync(string routingKey, ulong believed, CancellationToken ct)
    {
        await using var command = database.CreateCommand("""
            insert into read_models.follower_position (routing_key, position) values ($1, 0)
            on conflict (routing_key) do update set position = follower_position.position
            returning position
            """);
        command.Parameters.Add(Rows.ToParameter(routingKey));
        var stored = checked((ulong)(long)(await command.ExecuteScalarAsync(ct))!);
        if (stored < believed)
            throw new InvalidOperationException(
                $"The position of {routingKey} went back from {believed} to {stored}: the database was restored or "
                + "emptied. Restart the service, which then reads what is missing from the log.");
        positions[routingKey] = stored;
    }

    private static SqlStatement Advance(string routingKey, ulong expected, ulong through) => new("""
        update read_models.follower_position set position = $3, updated_at = now()
        where routing_key = $1 and position = $2
        """, routingKey, checked((long)expected), checked((long)through));

    private static NpgsqlBatchCommand Add(NpgsqlBatch batch, SqlStatement statement)
    {
        var command = new NpgsqlBatchCommand(statement.Text);
        foreach (var value in statement.Values) command.Parameters.Add(Rows.ToParameter(value));
        batch.BatchCommands.Add(command);
        return command;
    }

    private sealed record StoredPosition(string RoutingKey, long Position);
}
