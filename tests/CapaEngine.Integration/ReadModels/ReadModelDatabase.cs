using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.ReadModels;
using CapaEngine.ReadModels.Deadlines;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CapaEngine.Integration.ReadModels;

/// <summary>An empty database with the schema of the read models.</summary>
public sealed class ReadModelDatabase : IAsyncDisposable
{
    private static readonly string[] NotRows =
        [
            "follower_position", "published_position", "family_owner", "schema_version", "parked_stream",
            "model_version", "table_copy",
        ];

    // The scripts take a second or more, a copy of what they made a tenth of that.
    private static readonly SemaphoreSlim Migrating = new(1, 1);
    private static string? template;

    private ReadModelDatabase(string connectionString)
    {
        ConnectionString = connectionString;
        Source = NpgsqlDataSource.Create(connectionString);
        Parked = new ParkedStreams(new PostgresTables(Source), NullLogger<ParkedStreams>.Instance);
    }

    /// <summary>A superuser's connection string.</summary>
    public string ConnectionString { get; }

    /// <summary>Connections of a superuser.</summary>
    public NpgsqlDataSource Source { get; }

    /// <summary>The streams that wait in this database.</summary>
    public ParkedStreams Parked { get; }

    /// <summary>Creates a database to which the scripts have been applied.</summary>
    public static async Task<ReadModelDatabase> CreateAsync(CancellationToken ct) =>
        new(await TestServers.CreateDatabaseAsync(ct, template: await TemplateAsync(ct)));

    /// <summary>A projector as a process of its own would have it.</summary>
    public Projector Projector() =>
        new(new PostgresTables(Source), Projections.All, Parked, NullLogger<Projector>.Instance);

    /// <summary>Applies events in log order, in batches per routing key as the pipeline delivers them.</summary>
    public static async Task ApplyAsync(
        Projector projector, IReadOnlyList<IncomingEvent> events, int batchSize, CancellationToken ct)
    {
        foreach (var batch in events.Chunk(batchSize))
        {
            foreach (var key in batch.GroupBy(RoutingKey))
                await projector.ApplyAsync(key.Key, [.. key], key.Max(e => e.Position.Commit), ct);
        }
    }

    /// <summary>The routing key by which an event is delivered.</summary>
    public static string RoutingKey(IncomingEvent e) =>
        Partitions.RoutingKey(e.Family.Name, Partitions.Of(e.Stream, Partitions.CountDefault));

    /// <summary>Every row of every table of the read models, without the wall clock.</summary>
    public async Task<IReadOnlyList<string>> RowsAsync(CancellationToken ct)
    {
        var tables = await ListAsync<string>("""
            select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'read_models' and c.relkind = 'r' order by 1
            """, ct);
        List<string> rows = [];
        foreach (var table in tables.Except(NotRows))
            rows.AddRange(await ListAsync<string>(
                $"select '{table} ' || (to_jsonb(t) - 'updated_at')::text from read_models.{table} t order by 1", ct));
        return rows;
    }

    /// <summary>The first column of a query.</summary>
    public async Task<List<T>> ListAsync<T>(string sql, CancellationToken ct)
    {
        await using var command = Source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(ct);
        List<T> values = [];
        while (await reader.ReadAsync(ct)) values.Add(await reader.GetFieldValueAsync<T>(0, ct));
        return values;
    }

    /// <summary>The single value of a query.</summary>
    public async Task<T> ScalarAsync<T>(string sql, CancellationToken ct) => (await ListAsync<T>(sql, ct)).Single();

    /// <summary>Carries out a statement.</summary>
    public async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Source.DisposeAsync();

    private static async Task<string> TemplateAsync(CancellationToken ct)
    {
        await Migrating.WaitAsync(ct);
        try
        {
            return template ??= await MigrateTemplateAsync(ct);
        }
        finally
        {
            Migrating.Release();
        }
    }

    private static async Task<string> MigrateTemplateAsync(CancellationToken ct)
    {
        // A pooled connection would stay, and keep others from copying.
        var empty = new NpgsqlConnectionStringBuilder(await TestServers.CreateDatabaseAsync(ct)) { Pooling = false };
        await Schema.MigrateAsync(empty.ConnectionString, NullLogger.Instance, ct);
        return empty.Database!;
    }
}
