using Npgsql;

namespace CapaEngine.EventLog;

/// <summary>The database for two kinds of work: reads share a pool, the writer's connections live alone.</summary>
internal sealed class Databases : IAsyncDisposable
{
    private const int ReadConnectionsMax = 40;
    private const int PreparedMax = 30;

    // The server must notice when a writer's machine is gone, or its lock would stay; and a commit is on the disk.
    private const string WriterSession =
        "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c synchronous_commit=on";

    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(10);

    public Databases(string connectionString)
    {
        ConnectionString = connectionString;
        Reads = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = "capaengine-eventlog-reads",
            MaxPoolSize = ReadConnectionsMax,
            MaxAutoPrepare = PreparedMax,
        });
        var writes = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = "capaengine-eventlog-writer",
            // A pool would keep the session, and with it the lock, of a term that is over.
            Pooling = false,
            MaxAutoPrepare = PreparedMax,
            AutoPrepareMinUsages = 2,
            CommandTimeout = (int)WriteTimeout.TotalSeconds,
        };
        writes.Options = $"{writes.Options} {WriterSession}".Trim();
        Writes = NpgsqlDataSource.Create(writes);
    }

    public string ConnectionString { get; }

    public NpgsqlDataSource Reads { get; }

    public NpgsqlDataSource Writes { get; }

    public async ValueTask DisposeAsync()
    {
        await Reads.DisposeAsync();
        await Writes.DisposeAsync();
    }
}
