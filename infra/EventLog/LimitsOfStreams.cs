using System.Collections.Concurrent;

namespace CapaEngine.EventLog;

/// <summary>The limits of the streams that have any, as of the last commit: few, for they are checkpoints.</summary>
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
