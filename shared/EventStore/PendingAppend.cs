using System.Buffers.Binary;
using CapaEngine.Kernel;

namespace CapaEngine.EventStore;

/// <summary>An append on its way: what to send, until when, and who waits for the answer.</summary>
internal sealed class PendingAppend
{
    private const int FrameBytesMax = 3 * 1024 * 1024;

    // The caller's continuation must not run on the loop that reads the answers of everybody else.
    private readonly TaskCompletionSource<AppendResult> _answer =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Only this process ever sees these ids again, so they are counted instead of drawn.
    private static long _last;

    private readonly NewEvent[] _events;

    // The events are looked at here, on the caller's thread: one that cannot be sent is the caller's exception, and
    // a list that is changed meanwhile is the caller's business alone.
    public PendingAppend(string stream, ExpectedRevision expected, IReadOnlyList<NewEvent> events, long expiresAt)
    {
        ArgumentException.ThrowIfNullOrEmpty(stream);
        (Stream, Expected, ExpiresAt) = (stream, expected, expiresAt);
        _events = [.. events];
        if (Array.Exists(_events, e => string.IsNullOrEmpty(e.Type)))
        {
            throw new ArgumentException("An event has a type.", nameof(events));
        }
    }

    public string Stream { get; }

    public ExpectedRevision Expected { get; }

    public Guid Correlation { get; } = Counted(Interlocked.Increment(ref _last));

    /// <summary>A timestamp of the clock.</summary>
    public long ExpiresAt { get; }

    public Task<AppendResult> Answer => _answer.Task;

    public void Complete(AppendResult result) => _answer.TrySetResult(result);

    public void Fail(Exception exception) => _answer.TrySetException(exception);

    /// <summary>The frames of this append, each under the size that every server accepts.</summary>
    public IEnumerable<AppendFrame> Frames(Deadline deadline)
    {
        var (first, bytes) = (0, 0);
        for (var i = 0; i < _events.Length; i++)
        {
            var size = AppendFrame.SizeOf(_events[i]);
            if (i > first && bytes + size > FrameBytesMax)
            {
                yield return new AppendFrame(this, _events, first, i, deadline);
                (first, bytes) = (i, 0);
            }

            bytes += size;
        }

        yield return new AppendFrame(this, _events, first, _events.Length, deadline);
    }

    private static Guid Counted(long number)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        BinaryPrimitives.WriteInt64BigEndian(bytes[8..], number);
        return new Guid(bytes, bigEndian: true);
    }
}
