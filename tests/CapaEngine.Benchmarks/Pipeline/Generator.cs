using System.Diagnostics;

namespace CapaEngine.Benchmarks.Pipeline;

/// <summary>
/// Sends deviations. At a fixed rate it is an open loop: each event has a time at which it is to be sent, whatever
/// became of those before, and its latency counts from then.
/// </summary>
internal sealed class Generator(HttpClient http, DeviationLines lines)
{
    private const int BatchEventsMax = 500;
    private const int CallersAtSaturation = 16;

    // What gathers at a line's concentrator goes in one request.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);

    private long _sent;

    /// <summary>Sends so many events a second, evenly, and waits for the last answer.</summary>
    public async Task<IReadOnlyList<SentBatch>> AtRateAsync(double perSecond, TimeSpan duration, CancellationToken ct)
    {
        var (batches, answers) = (new List<SentBatch>(), new List<Task>());
        var started = Stopwatch.GetTimestamp();
        var total = (long)(perSecond * duration.TotalSeconds);
        using var timer = new PeriodicTimer(Gathering);
        for (var issued = 0L; issued < total;)
        {
            await timer.WaitForNextTickAsync(ct);
            var due = Math.Min(total, (long)(Stopwatch.GetElapsedTime(started).TotalSeconds * perSecond));
            while (issued < due)
            {
                var count = (int)Math.Min(due - issued, BatchEventsMax);
                var intended = new long[count];
                for (var n = 0; n < count; n++)
                    intended[n] = started + (long)((issued + n) / perSecond * Stopwatch.Frequency);
                batches.Add(new SentBatch { Intended = intended });
                answers.Add(SendAsync(batches[^1], ct));
                issued += count;
            }
        }

        await Task.WhenAll(answers);
        return batches;
    }

    /// <summary>Sends as much as is taken: each of a few callers sends when its last request is answered.</summary>
    public async Task<IReadOnlyList<SentBatch>> AtSaturationAsync(TimeSpan duration, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        var batches = await Task.WhenAll(Enumerable.Range(0, CallersAtSaturation).Select(_ => Task.Run(
            async () =>
            {
                var own = new List<SentBatch>();
                while (Stopwatch.GetElapsedTime(started) < duration)
                {
                    var intended = new long[BatchEventsMax];
                    Array.Fill(intended, Stopwatch.GetTimestamp());
                    own.Add(new SentBatch { Intended = intended });
                    await SendAsync(own[^1], ct);
                }

                return own;
            },
            ct)));
        return [.. batches.SelectMany(own => own)];
    }

    private Task SendAsync(SentBatch batch, CancellationToken ct)
    {
        var first = Interlocked.Add(ref _sent, batch.Intended.Length) - batch.Intended.Length;
        return batch.SendAsync(http, lines.Body(first, batch.Intended.Length, DateTimeOffset.UtcNow), ct);
    }
}
