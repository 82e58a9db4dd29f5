using System.Collections.Concurrent;

namespace CapaEngine.EventLog;

/// <summary>The limits of every stream that has any, as of the last commit. There are few: checkpoint streams.</summary>
internal sealed class LimitsOfStreams(IReadOnlyDictionary<string, StreamLimits> initial)
{
    private readonly ConcurrentDictionary<string, StreamLimits> _limits = new(initial, StringComparer.Ordinal);

    /// <summary>Null if the stream has no metadata.</summary>
    public StreamLimits? Find(string stream) => _limits.GetValueOrDefault(stream);

    public void Apply(IReadOnlyDictionary<string, StreamLimits> changed)
    {
        foreach (var (stream, limits) in changed)
        {
            _limits[stream] = limits;
        }
    }
}
