using System.Text.RegularExpressions;

namespace CapaEngine.EventLog.Reading;

/// <summary>Which events of the log a reader wants.</summary>
internal sealed class EventFilter
{
    private readonly string[] _streamPrefixes;
    private readonly string[] _typePrefixes;
    private readonly Func<LogEvent, bool> _passes;

    private EventFilter(string[] streamPrefixes, string[] typePrefixes, Func<LogEvent, bool> passes) =>
        (_streamPrefixes, _typePrefixes, _passes) = (streamPrefixes, typePrefixes, passes);

    public static EventFilter None { get; } = new([], [], _ => true);

    /// <summary>The part of the filter that the database can apply: none of these means all.</summary>
    public IReadOnlyList<string> StreamPrefixes => _streamPrefixes;

    /// <inheritdoc cref="StreamPrefixes"/>
    public IReadOnlyList<string> TypePrefixes => _typePrefixes;

    public bool Passes(LogEvent e) => _passes(e);

    public static EventFilter ByStreamPrefix(string[] prefixes) =>
        new(prefixes, [], e => StartsWithAny(e.Stream, prefixes));

    /// <summary>One stream, and of it what passes.</summary>
    public static EventFilter ByStream(string stream, Func<LogEvent, bool> passes) =>
        new([stream], [], e => e.Stream == stream && passes(e));

    public static EventFilter ByTypePrefix(string[] prefixes) =>
        new([], prefixes, e => StartsWithAny(e.Type, prefixes));

    public static EventFilter ByStreamPattern(Regex pattern) => new([], [], e => pattern.IsMatch(e.Stream));

    public static EventFilter ByTypePattern(Regex pattern) => new([], [], e => pattern.IsMatch(e.Type));

    private static bool StartsWithAny(string text, string[] prefixes)
    {
        foreach (var prefix in prefixes)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}
