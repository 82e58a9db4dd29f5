using System.Collections.Concurrent;
using System.Threading.Channels;
using CapaEngine.Kernel;
using Grpc.Core;

namespace CapaEngine.EventStore;

/// <summary>
/// One duplex call on which appends are pipelined. It lives until it breaks; then everything that was sent and not
/// answered is of unknown outcome.
/// </summary>
internal sealed class AppendCall : IAsyncDisposable
{
    // The store answers at the deadline; the client speaks for it only if the store stays silent beyond that.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(250);
    private static readonly WriteOptions Buffered = new(WriteFlags.BufferHint);

    private readonly AsyncDuplexStreamingCall<AppendFrame, AppendAnswer> _call;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _deadline;
    private readonly bool _deadlineAsDuration;
    private readonly ConcurrentDictionary<Guid, PendingAppend> _inFlight = new();
    private readonly CancellationTokenSource _broken = new();
    private readonly ITimer _sweep;
    private readonly Task<Exception?> _receiving;

    public AppendCall(
        AsyncDuplexStreamingCall<AppendFrame, AppendAnswer> call, TimeSpan deadline, bool deadlineAsDuration,
        TimeProvider clock)
    {
        (_call, _deadline, _deadlineAsDuration, _clock) = (call, deadline, deadlineAsDuration, clock);
        _receiving = Task.Run(ReceiveAsync);
        _sweep = clock.CreateTimer(_ => AnswerOverdue(), null, SweepInterval, SweepInterval);
    }

    /// <summary>Sends what the queue holds until the call breaks or the queue ends; what broke it.</summary>
    public async Task<Exception?> PumpAsync(ChannelReader<PendingAppend> queue)
    {
        Exception? unsent = null;
        try
        {
            while (await queue.WaitToReadAsync(_broken.Token))
            {
                while (!_broken.IsCancellationRequested && queue.TryRead(out var append))
                {
                    await SendAsync(append, moreWaiting: queue.TryPeek(out _));
                }
            }

            await _call.RequestStream.CompleteAsync();
        }
        catch (Exception failure)
        {
            // Whatever stopped the sending, a broken line above all, also ends the receiving, which knows the reason
            // better. No failure of one call may end the appends of the process.
            unsent = failure;
            _call.Dispose();
        }

        var reason = await _receiving ?? unsent;
        AnswerAll(reason);
        return reason;
    }

    /// <summary>Breaks the call now.</summary>
    public void Abort() => _call.Dispose();

    public async ValueTask DisposeAsync()
    {
        _call.Dispose();
        await _receiving;
        await _sweep.DisposeAsync();
        _broken.Dispose();
    }

    private async Task SendAsync(PendingAppend append, bool moreWaiting)
    {
        if (_clock.GetTimestamp() > append.ExpiresAt)
        {
            append.Complete(new AppendResult.ServerBusy("The append waited in the queue until its deadline."));
            return;
        }

        _inFlight[append.Correlation] = append;
        _call.RequestStream.WriteOptions = moreWaiting ? Buffered : null;
        foreach (var frame in append.Frames(Deadline.In(_deadline, _deadlineAsDuration, _clock.GetUtcNow())))
        {
            await _call.RequestStream.WriteAsync(frame);
        }
    }

    private async Task<Exception?> ReceiveAsync()
    {
        try
        {
            await foreach (var answer in _call.ResponseStream.ReadAllAsync())
            {
                if (_inFlight.TryRemove(answer.Correlation, out var append))
                {
                    Answer(append, answer);
                }
            }

            return null;
        }
        catch (Exception failure)
        {
            return failure;
        }
        finally
        {
            await _broken.CancelAsync();
        }
    }

    private static void Answer(PendingAppend append, AppendAnswer answer)
    {
        try
        {
            append.Complete(Wire.Result(answer));
        }
        catch (InvalidOperationException malformed)
        {
            append.Fail(malformed);
        }
    }

    private void AnswerAll(Exception? reason)
    {
        AppendResult result = NodeSelector.IsDenied(reason)
            ? new AppendResult.AccessDenied()
            : new AppendResult.OutcomeUnknown($"The connection broke before the answer: {reason?.Message ?? "closed"}");
        foreach (var append in _inFlight.Values)
        {
            append.Complete(result);
        }

        _inFlight.Clear();
    }

    private void AnswerOverdue()
    {
        foreach (var (correlation, append) in _inFlight)
        {
            if (_clock.GetElapsedTime(append.ExpiresAt) > Grace && _inFlight.TryRemove(correlation, out _))
            {
                append.Complete(new AppendResult.OutcomeUnknown("The store did not answer before the deadline."));
            }
        }
    }
}
