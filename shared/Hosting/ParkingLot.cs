using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Hosting;

/// <summary>
/// The reactions of a service that were set aside, as its stream <c>parked-{service}</c> tells. Appended with the
/// expected revision, so that two processes of the service never park one event twice.
/// </summary>
internal sealed class ParkingLot(IEventStore store, string service, TimeProvider clock)
{
    private const int AttemptCountMax = 8;
    private readonly string _stream = $"parked-{service}";
    private readonly Gate _gate = new();
    private readonly Dictionary<Guid, ParkingEvent.Parked> _parked = [];
    private long _revision = -1;

    /// <summary>How many reactions are set aside.</summary>
    public int Count => _parked.Count;

    /// <summary>What is set aside, by stream and in each stream's order.</summary>
    public async Task<IReadOnlyList<IGrouping<string, ParkingEvent.Parked>>> ReadAsync(CancellationToken ct)
    {
        using var turn = await _gate.EnterAsync(ct);
        await RefreshAsync(ct);
        return [.. _parked.Values.OrderBy(parked => parked.Revision).GroupBy(parked => parked.Stream)];
    }

    /// <summary>Sets the event aside if others of its stream are; false where none is.</summary>
    public async Task<bool> ParkBehindOthersAsync(IncomingEvent incoming, CancellationToken ct)
    {
        // The common case, nothing parked, must not cost a lock for each event.
        if (_parked.Count == 0) return false;
        return await WriteAsync(
            () => _parked.Values.Any(parked => parked.Stream == incoming.Stream)
                ? Parked(incoming, "behind-parked", "An earlier event of this stream is parked.") : null,
            ct);
    }

    /// <summary>Sets the event aside.</summary>
    public Task ParkAsync(
        IncomingEvent incoming, string code, string reason, int attempts, CancellationToken ct) =>
        WriteAsync(() => Parked(incoming, code, reason) with { Attempts = attempts }, ct);

    /// <summary>Notes that the reaction was carried out.</summary>
    public Task ReleaseAsync(ParkingEvent.Parked parked, CancellationToken ct) => WriteAsync(
        () => _parked.ContainsKey(parked.EventId) ? new ParkingEvent.Released(parked.Stream, parked.EventId) : null,
        ct);

    private static ParkingEvent.Parked Parked(IncomingEvent incoming, string code, string reason) => new(
        incoming.Stream, incoming.EventId, incoming.Revision, incoming.Position.Commit, incoming.Type, code, reason);

    // Decides on what the stream says now; false where there is nothing to write.
    private async Task<bool> WriteAsync(Func<ParkingEvent?> decide, CancellationToken ct)
    {
        using var turn = await _gate.EnterAsync(ct);
        var id = Guid.NewGuid();
        for (var attempt = 1; attempt <= AttemptCountMax; attempt++)
        {
            if (decide() is not { } fact) return false;
            if (fact is ParkingEvent.Parked parked && _parked.ContainsKey(parked.EventId)) return true;
            var written = ServiceEvent.Of(service, id, fact, clock.GetUtcNow());
            var result = await store.AppendAsync(_stream, ExpectedRevision.At(_revision), [written], ct);
            // Appended, outrun or unknown: the stream itself says what became of it.
            await RefreshAsync(ct);
            if (result is AppendResult.Appended) return true;
        }

        throw new InvalidOperationException($"{_stream} cannot be written.");
    }

    private async Task RefreshAsync(CancellationToken ct)
    {
        await foreach (var recorded in store.ReadStreamAsync(_stream, _revision + 1, long.MaxValue, ct))
        {
            switch (EventCatalog.Deserialize(recorded.Type, recorded.Data.Span))
            {
                case ParkingEvent.Parked parked:
                    _parked[parked.EventId] = parked;
                    break;
                case ParkingEvent.Released released:
                    _parked.Remove(released.EventId);
                    break;
            }

            _revision = recorded.Revision;
        }

        PipelineTelemetry.Parked.Record(_parked.Count, new KeyValuePair<string, object?>("follower", service));
    }
}
