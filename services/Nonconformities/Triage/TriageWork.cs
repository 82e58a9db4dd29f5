using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;

namespace CapaEngine.Nonconformities.Triage;

/// <summary>
/// Follows the service's own log and turns deviations into cases. It stores one thing, the place from which its memory
/// can be rebuilt; whatever goes wrong, it begins again there. Run by a <see cref="Hosting.Leader"/>.
/// </summary>
public sealed class TriageWork(
    IEventStore store, Signatures signatures, CaseOpening opening, TriagePolicies policies,
    DeciderHandler<Nonconformity, NonconformityCommand, NonconformityEvent> decider, TimeProvider clock)
{
    private const string CheckpointStream = "follower-nonconformities-triage";
    private const string RoutingKey = "triage";
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
        var from = await CheckpointAsync(ct);
        var run = new TriageRun(from, signatures, opening, policies, decider, clock);
        var (checkpoint, checkpointedAt) = (from, clock.GetTimestamp());
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await using var messages = store.SubscribeToAllAsync(from, Followed, reading.Token)
            .GetAsyncEnumerator(reading.Token);
        var next = messages.MoveNextAsync().AsTask();
        try
        {
            while (true)
            {
                if (!next.IsCompleted) await WaitAsync(next);
                if (next.IsCompleted)
                {
                    if (!await next) throw new InvalidOperationException("The subscription to the log ended.");
                    await TakeAsync(run, messages.Current, ct);
                    next = messages.MoveNextAsync().AsTask();
                }

                await run.FlushAsync(ct);
                if (clock.GetElapsedTime(checkpointedAt) < CheckpointInterval) continue;
                checkpointedAt = clock.GetTimestamp();
                if (run.SafePosition() is var safe && safe > checkpoint) await StoreAsync(checkpoint = safe, ct);
            }
        }
        finally
        {
            // The subscription cannot be disposed of while it is being awaited.
            End(reading);
            await ((Task)next).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
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
        End(tick);
    }

    // At once and here: what is waited for ends on its own turn.
    private static void End(CancellationTokenSource waiting) => waiting.Cancel();

    private async Task<LogPosition> CheckpointAsync(CancellationToken ct)
    {
        await foreach (var recorded in store.ReadStreamBackwardsAsync(CheckpointStream, 1, ct))
        {
            var stored = (CheckpointEvent.Follower)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span);
            return LogPosition.At(stored.Positions.Single(entry => entry.RoutingKey == RoutingKey).Position);
        }

        await store.SetMaxCountAsync(CheckpointStream, 1, ct);
        return LogPosition.Start;
    }

    private async Task StoreAsync(LogPosition position, CancellationToken ct)
    {
        var fact = new CheckpointEvent.Follower([new FollowerPosition(RoutingKey, position.Commit)]);
        var entry = new NewEvent(
            Guid.NewGuid(), EventCatalog.NameOf(fact), EventCatalog.Serialize(fact), "{}"u8.ToArray());
        await store.AppendAsync(CheckpointStream, ExpectedRevision.Any, [entry], ct);
    }
}
