using System.Diagnostics;
using CapaEngine.Contracts;
using Npgsql;

namespace CapaEngine.Benchmarks.Pipeline;

/// <summary>
/// When rows became visible. The projector commits rows together with the position up to which its partition is
/// projected, so a look at four positions, every few milliseconds, tells it of every event: never too early, and too
/// late by at most the pause between two looks.
/// </summary>
internal sealed class RowWatch : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(4);

    private readonly NpgsqlDataSource _database;
    private readonly CancellationTokenSource _over = new();
    private readonly List<(long At, ulong Position)>[] _moves =
        [.. Enumerable.Range(0, Partitions.CountDefault).Select(_ => new List<(long, ulong)>())];

    private readonly Task _watching;

    private RowWatch(string database)
    {
        _database = NpgsqlDataSource.Create(database);
        _watching = WatchAsync(_over.Token);
    }

    /// <summary>Begins to look.</summary>
    public static RowWatch Begin(string database) => new(database);

    /// <summary>Waits until the rows of all these events are visible.</summary>
    /// <returns>Whether they were within the patience.</returns>
    public async Task<bool> ReachedAsync(IReadOnlyList<ulong> last, TimeSpan patience, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(Pause);
        while (Stopwatch.GetElapsedTime(started) < patience && await timer.WaitForNextTickAsync(ct))
        {
            if (_watching.IsCompleted) await _watching;
            if (Enumerable.Range(0, last.Count).All(partition => PositionOf(partition) >= last[partition])) return true;
        }

        return false;
    }

    /// <summary>When the row of the event at this place was seen; null where it never was.</summary>
    public long? SeenAt(int partition, ulong position)
    {
        lock (_moves)
        {
            var moves = _moves[partition];
            var (low, high) = (0, moves.Count);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (moves[middle].Position >= position) high = middle;
                else low = middle + 1;
            }

            return low < moves.Count ? moves[low].At : null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _database.DisposeAsync();
        _over.Dispose();
    }

    private ulong PositionOf(int partition)
    {
        lock (_moves)
        {
            return _moves[partition] is [.., var last] ? last.Position : 0;
        }
    }

    private async Task WatchAsync(CancellationToken ct)
    {
        await using var connection = await _database.OpenConnectionAsync(ct);
        await using var look = new NpgsqlCommand(
            "select routing_key, position from read_models.follower_position where routing_key like 'deviation.%'",
            connection);
        await look.PrepareAsync(ct);
        using var timer = new PeriodicTimer(Pause);
        while (await timer.WaitForNextTickAsync(ct))
        {
            await using var rows = await look.ExecuteReaderAsync(ct);
            var found = new List<(int Partition, ulong Position)>();
            while (await rows.ReadAsync(ct))
                found.Add((rows.GetString(0)[^1] - '0', checked((ulong)rows.GetInt64(1))));
            var at = Stopwatch.GetTimestamp();
            lock (_moves)
            {
                foreach (var (partition, position) in found)
                {
                    if (_moves[partition] is not [.., var last] || last.Position < position)
                        _moves[partition].Add((at, position));
                }
            }
        }
    }
}
