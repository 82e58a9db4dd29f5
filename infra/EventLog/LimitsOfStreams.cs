using System.Collections.Concurrent;
using System.Collections.Immutable;
using CapaEngine.EventLog.Access;

namespace CapaEngine.EventLog;

/// <summary>The limits of the streams that have any, as of the last commit: few, for they are checkpoints.</summary>
internal sealed class LimitsOfStreams(IReadOnlyDictionary<string, StreamLimits> initial, AccessDefaults accessDefaults)
{
    // Metadata replace each other: whoever reads them is shown those that hold.
    private const int EventsOfMetadataMax = 1;

    private readonly ConcurrentDictionary<string, StreamLimits> _limits = new(initial, StringComparer.Ordinal);
    private ImmutableDictionary<string, AccessList> _access = Changed(
        ImmutableDictionary.Create<string, AccessList>(StringComparer.Ordinal), initial);

    private AccessDefaults _accessDefaults = accessDefaults;

    public AccessDefaults AccessDefaults => Volatile.Read(ref _accessDefaults);

    /// <summary>What readers of a stream see of it; null if they see everything.</summary>
    public StreamLimits? Find(string stream)
    {
        var limits = MetadataOf(stream);
        return SystemNames.StreamOfMetadata(stream) is null
            ? limits
            : (limits ?? StreamLimits.None) with { MaxCount = EventsOfMetadataMax };
    }

    /// <summary>Null if the stream has no metadata.</summary>
    public StreamLimits? MetadataOf(string stream) => _limits.GetValueOrDefault(stream);

    /// <summary>Null if the stream has no access list; costs nothing while no stream has one.</summary>
    public AccessList? AccessOf(string stream)
    {
        var access = Volatile.Read(ref _access);
        return access.Count == 0 ? null : access.GetValueOrDefault(stream);
    }

    /// <summary>Called by the writer alone, after each commit.</summary>
    /// <param name="accessDefaults">Null if they have not changed.</param>
    public void Apply(IReadOnlyDictionary<string, StreamLimits> changed, AccessDefaults? accessDefaults)
    {
        foreach (var (stream, limits) in changed)
        {
            _limits[stream] = limits;
        }

        if (changed.Count > 0)
        {
            Volatile.Write(ref _access, Changed(_access, changed));
        }

        if (accessDefaults is not null)
        {
            Volatile.Write(ref _accessDefaults, accessDefaults);
        }
    }

    private static ImmutableDictionary<string, AccessList> Changed(
        ImmutableDictionary<string, AccessList> access, IReadOnlyDictionary<string, StreamLimits> changed)
    {
        var lists = access.ToBuilder();
        foreach (var (stream, limits) in changed)
        {
            if (limits.Access is { } list)
            {
                lists[stream] = list;
            }
            else
            {
                lists.Remove(stream);
            }
        }

        return lists.ToImmutable();
    }
}
