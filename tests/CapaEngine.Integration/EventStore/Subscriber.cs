using CapaEngine.Kernel;

namespace CapaEngine.Integration.EventStore;

/// <summary>Takes the messages of a subscription one by one, each with a deadline.</summary>
public sealed class Subscriber(IAsyncEnumerable<LogMessage> messages, TimeSpan patience) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private IAsyncEnumerator<LogMessage>? _messages;
    private Task<bool> _moving = Task.FromResult(false);

    /// <summary>The next message; fails when it does not come in time.</summary>
    public async Task<LogMessage> NextAsync()
    {
        _messages ??= messages.GetAsyncEnumerator(_stop.Token);
        _moving = _messages.MoveNextAsync().AsTask();
        try
        {
            return await _moving.WaitAsync(patience)
                ? _messages.Current
                : throw new InvalidOperationException("The subscription ended.");
        }
        catch (TimeoutException)
        {
            await _stop.CancelAsync();
            throw;
        }
    }

    /// <summary>Everything up to and including the first message of a kind.</summary>
    public async Task<List<LogMessage>> UntilAsync<T>()
        where T : LogMessage
    {
        var taken = new List<LogMessage>();
        while (taken.LastOrDefault() is not T)
        {
            taken.Add(await NextAsync());
        }

        return taken;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_messages is not null)
        {
            await ((Task)_moving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _messages.DisposeAsync();
        }

        _stop.Dispose();
    }
}
