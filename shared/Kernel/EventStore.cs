using System.Security.Cryptography;
using CapaEngine.Contracts;

namespace CapaEngine.Kernel;

/// <summary>A place in the log of all events. Ordered; <see cref="Start"/> lies before every event.</summary>
/// <param name="Commit">The commit position, unsigned as on the wire.</param>
/// <param name="Prepare">The prepare position; equals <paramref name="Commit"/> but for old transactions.</param>
public readonly record struct LogPosition(ulong Commit, ulong Prepare) : IComparable<LogPosition>
{
    /// <summary>Before the first event.</summary>
    public static LogPosition Start => default;

    /// <summary>The position whose commit and prepare parts are the same number.</summary>
    public static LogPosition At(ulong position) => new(position, position);

    /// <inheritdoc/>
    public int CompareTo(LogPosition other) =>
        Commit != other.Commit ? Commit.CompareTo(other.Commit) : Prepare.CompareTo(other.Prepare);

    public static bool operator <(LogPosition left, LogPosition right) => left.CompareTo(right) < 0;
    public static bool operator >(LogPosition left, LogPosition right) => left.CompareTo(right) > 0;
    public static bool operator <=(LogPosition left, LogPosition right) => left.CompareTo(right) <= 0;
    public static bool operator >=(LogPosition left, LogPosition right) => left.CompareTo(right) >= 0;
}

/// <summary>What an append expects of the stream: a concrete revision, or one of the named conditions.</summary>
/// <param name="Value">Revision from 0, or a negative code of the named conditions.</param>
public readonly record struct ExpectedRevision(long Value)
{
    /// <summary>The stream must not exist.</summary>
    public static ExpectedRevision NoStream => new(-1);

    /// <summary>No expectation. Such an append is not durably idempotent.</summary>
    public static ExpectedRevision Any => new(-2);

    /// <summary>The stream must exist, whatever its revision.</summary>
    public static ExpectedRevision StreamExists => new(-4);

    /// <summary>The last event must have this revision; -1 is <see cref="NoStream"/>.</summary>
    public static ExpectedRevision At(long revision) => new(revision);
}

/// <summary>An event to be appended. <paramref name="Data"/> and <paramref name="Metadata"/> are UTF-8 JSON.</summary>
public sealed record NewEvent(Guid Id, string Type, ReadOnlyMemory<byte> Data, ReadOnlyMemory<byte> Metadata)
{
    /// <summary>The event of a fact under its stored name.</summary>
    /// <param name="describe">The metadata, given the SHA-256 of the data, lower-case hexadecimal.</param>
    public static NewEvent Of(Guid id, object fact, Func<string, EventMetadata> describe)
    {
        var data = EventCatalog.Serialize(fact);
        var metadata = describe(Convert.ToHexStringLower(SHA256.HashData(data)));
        return new NewEvent(id, EventCatalog.NameOf(fact), data, EventCatalog.Serialize(metadata));
    }
}

/// <summary>An event as the log holds it.</summary>
/// <param name="Revision">Its number in the stream, from 0.</param>
/// <param name="Created">The store's clock at the append.</param>
public sealed record RecordedEvent(
    string Stream, long Revision, LogPosition Position, Guid Id, string Type, DateTimeOffset Created,
    ReadOnlyMemory<byte> Data, ReadOnlyMemory<byte> Metadata);

/// <summary>How an append ended. Every way the store can answer is one of these.</summary>
public abstract record AppendResult
{
    private AppendResult() { }

    /// <summary>Written, or written before under the same event ids.</summary>
    /// <param name="Revision">Revision of the last event of this append.</param>
    public sealed record Appended(long Revision, LogPosition Position) : AppendResult;

    /// <summary>The stream was elsewhere. <paramref name="Actual"/> is -1 if it does not exist.</summary>
    public sealed record WrongExpectedRevision(long Actual) : AppendResult;

    /// <summary>The stream was tombstoned and can never be written again.</summary>
    public sealed record StreamDeleted : AppendResult;

    /// <summary>The append exceeds the store's limit in bytes.</summary>
    public sealed record TooLarge(long LimitBytes) : AppendResult;

    /// <summary>The store's user may not write this stream.</summary>
    public sealed record AccessDenied : AppendResult;

    /// <summary>Nobody knows whether it was written. Repeat it with the same ids and expectation.</summary>
    public sealed record OutcomeUnknown(string Reason) : AppendResult;

    /// <summary>The store refused for now; nothing was written.</summary>
    public sealed record ServerBusy(string Reason) : AppendResult;
}

/// <summary>What a subscription to the log delivers.</summary>
public abstract record LogMessage
{
    private LogMessage() { }

    /// <summary>The next event that passes the filter.</summary>
    public sealed record Event(RecordedEvent Recorded) : LogMessage;

    /// <summary>Every event up to here has been considered; a safe place to resume after.</summary>
    public sealed record Checkpoint(LogPosition Position) : LogMessage;

    /// <summary>The subscription has reached the end of the log for now.</summary>
    public sealed record CaughtUp : LogMessage;
}

/// <summary>
/// The log of all events: the only truth. Two implementations, EventStoreDB's protocol and memory, pass one
/// contract suite.
/// </summary>
public interface IEventStore
{
    /// <summary>Appends in one atomic step, or not at all. Never throws for an answer the store can give.</summary>
    Task<AppendResult> AppendAsync(
        string stream, ExpectedRevision expected, IReadOnlyList<NewEvent> events, CancellationToken ct);

    /// <summary>Reads forwards from <paramref name="fromRevision"/>; a missing stream has no events.</summary>
    IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
        string stream, long fromRevision, long countMax, CancellationToken ct);

    /// <summary>Reads backwards from the last event; a missing stream has no events.</summary>
    IAsyncEnumerable<RecordedEvent> ReadStreamBackwardsAsync(string stream, long countMax, CancellationToken ct);

    /// <summary>
    /// Reads the events after <paramref name="after"/> (exclusive) up to the end of the log, of the streams that
    /// begin with one of <paramref name="streamPrefixes"/> (none: all streams but those that begin with <c>$</c>).
    /// </summary>
    IAsyncEnumerable<RecordedEvent> ReadAllAsync(
        LogPosition after, IReadOnlyList<string> streamPrefixes, CancellationToken ct);

    /// <summary>
    /// Follows the log for ever, from after <paramref name="after"/> (exclusive). Reconnects by itself from the last
    /// event or checkpoint it delivered; neither skips nor repeats.
    /// </summary>
    IAsyncEnumerable<LogMessage> SubscribeToAllAsync(
        LogPosition after, IReadOnlyList<string> streamPrefixes, CancellationToken ct);

    /// <summary>Sets how many events the stream keeps (<c>$maxCount</c>); for checkpoint streams only.</summary>
    Task SetMaxCountAsync(string stream, long countMax, CancellationToken ct);
}
