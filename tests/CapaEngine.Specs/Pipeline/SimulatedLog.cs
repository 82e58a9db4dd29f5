using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Specs.Pipeline;

/// <summary>
/// The log of a simulated world: the store in memory, and who is to be told when it grows. Processes reach it by a
/// <see cref="StoreConnection"/>, over which anything can go wrong.
/// </summary>
internal sealed class SimulatedLog
{
    private readonly Schedule schedule;
    private readonly MemoryEventStore store;
    private readonly List<RecordedEvent> events = [];
    private readonly List<TaskCompletionSource> waiting = [];

    public SimulatedLog(Schedule schedule)
    {
        this.schedule = schedule;
        store = new MemoryEventStore(new SimulatedProcess(schedule, "log").Clock);
    }

    /// <summary>Every event but those of system streams.</summary>
    public IReadOnlyList<RecordedEvent> Events => events;

    /// <summary>Looks at each event when it is written.</summary>
    public Action<RecordedEvent>? Written { get; set; }

    /// <summary>Is completed when there is more than now.</summary>
    public TaskCompletionSource Growth()
    {
        var growth = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting.Add(growth);
        return growth;
    }

    /// <summary>Appends, or not, as the store decides.</summary>
    public AppendResult Append(string stream, ExpectedRevision expected, IReadOnlyList<NewEvent> news)
    {
        var result = Now(store.AppendAsync(stream, expected, news, CancellationToken.None));
        var after = events.Count == 0 ? LogPosition.Start : events[^1].Position;
        foreach (var recorded in Now(store.ReadAllAsync(after, [], CancellationToken.None)))
        {
            events.Add(recorded);
            schedule.Tell(
                "log", $"{recorded.Stream} {recorded.Revision} {recorded.Type} at {recorded.Position.Commit}");
            Written?.Invoke(recorded);
        }

        foreach (var growth in waiting) growth.TrySetResult();
        waiting.Clear();
        return result;
    }

    public List<RecordedEvent> Read(string stream, long fromRevision, long countMax) =>
        Now(store.ReadStreamAsync(stream, fromRevision, countMax, CancellationToken.None));

    public List<RecordedEvent> ReadBackwards(string stream, long countMax) =>
        Now(store.ReadStreamBackwardsAsync(stream, countMax, CancellationToken.None));

    /// <summary>The next events of the log after a place.</summary>
    public List<RecordedEvent> After(LogPosition position, int countMax)
    {
        var first = events.Count;
        while (first > 0 && events[first - 1].Position > position) first--;
        return events.GetRange(first, Math.Min(countMax, events.Count - first));
    }

    public void SetMaxCount(string stream, long countMax)
    {
        var done = store.SetMaxCountAsync(stream, countMax, CancellationToken.None);
        if (!done.IsCompletedSuccessfully) throw new InvalidOperationException("The store in memory does not wait.");
    }

#pragma warning disable VSTHRD002 // Nothing is waited for: the store in memory completes at once.
    private static T Now<T>(Task<T> done) => done.IsCompletedSuccessfully
        ? done.Result : throw new InvalidOperationException("The store in memory does not wait.");

    private static List<RecordedEvent> Now(IAsyncEnumerable<RecordedEvent> all)
    {
        var read = new List<RecordedEvent>();
        var each = all.GetAsyncEnumerator();
        while (true)
        {
            var next = each.MoveNextAsync();
            if (!next.IsCompletedSuccessfully) throw new InvalidOperationException("The store does not wait.");
            if (!next.Result) return read;
            read.Add(each.Current);
        }
    }
#pragma warning restore VSTHRD002
}
