using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.ReadModels;
using CapaEngine.ReadModels.Rebuilding;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Shouldly;

namespace CapaEngine.Integration.ReadModels;

/// <summary>Live rows are held against rebuilt ones, and rows of another version are made again.</summary>
public sealed class ReadModelCheckTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task rows_that_are_what_the_log_says_hold_and_the_first_doctored_one_is_named()
    {
        await using var stand = await RebuildStand.CreateAsync(Ct, WholeCase.Tell(), GoldenHistory.Tell());
        var sound = await stand.CheckAsync(Ct);
        sound.Holds.ShouldBeTrue();
        sound.Tables.ShouldAllBe(table => table.IsSame);
        sound.Tables.Select(table => table.Table).ShouldBe(Projections.All.SelectMany(model => model.Tables));
        sound.Events.ShouldBe(await stand.Store.ReadAllAsync(LogPosition.Start, [], Ct).CountAsync(Ct));
        (await stand.BesideAsync(Ct)).ShouldBeEmpty();

        await stand.Database.ExecuteAsync("update read_models.capa set updated_at = now() + interval '1 day'", Ct);
        (await stand.CheckAsync(Ct)).Holds.ShouldBeTrue("The wall clock is outside the comparison.");

        await stand.Database.ExecuteAsync(
            $"update read_models.action set owner = 'mallory' where capa_id = '{WholeCase.CapaId}'", Ct);
        var doctored = await stand.CheckAsync(Ct);
        doctored.Holds.ShouldBeFalse();
        doctored.First.ShouldBe(new RowDifference(
            "action", $"{WholeCase.CapaId} {WholeCase.ActionId}", "owner", "mallory", "oscar"));
        doctored.Tables.Where(table => !table.IsSame).Select(table => table.Table).ShouldBe(["action"]);
        (await stand.Database.ListAsync<string>("select owner from read_models.action where owner = 'mallory'", Ct))
            .ShouldHaveSingleItem("A check changes no live row.");
    }

    [Fact]
    public async Task a_row_that_is_missing_or_that_the_log_does_not_tell_of_is_named()
    {
        await using var stand = await RebuildStand.CreateAsync(Ct, WholeCase.Tell());
        await stand.Database.ExecuteAsync("delete from read_models.concession", Ct);
        (await stand.CheckAsync(Ct)).First.ShouldBe(new RowDifference(
            "concession", $"{WholeCase.ConcessionId}", null, "missing", "present"));

        await stand.RebuildAllAsync(Ct);
        var stranger = Guid.NewGuid();
        await stand.Database.ExecuteAsync($"""
            insert into read_models.capa_nonconformity (capa_id, nonconformity_id, joined_at, revision, position)
            values ('{stranger}', '{stranger}', now(), 0, 1)
            """, Ct);
        (await stand.CheckAsync(Ct)).First.ShouldBe(new RowDifference(
            "capa_nonconformity", $"{stranger} {stranger}", null, "present", "missing"));
    }

    [Fact]
    public async Task a_check_holds_while_rows_lag_move_on_and_wait()
    {
        await using var stand = await RebuildStand.CreateAsync(Ct, WholeCase.Tell());
        // One stream waits, another is parked by a process that does not know what this one does.
        var (odd, known) = (NameBasedId.From("odd"), NameBasedId.From("known"));
        await stand.LogAsync(new History()
            .Add(Families.Nonconformity, odd, WholeCase.Report(DateTimeOffset.UnixEpoch))
            .AddUnknown(Families.Nonconformity, odd, "nonconformity.foreseen.v1")
            .Add(Families.Deviation, known, WholeCase.Deviation(70, DateTimeOffset.UnixEpoch),
                new DeviationEvent.ConflictReceived("other", "{}")), Ct);
        await new ParkedProcess(stand.Database, stand.Store, stranger: "deviation.conflict-received.v1")
            .FollowAsync(Ct);
        // What comes now has no rows yet, and gets them in the middle of the check.
        await stand.LogAsync(new History().Add(
            Families.Deviation, NameBasedId.From("late"), WholeCase.Deviation(71, DateTimeOffset.UnixEpoch)), Ct);
        var isMoved = false;
        var log = new EventfulLog(stand.Store, async _ =>
        {
            if (isMoved) return;
            isMoved = true;
            await stand.FollowAsync(Ct);
            await stand.Process.Replay.ReplayAsync(Families.Deviation.Stream(known), Ct);
        });

        var result = await stand.CheckAsync(Ct, log);

        result.First.ShouldBeNull();
        result.NotProjected.ShouldBeEmpty();
        result.Waiting.ShouldBe([Families.Nonconformity.Stream(odd)]);
        isMoved.ShouldBeTrue();
        result.Tables.Single(table => table.Table == "deviation").Live.ShouldBe(7);
    }

    [Fact]
    public async Task another_version_of_a_projection_makes_its_rows_again_while_the_old_ones_serve()
    {
        await using var stand = await RebuildStand.CreateAsync(Ct, WholeCase.Tell());
        var today = stand.Versions(Projections.All);
        (await today.BringUpToDateAsync(Ct)).ShouldBeTrue();
        (await stand.Database.ListAsync<string>("select target from read_models.table_copy", Ct)).ShouldBeEmpty();

        IReadOnlyList<IReadModel> later =
            [.. Projections.All.Where(model => model is not TriageRecord), new LaterTriageRecord()];
        var served = -1L;
        var log = new EventfulLog(stand.Store, async _ => served = await stand.Database.ScalarAsync<long>(
            "select count(*) from reporting.triage_policy where set_by <> 'later'", Ct));
        var upgraded = stand.Versions(later, log);
        (await upgraded.BringUpToDateAsync(Ct)).ShouldBeTrue();

        served.ShouldBe(1);
        (await stand.Database.ListAsync<string>("select set_by from reporting.triage_policy", Ct)).ShouldBe(["later"]);
        (await stand.Database.ScalarAsync<string>("select composition from read_models.table_copy", Ct))
            .ShouldBe("triage-record@2", "Only the model that changed was rebuilt.");
        (await upgraded.CheckHealthAsync(new HealthCheckContext(), Ct)).Status.ShouldBe(HealthStatus.Healthy);

        // The process of the former version, which still runs, turns nothing back and says that it was overtaken.
        (await today.BringUpToDateAsync(Ct)).ShouldBeFalse();
        (await today.CheckHealthAsync(new HealthCheckContext(), Ct)).Status.ShouldBe(HealthStatus.Degraded);
        (await stand.Database.ListAsync<string>("select set_by from reporting.triage_policy", Ct)).ShouldBe(["later"]);

        // Started anew, it is a return to the former version.
        (await stand.Versions(Projections.All).BringUpToDateAsync(Ct)).ShouldBeTrue();
        (await stand.CheckAsync(Ct)).Holds.ShouldBeTrue();
    }

    private sealed class LaterTriageRecord : IReadModel
    {
        private readonly TriageRecord former = new();

        public string Name => former.Name;

        public int Version => former.Version + 1;

        public IReadOnlyList<Family> Families => former.Families;

        public IReadOnlyList<string> Tables => former.Tables;

        public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => former.Project(events).Concat(
            events.Select(incoming => new SqlStatement(
                "update read_models.triage_policy set set_by = 'later' where $1 <> ''", incoming.Stream)));
    }
}
