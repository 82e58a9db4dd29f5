using System.Globalization;
using System.Net;

namespace CapaEngine.EventStore;

/// <summary>Which node of a cluster the client wants to talk to.</summary>
public enum NodePreference
{
    Leader,
    Follower,
    ReadOnlyReplica,
    Random,
}

/// <summary>
/// What a connection string says, e.g. <c>esdb+discover://admin:changeit@a:2113,b:2113?tlsCaFile=/etc/ca.crt</c>.
/// A key that this client does not know is an error: a misspelt option must not silently become its default.
/// </summary>
public sealed record EventStoreSettings
{
    private const int DefaultPort = 2113;

    private static readonly string[] Schemes = ["esdb", "kdb", "kurrent", "kurrentdb"];

    private static readonly Dictionary<string, Func<EventStoreSettings, Option, EventStoreSettings>> Options =
        new(StringComparer.OrdinalIgnoreCase)
        {
            ["tls"] = (s, o) => s with { Tls = o.Boolean() },
            ["tlsVerifyCert"] = (s, o) => s with { TlsVerifyCert = o.Boolean() },
            ["tlsCaFile"] = (s, o) => s with { TlsCaFile = o.Value },
            ["userCertFile"] = (s, o) => s with { UserCertFile = o.Value },
            ["userKeyFile"] = (s, o) => s with { UserKeyFile = o.Value },
            ["connectionName"] = (s, o) => s with { ConnectionName = o.Value },
            ["nodePreference"] = (s, o) => s with { NodePreference = o.Preference() },
            ["maxDiscoverAttempts"] = (s, o) => s with { MaxDiscoverAttempts = o.Count() },
            ["discoveryInterval"] = (s, o) => s with { DiscoveryInterval = o.Milliseconds() },
            ["gossipTimeout"] = (s, o) => s with { GossipTimeout = o.Milliseconds() },
            ["keepAliveInterval"] = (s, o) => s with { KeepAliveInterval = o.MillisecondsOrOff() },
            ["keepAliveTimeout"] = (s, o) => s with { KeepAliveTimeout = o.MillisecondsOrOff() },
            ["defaultDeadline"] = (s, o) => s with { DefaultDeadline = o.Milliseconds() },
            // Understood, and without effect: an append of this client answers with a result and never throws one.
            ["throwOnAppendFailure"] = (s, o) => { o.Boolean(); return s; },
        };

    private EventStoreSettings() { }

    /// <summary>The node, or the seeds from which the cluster is discovered.</summary>
    public IReadOnlyList<DnsEndPoint> Hosts { get; private init; } = [];

    /// <summary>Ask the hosts who the members are instead of talking to the host itself.</summary>
    public bool Discover { get; private init; }

    public string? User { get; private init; }
    public string? Password { get; private init; }
    public bool Tls { get; private init; } = true;
    public bool TlsVerifyCert { get; private init; } = true;

    /// <summary>The only authority trusted for the node's certificate; the system's when it is not given.</summary>
    public string? TlsCaFile { get; private init; }

    public string? UserCertFile { get; private init; }
    public string? UserKeyFile { get; private init; }
    public string ConnectionName { get; private init; } = $"ES-{Guid.NewGuid()}";
    public NodePreference NodePreference { get; private init; } = NodePreference.Leader;
    public int MaxDiscoverAttempts { get; private init; } = 10;
    public TimeSpan DiscoveryInterval { get; private init; } = TimeSpan.FromMilliseconds(100);
    public TimeSpan GossipTimeout { get; private init; } = TimeSpan.FromSeconds(5);
    public TimeSpan KeepAliveInterval { get; private init; } = TimeSpan.FromSeconds(10);
    public TimeSpan KeepAliveTimeout { get; private init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an append may take before its outcome is declared unknown.</summary>
    public TimeSpan DefaultDeadline { get; private init; } = TimeSpan.FromSeconds(10);

    /// <summary>Reads a connection string; a <see cref="FormatException"/> names what is wrong with it.</summary>
    public static EventStoreSettings Parse(string connectionString)
    {
        var (scheme, rest) = Cut(connectionString, "://")
            ?? throw new FormatException("An event store connection string begins with a scheme, e.g. esdb://.");
        var discover = scheme.EndsWith("+discover", StringComparison.OrdinalIgnoreCase);
        var product = discover ? scheme[..^"+discover".Length] : scheme;
        if (!Schemes.Contains(product, StringComparer.OrdinalIgnoreCase))
        {
            throw new FormatException($"Unknown event store scheme '{scheme}'.");
        }

        var (address, query) = Cut(rest, "?") ?? (rest, "");
        if (Cut(address, "/") is var (authority, path))
        {
            address = path.Length == 0 ? authority : throw new FormatException($"Unexpected path '/{path}'.");
        }

        var at = address.LastIndexOf('@');
        var hosts = address[(at + 1)..].Split(',').Select(Host).ToList();
        var settings = new EventStoreSettings { Hosts = hosts, Discover = discover || hosts.Count > 1 };
        return WithOptions(at < 0 ? settings : WithUser(settings, address[..at]), query).Checked();
    }

    private static EventStoreSettings WithUser(EventStoreSettings settings, string userInfo)
    {
        var (user, password) = Cut(userInfo, ":")
            ?? throw new FormatException("The credentials are not of the form user:password.");
        return settings with { User = Uri.UnescapeDataString(user), Password = Uri.UnescapeDataString(password) };
    }

    private static EventStoreSettings WithOptions(EventStoreSettings settings, string query)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = Cut(pair, "=") ?? throw new FormatException($"The option '{pair}' has no value.");
            if (!Options.TryGetValue(key, out var apply))
            {
                throw new FormatException($"Unknown event store option '{key}'.");
            }

            if (!seen.Add(key))
            {
                throw new FormatException($"The event store option '{key}' is given twice.");
            }

            settings = apply(settings, new Option(key, Uri.UnescapeDataString(value)));
        }

        return settings;
    }

    private static DnsEndPoint Host(string text)
    {
        var colon = text.LastIndexOf(':');
        var hasPort = colon > text.LastIndexOf(']');
        var name = hasPort ? text[..colon] : text;
        var port = DefaultPort;
        if (name.Length == 0 || (hasPort && !int.TryParse(text[(colon + 1)..], CultureInfo.InvariantCulture, out port)))
        {
            throw new FormatException($"'{text}' is not a host or host:port.");
        }

        return new DnsEndPoint(name, port);
    }

    private static (string Left, string Right)? Cut(string text, string separator)
    {
        var index = text.IndexOf(separator, StringComparison.Ordinal);
        return index < 0 ? null : (text[..index], text[(index + separator.Length)..]);
    }

    private EventStoreSettings Checked() => (UserCertFile is null) == (UserKeyFile is null)
        ? this
        : throw new FormatException("userCertFile and userKeyFile are given together or not at all.");

    private readonly record struct Option(string Key, string Value)
    {
        public bool Boolean() => bool.TryParse(Value, out var value) ? value : throw Malformed("true or false");

        public int Count() => Number() is > 0 and var value ? value : throw Malformed("a positive number");

        public TimeSpan Milliseconds() => TimeSpan.FromMilliseconds(Count());

        public TimeSpan MillisecondsOrOff() =>
            Number() == -1 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(Count());

        public NodePreference Preference() =>
            Enum.TryParse<NodePreference>(Value, ignoreCase: true, out var value) && Enum.IsDefined(value)
                ? value
                : throw Malformed("leader, follower, random or readOnlyReplica");

        private int Number() => int.TryParse(Value, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw Malformed("a number");

        private FormatException Malformed(string wanted) =>
            new($"The event store option '{Key}' is '{Value}', not {wanted}.");
    }
}
