using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Integration.Infrastructure;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace CapaEngine.Integration.EventStore;

/// <summary>
/// A node that answers what a test tells it to, for everything that no well-behaved store does on demand. It speaks
/// gRPC by its frames alone: five bytes of length before each message, status and trailers at the end.
/// </summary>
internal sealed class ScriptedNode : IAsyncDisposable
{
    private const string Streams = "/event_store.client.streams.Streams/";
    private readonly WebApplication _app;

    private ScriptedNode(WebApplication app, int port) => (_app, Port) = (app, port);

    public int Port { get; }

    /// <summary>Answers who the members are; a node on its own by default.</summary>
    public Func<ClusterInfo> Gossip { get; set; } = () => new ClusterInfo();

    /// <summary>What it says it can do.</summary>
    public SupportedMethods Features { get; set; } = new()
    {
        Methods =
        {
            new SupportedMethod
            {
                ServiceName = "event_store.client.streams.streams",
                MethodName = "batchappend",
                Features = { "deadline_duration" },
            },
        },
    };

    public Func<ScriptedCall, Task> Read { get; set; } = call => call.EndAsync(StatusCode.Unimplemented);

    public Func<ScriptedCall, Task> BatchAppend { get; set; } = call => call.EndAsync(StatusCode.Unimplemented);

    public static async Task<ScriptedNode> StartAsync(CancellationToken ct)
    {
        var port = ServiceProcess.FreePort();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2));
        var node = new ScriptedNode(builder.Build(), port);
        node._app.Run(node.AnswerAsync);
        await node._app.StartAsync(ct);
        return node;
    }

    /// <summary>A member of the cluster as gossip describes it.</summary>
    public MemberInfo As(MemberInfo.Types.VNodeState state, bool isAlive = true) => new()
    {
        State = state,
        IsAlive = isAlive,
        HttpEndPoint = new() { Address = "127.0.0.1", Port = (uint)Port },
    };

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(0);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private Task AnswerAsync(HttpContext context)
    {
        context.Response.ContentType = "application/grpc";
        var call = new ScriptedCall(context);
        return context.Request.Path.Value switch
        {
            "/event_store.client.gossip.Gossip/Read" => call.AnswerAsync(Gossip()),
            "/event_store.client.server_features.ServerFeatures/GetSupportedMethods" => call.AnswerAsync(Features),
            Streams + "Read" => Read(call),
            Streams + "BatchAppend" => BatchAppend(call),
            _ => call.EndAsync(StatusCode.Unimplemented),
        };
    }
}

/// <summary>One call that a client made of a <see cref="ScriptedNode"/>.</summary>
internal sealed class ScriptedCall(HttpContext context)
{
    private const int PrefixBytes = 5;

    /// <summary>A header of the request.</summary>
    public string? Header(string name) => context.Request.Headers[name];

    /// <summary>Waits until the client is gone.</summary>
    public async Task UntilGoneAsync()
    {
        var gone = new TaskCompletionSource();
        await using var aborted = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
    }

    /// <summary>The next message of the client; null when it has no more.</summary>
    public async Task<T?> ReceiveAsync<T>(MessageParser<T> parser)
        where T : class, IMessage<T>
    {
        var prefix = new byte[PrefixBytes];
        var body = context.Request.Body;
        if (await body.ReadAtLeastAsync(prefix, PrefixBytes, throwOnEndOfStream: false) < PrefixBytes)
        {
            return null;
        }

        var message = new byte[BinaryPrimitives.ReadInt32BigEndian(prefix.AsSpan(1))];
        await body.ReadExactlyAsync(message);
        return parser.ParseFrom(message);
    }

    public async Task SendAsync(IMessage message)
    {
        var frame = new byte[PrefixBytes + message.CalculateSize()];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), frame.Length - PrefixBytes);
        message.WriteTo(frame.AsSpan(PrefixBytes));
        await context.Response.Body.WriteAsync(frame);
        await context.Response.Body.FlushAsync();
    }

    public Task EndAsync(StatusCode status, params (string Name, string Value)[] trailers)
    {
        context.Response.AppendTrailer("grpc-status", ((int)status).ToString(CultureInfo.InvariantCulture));
        foreach (var (name, value) in trailers)
        {
            context.Response.AppendTrailer(name, value);
        }

        return Task.CompletedTask;
    }

    public async Task AnswerAsync(IMessage message)
    {
        await SendAsync(message);
        await EndAsync(StatusCode.OK);
    }

    /// <summary>Says that another node leads.</summary>
    public Task EndAsNotLeaderAsync(int leaderPort) => EndAsync(
        StatusCode.NotFound, ("exception", "not-leader"), ("leader-endpoint-host", "127.0.0.1"),
        ("leader-endpoint-port", leaderPort.ToString(CultureInfo.InvariantCulture)));
}
