using System.Text.RegularExpressions;

namespace CapaEngine.EventLog.Reading;

/// <summary>Which events of the log a reader wants.</summary>
internal sealed class EventFilter
{
    private readonly Func<LogEvent, bool> _passes;

    private EventFilter(Func<LogEvent, bool> passes, params (string Column, string[] Values)[] prefixes) =>
        (_passes, Prefixes) = (passes, prefixes);

    public static EventFilter None { get; } = new(_ => true);

    /// <summary>Streams that are not the store's own: what clients mean by the pattern they all use for it.</summary>
    public static EventFilter UserStreams { get; } = new(e => e.Stream[0] != '$');

    /// <summary>The part of the filter that the database can apply: a column, and what it may begin with.</summary>
    public IReadOnlyList<(string Column, string[] Values)> Prefixes { get; }

    public bool Passes(LogEvent e) => _passes(e);

    public static EventFilter ByStreamPrefix(string[] prefixes) =>
        new(e => StartsWithAny(e.Stream, prefixes), ("stream", prefixes));

    /// <summary>One stream, and of it what passes.</summary>
    public static EventFilter ByStream(string stream, Func<LogEvent, bool> passes) =>
        new(e => e.Stream == stream && passes(e), ("stream", [stream]));

    public static EventFilter ByTypePrefix(string[] prefixes) =>
        new(e => StartsWithAny(e.Type, prefixes), ("type", prefixes));

    public static EventFilter ByStreamPattern(Regex pattern) => new(e => pattern.IsMatch(e.Stream));

    public static EventFilter ByTypePattern(Regex pattern) => new(e => pattern.IsMatch(e.Type));

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
