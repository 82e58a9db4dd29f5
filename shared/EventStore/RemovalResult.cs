using CapaEngine.Kernel;

namespace CapaEngine.EventStore;

/// <summary>How the removal of a stream ended.</summary>
public abstract record RemovalResult
{
    private RemovalResult() { }

    /// <summary>Removed; the log says so at this position.</summary>
    public sealed record Removed(LogPosition Position) : RemovalResult;

    /// <summary>The stream was elsewhere. <paramref name="Actual"/> is -1 if it does not exist.</summary>
    public sealed record WrongExpectedRevision(long Actual) : RemovalResult;

    /// <summary>The stream was tombstoned before.</summary>
    public sealed record StreamDeleted : RemovalResult;

    /// <summary>The store's user may not remove this stream.</summary>
    public sealed record AccessDenied : RemovalResult;

    /// <summary>Nobody knows whether it was removed.</summary>
    public sealed record OutcomeUnknown(string Reason) : RemovalResult;
}
