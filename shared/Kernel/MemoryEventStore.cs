using System.Runtime.CompilerServices;

namespace CapaEngine.Kernel;

/// <summary>
/// The event store in memory, for specs and simulation: the same revisions, positions, conflicts and idempotence as
/// the real one, without a server.
/// </summary>
public sealed class MemoryEventStore(TimeProvider clock, int appendBytesMax = 1024 * 1024) : IEventStore
{
    /// <summary>How far back an append without a concrete expectation looks for its own event ids.</summary>
    private const int RecentMax = 1_000;

    /// <summary>How many events a subscription considers before it says how far it has come.</summary>
    private const int CheckpointEvery = 500;

    private readonly Lock _gate = new();
    private readonly List<RecordedEvent> _log = [];
    private readonly Dictionary<string, List<RecordedEvent>> _streams = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RecordedEvent> _metadata = new(StringComparer.Ordinal);
    private TaskCompletionSource _appended = NewSignal();

    /// <inheritdoc/>
    public Task<AppendResult> AppendAsync(
        string stream, ExpectedRevision expected, IReadOnlyList<NewEvent> events, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (_gate)
        {
            var history = _streams.GetValueOrDefault(stream) ?? [];
            var result = SizeOf(events) > appendBytesMax ? new AppendResult.TooLarge(appendBytesMax)
                : expected.Value >= -1 ? Judge(history, expected.Value, events)
                : JudgeUnspecific(history, expected, events);
            return Task.FromResult(result ?? Write(stream, history, events));
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
        string stream, long fromRevision, long countMax, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.CompletedTask;
        foreach (var e in Kept(stream).Where(e => e.Revision >= fromRevision).Take(Clamp(countMax)))
        {
            ct.ThrowIfCancellationRequested();
            yield return e;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<RecordedEvent> ReadStreamBackwardsAsync(
        string stream, long countMax, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.CompletedTask;
        foreach (var e in Kept(stream).AsEnumerable().Reverse().Take(Clamp(countMax)))
        {
            ct.ThrowIfCancellationRequested();
            yield return e;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<RecordedEvent> ReadAllAsync(
        LogPosition after, IReadOnlyList<string> streamPrefixes, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.CompletedTask;
        var (events, _) = After(after, int.MaxValue);
        foreach (var e in events.Where(e => Passes(e.Stream, streamPrefixes)))
        {
            ct.ThrowIfCancellationRequested();
            yield return e;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<LogMessage> SubscribeToAllAsync(
        LogPosition after, IReadOnlyList<string> streamPrefixes, [EnumeratorCancellation] CancellationToken ct)
    {
        var (considered, delivered, caughtUp) = (after, after, false);
        while (true)
        {
            var (events, appended) = After(considered, CheckpointEvery);
            foreach (var e in events)
            {
                considered = e.Position;
                if (Passes(e.Stream, streamPrefixes))
                {
                    delivered = e.Position;
                    yield return new LogMessage.Event(e);
                }
            }

            if (considered > delivered)
            {
                delivered = considered;
                yield return new LogMessage.Checkpoint(considered);
            }

            if (events.Count > 0)
            {
                continue;
            }

            if (!caughtUp)
            {
                caughtUp = true;
                yield return new LogMessage.CaughtUp();
            }

            await appended.WaitAsync(ct);
        }
    }

    /// <inheritdoc/>
    public Task SetMaxCountAsync(string stream, long countMax, CancellationToken ct) =>
        StreamRetention.SetMaxCountAsync(this, stream, countMax, ct);

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static int Clamp(long countMax) => (int)Math.Clamp(countMax, 0, int.MaxValue);

    // What counts towards the limit is what EventStoreDB counts: both bodies, and the type in UTF-16.
    private static long SizeOf(IReadOnlyList<NewEvent> events) =>
        events.Sum(e => (long)e.Data.Length + e.Metadata.Length + (2 * e.Type.Length));

    private static bool Passes(string stream, IReadOnlyList<string> prefixes) => prefixes.Count == 0
        ? !stream.StartsWith('$')
        : prefixes.Any(prefix => stream.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Null to write; the stream may already hold these very events after the expected revision.</summary>
    private static AppendResult? Judge(List<RecordedEvent> history, long expected, IReadOnlyList<NewEvent> events)
    {
        var last = history.Count - 1;
        if (expected == last)
        {
            return null;
        }

        var writtenBefore = expected < last && events.Count > 0 && expected + events.Count <= last
            && events.Select((e, i) => history[(int)expected + 1 + i].Id == e.Id).All(same => same);
        return writtenBefore ? Appended(history[(int)expected + events.Count]) : Conflict(history);
    }

    private static AppendResult? JudgeUnspecific(
        List<RecordedEvent> history, ExpectedRevision expected, IReadOnlyList<NewEvent> events)
    {
        if (expected == ExpectedRevision.StreamExists && history.Count == 0)
        {
            return Conflict(history);
        }

        var recent = history.Skip(Math.Max(0, history.Count - RecentMax)).ToList();
        var found = events.Select(e => recent.FindLast(r => r.Id == e.Id)).ToList();
        return found.Count == 0 || found[0] is null ? null
            : found.TrueForAll(e => e is not null) ? Appended(found[^1]!)
            : Conflict(history);
    }

    private static AppendResult.Appended Appended(RecordedEvent last) => new(last.Revision, last.Position);

    private static AppendResult.WrongExpectedRevision Conflict(List<RecordedEvent> history) => new(history.Count - 1);

    private AppendResult.Appended Write(string stream, List<RecordedEvent> history, IReadOnlyList<NewEvent> events)
    {
        _streams[stream] = history;
        foreach (var e in events)
        {
            var recorded = new RecordedEvent(
                stream, history.Count, LogPosition.At((ulong)_log.Count + 1), e.Id, e.Type, clock.GetUtcNow(),
                e.Data.ToArray(), e.Metadata.ToArray());
            history.Add(recorded);
            _log.Add(recorded);
        }

        if (history.Count == 0)
        {
            _streams.Remove(stream);
            return new AppendResult.Appended(-1, LogPosition.Start);
        }

        Retain(stream, history[^1]);
        var appended = _appended;
        _appended = NewSignal();
        appended.SetResult();
        return Appended(history[^1]);
    }

    private void Retain(string stream, RecordedEvent last)
    {
        if (stream.StartsWith(StreamRetention.MetadataPrefix, StringComparison.Ordinal))
        {
            _metadata[stream[StreamRetention.MetadataPrefix.Length..]] = last;
        }
    }

    private List<RecordedEvent> Kept(string stream)
    {
        lock (_gate)
        {
            var history = _streams.GetValueOrDefault(stream) ?? [];
            // Of metadata, which replace each other, the last are shown.
            var first = stream.StartsWith(StreamRetention.MetadataPrefix, StringComparison.Ordinal)
                ? Math.Max(0, history.Count - 1)
                : _metadata.TryGetValue(stream, out var metadata)
                    ? Clamp(StreamRetention.FirstKept(metadata.Data.Span, history.Count - 1))
                    : 0;
            return history.GetRange(Math.Min(first, history.Count), Math.Max(0, history.Count - first));
        }
    }

    /// <summary>The next events, and what completes when there are more than these.</summary>
    private (IReadOnlyList<RecordedEvent> Events, Task Appended) After(LogPosition after, int countMax)
    {
        lock (_gate)
        {
            var index = (int)Math.Min(after.Commit, (ulong)_log.Count);
            return (_log.GetRange(index, Math.Min(countMax, _log.Count - index)), _appended.Task);
        }
    }
}
