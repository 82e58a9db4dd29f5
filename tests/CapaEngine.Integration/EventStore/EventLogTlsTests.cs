using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using CapaEngine.EventStore;
using CapaEngine.Kernel;
using Grpc.Core;
using Shouldly;

namespace CapaEngine.Integration.EventStore;

/// <summary>
/// The client and a local event log with TLS and users: what a service's connection string promises, and what it
/// refuses. The node is shown one certificate after the other, without being started again.
/// </summary>
public sealed class EventLogTlsTests(EventLogTlsTests.Fixture tls) : IClassFixture<EventLogTlsTests.Fixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly string _stream = $"tls{Guid.NewGuid():N}-a";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("esdb")]
    [InlineData("kurrentdb+discover")]
    public async Task a_service_works_with_a_user_and_an_authority_of_its_own(string scheme)
    {
        await tls.ShowAsync(tls.Authority.Issue());
        await using var client = EventStoreClient.Create(tls.Address(scheme: scheme));
        await using var subscription = new Subscriber(
            client.SubscribeToAllAsync(LogPosition.Start, [_stream], CancellationToken.None), Patience);
        var e = EventLogFaultTests.Event();

        (await client.AppendAsync(_stream, ExpectedRevision.NoStream, [e], Ct)).ShouldBeOfType<AppendResult.Appended>();
        await client.SetMaxCountAsync(_stream, 1, Ct);

        (await client.ReadStreamAsync(_stream, 0, 10, Ct).ToListAsync(Ct)).ShouldHaveSingleItem().Id.ShouldBe(e.Id);
        (await subscription.UntilAsync<LogMessage.Event>()).OfType<LogMessage.Event>().Single()
            .Recorded.Id.ShouldBe(e.Id);
    }

    [Fact]
    public async Task a_service_with_the_wrong_password_or_without_the_right_is_told_so()
    {
        await tls.ShowAsync(tls.Authority.Issue());
        await using var wrong = EventStoreClient.Create(tls.Address(LogWithUsers.CredentialsOf("admin", "wrong")));
        await using var writer = EventStoreClient.Create(tls.Address(LogWithUsers.CredentialsOf("writer")));
        await using var bob = EventStoreClient.Create(tls.Address(LogWithUsers.CredentialsOf("bob")));
        NewEvent[] events = [EventLogFaultTests.Event()];

        (await wrong.AppendAsync(_stream, ExpectedRevision.Any, events, Ct)).ShouldBe(new AppendResult.AccessDenied());
        (await writer.AppendAsync(_stream, ExpectedRevision.Any, events, Ct)).ShouldBe(new AppendResult.AccessDenied());
        (await writer.AppendAsync($"family-{_stream}", ExpectedRevision.Any, events, Ct))
            .ShouldBeOfType<AppendResult.Appended>();
        var read = await Should.ThrowAsync<RpcException>(async () =>
            await wrong.ReadStreamAsync(_stream, 0, 10, Ct).ToListAsync(Ct));
        read.StatusCode.ShouldBe(StatusCode.Unauthenticated);
        var all = await Should.ThrowAsync<RpcException>(async () =>
            await bob.ReadAllAsync(LogPosition.Start, [_stream], Ct).ToListAsync(Ct));
        all.StatusCode.ShouldBe(StatusCode.PermissionDenied);
    }

    [Fact]
    public async Task a_certificate_of_another_authority_is_refused()
    {
        using var another = new TestAuthority();
        await tls.ShowAsync(another.Issue());

        (await RefusalAsync(tls.Address())).ShouldContain("PartialChain");

        (await RefusalAsync(tls.Address(authority: another))).ShouldBeEmpty();
        (await RefusalAsync(tls.Address(authority: null))).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task a_certificate_that_has_expired_or_is_not_valid_yet_is_refused()
    {
        var (past, future) = (DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddHours(1));
        await tls.ShowAsync(tls.Authority.Issue(until: past));
        (await RefusalAsync(tls.Address())).ShouldContain("NotTimeValid");

        await tls.ShowAsync(tls.Authority.Issue(from: future));
        (await RefusalAsync(tls.Address())).ShouldContain("NotTimeValid");
    }

    [Fact]
    public async Task a_certificate_for_another_host_is_refused()
    {
        await tls.ShowAsync(tls.Authority.Issue(["other.example", "127.0.0.9"]));

        (await RefusalAsync(tls.Address())).ShouldContain("RemoteCertificateNameMismatch");
    }

    [Fact]
    public async Task the_authorities_between_the_certificate_and_the_root_are_shown_too()
    {
        using var intermediate = new TestAuthority(tls.Authority);
        var (certificate, key) = intermediate.Issue();
        await tls.ShowAsync((certificate + "\n" + intermediate.Pem, key));

        (await RefusalAsync(tls.Address())).ShouldBeEmpty();
    }

    [Fact]
    public async Task a_client_without_tls_is_not_served()
    {
        await tls.ShowAsync(tls.Authority.Issue());

        (await RefusalAsync(tls.Address().Replace("tls=true", "tls=false", StringComparison.Ordinal)))
            .ShouldNotBeEmpty();
    }

    [Fact]
    public async Task a_renewed_certificate_disturbs_nobody_and_a_broken_one_is_not_shown()
    {
        await tls.ShowAsync(tls.Authority.Issue());
        await using var client = EventStoreClient.Create(tls.Address());
        await using var subscription = new Subscriber(
            client.SubscribeToAllAsync(LogPosition.Start, [_stream], CancellationToken.None), Patience);
        await subscription.UntilAsync<LogMessage.CaughtUp>();
        var shown = tls.Authority.Issue();
        await tls.ShowAsync(shown);

        tls.Write((tls.Authority.Issue().Certificate, shown.Key));
        await UntilAsync(() => Task.FromResult(tls.Log.Node.LogTail().Contains("EventLog:KeyFile: is not the key")));
        (await RefusalAsync(tls.Address())).ShouldBeEmpty();
        (await tls.IsShownAsync(shown.Certificate)).ShouldBeTrue();

        var e = EventLogFaultTests.Event();
        (await client.AppendAsync(_stream, ExpectedRevision.NoStream, [e], Ct)).ShouldBeOfType<AppendResult.Appended>();
        // A broken connection would have been replaced: then a subscription says again that it has caught up.
        (await subscription.NextAsync()).ShouldBeOfType<LogMessage.Event>().Recorded.Id.ShouldBe(e.Id);
    }

    /// <summary>Why a client does not read by this connection string; empty if it does.</summary>
    private async Task<string> RefusalAsync(string connectionString)
    {
        await using var client = EventStoreClient.Create($"{connectionString}&maxDiscoverAttempts=1");
        try
        {
            await client.ReadStreamAsync(_stream, 0, 1, Ct).ToListAsync(Ct);
            return "";
        }
        catch (EventStoreUnavailableException refused)
        {
            var status = refused.InnerException.ShouldBeOfType<RpcException>().Status;
            for (var cause = status.DebugException; cause is not null; cause = cause.InnerException)
            {
                if (cause is AuthenticationException)
                {
                    return cause.Message;
                }
            }

            return status.Detail;
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await condition())
        {
            await poll.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>The node, the files of its certificate, and the authority that clients trust.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("capa-test-tls-");
        private readonly LogWithUsers _log;

        public Fixture()
        {
            Write(Authority.Issue());
            _log = new LogWithUsers
            {
                Log = new EventLogFixture
                {
                    Tls = true,
                    Credentials = LogWithUsers.CredentialsOf("admin"),
                    Options = $"&tlsCaFile={Uri.EscapeDataString(CaFile(Authority))}",
                },
            };
            Log.Settings["EventLog__CertificateFile"] = CertificateFile;
            Log.Settings["EventLog__KeyFile"] = KeyFile;
        }

        /// <summary>The node.</summary>
        public EventLogFixture Log => _log.Log;

        internal TestAuthority Authority { get; } = new();

        private string CertificateFile => Path.Combine(_files.FullName, "log.crt");

        private string KeyFile => Path.Combine(_files.FullName, "log.key");

        /// <inheritdoc/>
        public ValueTask InitializeAsync() => _log.InitializeAsync();

        /// <summary>A connection string that trusts an authority; the system's if it is null.</summary>
        internal string Address(string? credentials = null, string scheme = "esdb") =>
            Address(Authority, credentials, scheme);

        /// <inheritdoc cref="Address(string?, string)"/>
        internal string Address(TestAuthority? authority, string? credentials = null, string scheme = "esdb") =>
            $"{scheme}://{credentials ?? LogWithUsers.CredentialsOf("admin")}{Log.Url.Authority}?tls=true"
            + (authority is null ? "" : $"&tlsCaFile={Uri.EscapeDataString(CaFile(authority))}");

        internal void Write((string Certificate, string Key) shown)
        {
            File.WriteAllText(CertificateFile, shown.Certificate);
            File.WriteAllText(KeyFile, shown.Key);
        }

        /// <summary>Replaces the files and waits until the node shows the new certificate.</summary>
        internal async Task ShowAsync((string Certificate, string Key) shown)
        {
            Write(shown);
            await UntilAsync(() => IsShownAsync(shown.Certificate));
        }

        internal async Task<bool> IsShownAsync(string certificate)
        {
            using var expected = X509Certificate2.CreateFromPem(certificate);
            using var socket = new TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, Log.Url.Port, Ct);
            await using var stream = new SslStream(socket.GetStream());
#pragma warning disable CA5359 // Only to look at what is shown, whatever it is.
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "127.0.0.1",
                    RemoteCertificateValidationCallback = (_, _, _, _) => true,
                    ApplicationProtocols = [SslApplicationProtocol.Http2],
                }, Ct);
#pragma warning restore CA5359
            stream.NegotiatedApplicationProtocol.ShouldBe(SslApplicationProtocol.Http2);
            return stream.RemoteCertificate!.GetRawCertData().AsSpan().SequenceEqual(expected.RawData);
        }

        /// <inheritdoc/>
        public async ValueTask DisposeAsync()
        {
            await _log.DisposeAsync();
            Authority.Dispose();
            _files.Delete(recursive: true);
        }

        private string CaFile(TestAuthority authority)
        {
            var path = Path.Combine(_files.FullName, $"{authority.GetHashCode()}.ca");
            File.WriteAllText(path, authority.Pem);
            return path;
        }
    }
}
