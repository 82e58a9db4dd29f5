using CapaEngine.EventLog.Access;

namespace CapaEngine.EventLog.Writing;

/// <summary>What one transaction will write: an event gets the next position and its stream's next revision.</summary>
internal sealed class WriteBatch(long lastPosition, DateTimeOffset now)
{
    // The database keeps microseconds; an event must look the same live and when it is read again.
    private readonly DateTime _created = now.UtcDateTime.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    private readonly List<LogEvent> _events = [];
    private readonly HashSet<StreamHead> _heads = [];
    private readonly Dictionary<string, StreamLimits> _limits = new(StringComparer.Ordinal);

    public IReadOnlyList<LogEvent> Events => _events;

    public IReadOnlyCollection<StreamHead> Heads => _heads;

    public IReadOnlyDictionary<string, StreamLimits> Limits => _limits;

    /// <summary>Null if nobody writes to the settings stream.</summary>
    public AccessDefaults? AccessDefaults { get; private set; }

    public long LastPosition => lastPosition + _events.Count;

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
