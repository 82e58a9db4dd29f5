using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using Grpc.Core;
using Grpc.Net.Client;
using NodeState = CapaEngine.EventStore.Protocol.MemberInfo.Types.VNodeState;

namespace CapaEngine.EventStore;

/// <summary>A node of the store and the connection to it.</summary>
internal sealed record Node(DnsEndPoint Address, GrpcChannel Channel)
{
    /// <summary>Makes the calls on the connection.</summary>
    public CallInvoker Invoker { get; } = Channel.CreateCallInvoker();
}

/// <summary>
/// Knows the node to talk to. A single node is always itself; in a cluster the node is found by gossip, and found
/// again when it cannot be reached or says that another one leads.
/// </summary>
internal sealed class NodeSelector(EventStoreSettings settings, TimeProvider clock) : IDisposable
{
    private const int ReceiveBytesMax = 17 * 1024 * 1024;
    private const int StreamWindowBytes = 4 * 1024 * 1024;

    private readonly ConcurrentDictionary<DnsEndPoint, Lazy<Node>> _nodes = new();
    private readonly SemaphoreSlim _discovering = new(1, 1);
    private readonly Metadata _headers = Headers(settings);
    private Node? _chosen;
    private IReadOnlyList<DnsEndPoint> _members = [];

    /// <summary>The options of every call: credentials, the name of this client, and who must answer.</summary>
    public CallOptions Call(CancellationToken ct, TimeSpan? timeout = null) => new(
        _headers, timeout is null ? null : clock.GetUtcNow().UtcDateTime + timeout, ct);

    /// <summary>The pauses between attempts to reach the store.</summary>
    public static RetryDelays NewDelays() => new(delayMsMax: 2_000, delayMsMin: 50);

    /// <summary>The node in use; looks for one when there is none.</summary>
    public async Task<Node> SelectAsync(CancellationToken ct)
    {
        if (Volatile.Read(ref _chosen) is { } known)
        {
            return known;
        }

        await _discovering.WaitAsync(ct);
        try
        {
            var chosen = _chosen ?? NodeAt(settings.Discover ? await DiscoverAsync(ct) : settings.Hosts[0]);
            Volatile.Write(ref _chosen, chosen);
            return chosen;
        }
        finally
        {
            _discovering.Release();
        }
    }

    /// <summary>Draws the conclusion from a failed call: follow the leader, or look for another node.</summary>
    public void Report(Node node, Exception failure)
    {
        if (failure is RpcException call && LeaderOf(call) is { } leader)
        {
            Volatile.Write(ref _chosen, NodeAt(leader));
        }
        else if (settings.Discover
                 && failure is RpcException { StatusCode: StatusCode.Unavailable } or IOException)
        {
            // Only if nobody has moved on already: a late report must not undo a fresh choice.
            Interlocked.CompareExchange(ref _chosen, null, node);
        }
    }

    /// <summary>Whether the same call may succeed later, perhaps elsewhere.</summary>
    public static bool IsTransient(Exception failure) => failure is IOException
        || (failure is RpcException call && (LeaderOf(call) is not null || call.StatusCode is StatusCode.Unavailable
            or StatusCode.Aborted or StatusCode.Cancelled or StatusCode.DeadlineExceeded or StatusCode.Internal
            or StatusCode.Unknown or StatusCode.ResourceExhausted));

    /// <summary>Whether the store does not accept this user.</summary>
    public static bool IsDenied(Exception? failure) =>
        failure is RpcException { StatusCode: StatusCode.PermissionDenied or StatusCode.Unauthenticated };

    public void Dispose()
    {
        foreach (var node in _nodes.Values)
        {
            node.Value.Channel.Dispose();
        }

        _discovering.Dispose();
    }

    private static DnsEndPoint? LeaderOf(RpcException failure)
    {
        var trailers = failure.Trailers;
        return trailers.GetValue("exception") == "not-leader"
               && trailers.GetValue("leader-endpoint-host") is { } host
               && int.TryParse(trailers.GetValue("leader-endpoint-port"), CultureInfo.InvariantCulture, out var port)
            ? new DnsEndPoint(host, port)
            : null;
    }

    private static Metadata Headers(EventStoreSettings settings)
    {
        var headers = new Metadata
        {
            { "requires-leader", settings.NodePreference == NodePreference.Leader ? "True" : "False" },
            { "connection-name", settings.ConnectionName },
        };
        if (settings.User is not null)
        {
            var credentials = Encoding.UTF8.GetBytes($"{settings.User}:{settings.Password}");
            headers.Add("authorization", $"Basic {Convert.ToBase64String(credentials)}");
        }

        return headers;
    }

    private async Task<DnsEndPoint> DiscoverAsync(CancellationToken ct)
    {
        Exception? last = null;
        for (var attempt = 0; attempt < settings.MaxDiscoverAttempts; attempt++)
        {
            var seeds = _members.Concat(settings.Hosts).Distinct().ToArray();
            Random.Shared.Shuffle(seeds);
            foreach (var seed in seeds)
            {
                try
                {
                    if (await AskAsync(seed, ct) is { } found)
                    {
                        return found;
                    }
                }
                catch (RpcException failure) when (!ct.IsCancellationRequested)
                {
                    last = failure;
                }
            }

            await Task.Delay(settings.DiscoveryInterval, clock, ct);
        }

        var hosts = string.Join(", ", settings.Hosts.Select(h => $"{h.Host}:{h.Port}"));
        throw new EventStoreUnavailableException($"No usable node was found by asking {hosts}.", last);
    }

    private async Task<DnsEndPoint?> AskAsync(DnsEndPoint seed, CancellationToken ct)
    {
        var gossip = new Gossip.GossipClient(NodeAt(seed).Channel);
        var answer = await gossip.ReadAsync(new Empty(), Call(ct, settings.GossipTimeout));
        var usable = answer.Members.Where(m => m.IsAlive && Rank(m.State) is not null).ToList();
        _members = [.. answer.Members.Select(Address)];
        return usable.OrderBy(m => Rank(m.State)).ThenBy(_ => Random.Shared.Next()).Select(Address).FirstOrDefault();
    }

    private static DnsEndPoint Address(MemberInfo member) =>
        new(member.HttpEndPoint.Address, (int)member.HttpEndPoint.Port);

    /// <summary>Smaller is preferred; null cannot be connected to.</summary>
    private int? Rank(NodeState state) => (settings.NodePreference, state) switch
    {
        (_, not (NodeState.Leader or NodeState.Follower or NodeState.ReadOnlyReplica
            or NodeState.ReadOnlyLeaderless)) => null,
        (NodePreference.Random, _) => 0,
        (NodePreference.Leader, NodeState.Leader) => 0,
        (NodePreference.Follower, NodeState.Follower) => 0,
        (NodePreference.ReadOnlyReplica, NodeState.ReadOnlyReplica or NodeState.ReadOnlyLeaderless) => 0,
        _ => 1,
    };

    private Node NodeAt(DnsEndPoint address) =>
        _nodes.GetOrAdd(address, a => new Lazy<Node>(() => new Node(a, OpenChannel(a)))).Value;

    private GrpcChannel OpenChannel(DnsEndPoint address) => GrpcChannel.ForAddress(
        new UriBuilder(settings.Tls ? "https" : "http", address.Host, address.Port).Uri,
        new GrpcChannelOptions
        {
            HttpHandler = Handler(settings),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = ReceiveBytesMax,
        });

    private static SocketsHttpHandler Handler(EventStoreSettings settings)
    {
        var handler = new SocketsHttpHandler
        {
            KeepAlivePingDelay = settings.KeepAliveInterval,
            KeepAlivePingTimeout = settings.KeepAliveTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            EnableMultipleHttp2Connections = true,
            // A read of the log fills the window faster than it could grow by itself.
            InitialHttp2StreamWindowSize = StreamWindowBytes,
            PooledConnectionIdleTimeout = System.Threading.Timeout.InfiniteTimeSpan,
            ConnectTimeout = settings.GossipTimeout,
            // With its own connect the channel tries on each call, instead of a back-off of up to two minutes.
            ConnectCallback = ConnectAsync,
        };
        handler.SslOptions = Certificates(settings);
        return handler;
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SslClientAuthenticationOptions Certificates(EventStoreSettings settings)
    {
        var options = new SslClientAuthenticationOptions();
        if (!settings.TlsVerifyCert)
        {
#pragma warning disable CA5359 // The operator asked for it in the connection string.
            options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (settings.TlsCaFile is not null)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.ImportFromPemFile(settings.TlsCaFile);
            options.CertificateChainPolicy = policy;
        }

        if (settings.UserCertFile is not null)
        {
            options.ClientCertificates = [X509Certificate2.CreateFromPemFile(
                settings.UserCertFile, settings.UserKeyFile)];
        }

        return options;
    }
}
