using System.Diagnostics.CodeAnalysis;

namespace CapaEngine.EventLog.Writing;

/// <summary>
/// The end of a stream as the writer knows it, including what it is about to write. A failed transaction ends the
/// writer's term and with it everything it remembers, so this never has to be undone.
/// </summary>
internal sealed class StreamHead
{
    private readonly List<LogEvent> _uncommitted = [];

    /// <summary>The last revision; -1 when there is none.</summary>
    public long Last { get; private set; } = -1;

    public long LastPosition { get; private set; }

    public Guid LastId { get; private set; }

    /// <summary>The ids of the last events, once an append without a concrete expectation has asked for them.</summary>
    public RecentIds? Recent { get; set; }

    public bool IsTombstoned => Last == SystemNames.TombstoneRevision;

    public IReadOnlyList<LogEvent> Uncommitted => _uncommitted;

    public static StreamHead At(long last, long position, Guid id) =>
        new() { Last = last, LastPosition = position, LastId = id };

    public void Add(LogEvent e)
    {
        (Last, LastPosition, LastId) = (e.Revision, e.Position, e.Id);
        Recent?.Add(e.Id, e.Revision, e.Position);
        _uncommitted.Add(e);
    }

    /// <summary>Everything up to this position has been written.</summary>
    public void Committed(long through) => _uncommitted.RemoveAll(e => e.Position <= through);
}

/// <summary>The ids of a stream's last thousand events.</summary>
internal sealed class RecentIds
{
    public const int CountMax = 1_000;

    private readonly Dictionary<Guid, (long Revision, long Position)> _places = [];
    private readonly Queue<(Guid Id, long Revision)> _oldestFirst = new();

    public void Add(Guid id, long revision, long position)
    {
        if (_oldestFirst.Count == CountMax)
        {
            var oldest = _oldestFirst.Dequeue();
            if (_places.TryGetValue(oldest.Id, out var place) && place.Revision == oldest.Revision)
            {
                _places.Remove(oldest.Id);
            }
        }

        _places[id] = (revision, position);
        _oldestFirst.Enqueue((id, revision));
    }

    public (long Revision, long Position)? Find(Guid id) => _places.TryGetValue(id, out var place) ? place : null;
}

/// <summary>
/// The heads of the streams used last, in two generations: when the young one is full it becomes the old one, and
/// what nobody has asked for since is forgotten.
/// </summary>
/// <param name="generationMax">More than a batch touches, so that no head is forgotten while it is in use.</param>
internal sealed class StreamHeads(int generationMax)
{
    private Dictionary<string, StreamHead> _young = new(StringComparer.Ordinal);
    private Dictionary<string, StreamHead> _old = new(StringComparer.Ordinal);

    public bool TryGet(string stream, [NotNullWhen(true)] out StreamHead? head)
    {
        if (_young.TryGetValue(stream, out head))
        {
            return true;
        }

        if (!_old.Remove(stream, out head))
        {
            return false;
        }

        Add(stream, head);
        return true;
    }

    public void Add(string stream, StreamHead head)
    {
        if (_young.Count >= generationMax)
        {
            (_old, _young) = (_young, new Dictionary<string, StreamHead>(StringComparer.Ordinal));
        }

        _young[stream] = head;
    }
}
