using System.Collections.Concurrent;
using CapaEngine.Kernel;

namespace CapaEngine.Integration.EventStore;

/// <summary>
/// Callers that append one event after the other to a stream each, and repeat what was not acknowledged, as every
/// service does.
/// </summary>
internal sealed class Load : IAsyncDisposable
{
    private const int Callers = 20;
    private readonly ConcurrentDictionary<Guid, LogPosition> _acknowledged = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public Load(IEventStore store, string family) => _running = Task.WhenAll(
        Enumerable.Range(0, Callers).Select(n => Task.Run(() => AppendAsync(store, $"{family}-{n}"))));

    /// <summary>Waits until so many appends have been acknowledged.</summary>
    public async Task UntilAppendedAsync(int count, TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (_acknowledged.Count < count)
        {
            if (_running.IsCompleted)
            {
                await _running;
            }

            await poll.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>Lets every caller finish its append; what was acknowledged, and where it is.</summary>
    public async Task<IReadOnlyDictionary<Guid, LogPosition>> StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        return _acknowledged;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AppendAsync(IEventStore store, string stream)
    {
        for (var revision = -1L; !_stop.IsCancellationRequested; revision++)
        {
            var e = EventLogFaultTests.Event();
            var appended = await EventLogFaultTests.RetriedAsync(store, stream, ExpectedRevision.At(revision), e);
            _acknowledged[e.Id] = appended.Position;
        }
    }
}
