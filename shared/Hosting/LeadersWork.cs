using System.Diagnostics;
using CapaEngine.Kernel;
using Microsoft.Extensions.Logging;

namespace CapaEngine.Hosting;

/// <summary>
/// What a leader does while it is in office: its work, begun again after a pause whenever it fails. The end of the
/// office is never a failure, whatever the work makes of it.
/// </summary>
internal sealed class LeadersWork(
    string queue, Func<CancellationToken, Task> work, PipelineOptions options, TimeProvider clock, ILogger logger)
{
    private readonly KeyValuePair<string, object?> _tag = new("queue", queue);
    private long _began;
    private volatile bool _leads;
    private Failure? _failure;

    /// <summary>Whether it is in office.</summary>
    public bool Leads => _leads;

    /// <summary>Since when the work has been failing and why; null once it lasts, or out of office.</summary>
    public Failure? Failure => Lasts() ? null : Volatile.Read(ref _failure);

    /// <summary>Works until the office ends.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        _leads = true;
        PipelineTelemetry.Leads.Record(1, _tag);
        logger.LogInformation("Leading on {Queue}.", queue);
        var delays = new RetryDelays(options.RetryDelayMsMax);
        try
        {
            while (!ct.IsCancellationRequested) await TryAsync(delays, ct);
        }
        catch (Exception ending) when (ct.IsCancellationRequested)
        {
            // A connection that fails as the office ends is no more than that.
            logger.LogInformation("No longer leading on {Queue}: {Reason}", queue, ending.Message);
        }
        finally
        {
            _leads = false;
            Forget(delays);
            PipelineTelemetry.Leads.Record(0, _tag);
        }
    }

    private async Task TryAsync(RetryDelays delays, CancellationToken ct)
    {
        Volatile.Write(ref _began, clock.GetTimestamp());
        try
        {
            await work(ct);
            throw new UnreachableException($"The work of {queue} ended by itself.");
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            if (Lasts()) Forget(delays);
            Volatile.Write(ref _failure, new Failure(_failure?.Since ?? clock.GetUtcNow(), failure.Message));
            logger.LogError(failure, "The work of the leader on {Queue} failed and is begun again.", queue);
            await delays.WaitAsync(clock, ct);
        }
    }

    // Longer than the longest pause between two failures: then it is no longer the same trouble.
    private bool Lasts() =>
        clock.GetElapsedTime(Volatile.Read(ref _began)).TotalMilliseconds > 2 * options.RetryDelayMsMax;

    private void Forget(RetryDelays delays)
    {
        delays.Reset();
        Volatile.Write(ref _failure, null);
    }
}

/// <summary>A part that does not get on, since when and why.</summary>
public sealed record Failure(DateTimeOffset Since, string Reason);
