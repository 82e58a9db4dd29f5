using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Shouldly;
using static CapaEngine.Integration.ReadModels.ParkedProcess;

namespace CapaEngine.Integration.ReadModels;

/// <summary>
/// What was parked is released on a live system: whichever process releases it and whatever the others remember, each
/// event ends in its rows once and in its order.
/// </summary>
public sealed class ParkedStreamTests : IAsyncLifetime
{
    private const string Conflict = "deviation.conflict-received.v1";
    private readonly MemoryEventStore log = new(TimeProvider.System);
    private readonly string stream = Deviation(0);
    private ReadModelDatabase database = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => database = await ReadModelDatabase.CreateAsync(Ct);

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task a_projector_that_has_not_heard_of_a_release_skips_nothing_after_it()
    {
        var old = new ParkedProcess(database, log, stranger: Conflict);
        var stale = new ParkedProcess(database, log);
        var fresh = new ParkedProcess(database, log);
        await AppendAsync(log, stream, Ct, Received(0), Other(1), Other(2));
        await old.FollowAsync(Ct);
        await stale.Projector.LoadPositionsAsync(Ct);
        (await CountsAsync()).ShouldBe(["0 at 0"]);

        (await fresh.Replay.ReplayAsync(null, Ct)).ShouldBe(1);
        (await CountsAsync()).ShouldBe(["2 at 2"]);
        await AppendAsync(log, stream, Ct, Other(3), Other(4));
        await stale.FollowAsync(Ct);

        (await CountsAsync()).ShouldBe(["4 at 4"]);
        await ExpectRowsOfAFoldAsync();
    }

    [Fact]
    public async Task a_projector_that_has_not_heard_of_a_parking_projects_nothing_behind_it()
    {
        var old = new ParkedProcess(database, log, stranger: Conflict);
        var stale = new ParkedProcess(database, log);
        await AppendAsync(log, stream, Ct, Received(0));
        await stale.FollowAsync(Ct);
        await AppendAsync(log, stream, Ct, Other(1));
        await old.FollowAsync(Ct);
        await AppendAsync(log, stream, Ct, Other(2));
        await stale.FollowAsync(Ct);

        (await CountsAsync()).ShouldBe(["0 at 0"], "The later event waits behind the parked one.");
        (await stale.Replay.ReplayAsync(null, Ct)).ShouldBe(1);
        (await CountsAsync()).ShouldBe(["2 at 2"]);
        (await stale.Replay.ReplayAsync(null, Ct)).ShouldBe(0);
        stale.Replay.ParkedCount.ShouldBe(0);
    }

    [Fact]
    public async Task replays_while_events_keep_coming_give_the_rows_of_a_fold()
    {
        const int streamCount = 8, roundCount = 120;
        var streams = Enumerable.Range(0, streamCount).Select(Deviation).ToList();
        foreach (var (n, name) in streams.Index()) await AppendAsync(log, name, Ct, Received(n));
        using var told = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        // During an upgrade one process still parks what the other one knows, and both follow the same partitions.
        var old = new ParkedProcess(database, log, stranger: Conflict);
        var upgraded = new ParkedProcess(database, log);
        var operatorsChoice = new ParkedProcess(database, log);
        var released = 0;
        var working = Task.WhenAll(FollowUntilToldAsync(old, told.Token), FollowUntilToldAsync(upgraded, told.Token));
        for (var round = 1; round <= roundCount; round++)
        {
            await AppendAsync(log, streams[round % streamCount], Ct, Other(round));
            released += await operatorsChoice.Replay.ReplayAsync(null, Ct);
        }

        await told.CancelAsync();
        await working;
        await upgraded.FollowAsync(Ct);
        released += await operatorsChoice.Replay.ReplayAsync(null, Ct);

        released.ShouldBeGreaterThan(0, "Nothing was ever parked, so nothing was tried.");
        (await CountsAsync()).ShouldAllBe(
            counts => counts == $"{roundCount / streamCount} at {roundCount / streamCount}");
        await ExpectRowsOfAFoldAsync();
    }

    [Fact]
    public async Task what_postgresql_refused_is_stored_once_it_can_be_one_stream_or_all()
    {
        var process = new ParkedProcess(database, log);
        var other = Deviation(1);
        await AppendAsync(log, stream, Ct, Received(0), Other(1));
        await AppendAsync(log, other, Ct, Received(1), Other(2), Other(3));
        await AppendAsync(log, stream, Ct, Other(4));
        await database.ExecuteAsync(
            "alter table read_models.deviation add constraint narrow check (conflict_count = 0)", Ct);
        await process.FollowAsync(Ct);

        var parked = await process.Replay.ReadParkedAsync(Ct);
        parked.Select(one => (one.Stream, one.Revision, one.Type, one.Code))
            .ShouldBe([(stream, 1, Conflict, "not-storable"), (other, 1, Conflict, "not-storable")]);
        parked[0].Reason.ShouldContain("23514");
        (await process.Replay.FindEventAsync(parked[1], Ct))!.Id.ShouldBe(parked[1].EventId);
        (await process.Replay.ReplayAsync(null, Ct)).ShouldBe(0);
        process.Replay.ParkedCount.ShouldBe(2);

        await database.ExecuteAsync("alter table read_models.deviation drop constraint narrow", Ct);
        (await process.Replay.ReplayAsync(other, Ct)).ShouldBe(1);
        process.Replay.ParkedCount.ShouldBe(1);
        (await CountsAsync()).ShouldBe(["0 at 0", "2 at 2"]);
        (await process.Replay.ReplayAsync(null, Ct)).ShouldBe(1);
        await ExpectRowsOfAFoldAsync();
    }

    [Fact]
    public async Task a_stream_goes_on_up_to_the_next_event_that_cannot_be_projected()
    {
        var old = new ParkedProcess(database, log, stranger: Conflict);
        var upgraded = new ParkedProcess(database, log);
        await AppendAsync(log, stream, Ct, Received(0), Other(1));
        await AppendStrangerAsync();
        await AppendAsync(log, stream, Ct, Other(3));
        await old.FollowAsync(Ct);

        (await upgraded.Replay.ReplayAsync(null, Ct)).ShouldBe(1, "The event for which it was parked has its row.");
        upgraded.Replay.ParkedCount.ShouldBe(1);
        (await CountsAsync()).ShouldBe(["1 at 1"]);
        (await upgraded.Replay.ReadParkedAsync(Ct)).Select(parked => (parked.Revision, parked.Type, parked.Code))
            .ShouldBe([(2, "deviation.odd.v9", "unknown-event-type")]);
        (await upgraded.Replay.ReplayAsync(null, Ct)).ShouldBe(0);
    }

    [Fact]
    public async Task a_stream_that_an_older_version_parked_has_its_event_id_from_the_log()
    {
        var process = new ParkedProcess(database, log);
        await AppendAsync(log, stream, Ct, Received(0));
        await AppendStrangerAsync();
        await process.FollowAsync(Ct);
        await database.ExecuteAsync("update read_models.parked_stream set event_id = null", Ct);

        var parked = (await process.Replay.ReadParkedAsync(Ct)).ShouldHaveSingleItem();
        parked.EventId.ShouldNotBe(Guid.Empty);
        (await process.Replay.FindEventAsync(parked, Ct))!.Id.ShouldBe(parked.EventId);
        await process.Replay.ReplayAsync(null, Ct);
        (await database.ScalarAsync<Guid>("select event_id from read_models.parked_stream", Ct))
            .ShouldBe(parked.EventId);
    }

    private static string Deviation(int n) => Families.Deviation.Stream(WholeCase.DeviationId(n));

    private static DeviationEvent.Received Received(int n) => WholeCase.Deviation(n, DateTimeOffset.UnixEpoch);

    private static DeviationEvent.ConflictReceived Other(int n) => new($"other {n}", "{}");

    private static async Task FollowUntilToldAsync(ParkedProcess process, CancellationToken told)
    {
        // Far more batches than one event each: the two meet in the middle of each other's transactions.
        for (var after = 0ul; !told.IsCancellationRequested;)
        {
            var before = after;
            after = await process.FollowAsync(Ct, after);
            if (after == before) await Task.Yield();
        }
    }

    // A type of no version.
    private async Task AppendStrangerAsync()
    {
        var metadata = new EventMetadata(
            new EventActor("quinn", [], "*"), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, "");
        await log.AppendAsync(stream, ExpectedRevision.Any,
            [new NewEvent(Guid.NewGuid(), "deviation.odd.v9", "{}"u8.ToArray(), EventCatalog.Serialize(metadata))], Ct);
    }

    private Task<List<string>> CountsAsync() => database.ListAsync<string>(
        "select conflict_count || ' at ' || revision from read_models.deviation order by source_event_id", Ct);

    private async Task ExpectRowsOfAFoldAsync()
    {
        await using var fold = await ReadModelDatabase.CreateAsync(Ct);
        var process = new ParkedProcess(fold, log);
        await process.FollowAsync(Ct);
        (await database.RowsAsync(Ct)).ShouldBe(await fold.RowsAsync(Ct));
        (await database.ListAsync<string>("select stream from read_models.parked_stream", Ct)).ShouldBeEmpty();
    }
}
