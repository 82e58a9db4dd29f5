using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using Google.Protobuf.WellKnownTypes;

namespace CapaEngine.EventStore;

/// <summary>An append on its way: what to send, until when, and who waits for the answer.</summary>
internal sealed class PendingAppend
{
    private const int FrameBytesMax = 3 * 1024 * 1024;

    // The caller's continuation must not run on the loop that reads the answers of everybody else.
    private readonly TaskCompletionSource<AppendResult> _answer =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly List<BatchAppendReq> _frames = [];

    // The frames are built here, on the caller's thread: an event that cannot be sent is the caller's exception.
    public PendingAppend(string stream, ExpectedRevision expected, IReadOnlyList<NewEvent> events, long expiresAt)
    {
        ExpiresAt = expiresAt;
        var correlation = Wire.Uuid(Correlation);
        var frame = new BatchAppendReq { CorrelationId = correlation, Options = Options(stream, expected) };
        var bytes = 0;
        foreach (var e in events)
        {
            var size = e.Data.Length + e.Metadata.Length + (2 * e.Type.Length);
            if (bytes > 0 && bytes + size > FrameBytesMax)
            {
                _frames.Add(frame);
                frame = new BatchAppendReq { CorrelationId = correlation };
                bytes = 0;
            }

            frame.ProposedMessages.Add(Wire.Proposed(e));
            bytes += size;
        }

        frame.IsFinal = true;
        _frames.Add(frame);
    }

    public Guid Correlation { get; } = Guid.NewGuid();

    /// <summary>A timestamp of the clock.</summary>
    public long ExpiresAt { get; }

    public Task<AppendResult> Answer => _answer.Task;

    public void Complete(AppendResult result) => _answer.TrySetResult(result);

    public void Fail(Exception exception) => _answer.TrySetException(exception);

    /// <summary>
    /// The frames of this append, each under the size that every server accepts; only the last one triggers the write.
    /// </summary>
    public IReadOnlyList<BatchAppendReq> Frames(TimeSpan deadline, bool deadlineAsDuration, DateTimeOffset now)
    {
        // A duration is immune to clocks that disagree; servers before 21.10.1 know only the absolute form.
        var options = _frames[0].Options;
        if (deadlineAsDuration)
        {
            options.Deadline = Duration.FromTimeSpan(deadline);
        }
        else
        {
            options.Deadline21100 = Timestamp.FromDateTimeOffset(now + deadline);
        }

        return _frames;
    }

    private static BatchAppendReq.Types.Options Options(string stream, ExpectedRevision expected)
    {
        var options = new BatchAppendReq.Types.Options { StreamIdentifier = Wire.Stream(stream) };
        if (expected == ExpectedRevision.NoStream)
        {
            options.NoStream = new();
        }
        else if (expected == ExpectedRevision.Any)
        {
            options.Any = new();
        }
        else if (expected == ExpectedRevision.StreamExists)
        {
            options.StreamExists = new();
        }
        else
        {
            options.StreamPosition = (ulong)expected.Value;
        }

        return options;
    }
}
