using System.Reflection;
using DbUp;
using DbUp.Engine;
using DbUp.Engine.Output;

namespace CapaEngine.EventLog.Schema;

/// <summary>Brings the schema <c>eventlog</c> to the state this program needs, script by script.</summary>
internal static class EventLogSchema
{
    private const string Name = "eventlog";

    public static void Upgrade(string connectionString)
    {
        var upgrade = DeployChanges.To
            .PostgresqlDatabase(connectionString, Name)
            .WithScriptsEmbeddedInAssembly(Assembly.GetExecutingAssembly(), IsScript)
            .JournalToPostgresqlTable(Name, "schema_versions")
            .WithVariablesDisabled()
            .WithTransaction()
            .LogTo(new NoOpUpgradeLog())
            .Build();
        EnsureSchema(connectionString);
        DatabaseUpgradeResult result = upgrade.PerformUpgrade();
        if (!result.Successful)
        {
            throw new InvalidOperationException($"The script {result.ErrorScript?.Name} failed.", result.Error);
        }
    }

    private static bool IsScript(string resource) => resource.EndsWith(".sql", StringComparison.Ordinal);

    // The journal of the scripts lives in the schema that they fill, so the schema comes before them.
    private static void EnsureSchema(string connectionString)
    {
        using var connection = new Npgsql.NpgsqlConnection(connectionString);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"create schema if not exists {Name}";
        command.ExecuteNonQuery();
    }
}
