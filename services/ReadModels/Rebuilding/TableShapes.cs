using System.Text.RegularExpressions;
using Npgsql;

namespace CapaEngine.ReadModels.Rebuilding;

/// <summary>
/// Copies tables without their rows, as the catalogue describes them: columns, keys, indexes, storage, comments and
/// grants, under the same names, so that a later script finds either set as it was written.
/// </summary>
internal static partial class TableShapes
{
    // The tables that $1 names in the live schema, and their partitions; parents come first.
    private const string Copied = """
        with copied as (
          select c.oid, c.relname, c.relkind, c.relowner, c.relacl, c.reloptions, c.relpartbound, p.relname as parent
          from pg_class c
          left join pg_inherits i on i.inhrelid = c.oid and c.relispartition
          left join pg_class p on p.oid = i.inhparent
          where c.relnamespace = 'read_models'::regnamespace and c.relkind in ('r', 'p')
            and (c.relname = any($1) or p.relname = any($1)))
        """;

    /// <summary>The names of the tables and of their partitions, parents first.</summary>
    public static Task<List<string>> NamesAsync(
        NpgsqlConnection connection, IEnumerable<string> tables, CancellationToken ct) =>
        connection.ValuesAsync<string>(new SqlStatement(
            $"{Copied} select relname::text from copied order by parent nulls first, relname", [tables.ToArray()]),
            ct);

    /// <summary>Creates empty copies in a schema.</summary>
    public static async Task CreateAsync(
        NpgsqlConnection connection, IEnumerable<string> tables, string target, CancellationToken ct)
    {
        var names = tables.ToArray();
        var triggers = await connection.ValuesAsync<string>(new SqlStatement($"""
            {Copied}
            select format('%I of %s', t.tgname, c.relname) from copied c join pg_trigger t on t.tgrelid = c.oid
            where not t.tgisinternal
            """, [names]), ct);
        // A trigger writes what no projection tells of, so its effects could be neither made again nor compared.
        if (triggers.Count > 0)
            throw new NotSupportedException($"Tables with triggers cannot be rebuilt: {string.Join(", ", triggers)}.");
        foreach (var definition in await DefinitionsAsync(connection, names, target, ct))
            await connection.ExecuteAsync(new SqlStatement(definition), ct);
    }

    /// <summary>
    /// Everything by which the tables of a schema could differ from those of another, as text. Two sets of the same
    /// shape can take each other's place.
    /// </summary>
    public static async Task<List<string>> DescribeAsync(
        NpgsqlConnection connection, IEnumerable<string> names, string schema, CancellationToken ct)
    {
        var lines = await connection.ValuesAsync<string>(new SqlStatement("""
            with described as (
              select c.oid, c.relname, c.reloptions from pg_class c
              where c.relnamespace = $2::regnamespace and c.relname = any($1) and c.relkind in ('r', 'p'))
            select format('%s (%s)', d.relname, d.reloptions) from described d
            union all
            select format('%s.%s %s %s %s %s', d.relname, a.attname, format_type(a.atttypid, a.atttypmod),
              a.attnotnull, a.attgenerated, pg_get_expr(v.adbin, v.adrelid))
            from described d join pg_attribute a on a.attrelid = d.oid and a.attnum > 0 and not a.attisdropped
            left join pg_attrdef v on v.adrelid = d.oid and v.adnum = a.attnum
            union all
            select format('%s: %s %s', d.relname, k.conname, pg_get_constraintdef(k.oid))
            from described d join pg_constraint k on k.conrelid = d.oid
            union all
            select pg_get_indexdef(i.indexrelid) from described d join pg_index i on i.indrelid = d.oid
            union all
            select format('%s has the trigger %s', d.relname, t.tgname)
            from described d join pg_trigger t on t.tgrelid = d.oid and not t.tgisinternal
            order by 1
            """, names.ToArray(), schema), ct);
        return [.. lines.Select(line => Elsewhere(line, schema, "_"))];
    }

    /// <summary>Removes every table of a schema beside the live one.</summary>
    public static async Task DropAsync(NpgsqlConnection connection, string schema, CancellationToken ct)
    {
        var tables = await connection.ValuesAsync<string>(new SqlStatement("""
            select format('%I', relname) from pg_class
            where relnamespace = $1::regnamespace and relkind in ('r', 'p') and not relispartition
            """, schema), ct);
        foreach (var table in tables)
            await connection.ExecuteAsync(new SqlStatement($"drop table {schema}.{table}"), ct);
    }

    private static async Task<List<string>> DefinitionsAsync(
        NpgsqlConnection connection, string[] names, string target, CancellationToken ct)
    {
        var definitions = await connection.ValuesAsync<string>(new SqlStatement($"""
            {Copied}
            select case when parent is not null
              then format('create table {target}.%I partition of {target}.%I %s', relname, parent,
                pg_get_expr(relpartbound, oid))
              else format('create table {target}.%I (like read_models.%I including all excluding indexes)', relname,
                relname) || coalesce(' partition by ' || pg_get_partkeydef(oid), '') end
              || coalesce(' with (' || array_to_string(reloptions, ', ') || ')', '')
            from copied order by parent nulls first, relname
            """, [names]), ct);
        // Partitions have what their parent has; only what is their own is said of them.
        definitions.AddRange(await connection.ValuesAsync<string>(new SqlStatement($"""
            {Copied}
            select format('alter table {target}.%I add constraint %I %s', c.relname, k.conname,
              pg_get_constraintdef(k.oid))
            from copied c join pg_constraint k on k.conrelid = c.oid and k.contype in ('p', 'u', 'x')
            where k.conparentid = 0
            """, [names]), ct));
        definitions.AddRange((await connection.ValuesAsync<string>(new SqlStatement($"""
            {Copied}
            select pg_get_indexdef(i.indexrelid)
            from copied c join pg_index i on i.indrelid = c.oid join pg_class x on x.oid = i.indexrelid
            where not x.relispartition
              and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = c.oid)
            """, [names]), ct)).Select(index => Elsewhere(index, CopySchemas.Live, target)));
        definitions.AddRange(await connection.ValuesAsync<string>(new SqlStatement($"""
            {Copied}
            select format('grant %s on {target}.%I to %s', g.privilege_type, c.relname,
              case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end)
            from copied c cross join lateral aclexplode(c.relacl) g where g.grantee <> c.relowner
            union all
            select format('comment on table {target}.%I is %L', relname, obj_description(oid, 'pg_class'))
            from copied where obj_description(oid, 'pg_class') is not null
            """, [names]), ct));
        return definitions;
    }

    // The definition of an index names its table with the schema, and that of a partitioned one says that it alone is
    // meant, although the partitions have theirs.
    private static string Elsewhere(string index, string schema, string other) => Place().Replace(
        index, place => place.Groups["schema"].Value == schema ? $" ON {other}." : place.Value, 1);

    [GeneratedRegex(@" ON (ONLY )?(?<schema>\w+)\.", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Place();
}
