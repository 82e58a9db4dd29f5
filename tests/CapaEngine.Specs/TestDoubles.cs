using CapaEngine.Kernel;

namespace CapaEngine.Specs;

/// <summary>A clock that a test sets.</summary>
public sealed class SettableClock : TimeProvider
{
    public DateTimeOffset Now { get; set; }

    public override DateTimeOffset GetUtcNow() => Now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Now.UtcTicks;
}

/// <summary>The power went.</summary>
public sealed class PowerCutException : Exception;

/// <summary>A store that does as the one below it, but for what a double takes in hand.</summary>
public abstract class StoreAround(IEventStore inner) : IEventStore
{
    /// <inheritdoc/>
    public virtual Task<AppendResult> AppendAsync(
        string stream, ExpectedRevision expected, IReadOnlyList<NewEvent> events, CancellationToken ct) =>
        inner.AppendAsync(stream, expected, events, ct);

    /// <inheritdoc/>
    public IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
        string stream, long fromRevision, long countMax, CancellationToken ct) =>
        inner.ReadStreamAsync(stream, fromRevision, countMax, ct);

    /// <inheritdoc/>
    public IAsyncEnumerable<RecordedEvent> ReadStreamBackwardsAsync(
        string stream, long countMax, CancellationToken ct) => inner.ReadStreamBackwardsAsync(stream, countMax, ct);

    /// <inheritdoc/>
    public virtual IAsyncEnumerable<RecordedEvent> ReadAllAsync(
        LogPosition after, IReadOnlyList<string> streamPrefixes, CancellationToken ct) =>
        inner.ReadAllAsync(after, streamPrefixes, ct);

    /// <inheritdoc/>
    public IAsyncEnumerable<LogMessage> SubscribeToAllAsync(
        LogPosition after, IReadOnlyList<string> streamPrefixes, CancellationToken ct) =>
        inner.SubscribeToAllAsync(after, streamPrefixes, ct);

    /// <inheritdoc/>
    public Task SetMaxCountAsync(string stream, long countMax, CancellationToken ct) =>
        inner.SetMaxCountAsync(stream, countMax, ct);
}

/// <summary>A store before or after whose n-th append from now the power goes.</summary>
public sealed class CuttableStore(IEventStore inner) : StoreAround(inner)
{
    private readonly IEventStore appended = inner;
    private int left = int.MaxValue;
    private bool isWrittenFirst;

    /// <summary>How many appends were asked for.</summary>
    public int AppendCount { get; private set; }

    public void CutAt(int append, bool isWritten) => (left, isWrittenFirst) = (append, isWritten);

    /// <inheritdoc/>
    public override async Task<AppendResult> AppendAsync(
        string stream, ExpectedRevision expected, IReadOnlyList<NewEvent> events, CancellationToken ct)
    {
        AppendCount++;
        var isCut = --left == 0;
        if (isCut && !isWrittenFirst) throw new PowerCutException();
        var result = await appended.AppendAsync(stream, expected, events, ct);
        return isCut ? throw new PowerCutException() : result;
    }
}
