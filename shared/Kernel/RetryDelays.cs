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
        return TimeSpan.FromMilliseconds(full * (0.5 + (Chance.Source.NextDouble() / 2)));
    }

    /// <summary>Waits for the next pause.</summary>
    public Task WaitAsync(TimeProvider clock, CancellationToken ct) => Task.Delay(Next(), clock, ct);

    /// <summary>Begins with short pauses again.</summary>
    public void Reset() => Count = 0;
}

/// <summary>Where pauses take their irregularity from. Nothing that is recorded depends on it.</summary>
public static class Chance
{
    [ThreadStatic] private static Random? seeded;

    /// <summary>The random numbers of this thread.</summary>
    public static Random Source => seeded ?? Random.Shared;

    /// <summary>Gives this thread numbers that repeat, as a simulation needs them; null takes them back.</summary>
    internal static void Seed(Random? numbers) => seeded = numbers;
}
