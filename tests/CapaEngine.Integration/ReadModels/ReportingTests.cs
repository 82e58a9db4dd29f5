using System.Text;
using CapaEngine.Integration.Infrastructure;
using Npgsql;
using Shouldly;
using static CapaEngine.Integration.ReadModels.ReadModelDatabase;

namespace CapaEngine.Integration.ReadModels;

/// <summary>What analysts may rely on, and what they may not do.</summary>
public sealed class ReportingTests
{
    private const string DictionaryBegin = "<!-- dictionary -->";
    private const string DictionaryEnd = "<!-- end of dictionary -->";

    private static readonly string[] Promised =
        ["nonconformity", "deviation", "production", "capa", "action", "effectiveness_cycle", "cause", "freshness"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task the_analyst_reads_every_view_and_writes_nothing()
    {
        await using var database = await CreateAsync(Ct);
        await ApplyAsync(database.Projector(), WholeCase.Tell().Events, 50, Ct);
        var views = await ViewsAsync(database);
        Promised.ShouldBeSubsetOf(views);

        foreach (var view in views)
        {
            (await AsAnalystAsync(database, $"select count(*) from reporting.{view}")).ShouldBeNull(view);
            (await AsAnalystAsync(database, $"create view reporting.mine as select * from reporting.{view}"))
                .ShouldBe(PostgresErrorCodes.InsufficientPrivilege, view);
            // A view that joins cannot be written by anybody, which PostgreSQL says before it looks at privileges.
            foreach (var write in (string[])
                [$"delete from reporting.{view}", $"insert into reporting.{view} default values"])
                (await AsAnalystAsync(database, write)).ShouldBeOneOf(
                    PostgresErrorCodes.InsufficientPrivilege, PostgresErrorCodes.ObjectNotInPrerequisiteState);
        }

        var functions = await database.ListAsync<string>("""
            select p.proname::text from pg_proc p
            where p.pronamespace = 'reporting'::regnamespace and p.proname like '%_as_of'
            """, Ct);
        functions.Count.ShouldBeGreaterThan(10);
        foreach (var function in functions)
        {
            (await AsAnalystAsync(database, $"select count(*) from reporting.{function}(now())"))
                .ShouldBeNull(function);
            (await AsAnalystAsync(database, $"select count(*) from read_models.{function}(now(), now())"))
                .ShouldBe(PostgresErrorCodes.InsufficientPrivilege, function);
        }

        var tables = await database.ListAsync<string>("""
            select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'read_models' and c.relkind in ('r', 'p')
            """, Ct);
        tables.Count.ShouldBeGreaterThan(15);
        foreach (var table in tables)
        {
            (await AsAnalystAsync(database, $"select 1 from read_models.{table}"))
                .ShouldBe(PostgresErrorCodes.InsufficientPrivilege, table);
            (await AsAnalystAsync(database, $"truncate read_models.{table}"))
                .ShouldBe(PostgresErrorCodes.InsufficientPrivilege, table);
        }
    }

    [Fact]
    public async Task every_view_and_column_says_what_it_means_and_the_data_dictionary_prints_it()
    {
        await using var database = await CreateAsync(Ct);
        (await database.ListAsync<string>("""
            select c.relname || coalesce('.' || a.attname, '') from pg_class c
            join pg_namespace n on n.oid = c.relnamespace
            left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
            where n.nspname = 'reporting' and c.relkind = 'v'
              and (obj_description(c.oid, 'pg_class') is null or col_description(c.oid, a.attnum) is null)
            """, Ct)).ShouldBeEmpty("Every view and column of the schema reporting has a comment.");
        (await database.ListAsync<string>("""
            select p.proname::text from pg_proc p
            where p.pronamespace = 'reporting'::regnamespace and obj_description(p.oid, 'pg_proc') is null
            """, Ct)).ShouldBeEmpty("Every function of the schema reporting has a comment.");

        var expected = await DictionaryAsync(database);
        var path = Path.Combine(ServiceProcess.RepositoryRoot(), "docs/read-models.md");
        var text = await File.ReadAllTextAsync(path, Ct);
        var from = text.IndexOf(DictionaryBegin, StringComparison.Ordinal) + DictionaryBegin.Length;
        var to = text.IndexOf(DictionaryEnd, StringComparison.Ordinal);
        to.ShouldBeGreaterThan(from, $"{path} holds the dictionary between its two marks.");
        if (Environment.GetEnvironmentVariable("CAPA_WRITE_DICTIONARY") == "1")
        {
            text = text[..from] + expected + text[to..];
            await File.WriteAllTextAsync(path, text, Ct);
            to = from + expected.Length;
        }

        text[from..to].ShouldBe(expected, "CAPA_WRITE_DICTIONARY=1 makes this test write the dictionary.");
    }

    [Fact]
    public async Task freshness_tells_since_when_rows_lag_behind_what_was_published()
    {
        await using var database = await CreateAsync(Ct);
        await ApplyAsync(database.Projector(), WholeCase.Tell().Events, 50, Ct);
        (await database.ScalarAsync<double>("select max(lag_seconds) from reporting.freshness", Ct)).ShouldBe(0);

        await database.ExecuteAsync("""
            insert into read_models.published_position values
              ('root-causes', 1, now() - interval '90 s'), ('root-causes', 100000, now() - interval '30 s'),
              ('root-causes', 100001, now() - interval '10 s')
            """, Ct);
        var lag = await database.ScalarAsync<double>(
            "select lag_seconds from reporting.freshness where family = 'rootcause'", Ct);
        lag.ShouldBeInRange(30, 60);
        (await database.ScalarAsync<long>("select head from reporting.freshness where family = 'rootcause'", Ct))
            .ShouldBe(100001);
        (await database.ScalarAsync<double>(
            "select max(lag_seconds) from reporting.freshness where family <> 'rootcause'", Ct)).ShouldBe(0);
    }

    [Fact]
    public async Task migrating_again_changes_nothing()
    {
        await using var database = await CreateAsync(Ct);
        await ApplyAsync(database.Projector(), WholeCase.Tell().Events, 50, Ct);
        var before = await database.RowsAsync(Ct);
        await CapaEngine.ReadModels.Schema.MigrateAsync(
            database.ConnectionString, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, Ct);
        (await database.RowsAsync(Ct)).ShouldBe(before);
    }

    private static Task<List<string>> ViewsAsync(ReadModelDatabase database) => database.ListAsync<string>(
        "select table_name::text from information_schema.views where table_schema = 'reporting' order by 1", Ct);

    private static async Task<string> DictionaryAsync(ReadModelDatabase database)
    {
        var text = new StringBuilder("\n");
        foreach (var view in await ViewsAsync(database))
        {
            text.Append($"\n### reporting.{view}\n\n")
                .Append(await database.ScalarAsync<string>(
                    $"select obj_description('reporting.{view}'::regclass, 'pg_class')", Ct))
                .Append("\n\n| column | type | meaning |\n|---|---|---|\n");
            foreach (var line in await database.ListAsync<string>($"""
                select format('| %s | %s | %s |', a.attname, format_type(a.atttypid, a.atttypmod),
                  col_description(a.attrelid, a.attnum))
                from pg_attribute a where a.attrelid = 'reporting.{view}'::regclass and a.attnum > 0 order by a.attnum
                """, Ct))
                text.Append(line).Append('\n');
        }

        text.Append("\n### Functions\n\n| function | rows of | meaning |\n|---|---|---|\n");
        foreach (var line in await database.ListAsync<string>("""
            select format('| reporting.%s(%s) | %s | %s |', p.proname, pg_get_function_arguments(p.oid),
              p.prorettype::regtype, obj_description(p.oid, 'pg_proc'))
            from pg_proc p where p.pronamespace = 'reporting'::regnamespace order by p.proname
            """, Ct))
            text.Append(line).Append('\n');
        return text.Append('\n').ToString();
    }

    // The error code PostgreSQL answers the analyst with, null where it answers with rows.
    private static async Task<string?> AsAnalystAsync(ReadModelDatabase database, string sql)
    {
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await using (var become = new NpgsqlCommand("set local session authorization capa_analyst", connection))
            await become.ExecuteNonQueryAsync(Ct);
        try
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteScalarAsync(Ct);
            return null;
        }
        catch (PostgresException refused)
        {
            return refused.SqlState;
        }
    }
}
