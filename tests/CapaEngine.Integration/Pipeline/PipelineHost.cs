using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CapaEngine.Integration.Pipeline;

/// <summary>
/// A process of a service as far as the pipeline goes: relays, followers and numbering wired as a service wires them,
/// against the real broker, without HTTP. Several of them stand for replicas.
/// </summary>
internal sealed class PipelineHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private bool _isStopped;

    private PipelineHost(WebApplication app) => _app = app;

    public IServiceProvider Services => _app.Services;

    public Leader Leader(string queue) => Services.GetRequiredKeyedService<Leader>(queue);

    public Follower Follower(string name) => Services.GetRequiredKeyedService<Follower>(name);

    // Each in a flow of its own: the bus keeps its log context in the flow that started it.
    public static Task<PipelineHost> StartAsync(
        IEventStore store, string broker, Action<WebApplicationBuilder> add,
        params (string Key, string Value)[] settings) =>
        Task.Run(async () =>
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.Configuration["ConnectionStrings:RabbitMq"] = broker;
            builder.Configuration["Pipeline:HeartbeatPeriodMs"] = "1000";
            builder.Configuration["Pipeline:CheckpointPeriodMs"] = "200";
            builder.Configuration["Pipeline:RetryDelayMsMax"] = "500";
            foreach (var (key, value) in settings) builder.Configuration[$"Pipeline:{key}"] = value;
            builder.Services.AddSingleton(store);
            builder.Services.AddSingleton<Microsoft.AspNetCore.Hosting.Server.IServer, NoServer>();
            builder.Services.AddLogging(
                logging => logging.AddProvider(TestLog.Instance).SetMinimumLevel(LogLevel.Information));
            add(builder);
            var app = builder.Build();
            await app.StartAsync();
            var host = new PipelineHost(app);
            await host.ReportsAsync("bus", HealthStatus.Healthy, TestContext.Current.CancellationToken);
            await host.ReadsItsQueuesAsync(TestContext.Current.CancellationToken);
            return host;
        });

    public async Task<HealthReport> ReadinessAsync() =>
        await Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(check => check.Tags.Contains("ready"));

    /// <summary>Waits until the queues of its followers exist and are read.</summary>
    public Task ReadsItsQueuesAsync(CancellationToken ct) => Eventually.HoldsAsync(
        () => Services.GetServices<IHostedService>().OfType<FollowerQueues>().All(queues => queues.AreRead),
        "the queues are read", ct);

    /// <summary>Waits until a readiness check says so.</summary>
    public Task ReportsAsync(string check, HealthStatus status, CancellationToken ct) => Eventually.HoldsAsync(
        async () => (await ReadinessAsync()).Entries[check].Status == status, $"{check} is {status}", ct);

    public async Task StopAsync()
    {
        if (_isStopped) return;
        _isStopped = true;
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    /// <summary>A host without requests: the pipeline needs none.</summary>
    private sealed class NoServer : Microsoft.AspNetCore.Hosting.Server.IServer
    {
        public Microsoft.AspNetCore.Http.Features.IFeatureCollection Features { get; } =
            new Microsoft.AspNetCore.Http.Features.FeatureCollection();

        public Task StartAsync<TContext>(
            Microsoft.AspNetCore.Hosting.Server.IHttpApplication<TContext> application, CancellationToken ct)
            where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken ct) => Task.CompletedTask;

        public void Dispose() { }
    }
}

/// <summary>What hosts log, in the output of the test that runs.</summary>
internal sealed class TestLog : ILoggerProvider, ILogger
{
    public static readonly TestLog Instance = new();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) => TestContext.Current.TestOutputHelper?.WriteLine(
            $"{logLevel}: {formatter(state, exception)} {exception?.GetType().Name}: {exception?.Message}");

    public void Dispose() { }
}

/// <summary>Waits on conditions, with a deadline.</summary>
internal static class Eventually
{
    public static Task HoldsAsync(
        Func<bool> condition, string what, CancellationToken ct, int deadlineSeconds = 30) =>
        HoldsAsync(() => Task.FromResult(condition()), what, ct, deadlineSeconds);

    public static async Task HoldsAsync(
        Func<Task<bool>> condition, string what, CancellationToken ct, int deadlineSeconds = 30)
    {
        var started = Stopwatch.GetTimestamp();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started).TotalSeconds > deadlineSeconds)
                throw new TimeoutException($"Not within {deadlineSeconds} s: {what}");
            await poll.WaitForNextTickAsync(ct);
        }
    }
}

/// <summary>Appends facts to a log as a service would.</summary>
internal static class TestEvents
{
    public static string NewStream() => Families.Deviation.Stream(Guid.NewGuid());

    /// <summary>Appends the next <paramref name="count"/> events of a stream; their payload is their number.</summary>
    public static async Task AppendAsync(
        this IEventStore store, string stream, int count, CancellationToken ct, EventMetadata? metadata = null,
        string? type = null)
    {
        var revision = -1L;
        await foreach (var last in store.ReadStreamBackwardsAsync(stream, 1, ct)) revision = last.Revision;
        var events = Enumerable.Range((int)revision + 1, count).Select(n =>
        {
            var fact = new DeviationEvent.ConflictReceived($"hash-{n}", $"{n}");
            return new NewEvent(
                Guid.NewGuid(), type ?? EventCatalog.NameOf(fact), EventCatalog.Serialize(fact),
                EventCatalog.Serialize(metadata ?? Metadata()));
        }).ToList();
        var result = await store.AppendAsync(stream, ExpectedRevision.At(revision), events, ct);
        if (result is not AppendResult.Appended) throw new InvalidOperationException($"{result}");
    }

    /// <summary>Waits until the relay's checkpoint has passed the deviations that are in the log now.</summary>
    public static async Task IsRelayedAsync(this IEventStore store, string service, CancellationToken ct)
    {
        var last = LogPosition.Start;
        await foreach (var e in store.ReadAllAsync(last, [Families.Deviation.Prefix], ct)) last = e.Position;
        await Eventually.HoldsAsync(
            async () => await store.RelayedAsync(service, ct) >= last.Commit, $"relayed through {last.Commit}", ct);
    }

    /// <summary>The checkpoint of a service's relay, 0 before the first.</summary>
    public static async Task<ulong> RelayedAsync(this IEventStore store, string service, CancellationToken ct)
    {
        await foreach (var last in store.ReadStreamBackwardsAsync($"relay-{service}", 1, ct))
            return ((CheckpointEvent.Relay)EventCatalog.Deserialize(last.Type, last.Data.Span)).Commit;
        return 0;
    }

    public static EventMetadata Metadata() => new(
        new EventActor("p-1", ["quality-engineer", "verifier"], "*"), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow,
        new string('0', 64), CorrelationId: "c-1", CausationId: "c-0", IdempotencyKey: "key", RequestHash: "hash");
}

/// <summary>What a counter of the pipeline counted since, for one follower or service.</summary>
internal sealed class CounterProbe : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _count;

    public CounterProbe(string instrument, string who)
    {
        _listener.InstrumentPublished = (published, listener) =>
        {
            if (published.Name == instrument) listener.EnableMeasurementEvents(published);
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            foreach (var tag in tags)
                if (Equals(tag.Value, who)) Interlocked.Add(ref _count, value);
        });
        _listener.Start();
    }

    public long Count => Interlocked.Read(ref _count);

    public void Dispose() => _listener.Dispose();
}

/// <summary>A sink that remembers what it was given, and fails while it is told to.</summary>
internal sealed class RecordingSink : IFollowerSink
{
    private readonly ConcurrentDictionary<string, ulong> _positions = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<IncomingEvent> _applied = new();

    public volatile bool Fails;

    public int FailureCount;

    public IReadOnlyList<IncomingEvent> Applied => [.. _applied];

    public IReadOnlyDictionary<string, ulong> Positions => _positions;

    public int AppliedCount => _applied.Count;

    public Task<IReadOnlyDictionary<string, ulong>> LoadPositionsAsync(CancellationToken ct) =>
        Task.FromResult<IReadOnlyDictionary<string, ulong>>(_positions.ToDictionary());

    public Task ApplyAsync(
        string routingKey, IReadOnlyList<IncomingEvent> events, ulong through, CancellationToken ct)
    {
        if (Fails)
        {
            Interlocked.Increment(ref FailureCount);
            throw new InvalidOperationException("The sink fails as it was told to.");
        }

        foreach (var incoming in events) _applied.Enqueue(incoming);
        _positions[routingKey] = through;
        return Task.CompletedTask;
    }

    /// <summary>Each stream's events, none missing, none twice, in order.</summary>
    public void ShouldHoldEachOnceInOrder(IEnumerable<string> streams, int eventsOfEach)
    {
        var revisions = Applied.GroupBy(incoming => incoming.Stream)
            .ToDictionary(group => group.Key, group => group.Select(incoming => incoming.Revision).ToList());
        foreach (var stream in streams)
            Assert.Equal(Enumerable.Range(0, eventsOfEach).Select(n => (long)n), revisions[stream]);
    }
}
