namespace CapaEngine.Hosting;

/// <summary>
/// Lets one asynchronous caller in at a time, in the order of arrival. Whoever waits goes on where its caller runs,
/// never on a thread of the pool in between, so that a simulation decides who is next.
/// </summary>
public sealed class Gate
{
    private readonly Lock _state = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private bool _isTaken;

    /// <summary>Waits for the gate and takes it; disposing of what it returns gives it back.</summary>
    public async Task<Stay> EnterAsync(CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        TaskCompletionSource turn;
        lock (_state)
        {
            if (!_isTaken)
            {
                _isTaken = true;
                return new Stay(this);
            }

            turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(turn);
        }

        using var given = ct.UnsafeRegister(
            static (turn, ct) => ((TaskCompletionSource)turn!).TrySetCanceled(ct), turn);
        await turn.Task;
        return new Stay(this);
    }

    private void Leave()
    {
        lock (_state)
        {
            // Who gave up while waiting is passed over.
            while (_waiting.TryDequeue(out var next))
            {
                if (next.TrySetResult()) return;
            }

            _isTaken = false;
        }
    }

    /// <summary>The time inside, which ends once.</summary>
    public sealed class Stay : IDisposable
    {
        private Gate? _gate;

        internal Stay(Gate gate) => _gate = gate;

        /// <inheritdoc/>
        public void Dispose() => Interlocked.Exchange(ref _gate, null)?.Leave();
    }
}

/// <summary>Wakes one waiting party; a signal that nobody waits for is kept for the next, but only one.</summary>
internal sealed class Signal
{
    private readonly Lock _state = new();
    private TaskCompletionSource? _waiting;
    private bool _isSet;

    /// <summary>Wakes whoever waits, or the next to wait.</summary>
    public void Set()
    {
        lock (_state)
        {
            var waiting = _waiting;
            _waiting = null;
            if (waiting?.TrySetResult() != true) _isSet = true;
        }
    }

    /// <summary>Waits for the signal, at most until <paramref name="limit"/> is over.</summary>
    public async Task WaitAsync(TimeSpan limit, TimeProvider clock, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_state)
        {
            if (_isSet)
            {
                _isSet = false;
                return;
            }

            _waiting = waiting;
        }

        using var given = ct.UnsafeRegister(
            static (waiting, ct) => ((TaskCompletionSource)waiting!).TrySetCanceled(ct), waiting);
        await using var timer = clock.CreateTimer(
            static waiting => ((TaskCompletionSource)waiting!).TrySetResult(), waiting, limit,
            Timeout.InfiniteTimeSpan);
        await waiting.Task;
    }
}
