namespace CapaEngine.EventLog.Writing;

/// <summary>What is to be done to a stream.</summary>
internal enum WriteKind
{
    Append,
    Delete,
    Tombstone,
}

/// <summary>What a write expects of its stream.</summary>
/// <param name="Revision">The last revision; or one of the codes below.</param>
internal readonly record struct Expectation(long Revision)
{
    public static Expectation NoStream => new(-1);
    public static Expectation Any => new(-2);
    public static Expectation StreamExists => new(-4);

    public bool IsConcrete => Revision >= -1;
}

/// <summary>How a write ended.</summary>
internal abstract record WriteOutcome
{
    private WriteOutcome() { }

    /// <summary>Written now, or before under the same ids.</summary>
    /// <param name="Revision">The last one; -1 if nothing was to be written and there is no stream.</param>
    public sealed record Written(long Revision, long? Position) : WriteOutcome;

    /// <param name="Actual">The last revision of the stream; -1: there is none.</param>
    public sealed record Conflict(long Actual) : WriteOutcome;

    public sealed record StreamDeleted : WriteOutcome;

    /// <summary>The caller may not write to the stream; the writer has not seen the request.</summary>
    public sealed record AccessDenied : WriteOutcome;

    /// <summary>Not known to be written. Said too of what was certainly not: a retry settles it.</summary>
    public sealed record TimedOut : WriteOutcome;

    /// <summary>This node does not write now; nothing was written.</summary>
    public sealed record NotReady : WriteOutcome;
}

/// <summary>A write on its way to the writer.</summary>
/// <param name="ExpiresAt">A timestamp of the clock, after which it must not be begun.</param>
/// <param name="Answer">Called exactly once.</param>
internal sealed record AppendRequest(
    WriteKind Kind, string Stream, Expectation Expected, IReadOnlyList<ProposedEvent> Events, long ExpiresAt,
    Action<WriteOutcome> Answer);
