using System.Collections.Concurrent;
using CapaEngine.EventStore;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Npgsql;
using Shouldly;

namespace CapaEngine.Integration.EventStore;

/// <summary>
/// Twenty crashes of the node and of its database under writers who remember what they were told; with
/// <c>--full</c> a hundred. A seed in the output repeats the order of the crashes.
/// </summary>
public sealed class EventLogCrashTests(ITestOutputHelper output)
{
    private const int Writers = 16;
    private const string Family = "crash-";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ConcurrentQueue<Attempt> _attempts = new();
    private long _steps;
    private long _acknowledged;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task every_crash_leaves_what_was_acknowledged_once_in_order_and_the_rest_whole_or_absent()
    {
        var rounds = Environment.GetEnvironmentVariable("CAPA_TEST_FULL") == "1" ? 100 : 10;
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var postgres = await PrivatePostgres.StartAsync(Ct);
        await using var log = new EventLogFixture { Server = postgres.ConnectionString };
        await log.InitializeAsync();
        await using var subscription = new Subscriber(
            log.Client.SubscribeToAllAsync(LogPosition.Start, [Family], CancellationToken.None), Patience);
        using var stop = new CancellationTokenSource();
        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(n => Task.Run(
            () => WriteAsync(log.Client, $"{Family}{n}", new Random(seed + n), stop.Token), Ct)));

        for (var round = 0; round < rounds; round++)
        {
            await UntilAcknowledgedAsync(Interlocked.Read(ref _acknowledged) + random.Next(20, 200), writing);
            await CrashAsync(log, postgres, random.Next(4));
        }

        await UntilAcknowledgedAsync(Interlocked.Read(ref _acknowledged) + 200, writing);
        await stop.CancelAsync();
        await writing;
        await CheckAsync(log, subscription);
    }

    private static async Task CrashAsync(EventLogFixture log, PrivatePostgres postgres, int kind)
    {
        switch (kind)
        {
            case 0:
                await postgres.CrashAndRestartAsync(Ct);
                break;
            case 1:
                // Both at once: the node comes back before its database has recovered.
                await Task.WhenAll(postgres.CrashAndRestartAsync(Ct), log.KillAndStartAsync(Ct));
                break;
            default:
                await log.KillAndStartAsync(Ct);
                break;
        }
    }

    /// <summary>
    /// Appends up to five events at a time, each at the revision it has last seen. Most of what is of unknown outcome
    /// is repeated until it is known, and some is given up: then the writer looks where the stream is, as a service
    /// does.
    /// </summary>
    private async Task WriteAsync(EventStoreClient store, string stream, Random random, CancellationToken stop)
    {
        var revision = -1L;
        while (!stop.IsCancellationRequested)
        {
            NewEvent[] events = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => EventLogFaultTests.Event())];
            var attempt = new Attempt(
                stream, revision, [.. events.Select(e => e.Id)], Interlocked.Increment(ref _steps));
            _attempts.Enqueue(attempt);
            var result = await store.AppendAsync(stream, ExpectedRevision.At(revision), events, Ct);
            while (result is AppendResult.OutcomeUnknown or AppendResult.ServerBusy && random.Next(5) > 0)
            {
                result = await store.AppendAsync(stream, ExpectedRevision.At(revision), events, Ct);
            }

            if (result is AppendResult.Appended appended)
            {
                attempt.Acknowledge(appended.Position, Interlocked.Increment(ref _steps));
                Interlocked.Increment(ref _acknowledged);
                revision = appended.Revision;
            }
            else
            {
                // A conflict too: an append that was given up may be written after the stream was looked at.
                result.ShouldBeAssignableTo<AppendResult>().ShouldNotBeOfType<AppendResult.StreamDeleted>();
                revision = (await LastAsync(store, stream))?.Revision ?? -1;
            }
        }
    }

    private static async Task<RecordedEvent?> LastAsync(EventStoreClient store, string stream)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                return await store.ReadStreamBackwardsAsync(stream, 1, limit.Token).FirstOrDefaultAsync(limit.Token);
            }
            catch (EventStoreUnavailableException)
            {
                // The node is down for longer than a read tries by itself.
            }
        }
    }

    private async Task CheckAsync(EventLogFixture log, Subscriber subscription)
    {
        var all = await log.Client.ReadAllAsync(LogPosition.Start, [Family], Ct).ToListAsync(Ct);
        var streams = new Dictionary<string, IReadOnlyList<RecordedEvent>>();
        foreach (var stream in _attempts.Select(attempt => attempt.Stream).Distinct())
        {
            streams[stream] = await log.Client.ReadStreamAsync(stream, 0, long.MaxValue, Ct).ToListAsync(Ct);
        }

        var seen = new List<Guid>();
        while (seen.Count < all.Count)
        {
            if (await subscription.NextAsync() is LogMessage.Event e)
            {
                seen.Add(e.Recorded.Id);
            }
        }

        var abandoned = _attempts.Count(attempt => attempt.Ended is null);
        output.WriteLine($"{_attempts.Count} appends, {abandoned} never acknowledged, {all.Count} events");
        RecordedHistory.Problems([.. _attempts], all, streams).ShouldBeEmpty();
        seen.ShouldBe(all.Select(e => e.Id));
        abandoned.ShouldBeGreaterThan(0, "no crash hit an append: the test has shown nothing");
        await using var database = NpgsqlDataSource.Create(log.Database);
        await using var gaps = database.CreateCommand("select max(position) - count(*) from eventlog.events");
        (await gaps.ExecuteScalarAsync(Ct)).ShouldBe(0L);
    }

    private async Task UntilAcknowledgedAsync(long count, Task writing)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (Interlocked.Read(ref _acknowledged) < count)
        {
            if (writing.IsCompleted)
            {
                await writing;
            }

            await poll.WaitForNextTickAsync(limit.Token);
        }
    }
}
