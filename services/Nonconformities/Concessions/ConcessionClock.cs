using System.Collections.Concurrent;
using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;

namespace CapaEngine.Nonconformities.Concessions;

/// <summary>
/// Records that the time of a concession is over. It stores nothing: the ends are read from the log whenever a leader
/// begins, and a concession that has expired already takes no second event. Run by a <see cref="Hosting.Leader"/>.
/// </summary>
public sealed class ConcessionClock(
    IEventStore store, DeciderHandler<Concession, ConcessionCommand, ConcessionEvent> decider, TimeProvider clock)
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Guid, DateTimeOffset> ends = [];

    /// <summary>Watches until cancelled; the leader that runs it begins it again when it throws.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        ends.Clear();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Task[] work = [FollowAsync(stopping.Token), TickAsync(stopping.Token)];
        try
        {
            await await Task.WhenAny(work);
        }
        finally
        {
            await stopping.CancelAsync();
            await Task.WhenAll(work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Takes note of an event that sets or ends the time of a concession.</summary>
    public void Note(RecordedEvent recorded)
    {
        var id = Families.Concession.IdOf(recorded.Stream);
        switch (EventCatalog.Deserialize(recorded.Type, recorded.Data.Span))
        {
            case ConcessionEvent.Granted { Until: { } until }: ends[id] = until; break;
            case ConcessionEvent.Expired or ConcessionEvent.Revoked: ends.TryRemove(id, out _); break;
        }
    }

    /// <summary>Expires what is over.</summary>
    public async Task ExpireAsync(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        foreach (var (id, until) in ends.Where(end => end.Value < now).ToList())
        {
            var context = new CommandContext(
                Actor.Service(ServiceNames.Nonconformities), $"expire/{until:O}", IsReaction: true);
            if (await decider.HandleAsync(id, new ConcessionCommand.Expire(), context, ct) is
                CommandOutcome.Unavailable busy)
                throw new EventStoreUnavailableException($"The concession {id} could not expire: {busy.Reason}");
            ends.TryRemove(id, out _);
        }
    }

    private async Task FollowAsync(CancellationToken ct)
    {
        await foreach (var message in store.SubscribeToAllAsync(LogPosition.Start, [Families.Concession.Prefix], ct))
        {
            if (message is LogMessage.Event read) Note(read.Recorded);
        }
    }

    private async Task TickAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Tick, clock);
        while (await timer.WaitForNextTickAsync(ct)) await ExpireAsync(ct);
    }
}
