using CapaEngine.EventStore.Protocol;
using Grpc.Core;

namespace CapaEngine.EventLog.Rpc;

/// <summary>The service <c>Gossip</c>: a cluster of one, which leads while it serves.</summary>
internal sealed class GossipService(LogNode node, TimeProvider clock) : Gossip.GossipBase
{
    private readonly Guid _instance = Guid.NewGuid();

    public override Task<ClusterInfo> Read(Empty request, ServerCallContext context)
    {
        if (node.Term is null)
        {
            throw Failures.NotReady();
        }

        // The address under which the client has reached this node is one that works for the client.
        var authority = new Uri($"{context.GetHttpContext().Request.Scheme}://{context.Host}");
        var member = new MemberInfo
        {
            InstanceId = Wire.Uuid(_instance, structured: true),
            TimeStamp = (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks,
            State = MemberInfo.Types.VNodeState.Leader,
            IsAlive = true,
            HttpEndPoint = new EndPoint
            {
                Address = authority.Host,
                Port = (uint)authority.Port,
            },
        };
        return Task.FromResult(new ClusterInfo { Members = { member } });
    }
}

/// <summary>The service <c>ServerFeatures</c>: what this node can do, in the protocol's lower-case names.</summary>
internal sealed class ServerFeaturesService : ServerFeatures.ServerFeaturesBase
{
    private const string ProtocolLevel = "23.10.0";

    public override Task<SupportedMethods> GetSupportedMethods(Empty request, ServerCallContext context) =>
        Task.FromResult(new SupportedMethods
        {
            EventStoreServerVersion = ProtocolLevel,
            Methods =
            {
                Method("event_store.client.streams.streams", "read", "position", "events"),
                Method("event_store.client.streams.streams", "append"),
                Method("event_store.client.streams.streams", "batchappend", "deadline_duration"),
                Method("event_store.client.streams.streams", "delete"),
                Method("event_store.client.streams.streams", "tombstone"),
                Method("event_store.client.gossip.gossip", "read"),
                Method("event_store.client.server_features.serverfeatures", "getsupportedmethods"),
            },
        });

    private static SupportedMethod Method(string service, string name, params string[] features) =>
        new() { ServiceName = service, MethodName = name, Features = { features } };
}
