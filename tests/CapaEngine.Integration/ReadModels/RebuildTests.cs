using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.ReadModels;
using CapaEngine.ReadModels.Rebuilding;
using Npgsql;
using Shouldly;

namespace CapaEngine.Integration.ReadModels;

/// <summary>Read models are made again beside the live ones and take their place, whatever happens meanwhile.</summary>
public sealed class RebuildTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task what_is_rebuilt_is_what_the_live_tables_had_and_everything_that_hangs_on_them()
    {
        await using var stand = await RebuildStand.CreateAsync(Ct, WholeCase.Tell(), GoldenHistory.Tell());
        var rows = await stand.Database.RowsAsync(Ct);
        var surface = await stand.SurfaceAsync(Ct);
        var reported = await ReportedAsync(stand);
        rows.Count.ShouldBeGreaterThan(300);
        // Whoever reads a row that the log does not tell of reads a table of before.
        await stand.Database.ExecuteAsync("update read_models.nonconformity set title = 'doctored'", Ct);
        await stand.Database.ExecuteAsync("delete from read_models.cause", Ct);

        await stand.RebuildAllAsync(Ct);

        (await stand.Database.RowsAsync(Ct)).ShouldBe(rows);
        var after = await stand.SurfaceAsync(Ct);
        after.Except(surface).ShouldBeEmpty();
        surface.Except(after).ShouldBeEmpty();
        (await ReportedAsync(stand)).ShouldBe(reported);
        (await stand.BesideAsync(Ct)).ShouldBeEmpty();
    }

    [Fact]
    public async Task a_model_that_is_rebuilt_alone_leaves_the_others_and_the_positions_as_they_are()
    {
        await using var stand = await RebuildStand.CreateAsync(Ct, WholeCase.Tell());
        var rows = await stand.Database.RowsAsync(Ct);
        var positions = await PositionsAsync(stand);
        await stand.Database.ExecuteAsync("update read_models.nonconformity set title = 'doctored'", Ct);
        await stand.Database.ExecuteAsync("update read_models.case_event set reason = 'doctored'", Ct);

        await stand.Rebuild().RunAsync([new NonconformityRegister()], null, Ct);

        (await stand.Database.ListAsync<string>("select distinct reason from read_models.case_event", Ct))
            .ShouldBe(["doctored"]);
        (await PositionsAsync(stand)).ShouldBe(positions);
        await stand.Rebuild().RunAsync([new CaseDossier()], null, Ct);
        (await stand.Database.RowsAsync(Ct)).ShouldBe(rows);
    }

    [Fact]
    public async Task another_process_that_follows_meanwhile_loses_nothing_and_writes_nothing_twice()
    {
        const int streamCount = 6;
        await using var stand = await RebuildStand.CreateAsync(Ct);
        var streams = Enumerable.Range(0, streamCount)
            .Select(n => Families.Deviation.Stream(WholeCase.DeviationId(n))).ToList();
        foreach (var (n, stream) in streams.Index())
            await ParkedProcess.AppendAsync(
                stand.Store, stream, Ct, WholeCase.Deviation(n, DateTimeOffset.UnixEpoch));
        using var told = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var others = Enumerable.Range(0, 2).Select(_ => new ParkedProcess(stand.Database, stand.Store)).ToList();
        var following = others.Select(process => FollowUntilAsync(process, told.Token)).ToList();
        var written = WriteUntilAsync(stand, streams, told.Token);
        for (var round = 0; round < 3; round++) await stand.RebuildAllAsync(Ct);
        await told.CancelAsync();
        await Task.WhenAll(following);
        var count = await written;
        await others[0].FollowAsync(Ct);

        count.ShouldBeGreaterThan(50, "Too little came meanwhile to tell anything.");
        (await stand.Database.ScalarAsync<long>(
            "select sum(conflict_count) from read_models.deviation", Ct)).ShouldBe(count);
        await ExpectRowsOfAFoldAsync(stand);
    }

    [Fact]
    public async Task what_live_tables_parked_and_this_version_reads_is_there_after_a_rebuild()
    {
        await using var stand = await RebuildStand.CreateAsync(Ct);
        var stream = Families.Deviation.Stream(WholeCase.DeviationId(0));
        var unread = Families.Nonconformity.Stream(WholeCase.CaseId);
        var old = new ParkedProcess(stand.Database, stand.Store, stranger: "deviation.conflict-received.v1");
        await ParkedProcess.AppendAsync(stand.Store, stream, Ct,
            WholeCase.Deviation(0, DateTimeOffset.UnixEpoch), new DeviationEvent.ConflictReceived("other", "{}"));
        await stand.LogAsync(
            new History().Add(Families.Nonconformity, WholeCase.CaseId, WholeCase.Report(DateTimeOffset.UnixEpoch))
                .AddUnknown(Families.Nonconformity, WholeCase.CaseId, "nonconformity.foreseen.v1"), Ct);
        await old.FollowAsync(Ct);
        (await ParkedAsync(stand)).ShouldBe([$"{stream} 1", $"{unread} 1"], ignoreOrder: true);
        var stale = new ParkedProcess(stand.Database, stand.Store);
        await stale.Projector.LoadPositionsAsync(Ct);

        await stand.RebuildAllAsync(Ct);

        (await ParkedAsync(stand)).ShouldBe([$"{unread} 1"]);
        await ParkedProcess.AppendAsync(stand.Store, stream, Ct, new DeviationEvent.ConflictReceived("third", "{}"));
        await stale.FollowAsync(Ct);
        (await stand.Database.ScalarAsync<int>("select conflict_count from read_models.deviation", Ct)).ShouldBe(
            2, "A process that believes the stream to be parked finds out that it is not.");
    }

    [Fact]
    public async Task what_postgresql_refuses_is_parked_by_the_rebuild_as_by_the_projector()
    {
        var log = new History();
        for (var n = 0; n < 20; n++)
            log.Add(Families.Nonconformity, NameBasedId.From($"case {n}"), WholeCase.Report(
                DateTimeOffset.UnixEpoch, title: n % 7 == 3 ? "NUL \0 inside" : "fine"));
        for (var n = 0; n < 20; n++)
            log.Add(Families.Nonconformity, NameBasedId.From($"case {n}"),
                new NonconformityEvent.ReviewCompleted("quinn"));
        await using var stand = await RebuildStand.CreateAsync(Ct, log);
        var (rows, parked) = (await stand.Database.RowsAsync(Ct), await ParkedAsync(stand));
        parked.Count.ShouldBe(3);

        await stand.RebuildAllAsync(Ct);

        (await stand.Database.RowsAsync(Ct)).ShouldBe(rows);
        (await ParkedAsync(stand)).ShouldBe(parked);
    }

    [Fact]
    public async Task two_rebuilds_at_once_are_one_and_a_refusal()
    {
        await using var stand = await RebuildStand.CreateAsync(Ct, WholeCase.Tell());
        var (isReading, mayGoOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        var slow = new EventfulLog(stand.Store, async _ =>
        {
            isReading.TrySetResult();
            await mayGoOn.Task;
        });
        var first = stand.RebuildAllAsync(Ct, slow);
        await isReading.Task.WaitAsync(Ct);

        await Should.ThrowAsync<CopyInProgressException>(stand.RebuildAllAsync(Ct));
        mayGoOn.SetResult();
        await first;
        await stand.RebuildAllAsync(Ct);
    }

    [Fact]
    public async Task a_rebuild_that_ends_anywhere_goes_on_where_it_was_and_the_live_tables_serve()
    {
        await using var stand = await RebuildStand.CreateAsync(Ct, WholeCase.Tell());
        var rows = await stand.Database.RowsAsync(Ct);
        var (ends, epochs) = (0, 0);
        for (var done = false; !done; ends++)
        {
            try
            {
                // Killed after every step, the later runs after a few of them, and some while the log is read.
                var (stepsLeft, eventsLeft) = (1 + ends / 4, ends % 2 == 0 ? int.MaxValue : 30);
                var log = new EventfulLog(stand.Store, _ => eventsLeft-- > 0
                    ? Task.CompletedTask : throw new IOException("The log is gone."));
                await stand.RebuildAllAsync(Ct, log, progress =>
                {
                    if (progress.Phase != CopyPhases.Done && stepsLeft-- == 0)
                        throw new IOException($"Killed while {progress.Phase}.");
                });
                done = true;
            }
            catch (IOException)
            {
                (await stand.Database.RowsAsync(Ct)).ShouldBe(rows);
                await stand.FollowAsync(Ct);
            }

            epochs++;
            ends.ShouldBeLessThan(100);
        }

        ends.ShouldBeGreaterThan(4);
        (await stand.Database.RowsAsync(Ct)).ShouldBe(rows);
        (await stand.Database.ListAsync<string>(
            "select concat_ws(' ', epoch, phase, event_count) from read_models.table_copy", Ct))
            .ShouldBe([$"{epochs} done {WholeCase.Tell().Events.Count}"], "Every event was taken in once.");
    }

    [Fact]
    public async Task a_rebuild_whose_session_is_lost_or_whose_tables_change_never_replaces_the_live_ones()
    {
        await using var stand = await RebuildStand.CreateAsync(Ct, WholeCase.Tell());
        var rows = await stand.Database.RowsAsync(Ct);
        await Should.ThrowAsync<NpgsqlException>(stand.RebuildAllAsync(Ct, told: progress =>
        {
            if (progress.Phase == CopyPhases.Analyzing) stand.EndRebuildingSessions();
        }));
        (await stand.Database.RowsAsync(Ct)).ShouldBe(rows);

        // Somebody else took it up while this process was held up.
        await Should.ThrowAsync<CopyLostException>(stand.RebuildAllAsync(Ct, told: progress =>
        {
            if (progress.Phase == CopyPhases.Analyzing)
                stand.Execute("update read_models.table_copy set epoch = epoch + 1");
        }));

        // A migration came between; what was copied before it is of no use.
        await Should.ThrowAsync<InvalidOperationException>(stand.RebuildAllAsync(Ct, told: progress =>
        {
            if (progress.Phase == CopyPhases.Analyzing) stand.Execute("alter table read_models.capa add later text");
        }));
        (await stand.Database.RowsAsync(Ct)).ShouldNotBe(rows);
        await stand.RebuildAllAsync(Ct);
        await stand.Database.ExecuteAsync("alter table read_models.capa drop later", Ct);
        (await stand.Database.RowsAsync(Ct)).ShouldBe(rows);
    }

    [Fact]
    public async Task the_exchange_gives_way_to_a_query_that_takes_long()
    {
        await using var stand = await RebuildStand.CreateAsync(Ct, WholeCase.Tell());
        var rows = await stand.Database.RowsAsync(Ct);
        await using var analyst = await stand.Database.Source.OpenConnectionAsync(Ct);
        await using var query = await analyst.BeginTransactionAsync(Ct);
        await using var reading = new NpgsqlCommand("select count(*) from reporting.capa", analyst);
        await reading.ExecuteScalarAsync(Ct);

        var rebuilding = stand.RebuildAllAsync(Ct);
        // The lock has been waited for in vain once the table that is read has served another query meanwhile.
        await stand.UntilAsync("""
            select count(*) > 0 from pg_locks where not granted and mode = 'AccessExclusiveLock' and database = (
              select oid from pg_database where datname = current_database())
            """, Ct);
        (await stand.Database.ScalarAsync<long>("select count(*) from reporting.capa", Ct)).ShouldBe(1);
        await query.RollbackAsync(Ct);
        await rebuilding;
        (await stand.Database.RowsAsync(Ct)).ShouldBe(rows);
    }

    private static async Task FollowUntilAsync(ParkedProcess process, CancellationToken told)
    {
        for (var after = 0ul; !told.IsCancellationRequested;)
        {
            var before = after;
            try
            {
                after = await process.FollowAsync(Ct, after);
            }
            catch (PostgresException busy) when (busy.SqlState == PostgresErrorCodes.DeadlockDetected)
            {
                // Two processes met on the same rows; the follower offers the events again.
            }

            if (after == before) await Task.Yield();
        }
    }

    private static async Task<int> WriteUntilAsync(
        RebuildStand stand, List<string> streams, CancellationToken told)
    {
        const int ahead = 100;
        var count = 0;
        for (; !told.IsCancellationRequested; count++)
        {
            // As fast as the rows follow, and no faster.
            while (count > ahead + await stand.Database.ScalarAsync<long>(
                "select coalesce(sum(conflict_count), 0) from read_models.deviation", Ct))
                await Task.Yield();
            await ParkedProcess.AppendAsync(
                stand.Store, streams[count % streams.Count], Ct, new DeviationEvent.ConflictReceived($"{count}", "{}"));
            await Task.Yield();
        }

        return count;
    }

    private static async Task ExpectRowsOfAFoldAsync(RebuildStand stand)
    {
        await using var fold = await ReadModelDatabase.CreateAsync(Ct);
        await new ParkedProcess(fold, stand.Store).FollowAsync(Ct);
        (await stand.Database.RowsAsync(Ct)).ShouldBe(await fold.RowsAsync(Ct));
    }

    private static Task<List<string>> ParkedAsync(RebuildStand stand) => stand.Database.ListAsync<string>(
        "select stream || ' ' || revision from read_models.parked_stream order by 1", Ct);

    private static Task<List<string>> PositionsAsync(RebuildStand stand) => stand.Database.ListAsync<string>(
        "select routing_key || ' ' || position from read_models.follower_position order by 1", Ct);

    private static async Task<List<string>> ReportedAsync(RebuildStand stand)
    {
        List<string> rows = [];
        foreach (var view in await stand.Database.ListAsync<string>("""
            select viewname::text from pg_views where schemaname = 'reporting' and viewname <> 'freshness' order by 1
            """, Ct))
            rows.AddRange(await stand.Database.ListAsync<string>($"""
                select '{view} ' || (to_jsonb(v) - '{"{updated_at,age_days,days}"}'::text[])::text
                from reporting.{view} v order by 1
                """, Ct));
        return rows;
    }
}
