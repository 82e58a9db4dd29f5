using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;

namespace CapaEngine.Nonconformities.Triage;

/// <summary>
/// Follows the service's own log and turns deviations into cases. It stores two places: from where its memory can be
/// rebuilt, and how far it had come; whatever goes wrong, it begins again there. Run by a <see cref="Leader"/>.
/// </summary>
public sealed class TriageWork(
    IEventStore store, Signatures signatures, CaseOpening opening, TriagePolicies policies,
    DeciderHandler<Nonconformity, NonconformityCommand, NonconformityEvent> decider, TimeProvider clock)
{
    private const string CheckpointStream = "follower-nonconformities-triage";
    private const string RoutingKey = "triage";
    private const string HandledKey = "triage-handled";
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromSeconds(30);

    private static readonly string[] Followed =
    [
        Families.Deviation.Prefix, Families.Signature.Prefix, Families.Nonconformity.Prefix,
        Families.TriagePolicy.Prefix,
    ];

    /// <summary>Triages until cancelled; the leader that runs it begins it again when it throws.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        await policies.LoadAsync(ct);
        var (from, handled) = await CheckpointAsync(ct);
        await BeginAnnouncedAsync(handled, ct);
        var run = new TriageRun(from, signatures, opening, policies, decider, clock);
        var (checkpoint, checkpointedAt) = (from, clock.GetTimestamp());
        await using var log = new LogFeed(store, from, Followed, ct);
        while (true)
        {
            if (!log.Next.IsCompleted) await WaitAsync(log.Next);
            if (log.Next.IsCompleted) await TakeAsync(run, await log.TakeAsync(), ct);
            await run.FlushAsync(ct);
            if (clock.GetElapsedTime(checkpointedAt) < CheckpointInterval) continue;
            checkpointedAt = clock.GetTimestamp();
            if (run.SafePosition() is var safe && (safe > checkpoint || run.Reached > handled))
                await StoreAsync(checkpoint = safe, handled = run.Reached, ct);
        }
    }

    /// <summary>
    /// Begins the cases that signatures after <paramref name="handled"/> announce, where an earlier leader ended
    /// between the two. The memory is read anew from days ago, which takes its time; they need not wait for it.
    /// </summary>
    public async Task BeginAnnouncedAsync(LogPosition handled, CancellationToken ct)
    {
        await foreach (var recorded in store.ReadAllAsync(handled, [Families.Signature.Prefix], ct))
        {
            if (recorded.Type == "signature.opened.v1"
                && EventCatalog.Deserialize(recorded.Type, recorded.Data.Span)
                    is SignatureEvent.Opened { PolicyVersion: > 0 } opened)
                await opening.BeginAsync(opened, ct);
        }
    }

    private static Task TakeAsync(TriageRun run, LogMessage message, CancellationToken ct)
    {
        switch (message)
        {
            case LogMessage.Event read: return run.HandleAsync(read.Recorded, ct);
            case LogMessage.Checkpoint passed: run.Handled(passed.Position); break;
            case LogMessage.CaughtUp: run.CaughtUp(); break;
        }

        return Task.CompletedTask;
    }

    // The end of the work ends the subscription, and so this.
    private async Task WaitAsync(Task next)
    {
        using var tick = new CancellationTokenSource();
        await Task.WhenAny(next, Task.Delay(Tick, clock, tick.Token));
        tick.End();
    }

    // From where the memory is read anew, and how far everything had been handled.
    private async Task<(LogPosition From, LogPosition Handled)> CheckpointAsync(CancellationToken ct)
    {
        await foreach (var recorded in store.ReadStreamBackwardsAsync(CheckpointStream, 1, ct))
        {
            var stored = (CheckpointEvent.Follower)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span);
            var positions = stored.Positions.ToDictionary(
                entry => entry.RoutingKey, entry => LogPosition.At(entry.Position));
            return (positions[RoutingKey], positions.GetValueOrDefault(HandledKey, positions[RoutingKey]));
        }

        await store.SetMaxCountAsync(CheckpointStream, 1, ct);
        return (LogPosition.Start, LogPosition.Start);
    }

    private async Task StoreAsync(LogPosition from, LogPosition handled, CancellationToken ct)
    {
        var fact = new CheckpointEvent.Follower(
            [new FollowerPosition(RoutingKey, from.Commit), new FollowerPosition(HandledKey, handled.Commit)]);
        var entry = new NewEvent(
            Guid.NewGuid(), EventCatalog.NameOf(fact), EventCatalog.Serialize(fact), "{}"u8.ToArray());
        await store.AppendAsync(CheckpointStream, ExpectedRevision.Any, [entry], ct);
    }
}
