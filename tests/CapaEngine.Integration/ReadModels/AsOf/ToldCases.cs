using CapaEngine.Hosting;
using CapaEngine.ReadModels;
using Npgsql;

namespace CapaEngine.Integration.ReadModels.AsOf;

/// <summary>
/// One random history in a database, and another database without any. <c>CAPA_HISTORY_SEED</c> tells another one.
/// </summary>
public sealed class ToldCases : IAsyncLifetime
{
    // As the service has them, so that plans for any parameters are used, too.
    private const string Prepared = ";Max Auto Prepare=500;Auto Prepare Min Usages=2";

    private ReadModelDatabase empty = null!;

    /// <summary>The history.</summary>
    public RandomCases Cases { get; } = new(
        int.TryParse(Environment.GetEnvironmentVariable("CAPA_HISTORY_SEED"), out var seed) ? seed : 1);

    /// <summary>Its events in log order.</summary>
    public IReadOnlyList<IncomingEvent> Events { get; private set; } = [];

    /// <summary>The database with its rows.</summary>
    public ReadModelDatabase Database { get; private set; } = null!;

    /// <summary>A database for what is rolled back.</summary>
    public NpgsqlDataSource Empty { get; private set; } = null!;

    /// <summary>Carries out what these read models make of events.</summary>
    public static async Task ExecuteAsync(
        NpgsqlConnection connection, IEnumerable<IReadModel> models, IEnumerable<IncomingEvent> events,
        CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        var statements = events.SelectMany(e => models.Where(model => model.Families.Contains(e.Family))
            .SelectMany(model => model.Project([e])));
        foreach (var statement in statements)
        {
            var command = new NpgsqlBatchCommand(statement.Text);
            foreach (var value in statement.Values)
                command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
            batch.BatchCommands.Add(command);
        }

        if (batch.BatchCommands.Count > 0) await batch.ExecuteNonQueryAsync(ct);
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        Events = Cases.Tell();
        Database = await ReadModelDatabase.CreateAsync(ct);
        await using (var connection = await Database.Source.OpenConnectionAsync(ct))
            await ExecuteAsync(connection, Projections.All, Events, ct);
        empty = await ReadModelDatabase.CreateAsync(ct);
        Empty = NpgsqlDataSource.Create(empty.ConnectionString + Prepared);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Empty.DisposeAsync();
        await empty.DisposeAsync();
        await Database.DisposeAsync();
    }
}
