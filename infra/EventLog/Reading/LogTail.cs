using System.Diagnostics.CodeAnalysis;

namespace CapaEngine.EventLog.Reading;

/// <summary>
/// The last committed events, in memory: what live subscriptions read. Bounded in number and bytes; who has fallen
/// further behind reads the table until it has caught up.
/// </summary>
internal sealed class LogTail(long head)
{
    private const int CountMax = 16_384;
    private const long BytesMax = 64 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly LogEvent?[] _ring = new LogEvent?[CountMax];
    private TaskCompletionSource _appended = NewSignal();
    private long _first = head + 1;
    private long _head = head;
    private long _bytes;

    /// <summary>The position of the last committed event.</summary>
    public long Head => Volatile.Read(ref _head);

    public void Append(IReadOnlyList<LogEvent> events)
    {
        TaskCompletionSource appended;
        lock (_gate)
        {
            foreach (var e in events)
            {
                while (_first <= _head && (_head - _first + 1 >= CountMax || _bytes + e.Bytes > BytesMax))
                {
                    Forget();
                }

                _ring[e.Position % CountMax] = e;
                _bytes += e.Bytes;
                Volatile.Write(ref _head, e.Position);
            }

            appended = _appended;
            _appended = NewSignal();
        }

        appended.SetResult();
    }

    /// <summary>The events after a position, unless some of them are no longer in memory.</summary>
    public bool TryRead(long after, int countMax, [NotNullWhen(true)] out IReadOnlyList<LogEvent>? events)
    {
        lock (_gate)
        {
            if (after + 1 < _first)
            {
                events = null;
                return false;
            }

            var read = new LogEvent[Math.Clamp(_head - after, 0, countMax)];
            for (var i = 0; i < read.Length; i++)
            {
                read[i] = _ring[(after + 1 + i) % CountMax]!;
            }

            events = read;
            return true;
        }
    }

    /// <summary>Completes when there is an event after this position.</summary>
    public Task WaitAsync(long after, CancellationToken ct)
    {
        lock (_gate)
        {
            return _head > after ? Task.CompletedTask : _appended.Task.WaitAsync(ct);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Forget()
    {
        var slot = _first % CountMax;
        _bytes -= _ring[slot]!.Bytes;
        _ring[slot] = null;
        _first++;
    }
}
