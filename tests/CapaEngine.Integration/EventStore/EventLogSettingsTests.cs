using CapaEngine.Integration.Infrastructure;
using Shouldly;

namespace CapaEngine.Integration.EventStore;

/// <summary>An event log that is configured wrongly does not start, and says which setting is wrong.</summary>
public sealed class EventLogSettingsTests
{
    private const string Hash =
        "$pbkdf2-sha512$i=210000$AAAAAAAAAAAAAAAAAAAAAA==$"
        + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("EventLog:Url: 'nonsense'", "EventLog__Url=nonsense")]
    [InlineData("EventLog:Url: 'log.example'", "EventLog__Url=http://log.example:2113")]
    [InlineData("EventLog:UsersFile: is not set, and EventLog:Url", "EventLog__Url=http://0.0.0.0:{port}")]
    [InlineData("EventLog:AllowAnonymous: 'yes'", "EventLog__AllowAnonymous=yes")]
    [InlineData("EventLog:AllowAnonymous: contradicts", "EventLog__AllowAnonymous=true", "EventLog__UsersFile={ok}")]
    [InlineData("EventLog:CertificateFile: is not set", "EventLog__Url=https://127.0.0.1:{port}")]
    [InlineData("EventLog:KeyFile: is not set", "EventLog__HealthUrl=https://127.0.0.1:{port}",
        "EventLog__CertificateFile=/nowhere")]
    [InlineData("EventLog:CertificateFile: is set, and neither", "EventLog__CertificateFile=/nowhere")]
    [InlineData("EventLog:CertificateFile: '/nowhere' cannot be read", "EventLog__Url=https://127.0.0.1:{port}",
        "EventLog__CertificateFile=/nowhere", "EventLog__KeyFile=/nowhere")]
    [InlineData("EventLog:CertificateFile: holds no certificate", "EventLog__Url=https://127.0.0.1:{port}",
        "EventLog__CertificateFile={ok}", "EventLog__KeyFile={ok}")]
    [InlineData("EventLog:UsersFile: '/nowhere' cannot be read", "EventLog__UsersFile=/nowhere")]
    public async Task a_wrong_setting_is_named(string message, params string[] settings) =>
        (await StartAsync(settings, """{"ada":{"passwordHash":"HASH"}}""")).ShouldContain(message);

    [Theory]
    [InlineData("nonsense", "'nonsense' is an invalid")]
    [InlineData("{}", "names no user")]
    [InlineData("""{"ada":{}}""", "passwordHash")]
    [InlineData("""{"ada":{"passwordHash":null}}""", "passwordHash")]
    [InlineData("""{"ada":{"passwordHash":"secret"}}""", "the password hash of 'ada'")]
    [InlineData("""{"ada":{"passwordHash":"$pbkdf2-sha512$i=1$AAAA$AAAA"}}""", "the password hash of 'ada'")]
    [InlineData("""{"ada":{"passwordHash":"HASH","group":["x"]}}""", "'group'")]
    [InlineData("""{"ada":{"passwordHash":"HASH"},"ada":{"passwordHash":"HASH"}}""", "Duplicate")]
    [InlineData("""{"$admins":{"passwordHash":"HASH"}}""", "'$admins' is no name of a user")]
    [InlineData("""{"a:b":{"passwordHash":"HASH"}}""", "'a:b' is no name of a user")]
    [InlineData("""{"ada":{"passwordHash":"HASH","streams":[""]}}""", "a stream prefix of 'ada' is empty")]
    public async Task a_users_file_that_cannot_mean_what_it_says_is_refused(string users, string message)
    {
        var log = await StartAsync(["EventLog__UsersFile={ok}"], users);

        log.ShouldContain("EventLog:UsersFile: ");
        log.ShouldContain(message);
    }

    /// <summary>Starts a log that must end by itself, with an error; what it wrote.</summary>
    private static async Task<string> StartAsync(string[] settings, string users)
    {
        var usersFile = Path.GetTempFileName();
        await File.WriteAllTextAsync(usersFile, users.Replace("HASH", Hash, StringComparison.Ordinal), Ct);
        var port = ServiceProcess.FreePort();
        var configuration = new Dictionary<string, string>
        {
            ["EventLog__Url"] = $"http://127.0.0.1:{port}",
            ["EventLog__HealthUrl"] = $"http://127.0.0.1:{ServiceProcess.FreePort()}",
            ["ConnectionStrings__Postgres"] = "Host=127.0.0.1;Port=1",
        };
        foreach (var setting in settings)
        {
            var (key, value) = (setting[..setting.IndexOf('=')], setting[(setting.IndexOf('=') + 1)..]);
            configuration[key] = value.Replace("{port}", $"{port}", StringComparison.Ordinal)
                .Replace("{ok}", usersFile, StringComparison.Ordinal);
        }

        await using var log = ServiceProcess.Start("infra/EventLog", configuration);
        var ended = await Should.ThrowAsync<InvalidOperationException>(() => log.WaitUntilReadyAsync(
            new Uri($"{configuration["EventLog__HealthUrl"]}/health/ready"), TimeSpan.FromSeconds(30), Ct));
        File.Delete(usersFile);
        ended.Message.ShouldContain("ended with code 1");
        // Its last words may arrive after its end.
        await log.KillAsync();
        log.LogTail().ShouldNotContain("   at ");
        return log.LogTail();
    }
}
