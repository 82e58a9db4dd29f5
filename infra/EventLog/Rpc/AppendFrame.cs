using System.Text;
using CapaEngine.EventLog.Writing;
using CapaEngine.EventStore.Protocol;

namespace CapaEngine.EventLog.Rpc;

/// <summary>
/// A message of a pipelined append, the protocol's <c>BatchAppendReq</c>. Bytes that are no such message throw and
/// end the call; a message that asks for something impossible says so in <see cref="Malformed"/>.
/// </summary>
internal sealed class AppendFrame
{
    private readonly List<ProposedEvent> _events = [];

    /// <summary>The id by which the client will know the answer, and in which of its two forms it was sent.</summary>
    public (Guid Id, bool IsText) Correlation { get; private set; }

    /// <summary>Whether this frame has options, as the first one of an append must.</summary>
    public bool HasOptions { get; private set; }

    public string Stream { get; private set; } = "";

    public Expectation? Expected { get; private set; }

    /// <summary>How much time the client gives; null if it says nothing.</summary>
    public TimeSpan? Deadline { get; private set; }

    /// <summary>Until when, for clients that say it by the clock.</summary>
    public DateTimeOffset? DeadlineAt { get; private set; }

    public IReadOnlyList<ProposedEvent> Events => _events;

    public bool IsFinal { get; private set; }

    /// <summary>What is wrong with what it asks for; null if nothing is.</summary>
    public string? Malformed { get; private set; }

    /// <param name="message">Not used again by the caller: the events keep parts of it.</param>
    public static AppendFrame Parse(byte[] message)
    {
        const int correlation = 1, options = 2, proposedMessage = 3, isFinal = 4;
        var frame = new AppendFrame();
        var fields = new FieldReader(message);
        while (fields.MoveNext())
        {
            switch (fields.Field)
            {
                case correlation:
                    frame.ReadCorrelation(fields.Bytes());
                    break;
                case options:
                    frame.ReadOptions(fields.Bytes());
                    break;
                case proposedMessage:
                    frame.ReadEvent(message.AsMemory(fields.BytesRange()));
                    break;
                case isFinal:
                    frame.IsFinal = fields.Number() != 0;
                    break;
                default:
                    fields.Skip();
                    break;
            }
        }

        return frame;
    }

    private void ReadCorrelation(ReadOnlySpan<byte> message)
    {
        const int text = 2;
        var fields = new FieldReader(message);
        Correlation = (Values.Id(message), fields.MoveNext() && fields.Field == text);
    }

    private void ReadOptions(ReadOnlySpan<byte> message)
    {
        const int stream = 1, position = 2, noStream = 3, any = 4, streamExists = 5, absolute = 6, duration = 7;
        HasOptions = true;
        var fields = new FieldReader(message);
        while (fields.MoveNext())
        {
            switch (fields.Field)
            {
                case stream:
                    Stream = Values.StreamName(fields.Bytes());
                    break;
                case position:
                    Expected = fields.Number() is not ulong.MaxValue and var revision
                        ? new Expectation((long)Math.Min(revision, long.MaxValue))
                        : Expectation.NoStream;
                    break;
                case noStream or any or streamExists:
                    Expected = fields.Field switch
                    {
                        noStream => Expectation.NoStream,
                        any => Expectation.Any,
                        _ => Expectation.StreamExists,
                    };
                    fields.Skip();
                    break;
                case absolute:
                    DeadlineAt = DateTimeOffset.UnixEpoch + Time(fields.Bytes());
                    break;
                case duration:
                    Deadline = Time(fields.Bytes());
                    break;
                default:
                    fields.Skip();
                    break;
            }
        }

        if (!Wire.IsName(Stream))
        {
            Malformed ??= Wire.NameRule;
        }

        if (Expected is null)
        {
            Malformed ??= "An append says what it expects of its stream.";
        }
    }

    private void ReadEvent(ReadOnlyMemory<byte> message)
    {
        const int id = 1, metadata = 2, customMetadata = 3, data = 4;
        var (eventId, about, body) = ((Guid?)null, default(Range), default(Range));
        var (type, contentType) = ((string?)null, (string?)null);
        var fields = new FieldReader(message.Span);
        while (fields.MoveNext())
        {
            switch (fields.Field)
            {
                case id:
                    eventId = EventId(fields.Bytes());
                    break;
                case metadata:
                    Note(fields.Bytes(), ref type, ref contentType);
                    break;
                case customMetadata:
                    about = fields.BytesRange();
                    break;
                case data:
                    body = fields.BytesRange();
                    break;
                default:
                    fields.Skip();
                    break;
            }
        }

        if (eventId is { } known && Wire.IsText(type) && contentType is not null)
        {
            _events.Add(new ProposedEvent(known, type, contentType == Wire.Json, message[body], message[about]));
        }
        else
        {
            Malformed ??= "An event needs an id, a type and a content type.";
        }
    }

    // Null for what is no id: the append is refused, but the call, and with it everybody else's appends, goes on.
    private static Guid? EventId(ReadOnlySpan<byte> message)
    {
        try
        {
            return Values.Id(message) is var id && id != Guid.Empty ? id : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static void Note(ReadOnlySpan<byte> entry, ref string? type, ref string? contentType)
    {
        Values.Entry(entry, out var key, out var value);
        if (key.SequenceEqual("type"u8))
        {
            type = Values.Term(value);
        }
        else if (key.SequenceEqual("content-type"u8))
        {
            contentType = Values.Term(value);
        }
    }

    // Seconds and nanoseconds, as a length of time and a time of day both have them. What no clock could show is the
    // nearest that it could.
    private static TimeSpan Time(ReadOnlySpan<byte> message)
    {
        const long secondsMax = 100L * 365 * 24 * 3600;
        var (seconds, nanos) = (0L, 0L);
        var fields = new FieldReader(message);
        while (fields.MoveNext())
        {
            switch (fields.Field)
            {
                case 1:
                    seconds = (long)fields.Number();
                    break;
                case 2:
                    nanos = (int)fields.Number();
                    break;
                default:
                    fields.Skip();
                    break;
            }
        }

        return TimeSpan.FromSeconds(Math.Clamp(seconds, -secondsMax, secondsMax)) + TimeSpan.FromTicks(nanos / 100);
    }
}
