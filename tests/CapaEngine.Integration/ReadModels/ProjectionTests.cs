using CapaEngine.Contracts;
using Shouldly;
using static CapaEngine.Integration.ReadModels.ReadModelDatabase;

namespace CapaEngine.Integration.ReadModels;

/// <summary>The same events give the same rows, however they are delivered.</summary>
public sealed class ProjectionTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task repeats_and_overlaps_change_no_row()
    {
        var events = WholeCase.Tell().Events;
        await using var once = await CreateAsync(Ct);
        await ApplyAsync(once.Projector(), events, events.Count, Ct);
        var expected = await once.RowsAsync(Ct);
        expected.Count.ShouldBeGreaterThan(events.Count, "Every event of the case leaves at least its journal row.");

        await using var singly = await CreateAsync(Ct);
        await ApplyAsync(singly.Projector(), events, 1, Ct);
        (await singly.RowsAsync(Ct)).ShouldBe(expected);

        // Positions forgotten, rows kept: all events come again, in batches that overlap.
        await singly.ExecuteAsync("delete from read_models.follower_position", Ct);
        await ApplyAsync(singly.Projector(), events, 7, Ct);
        (await singly.RowsAsync(Ct)).ShouldBe(expected);

        await singly.ExecuteAsync("update read_models.follower_position set position = position / 2", Ct);
        var overlapping = singly.Projector();
        await overlapping.LoadPositionsAsync(Ct);
        await ApplyAsync(overlapping, events, 11, Ct);
        (await singly.RowsAsync(Ct)).ShouldBe(expected);
    }

    [Fact]
    public async Task the_rows_say_what_the_case_went_through()
    {
        await using var database = await CreateAsync(Ct);
        await ApplyAsync(database.Projector(), WholeCase.Tell().Events, 5, Ct);

        (await database.ListAsync<string>("""
            select concat_ws(' ', number, status, severity, containment, disposition, customer_notice, cause_decision,
              deviation_count, material_closed_at < closed_at, cardinality(capa_ids)) from reporting.nonconformity
            """, Ct)).ShouldBe(["NC-2026-000001 closed critical lifted finished not-needed corrective-action 5 t 1"]);
        (await database.ListAsync<string>("""
            select concat_ws(' ', number, stage, pdca, cycle, verdict, action_count, open_action_count, overdue,
              cardinality(nonconformity_ids)) from reporting.capa
            """, Ct)).ShouldBe(["CAPA-2026-000001 closed act 1 effective 1 0 f 1"]);
        (await database.ListAsync<string>("""
            select concat_ws(' ', status, completed_by, evidence, return_count, overdue) from reporting.action
            """, Ct)).ShouldBe(["verified oscar Order 3, protocol 1 1 f"]);
        (await database.ListAsync<string>("""
            select concat_ws(' ', a.status, c.status, c.method, c.capa_id = a.capa_id)
            from reporting.root_cause_analysis a join reporting.cause c using (root_cause_id)
            """, Ct)).ShouldBe(["approved verified measurement t"]);
        (await database.ListAsync<string>("""
            select concat_ws(' ', capa_number, status, proposed_verdict, verdict, baseline_deviations, window_exposure)
            from reporting.effectiveness_cycle
            """, Ct)).ShouldBe(["CAPA-2026-000001 decided effective effective 12 3000"]);
        (await database.ListAsync<string>("""
            select concat_ws(' ', status, quantity_max, quantity_drawn, quantity_remaining, lots[1])
            from reporting.concession
            """, Ct)).ShouldBe(["expired 10 4 6 L-1"]);
        (await database.ListAsync<string>("""
            select concat_ws(' ', lot, status, active, released_at is not null, disposed_quantity) from reporting.hold
            """, Ct)).ShouldBe(["L-1 released f t 10"]);
        (await database.ListAsync<long>("""
            select count(*) from reporting.deviation where nonconformity_id is not null and conflict_count <= 1
            """, Ct)).ShouldBe([5]);
        (await database.ScalarAsync<int>("select sum(conflict_count)::int from reporting.deviation", Ct)).ShouldBe(1);
        (await database.ScalarAsync<int>("select conflict_count from reporting.production", Ct)).ShouldBe(1);
        (await database.ScalarAsync<int>("select content_length_bytes from reporting.quarantine", Ct)).ShouldBe(2);
    }

    [Fact]
    public async Task an_ineffective_verdict_leads_back_to_planning_and_keeps_the_first_cycle()
    {
        var log = WholeCase.Tell();
        log.Add(Families.ActionPlan, WholeCase.CapaId,
            new ActionPlanEvent.VerdictReceived(1, WholeCase.ReviewId, Verdict.Ineffective, null),
            new ActionPlanEvent.CycleStarted(2));
        log.Add(Families.RootCause, WholeCase.AnalysisId, new RootCauseEvent.Reopened(2, "It came back."));
        await using var database = await CreateAsync(Ct);
        await ApplyAsync(database.Projector(), log.Events, 10, Ct);

        (await database.ListAsync<string>("""
            select concat_ws(' ', stage, pdca, cycle, coalesce(verdict, 'none'), action_count) from reporting.capa
            """, Ct)).ShouldBe(["awaiting-cause plan 2 none 1"]);
        (await database.ListAsync<string>(
            "select concat_ws(' ', status, cycle) from reporting.root_cause_analysis", Ct)).ShouldBe(["open 2"]);
        (await database.ListAsync<string>("""
            select concat_ws(' ', cycle, status, coalesce(evidence, 'none')) from reporting.cause
            """, Ct)).ShouldBe(["1 hypothesis none"], "What was verified did not hold.");
        (await database.ScalarAsync<bool>(
            "select extent_query is null from reporting.root_cause_analysis", Ct)).ShouldBeTrue();
    }

    [Fact]
    public async Task every_stored_type_is_projected_and_moves_its_record_to_its_revision()
    {
        var types = GoldenHistory.Types;
        types.Count.ShouldBeGreaterThan(50);
        await using var database = await CreateAsync(Ct);
        await ApplyAsync(database.Projector(), GoldenHistory.Tell().Events, 10, Ct);

        (await database.ListAsync<string>("select event_type from read_models.parked_stream", Ct)).ShouldBeEmpty();
        var rows = (await database.RowsAsync(Ct))
            .Where(row => !row.StartsWith("case_event", StringComparison.Ordinal)).ToList();
        foreach (var type in types)
        {
            var revision = type == GoldenHistory.FirstOf(type) ? 0 : 1;
            rows.ShouldContain(
                row => row.Contains(GoldenHistory.KeyOf(type), StringComparison.Ordinal)
                    && row.Contains($"\"revision\": {revision}", StringComparison.Ordinal),
                $"{type} leaves its record behind.");
        }
    }
}
