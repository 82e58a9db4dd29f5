using System.Collections.Concurrent;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>
/// Lets work on different streams run at the same time and work on one stream in the order in which it was entered, so
/// that of two events with one id the first is the one that counts. One caller enters at a time.
/// </summary>
public sealed class StreamTurns
{
    private readonly ConcurrentDictionary<string, Task> last = new(StringComparer.Ordinal);

    /// <summary>Does the work when all earlier work on the stream is done; fails as that failed.</summary>
    public Task<T> InTurnAsync<T>(string stream, Func<Task<T>> work)
    {
        var turn = FollowAsync(last.GetValueOrDefault(stream), work);
        last[stream] = turn;
        return ForgetAsync(stream, turn);
    }

    private static async Task<T> FollowAsync<T>(Task? before, Func<Task<T>> work)
    {
        if (before is not null) await before;
        return await work();
    }

    private async Task<T> ForgetAsync<T>(string stream, Task<T> turn)
    {
        try
        {
            return await turn;
        }
        finally
        {
            last.TryRemove(KeyValuePair.Create<string, Task>(stream, turn));
        }
    }
}
