using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.ReadModels;
using CapaEngine.ReadModels.AsOf;
using Npgsql;
using Shouldly;
using static CapaEngine.Integration.ReadModels.ReadModelDatabase;

namespace CapaEngine.Integration.ReadModels.AsOf;

/// <summary>
/// What was the case at an instant is what the events say that were true by then and known by then. The other way to
/// find out is to project those events alone.
/// </summary>
public sealed class AsOfTests(ToldCases told) : IClassFixture<ToldCases>
{
    private const int InstantCount = 16;

    private static readonly string[] Views =
    [
        "nonconformity", "disposition", "concession", "concession_draw", "root_cause_analysis", "cause", "cause_why",
        "cause_factor", "cause_contrast", "capa", "action", "failure_mode", "deployment", "effectiveness_cycle",
    ];

    private static readonly (string Record, string View, string Id, string[] Tracks)[] Records =
    [
        ("nonconformity", "nonconformity", "nonconformity_id",
            ["status", "containment", "disposition", "customer_notice", "cause_decision"]),
        ("capa", "capa", "capa_id", ["stage"]),
        ("action", "action", "action_id", ["status"]),
        ("root-cause-analysis", "root_cause_analysis", "root_cause_id", ["status"]),
        ("effectiveness-cycle", "effectiveness_cycle", "review_id", ["status"]),
        ("concession", "concession", "concession_id", ["status"]),
    ];

    // They tell of the instant that is asked about and not of the events; the age has a test of its own.
    private const string Unstable = "- 'updated_at' - 'age_days' - 'overdue'";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_past_state_is_the_fold_of_the_events_of_that_time()
    {
        for (var instant = 0; instant < InstantCount; instant++)
        {
            var (asOf, knownAt) = (told.Cases.AnyInstant(), told.Cases.AnyInstant());
            var expected = await FoldAsync([.. told.Events.Where(
                e => e.Metadata.OccurredAt <= asOf && e.Metadata.RecordedAt <= knownAt)]);
            foreach (var (view, rows) in expected)
                Differences(await RowsAsync($"read_models.{view}_as_of('{asOf:O}', '{knownAt:O}')"), rows)
                    .ShouldBeEmpty($"{view} as of {asOf:O}, known at {knownAt:O}");
        }

        var known = told.Events.Max(e => e.Metadata.OccurredAt);
        var latest = await FoldAsync(told.Events);
        latest["nonconformity"].Count.ShouldBe(RandomCases.Cases.Length);
        latest.Values.ShouldAllBe(rows => rows.Count > 0);
        foreach (var (view, rows) in latest)
            Differences(await RowsAsync($"reporting.{view}_as_of('{known:O}')"), rows)
                .ShouldBeEmpty($"{view} by all that is known");
    }

    [Fact]
    public async Task however_the_events_are_delivered_the_states_are_the_same()
    {
        var events = told.Events;
        await using var database = await CreateAsync(Ct);
        await CommitAsync(database, events);
        var once = await StatesAsync(database);
        once.Count.ShouldBeGreaterThan(events.Count);

        await CommitAsync(database, events);
        await ShouldBeAsync(database, once, "Everything comes again.");

        await ForgetAsync(database);
        foreach (var e in events) await CommitAsync(database, [e, e]);
        await ShouldBeAsync(database, once, "Each comes twice.");

        await ForgetAsync(database);
        for (var from = 0; from < events.Count; from += 20)
            await CommitAsync(database, [.. events.Take(from + 20).Skip(int.Max(0, from - 15))]);
        await CommitAsync(database, [.. events.Where(e => e.Revision % 3 == 1)]);
        await ShouldBeAsync(database, once, "Some come again later, others in between do not.");
    }

    [Fact]
    public async Task a_revision_is_the_fold_of_the_stream_up_to_it()
    {
        foreach (var (view, family, id) in ((string, Family, Guid)[])
            [
                ("nonconformity", Families.Nonconformity, RandomCases.Cases[0]),
                ("disposition", Families.Nonconformity, RandomCases.Cases[0]),
                ("capa", Families.ActionPlan, RandomCases.Capas[0]),
                ("action", Families.ActionPlan, RandomCases.Capas[0]),
            ])
        {
            var own = told.Events.Where(e => e.Stream == family.Stream(id)).ToList();
            foreach (var last in (IncomingEvent[])[own[0], own[own.Count / 2], own[^1]])
            {
                var at = last.Metadata.RecordedAt;
                var expected = await FoldAsync([.. told.Events.Where(e => e.Family == family
                    ? e.Revision <= last.Revision
                    : e.Metadata.OccurredAt <= at && e.Metadata.RecordedAt <= at)]);
                var rows = await RowsAsync($"read_models.{view}_as_of('{at:O}', '{at:O}', {last.Revision})");
                Differences(rows, expected[view]).ShouldBeEmpty($"{view} at revision {last.Revision}");
            }
        }
    }

    [Fact]
    public async Task every_table_of_a_case_has_a_history_with_its_columns_that_functions_are_not_bound_to()
    {
        var database = told.Database;
        new StateIntervals().Tables.ShouldBe(
            [.. await TablesAsync(database, "~ '_(history|attachment)$'"), "state_interval"], ignoreOrder: true);
        (await database.ListAsync<string>("""
            select format('%s.%s', t.table_name, a.attname) from read_models.history_table t
            join pg_attribute a on a.attrelid = format('read_models.%I', t.table_name)::regclass
            where a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and not exists (
              select from pg_attribute h where h.attrelid = format('read_models.%I_history', t.table_name)::regclass
                and h.attname = a.attname and h.atttypid = a.atttypid)
            """, Ct)).ShouldBeEmpty();
        (await database.ListAsync<string>("""
            select d.objid::regprocedure::text from pg_depend d join pg_type t on t.oid = d.refobjid
            join pg_class c on c.oid = t.typrelid
            where d.classid = 'pg_proc'::regclass and d.refclassid = 'pg_type'::regclass
              and c.relnamespace = 'read_models'::regnamespace
            """, Ct)).ShouldBeEmpty("A rebuilt table takes the place of the one that functions read.");
    }

    [Fact]
    public async Task a_column_that_is_added_to_a_table_and_its_view_is_in_the_past_after_the_next_migration()
    {
        await using var database = await CreateAsync(Ct);
        var text = await database.ScalarAsync<string>("select pg_get_viewdef('reporting.disposition'::regclass)", Ct);
        await database.ExecuteAsync($"""
            alter table read_models.disposition_line add column weight double precision not null default 1.5;
            create or replace view reporting.disposition as
            {text.Replace("FROM", ", l.weight FROM", StringComparison.Ordinal).TrimEnd(';')};
            """, Ct);
        await Schema.MigrateAsync(
            database.ConnectionString, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, Ct);
        await CommitAsync(database, told.Events);
        (await database.ListAsync<double>("select weight from reporting.disposition_as_of('infinity')", Ct))
            .ShouldNotBeEmpty();
    }

    [Fact]
    public async Task ages_and_due_dates_are_counted_to_the_instant()
    {
        var log = new History()
            .Add(Families.Nonconformity, WholeCase.CaseId, WholeCase.Report(DateTimeOffset.UnixEpoch))
            .Add(Families.ActionPlan, WholeCase.CapaId,
                new ActionPlanEvent.Opened("plant-1", "Plan", "quinn", null, "Prevent.", null, null, false),
                new ActionPlanEvent.ActionPlanned(
                    WholeCase.ActionId, ActionKind.Preventive, "Guard", "Fit it.", "oscar", new DateOnly(2026, 3, 10),
                    []));
        await using var database = await CreateAsync(Ct);
        await ApplyAsync(database.Projector(), log.Events, 50, Ct);
        var opened = log.Events[0].Metadata.OccurredAt;
        (await database.ScalarAsync<double>(
            $"select age_days from reporting.nonconformity_as_of('{opened.AddDays(3.5):O}')", Ct)).ShouldBe(3.5);
        foreach (var (day, overdue) in ((int, bool)[])[(10, false), (11, true)])
        {
            var instant = $"2026-03-{day}T12:00:00Z";
            (await database.ScalarAsync<bool>($"select overdue from reporting.action_as_of('{instant}')", Ct))
                .ShouldBe(overdue);
            (await database.ScalarAsync<bool>($"select overdue from reporting.capa_as_of('{instant}')", Ct))
                .ShouldBe(overdue);
        }
    }

    [Fact]
    public async Task an_interval_covers_the_instants_at_which_a_record_was_in_the_state()
    {
        var database = told.Database;
        foreach (var (record, view, id, tracks) in Records)
        {
            foreach (var at in told.Events.Select(e => e.Metadata.OccurredAt).Distinct())
            {
                var states = string.Join(", ", tracks.Select(track => $"('{track}', {track})"));
                var expected = await database.ListAsync<string>($"""
                    select concat_ws(' ', {id}, track, state) from read_models.{view}_as_of('{at:O}', 'infinity')
                    cross join lateral (values {states}) as t (track, state) where state is not null order by 1
                    """, Ct);
                (await database.ListAsync<string>($"""
                    select concat_ws(' ', record_id, track, state) from reporting.state_interval
                    where record = '{record}' and entered_at <= '{at:O}' and (left_at is null or left_at > '{at:O}')
                    order by 1
                    """, Ct)).ShouldBe(expected, $"{record} at {at:O}");
            }
        }

        (await database.ScalarAsync<long>("select count(distinct (record, track)) from reporting.state_interval", Ct))
            .ShouldBe(Records.Sum(record => record.Tracks.Length));
        (await database.ScalarAsync<long>("""
            select count(*) from reporting.state_interval i
            where not exists (select from reporting.case_event e where e.concerns = i.case_id
              and e.stream like '%' || i.case_id and e.revision = i.entered_revision
              and e.recorded_at = i.entered_recorded_at and (i.record = 'action' or e.occurred_at = i.entered_at))
            """, Ct)).ShouldBe(0, "Every interval names the event that began it.");
        (await database.ScalarAsync<long>("""
            select count(*) from (
              select state, left_at, left_revision, lead(state) over course as next, lead(entered_at) over course as at,
                lead(entered_revision) over course as revision
              from reporting.state_interval window course as (partition by record, record_id, track order by entered_at)
            ) i where next = state or (left_at, left_revision) is distinct from (at, revision)
            """, Ct)).ShouldBe(0, "An interval ends where the next one begins, in another state.");
    }

    // Members with what they are and what they should be, since whole rows are too long to be compared by eye.
    private static List<string> Differences(List<string> rows, List<string> expected)
    {
        if (rows.Count != expected.Count) return [$"{rows.Count} rows instead of {expected.Count}"];
        return [.. rows.Zip(expected).SelectMany(pair =>
        {
            var (row, other) = (JsonNode.Parse(pair.First)!.AsObject(), JsonNode.Parse(pair.Second)!.AsObject());
            return other.Where(member => !JsonNode.DeepEquals(member.Value, row[member.Key]))
                .Select(member => $"{member.Key}: {row[member.Key]} instead of {member.Value}");
        })];
    }

    // What the ordinary registers make of these events alone; nothing of it stays.
    private async Task<Dictionary<string, List<string>>> FoldAsync(IReadOnlyList<IncomingEvent> events)
    {
        await using var connection = await told.Empty.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        var registers = Projections.All.Where(model => model is not (StateIntervals or CaseDossier));
        await ToldCases.ExecuteAsync(connection, registers, events, Ct);
        Dictionary<string, List<string>> rows = [];
        foreach (var view in Views) rows[view] = await RowsAsync(connection, $"reporting.{view}");
        return rows;
    }

    private async Task<List<string>> RowsAsync(string source)
    {
        await using var connection = await told.Database.Source.OpenConnectionAsync(Ct);
        return await RowsAsync(connection, source);
    }

    private static async Task<List<string>> RowsAsync(NpgsqlConnection connection, string source)
    {
        await using var command = new NpgsqlCommand(
            $"select (to_jsonb(r) {Unstable})::text from {source} r order by 1", connection);
        await using var reader = await command.ExecuteReaderAsync(Ct);
        List<string> rows = [];
        while (await reader.ReadAsync(Ct)) rows.Add(reader.GetString(0));
        return rows;
    }

    private static async Task CommitAsync(ReadModelDatabase database, IReadOnlyList<IncomingEvent> events)
    {
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await ToldCases.ExecuteAsync(connection, [new StateIntervals()], events, Ct);
    }

    private static async Task ShouldBeAsync(ReadModelDatabase database, List<string> expected, string how)
    {
        var states = await StatesAsync(database);
        states.Except(expected).Concat(expected.Except(states)).ShouldBeEmpty(how);
        states.Count.ShouldBe(expected.Count, how);
    }

    private static async Task<List<string>> StatesAsync(ReadModelDatabase database)
    {
        List<string> states = [];
        foreach (var table in await TablesAsync(database, "~ '_(history|attachment)$|^state_interval'"))
            states.AddRange(await database.ListAsync<string>(
                $"select '{table} ' || (to_jsonb(t) - 'updated_at')::text from read_models.{table} t order by 1", Ct));
        return states;
    }

    private static async Task ForgetAsync(ReadModelDatabase database)
    {
        var tables = await TablesAsync(database, "~ '_(history|attachment)$|^state_interval'");
        await database.ExecuteAsync(
            $"truncate {string.Join(", ", tables.Select(table => $"read_models.{table}"))}", Ct);
    }

    private static Task<List<string>> TablesAsync(ReadModelDatabase database, string named) =>
        database.ListAsync<string>($"""
            select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'read_models' and c.relkind = 'r' and c.relname {named}
            """, Ct);
}
