using System.Data;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Microsoft.Extensions.Options;
using Npgsql;

namespace CapaEngine.ReadModels.Rebuilding;

/// <summary>What a check of the read models came to.</summary>
/// <param name="NotProjected">Events that this version cannot project, and whose streams do not wait.</param>
/// <param name="Waiting">Streams that wait; their rows were compared up to the event that they wait with.</param>
/// <param name="First">The first difference; null where live and rebuilt rows are the same.</param>
public sealed record CheckResult(
    long Events, IReadOnlyList<TableTally> Tables, IReadOnlyList<string> NotProjected,
    IReadOnlyList<string> Waiting, RowDifference? First)
{
    /// <summary>Whether the live rows are what the log says.</summary>
    public bool Holds => First is null && NotProjected.Count == 0;
}

/// <summary>
/// Proves that the live rows are what the log says: builds them a second time and compares both at the same position.
/// Most of the second set is made ahead; the rest in the snapshot in which it is compared, so that the live rows may
/// move on meanwhile.
/// </summary>
public sealed class ReadModelCheck(NpgsqlDataSource database, IEventStore store, IOptions<PipelineOptions> options)
{
    /// <summary>Checks models. Throws <see cref="CopyInProgressException"/> where another check is running.</summary>
    public async Task<CheckResult> RunAsync(
        IReadOnlyList<IReadModel> models, Action<CopyState>? told, CancellationToken ct)
    {
        await using var copy = await TableCopy.OpenAsync(
            database, store, models, CopySchemas.Check, options.Value, ct, anew: true);
        var families = models.SelectMany(model => model.Families).Distinct().ToList();
        var before = await FollowedThrough.LoadAsync(copy.Connection, options.Value.PartitionCount, ct);
        await copy.CatchUpAsync(before.Least(families), IsCertain, told, ct);
        await copy.AnalyzeAsync(ct);
        await copy.EnterAsync(CopyPhases.Comparing, ct);
        told?.Invoke(copy.State);
        var result = await CompareAsync(copy, models, families, before, ct);
        await copy.DiscardAsync(ct);
        return result;

        // What becomes of a stream that waits is seen in the snapshot.
        bool IsCertain(IncomingEvent incoming) => !before.Waiting.Contains(incoming.Stream);
    }

    private async Task<CheckResult> CompareAsync(
        TableCopy copy, IReadOnlyList<IReadModel> models, List<Family> families, FollowedThrough before,
        CancellationToken ct)
    {
        await using var snapshot = await copy.Connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var now = await FollowedThrough.LoadAsync(copy.Connection, options.Value.PartitionCount, ct);
        await foreach (var chunk in copy.ReadOnAsync(now.Greatest(families), ct))
            await copy.WriteAsync(snapshot, chunk.Only(HasRows), ct);
        foreach (var stream in before.Waiting.Where(stream => families.Contains(Families.Of(stream)!)))
            await copy.WriteAsync(snapshot, await ReadAsync(stream, now, copy.State, ct), ct);

        var comparison = new RowComparison(copy.Connection);
        List<TableTally> tables = [];
        foreach (var table in models.SelectMany(model => model.Tables))
            tables.Add(await comparison.CountAsync(table, ct));
        var first = tables.Find(table => !table.IsSame) is { } other
            ? await comparison.FirstDifferenceAsync(other.Table, ct) : null;
        var notProjected = await copy.Connection.ValuesAsync<string>(new SqlStatement($"""
            select format('%s at revision %s, %s: %s', stream, revision, event_type, reason)
            from {CopySchemas.Check}.parked_stream order by position
            """), ct);
        return new CheckResult(copy.State.EventCount, tables, notProjected, [.. now.Waiting.Order()], first);

        bool HasRows(IncomingEvent incoming) => !before.Waiting.Contains(incoming.Stream) && Includes(now, incoming);
    }

    private async Task<LogChunk> ReadAsync(
        string stream, FollowedThrough now, CopyState state, CancellationToken ct)
    {
        List<IncomingEvent> events = [];
        await foreach (var recorded in store.ReadStreamAsync(stream, 0, long.MaxValue, ct))
        {
            var incoming = EventEnvelope.Of(recorded).ToIncoming();
            if (!Includes(now, incoming)) break;
            events.Add(incoming);
        }

        return new LogChunk(events, (ulong)state.Position);
    }

    private static bool Includes(FollowedThrough now, IncomingEvent incoming) =>
        now.Includes(incoming.Family, incoming.Stream, incoming.Revision, incoming.Position.Commit);
}
