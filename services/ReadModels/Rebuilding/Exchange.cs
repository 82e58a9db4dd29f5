using CapaEngine.Contracts;
using Npgsql;

namespace CapaEngine.ReadModels.Rebuilding;

/// <summary>
/// Lets a copy take the place of the live tables, in one transaction. The tables change schemas, so that a query finds
/// the new ones under the old names; views, which are bound to the tables themselves, are defined again by their own
/// text, which keeps them, their comments and their grants. Whatever still hangs on a former table makes its removal
/// fail, and with it the exchange: nothing can be left behind that reads rows of yesterday.
/// </summary>
internal sealed class Exchange(TableCopy copy, IReadOnlyList<IReadModel> models, IReadOnlyList<IReadModel> all)
{
    // Readers queue up behind a waiting lock. Shorter than the second after which PostgreSQL looks for deadlocks, so
    // that it is the exchange that gives way, and no query.
    private const int LockTimeoutMs = 500;

    private const string Locking = "share row exclusive";

    /// <summary>Exchanges the tables. False where they were in use for too long; nothing has changed then.</summary>
    public async Task<bool> TryAsync(CancellationToken ct)
    {
        try
        {
            await using var transaction = await copy.Connection.BeginTransactionAsync(ct);
            await CarryOutAsync(transaction, ct);
            await transaction.CommitAsync(ct);
            return true;
        }
        catch (PostgresException busy) when (
            busy.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            await copy.ReloadAsync(ct);
            return false;
        }
    }

    private async Task CarryOutAsync(NpgsqlTransaction transaction, CancellationToken ct)
    {
        var connection = copy.Connection;
        await ExecuteAsync($"set local lock_timeout = {LockTimeoutMs}", ct);
        // Names are written with their schema only where it would not be found by itself.
        await ExecuteAsync("set local search_path = ''", ct);
        // From here on no projector moves and no stream is parked or released; queries go on.
        await ExecuteAsync(
            $"lock table read_models.follower_position, read_models.parked_stream in {Locking} mode", ct);
        await ReachLiveTablesAsync(transaction, ct);
        await ExecuteAsync($"lock table {await OutermostFirstAsync(ct)} in access exclusive mode", ct);
        if (!await TableCopy.IsLikeTheLiveTablesAsync(connection, copy.Tables, CopySchemas.Next, ct))
            throw new InvalidOperationException(
                "The live tables were changed while the rebuild was under way; begin it again.");
        var definitions = await DependentsAsync(ct);
        foreach (var table in copy.Tables)
        {
            await ExecuteAsync($"alter table read_models.{table} set schema {CopySchemas.Former}", ct);
            await ExecuteAsync($"alter table {CopySchemas.Next}.{table} set schema read_models", ct);
        }

        foreach (var definition in definitions) await ExecuteAsync(definition, ct);
        await TableShapes.DropAsync(connection, CopySchemas.Former, ct);
        await TakeOverPositionsAsync(ct);
        await TakeOverVersionsAsync(ct);
        await TableShapes.DropAsync(connection, CopySchemas.Next, ct);
        await copy.EnterAsync(CopyPhases.Done, ct);
    }

    // What is appended while the projectors wait is theirs again.
    private async Task ReachLiveTablesAsync(NpgsqlTransaction transaction, CancellationToken ct)
    {
        var reached = await copy.Connection.ValuesAsync<long>(
            new SqlStatement("select coalesce(max(position), 0) from read_models.follower_position"), ct);
        await foreach (var chunk in copy.ReadOnAsync((ulong)reached[0], ct))
            await copy.WriteAsync(transaction, chunk, ct);
    }

    // A query locks a view and then what the view reads. So does the exchange, or the two could wait for each other.
    private async Task<string> OutermostFirstAsync(CancellationToken ct)
    {
        var views = await copy.Connection.ValuesAsync<string>(new SqlStatement("""
            with recursive reading (view, depth) as (
              select r.ev_class, 1 from pg_class c
              join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid
              join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
              where c.relnamespace = 'read_models'::regnamespace and c.relname = any($1)
              union
              select r.ev_class, depth + 1 from reading
              join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = view
              join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid and r.ev_class <> view)
            select format('%I.%I', n.nspname, v.relname) from reading
            join pg_class v on v.oid = view and v.relkind = 'v' join pg_namespace n on n.oid = v.relnamespace
            group by n.nspname, v.relname order by max(depth) desc, 1
            """, [copy.Tables.ToArray()]), ct);
        return string.Join(", ", [.. views, .. copy.Tables.Select(table => $"read_models.{table}")]);
    }

    // Views, and functions whose body is bound like a view's. Functions with their body as text look their tables up.
    private Task<List<string>> DependentsAsync(CancellationToken ct) =>
        copy.Connection.ValuesAsync<string>(new SqlStatement("""
            with exchanged as (
              select c.oid from pg_class c where c.relnamespace = 'read_models'::regnamespace and c.relname = any($1))
            select format('create or replace view %I.%I%s as %s', n.nspname, v.relname,
              ' with (' || array_to_string(v.reloptions, ', ') || ')', pg_get_viewdef(v.oid))
            from (select distinct r.ev_class from pg_depend d join pg_rewrite r on r.oid = d.objid
              where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
                and d.refobjid in (select oid from exchanged)) used
            join pg_class v on v.oid = used.ev_class and v.relkind = 'v'
            join pg_namespace n on n.oid = v.relnamespace
            union all
            select distinct pg_get_functiondef(d.objid) from pg_depend d
            where d.classid = 'pg_proc'::regclass and d.refclassid = 'pg_class'::regclass
              and d.refobjid in (select oid from exchanged)
            """, [copy.Tables.ToArray()]), ct);

    // Where all models of a family are rebuilt, the copy tells how far the family has come and which of its streams
    // wait. Elsewhere the others' rows do; what comes again changes nothing in rows that have seen it. In any case each
    // projector finds its belief outdated, whatever process it runs in, and reads again where things stand.
    private async Task TakeOverPositionsAsync(CancellationToken ct)
    {
        var families = models.SelectMany(model => model.Families).Distinct().ToList();
        var whole = families.Where(family => all.All(
            model => !model.Families.Contains(family) || models.Contains(model))).ToList();
        var connection = copy.Connection;
        await connection.ExecuteAsync(new SqlStatement($"""
            delete from read_models.parked_stream live
            where split_part(live.routing_key, '.', 1) = any($1)
              and not exists (select from {CopySchemas.Next}.parked_stream next where next.stream = live.stream)
            """, [NamesOf(whole)]), ct);
        await connection.ExecuteAsync(new SqlStatement($"""
            insert into read_models.parked_stream as live
            select next.* from {CopySchemas.Next}.parked_stream next
            on conflict (stream) do update set revision = excluded.revision, position = excluded.position,
              event_type = excluded.event_type, reason = excluded.reason, event_id = excluded.event_id
            where excluded.revision < live.revision or split_part(live.routing_key, '.', 1) = any($1)
            """, [NamesOf(whole)]), ct);
        await connection.ExecuteAsync(new SqlStatement("""
            update read_models.follower_position set parking = parking + 1, updated_at = now(),
              position = case when split_part(routing_key, '.', 1) = any($2) then greatest(position, $3)
                else position end
            where split_part(routing_key, '.', 1) = any($1)
            """, NamesOf(families), NamesOf(whole), copy.State.Position), ct);
    }

    private Task<int> TakeOverVersionsAsync(CancellationToken ct) => copy.Connection.ExecuteAsync(new SqlStatement("""
        insert into read_models.model_version (name, version) select * from unnest($1::text[], $2::int[])
        on conflict (name) do update set version = excluded.version, since = now()
        """, models.Select(model => model.Name).ToArray(), models.Select(model => model.Version).ToArray()), ct);

    private static string[] NamesOf(IEnumerable<Family> families) => [.. families.Select(family => family.Name)];

    private Task<int> ExecuteAsync(string text, CancellationToken ct) =>
        copy.Connection.ExecuteAsync(new SqlStatement(text), ct);
}
