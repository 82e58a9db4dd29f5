using System.Runtime.CompilerServices;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.ReadModels;
using CapaEngine.ReadModels.Rebuilding;
using CapaEngine.Specs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace CapaEngine.Integration.ReadModels;

/// <summary>A log, a database that follows it, and rebuilds of the one from the other.</summary>
internal sealed class RebuildStand : IAsyncDisposable
{
    private ulong _followed;

    private RebuildStand(ReadModelDatabase database, IEventStore store)
    {
        (Database, Store) = (database, store);
        Process = new ParkedProcess(database, store);
    }

    /// <summary>The database.</summary>
    public ReadModelDatabase Database { get; }

    /// <summary>The log.</summary>
    public IEventStore Store { get; }

    /// <summary>The process that follows the log.</summary>
    public ParkedProcess Process { get; }

    /// <summary>An empty database and a log with the events of histories.</summary>
    public static async Task<RebuildStand> CreateAsync(CancellationToken ct, params IEnumerable<History> histories)
    {
        var stand = new RebuildStand(
            await ReadModelDatabase.CreateAsync(ct), new MemoryEventStore(TimeProvider.System));
        foreach (var history in histories) await stand.LogAsync(history, ct);
        await stand.FollowAsync(ct);
        return stand;
    }

    /// <summary>Writes a history to the end of the log.</summary>
    public async Task LogAsync(History history, CancellationToken ct)
    {
        foreach (var e in history.Events)
        {
            var data = e.Fact is UnknownFact unknown ? unknown.Data : EventCatalog.Serialize(e.Fact);
            var appended = await Store.AppendAsync(
                e.Stream, ExpectedRevision.At(e.Revision - 1),
                [new NewEvent(e.EventId, e.Type, data, EventCatalog.Serialize(e.Metadata))], ct);
            if (appended is not AppendResult.Appended) throw new InvalidOperationException($"{e.Stream}: {appended}");
        }
    }

    /// <summary>Lets the live rows follow to the end of the log.</summary>
    public async Task FollowAsync(CancellationToken ct) => _followed = await Process.FollowAsync(ct, _followed);

    /// <summary>A rebuild as a process of its own would carry it out.</summary>
    public Rebuild Rebuild(IEventStore? store = null) => new(
        Database.Source, store ?? Store, Options.Create(new PipelineOptions { CatchUpEventsMax = 20 }),
        TimeProvider.System,
        NullLogger<Rebuild>.Instance);

    /// <summary>Rebuilds every read model.</summary>
    public Task RebuildAllAsync(
        CancellationToken ct, IEventStore? store = null, Action<RebuildProgress>? told = null) =>
        Rebuild(store).RunAsync(Projections.All, told, ct);

    /// <summary>A check of the live rows as a process of its own would carry it out.</summary>
    public Task<CheckResult> CheckAsync(CancellationToken ct, IEventStore? store = null) => new ReadModelCheck(
        Database.Source, store ?? Store, Options.Create(new PipelineOptions { CatchUpEventsMax = 20 }))
        .RunAsync(Projections.All, null, ct);

    /// <summary>The versions as a process keeps them whose read models are these.</summary>
    public ModelVersions Versions(IReadOnlyList<IReadModel> models, IEventStore? store = null) => new(
        new PostgresTables(Database.Source),
        new Rebuild(
            Database.Source, store ?? Store, Options.Create(new PipelineOptions { CatchUpEventsMax = 20 }),
            TimeProvider.System, NullLogger<Rebuild>.Instance) { All = models },
        TimeProvider.System, NullLogger<ModelVersions>.Instance);

    /// <summary>Everything an analyst, a comparison or a later script could see of the schemas.</summary>
    public async Task<IReadOnlyList<string>> SurfaceAsync(CancellationToken ct) => await Database.ListAsync<string>("""
        with listed as (
          select c.oid, c.relkind, n.nspname || '.' || c.relname as name, c.reloptions,
            coalesce(c.relacl, acldefault('r', c.relowner)) as relacl from pg_class c
          join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('read_models', 'reporting'))
        select concat_ws(' ', name, relkind, reloptions, relacl::text, obj_description(oid, 'pg_class')) from listed
        union all select pg_get_indexdef(oid) from listed where relkind in ('i', 'I')
        union all select concat_ws(' ', name, a.attname, a.atttypid::regtype, a.attnotnull, a.attacl::text,
            col_description(oid, a.attnum))
          from listed join pg_attribute a on a.attrelid = oid and not a.attisdropped and relkind in ('r', 'p', 'v')
        union all select format('%s %s %s', name, k.conname, pg_get_constraintdef(k.oid))
          from listed join pg_constraint k on k.conrelid = listed.oid
        order by 1
        """, ct);

    /// <summary>Ends the sessions of rebuilds, as a failure of the network would.</summary>
    public void EndRebuildingSessions() => Execute("""
        select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = (
          select oid from pg_database where datname = current_database())
        """);

    /// <summary>Carries out a statement in the middle of a rebuild's step.</summary>
    public void Execute(string sql)
    {
        using var command = Database.Source.CreateCommand(sql);
        command.ExecuteNonQuery();
    }

    /// <summary>Waits until a condition holds.</summary>
    public async Task UntilAsync(string condition, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        while (!await Database.ScalarAsync<bool>(condition, patience.Token)) await Task.Yield();
    }

    /// <summary>Every table that lies beside the live ones.</summary>
    public async Task<IReadOnlyList<string>> BesideAsync(CancellationToken ct) => await Database.ListAsync<string>("""
        select schemaname || '.' || tablename from pg_tables
        where schemaname like 'read\_models\__%' order by 1
        """, ct);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Database.DisposeAsync();
}

/// <summary>The log as a reader sees it to whom something happens at every event.</summary>
internal sealed class EventfulLog(IEventStore inner, Func<RecordedEvent, Task> happen) : StoreAround(inner)
{
    private readonly IEventStore log = inner;

    public override async IAsyncEnumerable<RecordedEvent> ReadAllAsync(
        LogPosition after, IReadOnlyList<string> streamPrefixes, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var recorded in log.ReadAllAsync(after, streamPrefixes, ct))
        {
            await happen(recorded);
            yield return recorded;
        }
    }
}
