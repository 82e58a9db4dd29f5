using System.Diagnostics;
using CapaEngine.Kernel;

namespace CapaEngine.Benchmarks;

/// <summary>
/// The event store's own rows: appends one by one, side by side, pipelined and in batches, and how fast the log is
/// read and followed; each beside what the database alone does in the same round.
/// </summary>
/// <param name="slice">How long one side of a round of appends runs.</param>
/// <param name="only">The rows to measure; all if there are none.</param>
internal sealed class StoreBench(
    EventLogUnderTest log, RawPostgres raw, TimeSpan slice, int rounds, IReadOnlyCollection<string> only)
{
    private const int PipelinedCallers = 2_000;
    private const int GroupRows = 1_000;
    private const int BatchEvents = 100;
    private const long EventsToRead = 200_000;

    private readonly Sample _sample = new();

    public async Task<IReadOnlyDictionary<string, Measured>> RunAsync(
        Action<string, Measured> done, CancellationToken ct)
    {
        await raw.PrepareAsync(ct);
        var rows = new Dictionary<string, Measured>();
        async Task AddAsync(string name, string limitIs, Func<Task<Round>> round)
        {
            if (only.Count > 0 && !only.Contains(name))
            {
                return;
            }

            // The first round warms up both sides and is thrown away.
            await round();
            var measured = new List<Round>();
            while (measured.Count < rounds)
            {
                measured.Add(await round());
            }

            rows[name] = Measured.MedianOf(measured, limitIs);
            done(name, rows[name]);
        }

        await AddAsync("appendOneByOne", "insert and commit row by row", () => AppendAsync(1, 1, 1, ct));
        await AddAsync("append32AtOnce", "insert and commit of 32 rows", () => AppendAsync(32, 1, 32, ct));
        await AddAsync(
            "appendPipelined", $"insert and commit of {GroupRows} rows",
            () => AppendAsync(PipelinedCallers, 1, GroupRows, ct));
        await AddAsync(
            "appendBatches", $"insert and commit of {GroupRows} rows",
            () => AppendAsync(20, BatchEvents, GroupRows, ct));
        await FillAsync(ct);
        await AddAsync("readAll", "copy out", () => ReadAllAsync(ct));
        await AddAsync("subscribe", "copy out", () => SubscribeAsync(ct));
        return rows;
    }

    private async Task<Round> AppendAsync(int callers, int events, int groupRows, CancellationToken ct)
    {
        var limit = await raw.GroupedInsertAsync(groupRows, _sample, slice, ct);
        var before = log.Cpu();
        var (count, elapsed, latencies) = await Callers.RunAsync(callers, slice, AppendOnceAsync, ct);
        return RoundOf(
            count * events, elapsed, limit, before,
            latencies.GetValueAtPercentile(50) / 1_000.0, latencies.GetValueAtPercentile(99) / 1_000.0);

        async Task AppendOnceAsync(CancellationToken token)
        {
            var batch = new NewEvent[events];
            for (var i = 0; i < events; i++)
            {
                batch[i] = _sample.Event();
            }

            var result = await log.Client.AppendAsync(
                $"bench-{Guid.NewGuid()}", ExpectedRevision.NoStream, batch, token);
            if (result is not AppendResult.Appended)
            {
                throw new InvalidOperationException($"An append ended with {result}.");
            }
        }
    }

    private async Task FillAsync(CancellationToken ct)
    {
        var left = EventsToRead - await log.Client.ReadAllAsync(LogPosition.Start, [], ct).LongCountAsync(ct);
        while (left > 0)
        {
            var batch = Enumerable.Range(0, GroupRows).Select(_ => _sample.Event()).ToList();
            await log.Client.AppendAsync($"bench-{Guid.NewGuid()}", ExpectedRevision.NoStream, batch, ct);
            left -= GroupRows;
        }

        await raw.AnalyzeAsync(ct);
    }

    private async Task<Round> ReadAllAsync(CancellationToken ct)
    {
        var limit = await raw.CopyOutAsync(ct);
        var (before, started) = (log.Cpu(), Stopwatch.GetTimestamp());
        var count = await log.Client.ReadAllAsync(LogPosition.Start, [], ct).LongCountAsync(ct);
        return RoundOf(count, Stopwatch.GetElapsedTime(started), limit, before, null, null);
    }

    private async Task<Round> SubscribeAsync(CancellationToken ct)
    {
        var limit = await raw.CopyOutAsync(ct);
        var (before, started, count) = (log.Cpu(), Stopwatch.GetTimestamp(), 0L);
        await foreach (var message in log.Client.SubscribeToAllAsync(LogPosition.Start, [], ct))
        {
            if (message is LogMessage.CaughtUp)
            {
                break;
            }

            count += message is LogMessage.Event ? 1 : 0;
        }

        return RoundOf(count, Stopwatch.GetElapsedTime(started), limit, before, null, null);
    }

    private Round RoundOf(
        long events, TimeSpan elapsed, double limit, (TimeSpan Client, TimeSpan Server) before, double? p50Ms,
        double? p99Ms)
    {
        var after = log.Cpu();
        return new Round(
            events / elapsed.TotalSeconds, limit, p50Ms, p99Ms,
            (after.Client - before.Client).TotalMicroseconds / events,
            (after.Server - before.Server).TotalMicroseconds / events);
    }
}
