using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Integration.Infrastructure;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Options = CapaEngine.EventStore.Protocol.ReadReq.Types.Options;

namespace CapaEngine.Integration.EventStore;

/// <summary>
/// An event log node with users, and calls that a user makes. All have the same password, except that
/// <see cref="WrongPassword"/> has the wrong one and <see cref="Nobody"/> gives none.
/// </summary>
public sealed class LogWithUsers : IAsyncLifetime
{
    public const string Admin = "admin";
    public const string Ada = "ada";
    public const string Bob = "bob";
    public const string Auditor = "auditor";
    public const string Writer = "writer";
    public const string Stranger = "stranger";
    public const string WrongPassword = "ada with a wrong password";
    public const string Nobody = "";

    /// <summary>With what a careless parser stumbles over.</summary>
    public const string Password = "correct: hörse/@?";

    private readonly string _usersFile = Path.Combine(Path.GetTempPath(), $"capa-test-users-{Guid.NewGuid():N}.json");
    private readonly Dictionary<string, object> _users = [];
    private GrpcChannel _channel = null!;

    /// <summary>The node.</summary>
    public EventLogFixture Log { get; init; } = new() { Credentials = CredentialsOf(Admin) };

    /// <summary>The service, without a user of its own.</summary>
    internal Streams.StreamsClient Streams { get; private set; } = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        var hash = await HashAsync(Password);
        _users[Admin] = new { passwordHash = hash, groups = new[] { "$admins" } };
        _users[Ada] = new { passwordHash = hash, groups = new[] { "engineers" } };
        _users[Bob] = new { passwordHash = hash };
        _users[Auditor] = new { passwordHash = hash };
        _users[Writer] = new { passwordHash = hash, groups = new[] { "$admins" }, streams = new[] { "family-" } };
        await SaveUsersAsync();
        Log.Settings["EventLog__UsersFile"] = _usersFile;
        await Log.InitializeAsync();
        _channel = GrpcChannel.ForAddress(Log.Url);
        Streams = new Streams.StreamsClient(_channel);
    }

    /// <summary>What stands before the host in a connection string.</summary>
    internal static string CredentialsOf(string who, string password = Password) =>
        $"{who}:{Uri.EscapeDataString(password)}@";

    /// <summary>Adds a user, or replaces one; null takes it away. The node notices within a second or two.</summary>
    public Task SetUserAsync(string name, string? passwordHash)
    {
        _users.Remove(name);
        if (passwordHash is not null)
        {
            _users[name] = new { passwordHash };
        }

        return SaveUsersAsync();
    }

    /// <summary>What the program's own command makes of a password.</summary>
    public static async Task<string> HashAsync(string password)
    {
        var start = new ProcessStartInfo("dotnet", [ServiceProcess.AssemblyOf("infra/EventLog"), "hash-password"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        };
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteLineAsync(password);
        process.StandardInput.Close();
        var hash = await process.StandardOutput.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);
        return process.ExitCode == 0
            ? hash.Trim()
            : throw new InvalidOperationException(await process.StandardError.ReadToEndAsync(Ct));
    }

    /// <summary>A client that comes from another address of this machine.</summary>
    internal (GrpcChannel Channel, Streams.StreamsClient Streams) From(string address)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, ct) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
                await socket.ConnectAsync(context.DnsEndPoint, ct);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        var channel = GrpcChannel.ForAddress(Log.Url, new() { HttpHandler = handler, DisposeHttpClient = true });
        return (channel, new Streams.StreamsClient(channel));
    }

    /// <summary>The options of a call by somebody, who has two minutes.</summary>
    internal static CallOptions As(string who, string password = Password, CancellationToken? ct = null)
    {
        var options = new CallOptions([], DateTime.UtcNow.AddMinutes(2), ct ?? Ct);
        if (who.Length > 0)
        {
            var credentials = who == WrongPassword ? $"{Ada}:{password}!" : $"{who}:{password}";
            var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials));
            options.Headers!.Add("authorization", $"Basic {encoded}");
        }

        return options;
    }

    internal static StreamIdentifier Name(string stream) => new() { StreamName = ByteString.CopyFromUtf8(stream) };

    /// <summary>A read of a stream, or of <c>$all</c>, from its start.</summary>
    internal static ReadReq ReadOf(string stream, bool subscribe = false)
    {
        var options = new Options { UuidOption = new() { Structured = new() }, NoFilter = new() };
        if (stream == "$all")
        {
            options.All = new() { Start = new() };
        }
        else
        {
            options.Stream = new() { StreamIdentifier = Name(stream), Start = new() };
        }

        if (subscribe)
        {
            options.Subscription = new();
        }
        else
        {
            options.Count = 10;
        }

        return new ReadReq { Options = options };
    }

    /// <summary>Reads to the end; what came.</summary>
    internal async Task<List<ReadResp>> ReadAsync(string who, string stream)
    {
        using var call = Streams.Read(ReadOf(stream), As(who));
        return await call.ResponseStream.ReadAllAsync(Ct).ToListAsync(Ct);
    }

    /// <summary>Appends one event by a call of its own.</summary>
    internal async Task<AppendResp> AppendAsync(
        string who, string stream, string type = "access.tested", string data = "{}")
    {
        using var call = Streams.Append(As(who));
        await SendAsync(call.RequestStream, [
            new() { Options = new() { StreamIdentifier = Name(stream), Any = new() } },
            new()
            {
                ProposedMessage = new()
                {
                    Id = new UUID { String = $"{Guid.NewGuid()}" },
                    Metadata = { { "type", type }, { "content-type", "application/json" } },
                    Data = ByteString.CopyFromUtf8(data),
                },
            },
        ]);
        return await call;
    }

    /// <summary>Sends what there is. Why that fails when the call is refused, its answer knows better.</summary>
    internal static async Task SendAsync<T>(IClientStreamWriter<T> requests, IEnumerable<T> messages)
    {
        try
        {
            foreach (var message in messages)
            {
                await requests.WriteAsync(message, Ct);
            }

            await requests.CompleteAsync();
        }
        catch (Exception refused) when (refused is RpcException or InvalidOperationException)
        {
            // The answer says so.
        }
    }

    /// <summary>Replaces the metadata of a stream.</summary>
    internal Task SetMetadataAsync(string stream, object metadata) =>
        AppendAsync(Admin, $"$${stream}", "$metadata", JsonSerializer.Serialize(metadata));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _channel?.Dispose();
        await Log.DisposeAsync();
        File.Delete(_usersFile);
    }

    private async Task SaveUsersAsync()
    {
        // Replaced at once, as a careful operator does it; the node may look at any time.
        await File.WriteAllTextAsync($"{_usersFile}.new", JsonSerializer.Serialize(_users), Ct);
        File.Move($"{_usersFile}.new", _usersFile, overwrite: true);
    }
}
