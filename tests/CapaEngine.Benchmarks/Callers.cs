using System.Diagnostics;
using HdrHistogram;

namespace CapaEngine.Benchmarks;

/// <summary>Callers who each repeat one operation as soon as the last one is answered, for a while.</summary>
internal static class Callers
{
    private const long LongestUs = 60_000_000;
    private const int SignificantDigits = 3;

    /// <summary>Runs so many callers side by side: how many operations ended, how fast, and their latencies.</summary>
    public static async Task<(long Count, TimeSpan Elapsed, LongConcurrentHistogram LatenciesUs)> RunAsync(
        int callers, TimeSpan duration, Func<CancellationToken, Task> operation, CancellationToken ct)
    {
        var latencies = new LongConcurrentHistogram(1, LongestUs, SignificantDigits);
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(
            async () =>
            {
                while (Stopwatch.GetElapsedTime(started) < duration)
                {
                    var began = Stopwatch.GetTimestamp();
                    await operation(ct);
                    latencies.RecordValue(Math.Max(1, (long)Stopwatch.GetElapsedTime(began).TotalMicroseconds));
                }
            },
            ct)));
        return (latencies.TotalCount, Stopwatch.GetElapsedTime(started), latencies);
    }
}
