using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>
/// Reads parked streams again from the log, at the start and whenever somebody asks: a new version may know what the
/// old one did not. It may run beside any number of projectors.
/// </summary>
public sealed class ParkedStreamsReplay(
    NpgsqlDataSource database, ParkedStreams parked, Projector projector, IEventStore store,
    ILogger<ParkedStreamsReplay> logger) : IParkedEvents, IHostedService
{
    // The routing keys of a family, whose name $1 is.
    private const string OfFamily = "split_part(routing_key, '.', 1) = $1";

    // Projectors of the family wait meanwhile, and read the list of parked streams again after each.
    private const int StreamsPerTransactionMax = 50;

    /// <inheritdoc/>
    public int ParkedCount => parked.Waiting.Count;

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await ReplayAsync(null, cancellationToken) is var count and > 0)
                logger.LogInformation("{Count} parked streams were read again.", count);
        }
        catch (EventStoreUnavailableException unavailable)
        {
            logger.LogWarning(unavailable, "Parked streams cannot be read now and stay parked.");
        }
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ParkingEvent.Parked>> ReadParkedAsync(CancellationToken ct)
    {
        await parked.LoadAsync(ct);
        List<ParkingEvent.Parked> events = [];
        foreach (var waiting in parked.Waiting.OrderBy(waiting => waiting.Position))
        {
            var id = waiting.EventId ?? (await FindEventAsync(waiting.Stream, waiting.Revision, ct))?.Id;
            events.Add(Describe(waiting, id ?? Guid.Empty));
        }

        return events;
    }

    /// <inheritdoc/>
    public Task<RecordedEvent?> FindEventAsync(ParkingEvent.Parked parked, CancellationToken ct) =>
        FindEventAsync(parked.Stream, parked.Revision, ct);

    /// <inheritdoc/>
    public async Task<int> ReplayAsync(string? stream, CancellationToken ct)
    {
        await parked.LoadAsync(ct);
        var chunks = parked.Waiting
            .Where(waiting => stream is null || waiting.Stream == stream)
            .OrderBy(waiting => waiting.Position)
            .GroupBy(waiting => Families.Of(waiting.Stream)!, waiting => waiting.Stream)
            .SelectMany(family => family.Chunk(StreamsPerTransactionMax), (family, streams) => (family.Key, streams));
        var carriedOut = 0;
        foreach (var (family, streams) in chunks) carriedOut += await ReplayAsync(family, streams, ct);
        await parked.LoadAsync(ct);
        return carriedOut;
    }

    private static ParkingEvent.Parked Describe(ParkedStream waiting, Guid eventId)
    {
        var (code, sqlState) = waiting.Reason.Split(": ") is [var refused, var state]
            ? (refused, state) : (waiting.Reason, null);
        return new ParkingEvent.Parked(
            waiting.Stream, eventId, waiting.Revision, checked((ulong)waiting.Position), waiting.EventType, code,
            sqlState is null
                ? $"This version cannot read '{waiting.EventType}'."
                : $"PostgreSQL refuses to store its values (SQLSTATE {sqlState}).");
    }

    private async Task<RecordedEvent?> FindEventAsync(string stream, long revision, CancellationToken ct)
    {
        await foreach (var recorded in store.ReadStreamAsync(stream, revision, 1, ct)) return recorded;
        return null;
    }

    private async Task<int> ReplayAsync(Family family, string[] streams, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var reached = await LockAsync(connection, family, ct);
        // Read again under the lock: another process may have released them meanwhile.
        var waiting = await connection.QueryAsync<ParkedStream>(new SqlStatement(
            $"select {Rows.ColumnsOf<ParkedStream>()} from read_models.parked_stream where stream = any($1)",
            [streams]), ct);
        var carriedOut = 0;
        foreach (var stream in waiting.OrderBy(stream => stream.Position))
            carriedOut += await TryReleaseAsync(connection, transaction, stream, reached, ct) ? 1 : 0;
        await CountParkingAsync(connection, family, ct);
        await transaction.CommitAsync(ct);
        return carriedOut;
    }

    // Up to the family's position and no further: what comes after it is delivered in the ordinary way. True where the
    // event for which the stream was parked has its rows now, even if a later one is in the way instead.
    private async Task<bool> TryReleaseAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, ParkedStream waiting, ulong reached,
        CancellationToken ct)
    {
        var projectedThrough = waiting.Revision - 1;
        await foreach (var recorded in store.ReadStreamAsync(waiting.Stream, waiting.Revision, long.MaxValue, ct))
        {
            if (recorded.Position.Commit > reached) break;
            var incoming = EventEnvelope.Of(recorded).ToIncoming();
            var refusal = incoming.Fact is UnknownFact unknown
                ? unknown.Reason
                : await PostgresTables.WhyRefusedAsync(connection, transaction, projector.Project([incoming]), ct);
            if (refusal is not null)
            {
                await connection.ExecuteAsync(ParkedStreams.ParkAt(incoming, refusal), ct);
                logger.LogWarning(
                    "A stream of {Family} stays parked: {Type} cannot be projected ({Reason}).",
                    incoming.Family.Name, incoming.Type, refusal);
                return projectedThrough >= waiting.Revision;
            }

            projectedThrough = incoming.Revision;
        }

        // An event that is gone from the log can never have its rows; somebody has to see that.
        if (projectedThrough < waiting.Revision) return false;
        await connection.ExecuteAsync(ParkedStreams.Release(waiting.Stream), ct);
        return true;
    }

    // All rows of the family, since a stream has another routing key after a change of the number of partitions. The
    // highest position includes its own; events up to it that are still to come change nothing in the rows.
    private static async Task<ulong> LockAsync(NpgsqlConnection connection, Family family, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"""
            select max(position) from (
              select position from read_models.follower_position where {OfFamily}
              order by routing_key for update) locked
            """, connection);
        command.Parameters.Add(Rows.ToParameter(family.Name));
        return checked((ulong)(await command.ExecuteScalarAsync(ct) as long? ?? 0));
    }

    private static Task<int> CountParkingAsync(NpgsqlConnection connection, Family family, CancellationToken ct) =>
        connection.ExecuteAsync(new SqlStatement(
            $"update read_models.follower_position set parking = parking + 1 where {OfFamily}", family.Name), ct);
}
