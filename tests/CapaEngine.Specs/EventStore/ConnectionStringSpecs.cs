using CapaEngine.EventStore;
using Shouldly;

namespace CapaEngine.Specs.EventStore;

public sealed class ConnectionStringSpecs
{
    [Fact]
    public void a_host_alone_is_a_single_node_with_the_documented_defaults()
    {
        var settings = EventStoreSettings.Parse("esdb://localhost");

        settings.Hosts.Select(h => (h.Host, h.Port)).ShouldBe([("localhost", 2113)]);
        settings.Discover.ShouldBeFalse();
        settings.Tls.ShouldBeTrue();
        settings.TlsVerifyCert.ShouldBeTrue();
        settings.NodePreference.ShouldBe(NodePreference.Leader);
        settings.MaxDiscoverAttempts.ShouldBe(10);
        settings.KeepAliveInterval.ShouldBe(TimeSpan.FromSeconds(10));
        settings.DefaultDeadline.ShouldBe(TimeSpan.FromSeconds(10));
        settings.User.ShouldBeNull();
    }

    [Theory]
    [InlineData("esdb://a:1", false)]
    [InlineData("kurrentdb://a:1/", false)]
    [InlineData("esdb+discover://a:1", true)]
    [InlineData("kurrentdb+discover://a:1", true)]
    [InlineData("esdb://a:1,b:2", true)]
    public void several_hosts_or_a_discover_scheme_ask_for_discovery(string text, bool discover) =>
        EventStoreSettings.Parse(text).Discover.ShouldBe(discover);

    [Fact]
    public void every_part_is_read()
    {
        var settings = EventStoreSettings.Parse(
            "esdb+discover://ad%40min:p%3Ass@a:1,b,[::1]:3?TLS=true&tlsVerifyCert=false&tlsCaFile=%2Fca.crt"
            + "&connectionName=relay&nodePreference=follower&maxDiscoverAttempts=3&discoveryInterval=50"
            + "&gossipTimeout=700&keepAliveInterval=-1&keepAliveTimeout=800&defaultDeadline=900"
            + "&userCertFile=u.crt&userKeyFile=u.key&throwOnAppendFailure=false");

        settings.User.ShouldBe("ad@min");
        settings.Password.ShouldBe("p:ss");
        settings.Hosts.Select(h => (h.Host, h.Port)).ShouldBe([("a", 1), ("b", 2113), ("[::1]", 3)]);
        settings.TlsVerifyCert.ShouldBeFalse();
        settings.TlsCaFile.ShouldBe("/ca.crt");
        settings.ConnectionName.ShouldBe("relay");
        settings.NodePreference.ShouldBe(NodePreference.Follower);
        settings.MaxDiscoverAttempts.ShouldBe(3);
        settings.DiscoveryInterval.ShouldBe(TimeSpan.FromMilliseconds(50));
        settings.GossipTimeout.ShouldBe(TimeSpan.FromMilliseconds(700));
        settings.KeepAliveInterval.ShouldBe(Timeout.InfiniteTimeSpan);
        settings.KeepAliveTimeout.ShouldBe(TimeSpan.FromMilliseconds(800));
        settings.DefaultDeadline.ShouldBe(TimeSpan.FromMilliseconds(900));
        (settings.UserCertFile, settings.UserKeyFile).ShouldBe(("u.crt", "u.key"));
    }

    [Theory]
    [InlineData("esdb://a?keepAliveIntervall=1", "keepAliveIntervall")]
    [InlineData("esdb://a?tls=true&TLS=false", "TLS")]
    [InlineData("esdb://a?tls=maybe", "tls")]
    [InlineData("esdb://a?tls", "tls")]
    [InlineData("esdb://a?gossipTimeout=0", "gossipTimeout")]
    [InlineData("esdb://a?maxDiscoverAttempts=many", "maxDiscoverAttempts")]
    [InlineData("esdb://a?nodePreference=7", "nodePreference")]
    [InlineData("esdb://a?userCertFile=u.crt", "userKeyFile")]
    [InlineData("esdb://a/path", "/path")]
    [InlineData("esdb://a:port", "a:port")]
    [InlineData("esdb://", "host")]
    [InlineData("esdb://user@a", "user:password")]
    [InlineData("http://a", "http")]
    [InlineData("a:2113", "esdb://")]
    public void what_it_does_not_understand_is_named(string text, string named) =>
        Should.Throw<FormatException>(() => EventStoreSettings.Parse(text)).Message.ShouldContain(named);
}
