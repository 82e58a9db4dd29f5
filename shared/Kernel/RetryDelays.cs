namespace CapaEngine.Kernel;

/// <summary>
/// Pauses between attempts: each twice as long as the last, up to a limit, and not in step with those of others.
/// </summary>
public sealed class RetryDelays(int delayMsMax, int delayMsMin = 100)
{
    /// <summary>How many pauses there were since the last success.</summary>
    public int Count { get; private set; }

    /// <summary>The next pause.</summary>
    public TimeSpan Next()
    {
        var full = Math.Min(delayMsMax, delayMsMin * Math.Pow(2, Math.Min(Count++, 20)));
        return TimeSpan.FromMilliseconds(full * (0.5 + (Random.Shared.NextDouble() / 2)));
    }

    /// <summary>Waits for the next pause.</summary>
    public Task WaitAsync(TimeProvider clock, CancellationToken ct) => Task.Delay(Next(), clock, ct);

    /// <summary>Begins with short pauses again.</summary>
    public void Reset() => Count = 0;
}
