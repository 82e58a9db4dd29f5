using System.Diagnostics;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.ReadModels;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using static CapaEngine.Integration.ReadModels.ReadModelDatabase;

namespace CapaEngine.Integration.ReadModels;

/// <summary>Rows and position move together, from one place only, and one bad event holds up nothing else.</summary>
public sealed class ProjectorTests(ITestOutputHelper output)
{
    private const string Key = "deviation.0";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task the_position_moves_only_with_the_rows()
    {
        await using var database = await CreateAsync(Ct);
        var projector = database.Projector();
        var events = Deviations(20);
        await projector.ApplyAsync(Key, [.. events.Take(10)], 10, Ct);

        // A failure after the rows were written and before the commit: PostgreSQL ends the connection's transaction.
        await database.ExecuteAsync("""
            create function read_models.fail() returns trigger language plpgsql as
              $f$ begin raise exception 'power cut' using errcode = '57P01'; end $f$;
            create constraint trigger fail after insert on read_models.deviation deferrable initially deferred
              for each row execute function read_models.fail()
            """, Ct);
        await Should.ThrowAsync<Npgsql.PostgresException>(
            () => projector.ApplyAsync(Key, [.. events.Skip(10)], 20, Ct));
        (await CountAsync(database)).ShouldBe((10L, 10L));

        await database.ExecuteAsync("drop trigger fail on read_models.deviation", Ct);
        await projector.ApplyAsync(Key, [.. events.Skip(10)], 20, Ct);
        (await CountAsync(database)).ShouldBe((20L, 20L));
    }

    [Fact]
    public async Task of_two_projectors_one_moves_the_position_and_the_other_notices()
    {
        await using var database = await CreateAsync(Ct);
        var (first, second) = (database.Projector(), database.Projector());
        var events = Deviations(40);
        await first.ApplyAsync(Key, [.. events.Take(10)], 10, Ct);
        await second.LoadPositionsAsync(Ct);
        await second.ApplyAsync(Key, [.. events.Skip(10).Take(20)], 30, Ct);

        // The first still believes in 10; of its late batch only what is new counts.
        await first.ApplyAsync(Key, [.. events.Skip(10).Take(10)], 20, Ct);
        (await CountAsync(database)).ShouldBe((30L, 30L));
        await first.ApplyAsync(Key, [.. events.Skip(20)], 40, Ct);
        (await CountAsync(database)).ShouldBe((40L, 40L));

        // At the same time: each event once, and the position never goes back.
        var more = Deviations(200);
        await Task.WhenAll(((Projector[])[first, second]).Select(async projector =>
        {
            foreach (var batch in more.Skip(40).Chunk(20))
                await projector.ApplyAsync(Key, batch, batch[^1].Position.Commit, Ct);
        }));
        (await CountAsync(database)).ShouldBe((200L, 200L));
    }

    [Fact]
    public async Task a_position_that_went_back_is_refused_until_it_is_read_again()
    {
        await using var database = await CreateAsync(Ct);
        var projector = database.Projector();
        var events = Deviations(20);
        await projector.ApplyAsync(Key, [.. events.Take(10)], 10, Ct);
        await database.ExecuteAsync("update read_models.follower_position set position = 5", Ct);

        var refused = await Should.ThrowAsync<InvalidOperationException>(
            () => projector.ApplyAsync(Key, [.. events.Skip(10)], 20, Ct));
        refused.Message.ShouldContain("went back");
        (await projector.LoadPositionsAsync(Ct))[Key].ShouldBe(5ul);
    }

    [Fact]
    public async Task a_stream_with_an_unknown_event_waits_alone_and_is_read_again_by_a_version_that_knows_it()
    {
        var store = new MemoryEventStore(TimeProvider.System);
        var (waiting, other) = (WholeCase.CaseId, NameBasedId.From("other case"));
        var log = new History()
            .Add(Families.Nonconformity, waiting, WholeCase.Report(DateTimeOffset.UnixEpoch))
            .AddUnknown(Families.Nonconformity, waiting, "nonconformity.foreseen.v1")
            .Add(Families.Nonconformity, waiting, new NonconformityEvent.Rejected("quinn", "Unfounded."))
            .Add(Families.Nonconformity, other, WholeCase.Report(DateTimeOffset.UnixEpoch));
        await using var database = await CreateAsync(Ct);
        await ApplyAsync(database.Projector(), log.Events, 1, Ct);

        (await database.ListAsync<string>("select status || revision from reporting.nonconformity order by 1", Ct))
            .ShouldBe(["reported0", "reported0"], "The later event of the stream waits behind the unknown one.");
        var health = await database.Parked.CheckHealthAsync(new HealthCheckContext(), Ct);
        health.Status.ShouldBe(HealthStatus.Degraded);
        health.Description!.ShouldContain("nonconformity.foreseen.v1");

        // The upgraded version reads the stream from the log, where the once unknown event is one it knows.
        await AppendAsync(store, Families.Nonconformity.Stream(waiting),
            WholeCase.Report(DateTimeOffset.UnixEpoch), new NonconformityEvent.ContainmentNotNeeded("No."),
            new NonconformityEvent.Rejected("quinn", "Unfounded."));
        await RetryAsync(database, store);
        (await database.ListAsync<string>(
            "select status || revision || containment from reporting.nonconformity order by revision", Ct))
            .ShouldBe(["reported0undecided", "rejected2not-needed"]);
        (await database.Parked.CheckHealthAsync(new HealthCheckContext(), Ct)).Status.ShouldBe(HealthStatus.Healthy);
    }

    [Fact]
    public async Task an_event_that_postgresql_cannot_store_parks_its_stream_and_nothing_else()
    {
        var good = Enumerable.Range(0, 5).Select(n => NameBasedId.From($"case {n}")).ToList();
        var log = new History();
        foreach (var id in good) log.Add(Families.Nonconformity, id, WholeCase.Report(DateTimeOffset.UnixEpoch));
        var bad = NameBasedId.From("bad case");
        log.Add(Families.Nonconformity, bad, WholeCase.Report(DateTimeOffset.UnixEpoch, title: "NUL \0 inside"));
        log.Add(Families.Nonconformity, bad, new NonconformityEvent.ReviewCompleted("quinn"));
        log.Add(Families.Nonconformity, good[0], new NonconformityEvent.ReviewCompleted("quinn"));
        await using var database = await CreateAsync(Ct);
        await database.Projector().ApplyAsync("nonconformity.0", log.Events, 8, Ct);

        (await database.ScalarAsync<long>("select count(*) from reporting.nonconformity", Ct)).ShouldBe(5);
        (await database.ScalarAsync<long>("select count(*) from reporting.nonconformity where status = 'open'", Ct))
            .ShouldBe(1);
        (await database.ListAsync<string>("select stream || ' ' || reason from read_models.parked_stream", Ct))
            .ShouldBe([$"{Families.Nonconformity.Stream(bad)} not-storable: 22021"]);
    }

    [Fact]
    public async Task a_hundred_thousand_deviations_become_rows_once_each()
    {
        const int count = 100_000;
        await using var database = await CreateAsync(Ct);
        var projector = database.Projector();
        var events = Deviations(count);
        var started = Stopwatch.GetTimestamp();
        foreach (var batch in events.Chunk(500))
            await projector.ApplyAsync(Key, batch, batch[^1].Position.Commit, Ct);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;

        output.WriteLine($"{count / seconds:F0} rows/s in batches of 500, {seconds:F1} s");
        (await CountAsync(database)).ShouldBe(((long)count, (long)count));
    }

    private static List<IncomingEvent> Deviations(int count)
    {
        var log = new History();
        for (var n = 0; n < count; n++)
            log.Add(Families.Deviation, WholeCase.DeviationId(n), WholeCase.Deviation(n, log.Now));
        return [.. log.Events];
    }

    private static async Task<(long Rows, long Position)> CountAsync(ReadModelDatabase database) => (
        await database.ScalarAsync<long>("select count(*) from reporting.deviation", Ct),
        await database.ScalarAsync<long>("select position from read_models.follower_position", Ct));

    private static async Task AppendAsync(MemoryEventStore store, string stream, params object[] facts)
    {
        var metadata = EventCatalog.Serialize(new EventMetadata(
            new EventActor("quinn", [], "*"), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, "hash"));
        var events = facts.Select(fact => new NewEvent(
            Guid.NewGuid(), EventCatalog.NameOf(fact), EventCatalog.Serialize(fact), metadata)).ToList();
        (await store.AppendAsync(stream, ExpectedRevision.NoStream, events, Ct))
            .ShouldBeOfType<AppendResult.Appended>();
    }

    private static async Task RetryAsync(ReadModelDatabase database, MemoryEventStore store)
    {
        var retry = new ParkedStreamsReplay(
            database.Source, database.Parked, database.Projector(), store, NullLogger<ParkedStreamsReplay>.Instance);
        await retry.StartAsync(Ct);
    }
}
