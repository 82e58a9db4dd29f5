using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CapaEngine.Hosting;

/// <summary>
/// Answers which number a new case got. It follows the numbering streams from where they ended when the process
/// started, whichever process assigns.
/// </summary>
public sealed class NumberReader(
    NumberSeries series, IEventStore store, PipelineOptions options, TimeProvider clock, ILogger<NumberReader> logger)
    : BackgroundService
{
    // The latest numbers are kept for requests that ask after the number came, or ask again.
    private const int KeptCountMax = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, string> _numbers = [];
    private readonly Queue<Guid> _order = new();
    private readonly Dictionary<Guid, TaskCompletionSource<string>> _waiting = [];

    /// <summary>The number of a new case; null where none was assigned within <paramref name="max"/>.</summary>
    public async Task<string?> WaitAsync(Guid id, TimeSpan max, CancellationToken ct)
    {
        TaskCompletionSource<string>? waiting;
        lock (_gate)
        {
            if (_numbers.TryGetValue(id, out var known)) return known;
            if (!_waiting.TryGetValue(id, out waiting))
                _waiting[id] = waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        try
        {
            return await waiting.Task.WaitAsync(max, clock, ct);
        }
        catch (TimeoutException)
        {
            return null;
        }
        finally
        {
            lock (_gate)
            {
                _waiting.Remove(id);
            }
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var delays = new RetryDelays(options.RetryDelayMsMax);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(delays, stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogWarning(failure, "Numbers cannot be read now.");
                await delays.WaitAsync(clock, stoppingToken);
            }
        }
    }

    private async Task FollowAsync(RetryDelays delays, CancellationToken ct)
    {
        var last = await series.ReadLastAsync(store, clock.GetUtcNow(), ct);
        foreach (var recorded in last) Note(recorded);
        var from = last.Select(recorded => recorded.Position).DefaultIfEmpty().Max();
        await foreach (var message in store.SubscribeToAllAsync(from, [series.Numbers.Prefix], ct))
        {
            delays.Reset();
            if (message is LogMessage.Event next) Note(next.Recorded);
        }
    }

    private void Note(RecordedEvent recorded)
    {
        var id = ((NumberingEvent.Assigned)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span)).Id;
        var number = series.Format(recorded.Stream, recorded.Revision);
        lock (_gate)
        {
            if (_numbers.TryAdd(id, number)) _order.Enqueue(id);
            if (_order.Count > KeptCountMax) _numbers.Remove(_order.Dequeue());
            if (_waiting.Remove(id, out var waiting)) waiting.SetResult(number);
        }
    }
}
