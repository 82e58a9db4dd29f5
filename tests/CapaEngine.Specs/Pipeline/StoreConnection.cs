using System.Runtime.CompilerServices;
using CapaEngine.EventStore;
using CapaEngine.Kernel;

namespace CapaEngine.Specs.Pipeline;

/// <summary>
/// A process's way to the log. A request travels, is served and is answered, each at a time the seed chooses; it can
/// be lost, refused, late or left without an answer, and it outlives the process that sent it.
/// </summary>
internal sealed class StoreConnection(Schedule schedule, Faults faults, SimulatedLog log, SimulatedProcess process)
    : IEventStore
{
    private const int PageMax = 8;
    private static readonly TimeSpan LateMax = TimeSpan.FromSeconds(3);

    public Task<AppendResult> AppendAsync(
        string stream, ExpectedRevision expected, IReadOnlyList<NewEvent> events, CancellationToken ct) =>
        AskAsync<AppendResult>($"appends to {stream}", () =>
        {
            if (faults.Hit(Fault.StoreBusy, process.Name)) return new AppendResult.ServerBusy("simulated");
            if (faults.Hit(Fault.AppendLost, process.Name)) return new AppendResult.OutcomeUnknown("lost");
            if (faults.Hit(Fault.AppendLate, process.Name))
            {
                schedule.After(
                    LateMax * schedule.Choice.NextDouble(), $"a late append to {stream}",
                    () => log.Append(stream, expected, events));
                return new AppendResult.OutcomeUnknown("late");
            }

            var result = log.Append(stream, expected, events);
            return faults.Hit(Fault.AppendAnswerLost, process.Name)
                ? new AppendResult.OutcomeUnknown("the answer was lost") : result;
        }, ct);

    public async IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
        string stream, long fromRevision, long countMax, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var recorded in await ReadAsync(stream, () => log.Read(stream, fromRevision, countMax), ct))
            yield return recorded;
    }

    public async IAsyncEnumerable<RecordedEvent> ReadStreamBackwardsAsync(
        string stream, long countMax, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var recorded in await ReadAsync(stream, () => log.ReadBackwards(stream, countMax), ct))
            yield return recorded;
    }

    public async IAsyncEnumerable<RecordedEvent> ReadAllAsync(
        LogPosition after, IReadOnlyList<string> streamPrefixes, [EnumeratorCancellation] CancellationToken ct)
    {
        while (true)
        {
            var from = after;
            var page = await ReadAsync("the log", () => log.After(from, schedule.Choice.Next(1, PageMax)), ct);
            if (page.Count == 0) yield break;
            after = page[^1].Position;
            foreach (var recorded in page.Where(recorded => Passes(recorded, streamPrefixes))) yield return recorded;
        }
    }

    public async IAsyncEnumerable<LogMessage> SubscribeToAllAsync(
        LogPosition after, IReadOnlyList<string> streamPrefixes, [EnumeratorCancellation] CancellationToken ct)
    {
        var (considered, delivered, isCaughtUp) = (after, after, false);
        while (true)
        {
            var from = considered;
            var (page, growth) = await AskAsync("reads on in its subscription", () =>
            {
                var next = log.After(from, schedule.Choice.Next(1, PageMax));
                return (next, next.Count == 0 ? log.Growth() : null);
            }, ct);
            if (faults.Hit(Fault.SubscriptionCut, process.Name)) throw new EventStoreUnavailableException("cut");
            foreach (var recorded in page)
            {
                considered = recorded.Position;
                if (!Passes(recorded, streamPrefixes)) continue;
                delivered = considered;
                yield return new LogMessage.Event(recorded);
            }

            if (considered > delivered) yield return new LogMessage.Checkpoint(delivered = considered);
            if (page.Count > 0) continue;
            if (!isCaughtUp) yield return new LogMessage.CaughtUp();
            isCaughtUp = true;
            await EndsAsync(growth!, ct);
        }
    }

    public Task SetMaxCountAsync(string stream, long countMax, CancellationToken ct) => AskAsync(
        $"sets how many events {stream} keeps",
        () =>
        {
            log.SetMaxCount(stream, countMax);
            return true;
        },
        ct);

    private Task<List<RecordedEvent>> ReadAsync(string what, Func<List<RecordedEvent>> read, CancellationToken ct) =>
        AskAsync($"reads {what}", () => faults.Hit(Fault.ReadFails, process.Name)
            ? throw new EventStoreUnavailableException("simulated") : read(), ct);

    private static async Task EndsAsync(TaskCompletionSource waiting, CancellationToken ct)
    {
        using var given = ct.UnsafeRegister(
            static (source, ct) => ((TaskCompletionSource)source!).TrySetCanceled(ct), waiting);
        await waiting.Task;
    }

    private Task<T> AskAsync<T>(string what, Func<T> serve, CancellationToken ct)
    {
        if (ct.IsCancellationRequested) return Task.FromCanceled<T>(ct);
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var given = ct.UnsafeRegister(
            static (source, ct) => ((TaskCompletionSource<T>)source!).TrySetCanceled(ct), answer);
        schedule.Post(null, $"{process.Name} {what}", _ =>
        {
            given.Dispose();
            try
            {
                answer.TrySetResult(serve());
            }
            catch (EventStoreUnavailableException failure)
            {
                answer.TrySetException(failure);
            }
        });
        return answer.Task;
    }

    private static bool Passes(RecordedEvent recorded, IReadOnlyList<string> prefixes) =>
        prefixes.Count == 0
        || prefixes.Any(prefix => recorded.Stream.StartsWith(prefix, StringComparison.Ordinal));
}
