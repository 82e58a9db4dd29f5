using RabbitMQ.Client;

namespace CapaEngine.Hosting;

/// <summary>Where the broker is, from <c>amqp://user:password@host:port/vhost</c> (or <c>amqps</c>).</summary>
public sealed record BrokerAddress(
    string Host, ushort Port, string VirtualHost, string UserName, string Password, bool Tls)
{
    private const ushort PortDefault = 5672;
    private const ushort TlsPortDefault = 5671;

    /// <summary>The address in a connection string.</summary>
    public static BrokerAddress Parse(string connectionString)
    {
        var uri = new Uri(connectionString);
        if (uri.Scheme is not ("amqp" or "amqps"))
            throw new FormatException("ConnectionStrings:RabbitMq begins with amqp:// or amqps://.");
        var user = uri.UserInfo.Split(':', 2);
        var path = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/'));
        var tls = uri.Scheme == "amqps";
        return new BrokerAddress(
            uri.Host, uri.Port > 0 ? (ushort)uri.Port : tls ? TlsPortDefault : PortDefault,
            path.Length == 0 ? "/" : path,
            user[0].Length == 0 ? "guest" : Uri.UnescapeDataString(user[0]),
            user.Length < 2 ? "guest" : Uri.UnescapeDataString(user[1]), tls);
    }

    /// <summary>A connection of the plain client, which does not come back by itself.</summary>
    public Task<IConnection> ConnectAsync(string clientName, TimeSpan heartbeat, CancellationToken ct)
    {
        var factory = new ConnectionFactory
        {
            HostName = Host, Port = Port, VirtualHost = VirtualHost, UserName = UserName, Password = Password,
            RequestedHeartbeat = heartbeat, AutomaticRecoveryEnabled = false, ClientProvidedName = clientName,
        };
        if (Tls) factory.Ssl = new SslOption(Host, enabled: true);
        return factory.CreateConnectionAsync(ct);
    }
}
