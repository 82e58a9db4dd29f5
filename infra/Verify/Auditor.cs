using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Verify.Tables;
using Npgsql;

namespace CapaEngine.Verify;

/// <summary>How an audit is carried out.</summary>
public sealed record AuditOptions
{
    /// <summary>Partitions of the installation.</summary>
    public int PartitionCount { get; init; } = Partitions.CountDefault;

    /// <summary>So long a finding must stay the same to count: relays and followers move at least every 6 s.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>When an audit of a system that never rests ends.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The pause between two looks.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>What an audit came to.</summary>
/// <param name="Findings">What does not hold.</param>
/// <param name="InFlight">What had not settled when the time was over.</param>
/// <param name="FirstReadEvents">How many events the first look read, in <paramref name="FirstReadTime"/>.</param>
public sealed record AuditResult(
    Inspection Last, IReadOnlyList<Finding> Findings, IReadOnlyList<Finding> InFlight, int Rounds, long Events,
    ulong Through, long FirstReadEvents, TimeSpan FirstReadTime, TimeSpan Elapsed);

/// <summary>
/// Holds what relays, followers, reactions and read models have made of the log against the log itself. Nothing is
/// shared with the code that made it. It can run beside everything else: what is on its way is looked at again.
/// </summary>
/// <param name="readEnd">The position of the log's very last event, the store's own among them.</param>
public sealed class Auditor(
    IEventStore store, Func<CancellationToken, Task<ulong>> readEnd, NpgsqlDataSource readModels, AuditOptions options,
    TimeProvider clock)
{
    private readonly LogFold _log = new(options.PartitionCount);

    /// <summary>Looks until everything has settled, or until the deadline.</summary>
    public async Task<AuditResult> RunAsync(CancellationToken ct)
    {
        var started = clock.GetTimestamp();
        var suspects = new Suspects(options.Settle);
        var (firstEvents, firstTime) = (0L, TimeSpan.Zero);
        for (var round = 1; ; round++)
        {
            var begun = clock.GetTimestamp();
            var inspection = await InspectAsync(round, ct);
            if (round == 1) (firstEvents, firstTime) = (_log.EventCount, clock.GetElapsedTime(begun));
            var elapsed = clock.GetElapsedTime(started);
            suspects.Take(inspection.Findings, elapsed);
            if ((suspects.InFlight.Count == 0 && !inspection.IsCut) || elapsed >= options.Deadline
                || (inspection.IsCut && suspects.Confirmed.Count > 0))
                return new AuditResult(
                    inspection, suspects.Confirmed, suspects.InFlight, round, _log.EventCount,
                    _log.Position.Commit, firstEvents, firstTime, elapsed);
            var pause = clock.GetElapsedTime(begun);
            await Task.Delay(pause > options.Pause ? pause : options.Pause, clock, ct);
        }
    }

    // The snapshot of the tables is taken first and the log read after it, so that no row can be ahead of the log.
    private async Task<Inspection> InspectAsync(int round, CancellationToken ct)
    {
        var inspection = new Inspection();
        await using var connection = await readModels.OpenConnectionAsync(ct);
        await using var snapshot = await connection.BeginTransactionAsync(
            System.Data.IsolationLevel.RepeatableRead, ct);
        var projected = await PositionsAsync(connection, ct);
        var waiting = await WaitingAsync(connection, inspection, ct);
        await foreach (var recorded in store.ReadAllAsync(_log.Position, [], ct)) _log.Take(recorded);
        _log.Inspect(inspection);
        _log.Pipeline.Inspect(inspection, projected, await readEnd(ct));
        var rows = new RowComparison(store, inspection, waiting, round);
        foreach (var table in _log.Tables) await rows.CompareAsync(table, connection, ct);
        return inspection;
    }

    private static async Task<Dictionary<string, ulong>> PositionsAsync(
        NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select routing_key, position from read_models.follower_position", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var positions = new Dictionary<string, ulong>(StringComparer.Ordinal);
        while (await reader.ReadAsync(ct)) positions[reader.GetString(0)] = (ulong)reader.GetInt64(1);
        return positions;
    }

    private static async Task<HashSet<string>> WaitingAsync(
        NpgsqlConnection connection, Inspection inspection, CancellationToken ct)
    {
        const string check = "parked-stream";
        await using var command = new NpgsqlCommand(
            "select stream, revision, event_type, reason from read_models.parked_stream order by stream", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var waiting = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(ct))
        {
            var stream = reader.GetString(0);
            waiting.Add(stream);
            inspection.Examined(check, 1);
            inspection.Found(
                check, stream,
                $"waits at revision {reader.GetInt64(1)}, {reader.GetString(2)}: {reader.GetString(3)}");
        }

        inspection.Examined(check, 0);
        return waiting;
    }
}
