using CapaEngine.Contracts;
using CapaEngine.ReadModels.Rebuilding;
using DbUp;
using DbUp.Engine.Output;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>The tables and views, brought to this version's state before anything reads or writes them.</summary>
public static class Schema
{
    private const string Scripts = "CapaEngine.ReadModels.Scripts.";

    // Two processes that start at once must not both create tables; any constant of our own does.
    private const long MigrationLock = 0x43415041_00000001;

    /// <summary>Applies the scripts that the database has not seen yet. Throws where one fails.</summary>
    public static async Task MigrateAsync(string connectionString, ILogger logger, CancellationToken ct)
    {
        await using var database = NpgsqlDataSource.Create(connectionString);
        await using var connection = await database.OpenConnectionAsync(ct);
        await ExecuteAsync(connection, $"select pg_advisory_lock({MigrationLock})", ct);
        foreach (var schema in (string[])["read_models", "reporting", .. CopySchemas.Beside])
            await CreateSchemaAsync(connection, schema, ct);
        var result = DeployChanges.To.PostgresqlDatabase(connectionString)
            .WithScriptsEmbeddedInAssembly(
                typeof(Schema).Assembly, name => name.StartsWith(Scripts, StringComparison.Ordinal))
            .JournalToPostgresqlTable("read_models", "schema_version")
            // Otherwise PostgreSQL's dollar quotes would be taken for variables.
            .WithVariablesDisabled()
            .WithTransactionPerScript()
            .LogTo(new UpgradeLog(logger))
            .Build()
            .PerformUpgrade();
        if (!result.Successful)
            throw new InvalidOperationException($"Script {result.ErrorScript?.Name} failed.", result.Error);
        // Made from the tables and views as they are now.
        await ExecuteAsync(connection, "select read_models.define_as_of()", ct);
        await RememberOwnersAsync(connection, ct);
        await RememberVersionsAsync(connection, ct);
    }

    // "create schema if not exists" demands the right to create one even where it exists.
    private static Task CreateSchemaAsync(NpgsqlConnection connection, string schema, CancellationToken ct) =>
        ExecuteAsync(connection, $"""
            do $$ begin
              if not exists (select from pg_namespace where nspname = '{schema}') then create schema {schema}; end if;
            end $$
            """, ct);

    private static async Task RememberOwnersAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            insert into read_models.family_owner (family, service) select * from unnest($1::text[], $2::text[])
            on conflict (family) do update set service = excluded.service
            """, connection);
        command.Parameters.Add(Rows.ToParameter(Families.All.Select(family => family.Name).ToArray()));
        command.Parameters.Add(Rows.ToParameter(Families.All.Select(family => family.Owner).ToArray()));
        await command.ExecuteNonQueryAsync(ct);
    }

    // Where nothing was projected yet, all rows will come from this version. Elsewhere a model without a version is one
    // whose rows nobody knows the origin of, a new one for instance, and is rebuilt.
    private static Task<int> RememberVersionsAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.ExecuteAsync(new SqlStatement("""
            insert into read_models.model_version (name, version) select * from unnest($1::text[], $2::int[])
            where not exists (select from read_models.follower_position)
            on conflict (name) do nothing
            """, Projections.All.Select(model => model.Name).ToArray(),
            Projections.All.Select(model => model.Version).ToArray()), ct);

    private static async Task ExecuteAsync(NpgsqlConnection connection, string text, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    private sealed class UpgradeLog(ILogger logger) : IUpgradeLog
    {
        public void LogTrace(string format, params object[] args) => Write(LogLevel.Trace, null, format, args);

        public void LogDebug(string format, params object[] args) => Write(LogLevel.Debug, null, format, args);

        public void LogInformation(string format, params object[] args) => Write(LogLevel.Debug, null, format, args);

        public void LogWarning(string format, params object[] args) => Write(LogLevel.Warning, null, format, args);

        public void LogError(string format, params object[] args) => Write(LogLevel.Error, null, format, args);

        public void LogError(Exception ex, string format, params object[] args) =>
            Write(LogLevel.Error, ex, format, args);

        private void Write(LogLevel level, Exception? failure, string format, object[] args)
        {
            if (logger.IsEnabled(level))
                logger.Log(
                    level, failure, "{Migration}", args.Length == 0 ? format : string.Format(null, format, args));
        }
    }
}
