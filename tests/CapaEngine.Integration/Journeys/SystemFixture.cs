using CapaEngine.Integration.Infrastructure;

namespace CapaEngine.Integration.Journeys;

/// <summary>One running system with a trace receiver, shared by the journeys.</summary>
public sealed class SystemFixture : IAsyncLifetime
{
    /// <summary>The system's processes.</summary>
    public RunningSystem Running { get; } = new();

    /// <summary>What the services report of themselves.</summary>
    public TraceReceiver Traces { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Traces = await TraceReceiver.StartAsync(TestContext.Current.CancellationToken);
        Running.Extra["OTEL_EXPORTER_OTLP_ENDPOINT"] = Traces.Endpoint.ToString();
        Running.Extra["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        Running.Extra["OTEL_BSP_SCHEDULE_DELAY"] = "200";
        await Running.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Running.DisposeAsync();
        await Traces.DisposeAsync();
    }
}

/// <summary>The tests that share the system run one after another.</summary>
[CollectionDefinition(nameof(SystemFixture), DisableParallelization = true)]
public sealed class SystemCollection : ICollectionFixture<SystemFixture>;
