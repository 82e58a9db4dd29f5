using System.Collections.Frozen;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>
/// Streams with an event that this version cannot project. Their later events wait in the log, so that the stream's
/// order holds; everything else goes on. After an upgrade they are read again from the log.
/// </summary>
public sealed class ParkedStreams(NpgsqlDataSource database, ILogger<ParkedStreams> logger) : IHealthCheck, IDisposable
{
    private const int NamedMax = 3;

    // Partitions load independently: one at a time, or an older answer could replace a newer one.
    private readonly SemaphoreSlim loading = new(1);

    private FrozenDictionary<string, ParkedStream> streams = FrozenDictionary<string, ParkedStream>.Empty;

    /// <summary>The streams that wait.</summary>
    public IReadOnlyCollection<ParkedStream> Waiting => streams.Values;

    /// <summary>Reads which streams wait.</summary>
    public async Task LoadAsync(CancellationToken ct)
    {
        await loading.WaitAsync(ct);
        try
        {
            var rows = await database.QueryAsync<ParkedStream>(new SqlStatement(
                $"select {Rows.ColumnsOf<ParkedStream>()} from read_models.parked_stream"), ct);
            streams = rows.ToFrozenDictionary(row => row.Stream);
        }
        finally
        {
            loading.Release();
        }
    }

    /// <summary>The events that can be projected, and the statements that park the streams of the others.</summary>
    public (List<IncomingEvent> Known, List<SqlStatement> Parking) Divide(
        string routingKey, IReadOnlyList<IncomingEvent> events)
    {
        List<IncomingEvent> known = new(events.Count);
        List<SqlStatement> parking = [];
        HashSet<string> parkedNow = [];
        foreach (var incoming in events)
        {
            if (streams.ContainsKey(incoming.Stream) || parkedNow.Contains(incoming.Stream)) continue;
            if (incoming.Fact is not UnknownFact unknown)
            {
                known.Add(incoming);
                continue;
            }

            parkedNow.Add(incoming.Stream);
            parking.Add(Park(routingKey, incoming, unknown.Reason));
            logger.LogWarning(
                "A stream of {Family} waits: {Type} cannot be read ({Reason}).",
                incoming.Family.Name, incoming.Type, unknown.Reason);
        }

        return (known, parking);
    }

    /// <summary>Records that a stream waits from this event on.</summary>
    public static SqlStatement Park(string routingKey, IncomingEvent incoming, string reason) => new("""
        insert into read_models.parked_stream (stream, routing_key, revision, position, event_type, reason)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (stream) do nothing
        """,
        incoming.Stream, routingKey, incoming.Revision, checked((long)incoming.Position.Commit), incoming.Type, reason);

    /// <summary>
    /// Whether PostgreSQL refuses the values themselves (classes 22 and 23, such as a NUL character in a text), which
    /// no repetition mends.
    /// </summary>
    public static bool IsAboutData(PostgresException refused) =>
        refused.SqlState.StartsWith("22", StringComparison.Ordinal)
        || refused.SqlState.StartsWith("23", StringComparison.Ordinal);

    /// <inheritdoc/>
    public void Dispose() => loading.Dispose();

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var waiting = streams.Values;
        return Task.FromResult(waiting.Length == 0
            ? HealthCheckResult.Healthy("none")
            : HealthCheckResult.Degraded($"{waiting.Length} waiting, such as " + string.Join(", ", waiting
                .Take(NamedMax).Select(stream => $"{stream.Stream} ({stream.EventType}: {stream.Reason})"))));
    }
}

/// <summary>A stream that waits, and the first of its events that could not be projected.</summary>
public sealed record ParkedStream(
    string Stream, string RoutingKey, long Revision, long Position, string EventType, string Reason);

/// <summary>At the start, reads the parked streams again: a new version may know what the old one did not.</summary>
public sealed class ParkedStreamsRetry(
    NpgsqlDataSource database, ParkedStreams parked, Projector projector, IEventStore store,
    ILogger<ParkedStreamsRetry> logger) : IHostedService
{
    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await parked.LoadAsync(cancellationToken);
        foreach (var stream in parked.Waiting)
        {
            try
            {
                if (await RetryAsync(stream, cancellationToken))
                    logger.LogInformation("A parked stream of {RoutingKey} was read again.", stream.RoutingKey);
            }
            catch (PostgresException refused) when (ParkedStreams.IsAboutData(refused))
            {
                logger.LogWarning(refused, "A stream of {RoutingKey} stays parked.", stream.RoutingKey);
            }
        }

        await parked.LoadAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Up to the key's position and no further: what comes after it is delivered in the ordinary way.
    private async Task<bool> RetryAsync(ParkedStream stream, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var reached = await ScalarAsync(connection, """
            select position from read_models.follower_position where routing_key = $1 for update
            """, stream.RoutingKey, ct) as long? ?? 0;
        List<IncomingEvent> events = [];
        await foreach (var recorded in store.ReadStreamAsync(stream.Stream, stream.Revision, long.MaxValue, ct))
        {
            if (recorded.Position.Commit > (ulong)reached) break;
            var incoming = EventEnvelope.Of(recorded).ToIncoming();
            if (incoming.Fact is UnknownFact) return false;
            events.Add(incoming);
        }

        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach (var statement in projector.Project(events).Append(new SqlStatement(
            "delete from read_models.parked_stream where stream = $1", stream.Stream)))
        {
            var command = new NpgsqlBatchCommand(statement.Text);
            foreach (var value in statement.Values) command.Parameters.Add(Rows.ToParameter(value));
            batch.BatchCommands.Add(command);
        }

        await batch.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    private static async Task<object?> ScalarAsync(
        NpgsqlConnection connection, string text, string parameter, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(text, connection);
        command.Parameters.Add(Rows.ToParameter(parameter));
        return await command.ExecuteScalarAsync(ct);
    }
}
