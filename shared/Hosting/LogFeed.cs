using CapaEngine.Kernel;

namespace CapaEngine.Hosting;

/// <summary>
/// A subscription to the log whose next message is awaited beside other work, and which can be left at any time: an
/// enumerator cannot be disposed of while its next message is awaited.
/// </summary>
public sealed class LogFeed : IAsyncDisposable
{
    private readonly CancellationTokenSource _reading;
    private readonly IAsyncEnumerator<LogMessage> _messages;
    private Task<bool> _next;

    /// <summary>Begins to read what lies after the position, of streams with these prefixes.</summary>
    public LogFeed(IEventStore store, LogPosition after, IReadOnlyList<string> prefixes, CancellationToken ct)
    {
        _reading = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _messages = store.SubscribeToAllAsync(after, prefixes, _reading.Token).GetAsyncEnumerator(_reading.Token);
        _next = _messages.MoveNextAsync().AsTask();
    }

    /// <summary>Completes when the next message is there, or will never be.</summary>
    public Task Next => _next;

    /// <summary>Takes the next message. Throws where the subscription ended.</summary>
    public async Task<LogMessage> TakeAsync()
    {
        if (!await _next) throw new InvalidOperationException("The subscription to the log ended.");
        var message = _messages.Current;
        _next = _messages.MoveNextAsync().AsTask();
        return message;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _reading.End();
        await ((Task)_next).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await _messages.DisposeAsync();
        _reading.Dispose();
    }
}
