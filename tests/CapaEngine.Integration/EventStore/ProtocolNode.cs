using CapaEngine.EventStore;
using CapaEngine.EventStore.Protocol;
using Grpc.Net.Client;

namespace CapaEngine.Integration.EventStore;

/// <summary>
/// A node that speaks the protocol: the one that <c>CAPA_TEST_EVENTSTORE</c> names, without TLS and users, or else the
/// local event log. What is asserted of it is a fact of the protocol, and is asserted of EventStoreDB from time to
/// time.
/// </summary>
public sealed class ProtocolNode : IAsyncLifetime
{
    private readonly EventLogFixture _local = new();
    private GrpcChannel _channel = null!;

    /// <summary>The node's streams.</summary>
    internal Streams.StreamsClient Streams { get; private set; } = null!;

    /// <summary>What the node can do.</summary>
    internal ServerFeatures.ServerFeaturesClient Features { get; private set; } = null!;

    /// <summary>Who is in the cluster.</summary>
    internal Gossip.GossipClient Gossip { get; private set; } = null!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("CAPA_TEST_EVENTSTORE") is { Length: > 0 } named)
        {
            var host = EventStoreSettings.Parse(named).Hosts[0];
            _channel = GrpcChannel.ForAddress($"http://{host.Host}:{host.Port}");
        }
        else
        {
            await _local.InitializeAsync();
            _channel = GrpcChannel.ForAddress(_local.Url);
        }

        Streams = new(_channel);
        Features = new(_channel);
        Gossip = new(_channel);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _channel?.Dispose();
        await _local.DisposeAsync();
    }
}
