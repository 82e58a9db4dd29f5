using System.Collections.Frozen;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CapaEngine.ReadModels;

/// <summary>
/// Streams with an event that this version cannot project. Their later events wait in the log, so that the stream's
/// order holds; everything else goes on. <see cref="ParkedStreamsReplay"/> reads them again from the log.
/// </summary>
public sealed class ParkedStreams(IReadModelTables tables, ILogger<ParkedStreams> logger) : IHealthCheck
{
    private const int NamedMax = 3;

    // Partitions load independently: one at a time, or an older answer could replace a newer one.
    private readonly Gate loading = new();

    private FrozenDictionary<string, ParkedStream> streams = FrozenDictionary<string, ParkedStream>.Empty;

    /// <summary>The streams that wait.</summary>
    public IReadOnlyCollection<ParkedStream> Waiting => streams.Values;

    /// <summary>Reads which streams wait.</summary>
    public async Task LoadAsync(CancellationToken ct)
    {
        using var turn = await loading.EnterAsync(ct);
        streams = (await tables.LoadParkedAsync(ct)).ToFrozenDictionary(row => row.Stream);
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
        insert into read_models.parked_stream (stream, routing_key, revision, position, event_type, reason, event_id)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (stream) do nothing
        """,
        incoming.Stream, routingKey, incoming.Revision, checked((long)incoming.Position.Commit), incoming.Type, reason,
        incoming.EventId);

    /// <summary>Records that a parked stream waits from this event on, which may be a later one than before.</summary>
    public static SqlStatement ParkAt(IncomingEvent incoming, string reason) => new("""
        update read_models.parked_stream
        set revision = $2, position = $3, event_type = $4, reason = $5, event_id = $6
        where stream = $1
        """,
        incoming.Stream, incoming.Revision, checked((long)incoming.Position.Commit), incoming.Type, reason,
        incoming.EventId);

    /// <summary>Records that a stream waits no longer.</summary>
    public static SqlStatement Release(string stream) =>
        new("delete from read_models.parked_stream where stream = $1", stream);

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
/// <param name="EventId">Null where a version parked it that did not note the id.</param>
public sealed record ParkedStream(
    string Stream, string RoutingKey, long Revision, long Position, string EventType, string Reason, Guid? EventId);
