using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Hosting;

/// <summary>Events that a service writes down on its own account, not because a person commanded something.</summary>
public static class ServiceEvent
{
    /// <summary>The event of a fact, at the service's own time.</summary>
    public static NewEvent Of(
        string service, Guid id, object fact, DateTimeOffset now, string? correlationId = null,
        string? causationId = null) => NewEvent.Of(id, fact, hash => new EventMetadata(
        Actor.Service(service).AsRecorded, now, now, hash, CorrelationId: correlationId, CausationId: causationId));
}

/// <summary>
/// A stream that keeps its last event only, appended with the expected revision: whoever holds an outdated checkpoint
/// finds out at its next write.
/// </summary>
internal sealed class CheckpointStream<T>(IEventStore store, string stream, string service, TimeProvider clock)
    where T : class
{
    private const int AttemptCountMax = 5;
    private long _revision = -1;

    /// <summary>The checkpoint as it stands, or null before the first.</summary>
    public async Task<T?> LoadAsync(CancellationToken ct)
    {
        await foreach (var last in store.ReadStreamBackwardsAsync(stream, 1, ct))
        {
            _revision = last.Revision;
            return (T)EventCatalog.Deserialize(last.Type, last.Data.Span);
        }

        await store.SetMaxCountAsync(stream, 1, ct);
        return null;
    }

    /// <summary>
    /// Writes the checkpoint; false where somebody else wrote one since it was loaded. Throws where the store does
    /// not answer.
    /// </summary>
    public async Task<bool> SaveAsync(T checkpoint, CancellationToken ct)
    {
        // A new id at every save, or two leaders' different checkpoints would pass for one; but the same at a repeat.
        var saved = ServiceEvent.Of(service, Guid.NewGuid(), checkpoint, clock.GetUtcNow());
        var delays = new RetryDelays(delayMsMax: 1_000);
        for (var attempt = 1; ; attempt++)
        {
            var result = await store.AppendAsync(stream, ExpectedRevision.At(_revision), [saved], ct);
            switch (result)
            {
                case AppendResult.Appended done:
                    _revision = done.Revision;
                    return true;
                case AppendResult.WrongExpectedRevision:
                    return false;
                case AppendResult.OutcomeUnknown or AppendResult.ServerBusy when attempt < AttemptCountMax:
                    await delays.WaitAsync(clock, ct);
                    break;
                default:
                    throw new InvalidOperationException($"The checkpoint of {stream} cannot be written: {result}");
            }
        }
    }
}
