using Options = CapaEngine.EventStore.Protocol.ReadReq.Types.Options;

namespace CapaEngine.EventStore;

/// <summary>Which events of the log a reader wants, by what the stream or the type begins with.</summary>
public sealed class LogFilter
{
    private readonly Options.Types.FilterOptions.Types.Expression? _stream;
    private readonly Options.Types.FilterOptions.Types.Expression? _type;

    private LogFilter(
        Options.Types.FilterOptions.Types.Expression? stream, Options.Types.FilterOptions.Types.Expression? type) =>
        (_stream, _type) = (stream, type);

    /// <summary>Every event, those of the store's own streams among them.</summary>
    public static LogFilter Everything { get; } = new(null, null);

    /// <summary>All streams but the store's own, which begin with <c>$</c>.</summary>
    public static LogFilter UserStreams { get; } = new(new() { Regex = @"^[^\$].*" }, null);

    /// <summary>Streams that begin with one of these; none means <see cref="UserStreams"/>.</summary>
    public static LogFilter Streams(params IReadOnlyCollection<string> prefixes) =>
        prefixes.Count == 0 ? UserStreams : new(new() { Prefix = { prefixes } }, null);

    /// <summary>Events whose type begins with one of these.</summary>
    public static LogFilter Types(params IReadOnlyCollection<string> prefixes) => prefixes.Count > 0
        ? new(null, new() { Prefix = { prefixes } })
        : throw new ArgumentException("A filter by type names at least one prefix.", nameof(prefixes));

    /// <summary>Says it in a request.</summary>
    /// <param name="window">How many events the store may consider without telling how far it is.</param>
    internal Options ApplyTo(Options options, uint window)
    {
        if (_stream is null && _type is null)
        {
            options.NoFilter = new();
            return options;
        }

        options.Filter = new() { Max = window, CheckpointIntervalMultiplier = 1 };
        if (_stream is not null)
        {
            options.Filter.StreamIdentifier = _stream;
        }
        else
        {
            options.Filter.EventType = _type;
        }

        return options;
    }
}
