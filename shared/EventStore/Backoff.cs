namespace CapaEngine.EventStore;

/// <summary>Waits longer after each failure, and not in step with the other clients of the same store.</summary>
internal sealed class Backoff(TimeProvider clock)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);
    private TimeSpan _next = First;

    /// <summary>How often it waited since the last success.</summary>
    public int Failures { get; private set; }

    public void Reset()
    {
        Failures = 0;
        _next = First;
    }

    public async Task WaitAsync(CancellationToken ct)
    {
        Failures++;
        var wait = _next * (0.75 + (Random.Shared.NextDouble() / 2));
        _next = _next * 2 < Longest ? _next * 2 : Longest;
        await Task.Delay(wait, clock, ct);
    }
}
