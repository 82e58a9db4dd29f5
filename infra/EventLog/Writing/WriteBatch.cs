using CapaEngine.EventLog.Access;

namespace CapaEngine.EventLog.Writing;

/// <summary>What one transaction will write: an event gets the next position and its stream's next revision.</summary>
internal sealed class WriteBatch(long lastPosition, DateTimeOffset now)
{
    private const int EventsMax = 4_000;
    private const int BytesMax = 8 * 1024 * 1024;

    // The database keeps microseconds; an event must look the same live and when it is read again.
    private readonly DateTime _created = now.UtcDateTime.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    private readonly List<LogEvent> _events = [];
    private readonly HashSet<StreamHead> _heads = [];
    private readonly Dictionary<string, StreamLimits> _limits = new(StringComparer.Ordinal);

    private readonly List<(AppendRequest Request, WriteOutcome Outcome)> _settled = [];
    private readonly Queue<AppendRequest> _taken = new();
    private int _eventsTaken;
    private int _bytesTaken;

    /// <summary>Whether it waits for no more requests.</summary>
    public bool IsFull => _eventsTaken >= EventsMax || _bytesTaken >= BytesMax;

    public bool IsEmpty => Requests == 0;

    /// <summary>How many requests it answers.</summary>
    public int Requests => _settled.Count + _taken.Count;

    public IReadOnlyList<LogEvent> Events => _events;

    public IReadOnlyCollection<StreamHead> Heads => _heads;

    public IReadOnlyDictionary<string, StreamLimits> Limits => _limits;

    /// <summary>Null if nobody writes to the settings stream.</summary>
    public AccessDefaults? AccessDefaults { get; private set; }

    public long LastPosition => lastPosition + _events.Count;

    /// <summary>From now on this batch answers the request.</summary>
    public void Take(AppendRequest request)
    {
        _taken.Enqueue(request);
        _eventsTaken += request.Events.Count + 1;
        _bytesTaken += request.Events.Sum(e => e.Bytes);
    }

    /// <summary>Says what will be the answer to the next request, once this batch is written.</summary>
    public void Settle(WriteOutcome outcome) => _settled.Add((_taken.Dequeue(), outcome));

    /// <summary>Answers every request: the batch is written.</summary>
    public void Answer()
    {
        _settled.ForEach(settled => settled.Request.Answer(settled.Outcome));
        _settled.Clear();
    }

    /// <summary>Answers whoever has no answer yet: nobody knows what became of it.</summary>
    public void Abandon()
    {
        foreach (var request in _settled.Select(settled => settled.Request).Concat(_taken))
        {
            request.Answer(new WriteOutcome.TimedOut());
        }

        _settled.Clear();
        _taken.Clear();
    }

    public void Add(string stream, StreamHead head, ProposedEvent e)
    {
        Add(head, new LogEvent(
            LastPosition + 1, stream, head.Last + 1, e.Id, e.Type, e.IsJson, _created, e.Data, e.Metadata));
        if (SystemNames.StreamOfMetadata(stream) is { } original)
        {
            // Whatever its type: the last event of a metadata stream is the metadata.
            _limits[original] = e.IsJson ? StreamLimits.Parse(e.Data) : StreamLimits.None;
        }
        else if (stream == SystemNames.Settings)
        {
            AccessDefaults = AccessDefaults.Parse(e.Data);
        }
    }

    public void AddTombstone(string stream, StreamHead head) => Add(head, new LogEvent(
        LastPosition + 1, stream, SystemNames.TombstoneRevision, Guid.NewGuid(), SystemNames.TombstoneType,
        IsJson: false, _created, default, default));

    private void Add(StreamHead head, LogEvent e)
    {
        head.Add(e);
        _events.Add(e);
        _heads.Add(head);
    }
}
