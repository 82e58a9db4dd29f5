using System.Collections.Concurrent;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>
/// Where the followed events become rows. One transaction holds the rows of a batch and the position it leads to, and
/// the position moves only from where this process believes it to be: of two projectors, one moves it and the other
/// sees that it has moved. The same holds for which streams wait: whoever parks or releases one counts it on the row of
/// the position, so that nobody skips the events of a released stream, or projects those behind a parked one.
/// </summary>
public sealed class Projector(
    NpgsqlDataSource database, IEnumerable<IReadModel> readModels, ParkedStreams parked, ILogger<Projector> logger)
    : IFollowerSink
{
    /// <summary>The name of this follower in queues and metrics.</summary>
    public const string FollowerName = ServiceNames.ReadModels;

    private const int AttemptCountMax = 5;

    private readonly ConcurrentDictionary<string, Standing> standings = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadModel[]> modelsByFamily = Contracts.Families.All.ToDictionary(
        family => family.Name, family => readModels.Where(model => model.Families.Contains(family)).ToArray());

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, ulong>> LoadPositionsAsync(CancellationToken ct)
    {
        var stored = await database.QueryAsync<Standing>(
            new SqlStatement($"select {Rows.ColumnsOf<Standing>()} from read_models.follower_position"), ct);
        await KeepAsync(stored, ct);
        return stored.ToDictionary(row => row.RoutingKey, row => row.Through);
    }

    /// <inheritdoc/>
    public async Task ApplyAsync(
        string routingKey, IReadOnlyList<IncomingEvent> events, ulong through, CancellationToken ct)
    {
        for (var attempt = 1; attempt <= AttemptCountMax; attempt++)
        {
            var expected = standings.GetValueOrDefault(routingKey) ?? new Standing(routingKey, 0, 0);
            if (through <= expected.Through) return;
            // Whoever moved the position meanwhile wrote the rows of the events up to it.
            var missing = events.Where(incoming => incoming.Position.Commit > expected.Through).ToList();
            if (await TryApplyAsync(missing, expected, through, ct)) return;
            await ReloadAsync(expected, ct);
        }

        throw new InvalidOperationException(
            $"Others keep changing the position of {routingKey}, or which of its streams wait.");
    }

    /// <summary>The statements of events of one family, in the order they must be carried out.</summary>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) =>
        events.Count == 0 ? [] : modelsByFamily[events[0].Family.Name].SelectMany(model => model.Project(events));

    /// <summary>
    /// Stores the rows of one event in the caller's transaction; why PostgreSQL refuses them, or null where it does
    /// not. What it refuses leaves nothing behind.
    /// </summary>
    public async Task<string?> TryStoreAsync(
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

    private async Task<bool> TryApplyAsync(
        List<IncomingEvent> events, Standing expected, ulong through, CancellationToken ct)
    {
        var (known, parking) = parked.Divide(expected.RoutingKey, events);
        try
        {
            return await CommitAsync(parking, known, expected, through, ct);
        }
        catch (PostgresException refused) when (ParkedStreams.IsAboutData(refused))
        {
            // One event that PostgreSQL cannot store must not hold up the others: find it, and park its stream.
            logger.LogWarning(
                refused, "Rows of {RoutingKey} were refused; its events are tried singly.", expected.RoutingKey);
            var good = await RehearseAsync(expected.RoutingKey, known, parking, ct);
            return await CommitAsync(parking, good, expected, through, ct);
        }
    }

    private async Task<bool> CommitAsync(
        List<SqlStatement> parking, List<IncomingEvent> events, Standing expected, ulong through, CancellationToken ct)
    {
        await using (var connection = await database.OpenConnectionAsync(ct))
        await using (var transaction = await connection.BeginTransactionAsync(ct))
        {
            await using var batch = new NpgsqlBatch(connection, transaction);
            var fence = Add(batch, Advance(expected, through, parking.Count));
            foreach (var statement in parking.Concat(Project(events))) Add(batch, statement);
            await batch.ExecuteNonQueryAsync(ct);
            if (fence.RecordsAffected != 1) return false;
            await transaction.CommitAsync(ct);
        }

        // The number of parkings stays behind the stored one until the parked streams were read again.
        var reached = expected with { Position = checked((long)through) };
        standings[expected.RoutingKey] = reached;
        if (parking.Count > 0) await ReloadAsync(reached, ct);
        return true;
    }

    // Rolled back at the end: it only tells which events can be stored, and parks the streams of the others.
    private async Task<List<IncomingEvent>> RehearseAsync(
        string routingKey, List<IncomingEvent> events, List<SqlStatement> parking, CancellationToken ct)
    {
        List<IncomingEvent> good = [];
        HashSet<string> refusedStreams = [];
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        foreach (var incoming in events.Where(incoming => !refusedStreams.Contains(incoming.Stream)))
        {
            if (await TryStoreAsync(connection, transaction, incoming, ct) is not { } reason)
            {
                good.Add(incoming);
                continue;
            }

            refusedStreams.Add(incoming.Stream);
            parking.Add(ParkedStreams.Park(routingKey, incoming, reason));
        }

        return good;
    }

    private async Task ReloadAsync(Standing believed, CancellationToken ct)
    {
        var stored = (await database.FindAsync<Standing>(new SqlStatement($"""
            insert into read_models.follower_position (routing_key, position) values ($1, 0)
            on conflict (routing_key) do update set position = follower_position.position
            returning {Rows.ColumnsOf<Standing>()}
            """, believed.RoutingKey), ct))!;
        if (stored.Position < believed.Position)
            throw new InvalidOperationException(
                $"The position of {believed.RoutingKey} went back from {believed.Position} to {stored.Position}: the "
                + "database was restored or emptied. Restart the service, which then reads what is missing from the "
                + "log.");
        await KeepAsync([stored], ct);
    }

    // The parked streams are read after the numbers of parkings and are known before these: a list that is newer than
    // its number is caught by the fence, one that is older would not be.
    private async Task KeepAsync(IReadOnlyList<Standing> stored, CancellationToken ct)
    {
        await parked.LoadAsync(ct);
        foreach (var standing in stored) standings[standing.RoutingKey] = standing;
    }

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

    /// <param name="Parking">Counts up whenever a stream of the key is parked or released.</param>
    private sealed record Standing(string RoutingKey, long Position, long Parking)
    {
        public ulong Through => checked((ulong)Position);
    }
}
