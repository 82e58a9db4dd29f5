using System.Net;

namespace CapaEngine.EventLog.Access;

/// <summary>Where the log listens, where it keeps its events, and who may come in.</summary>
/// <param name="CertificateFile">Null when neither address is <c>https</c>; then there is no key either.</param>
/// <param name="UsersFile">Null: everybody may do everything.</param>
internal sealed record EventLogSettings(
    Uri Url, Uri HealthUrl, string Postgres, string? CertificateFile, string? KeyFile, string? UsersFile)
{
    public const string UrlKey = "EventLog:Url";
    public const string HealthUrlKey = "EventLog:HealthUrl";
    public const string PostgresKey = "ConnectionStrings:Postgres";
    public const string CertificateFileKey = "EventLog:CertificateFile";
    public const string KeyFileKey = "EventLog:KeyFile";
    public const string UsersFileKey = "EventLog:UsersFile";
    public const string AllowAnonymousKey = "EventLog:AllowAnonymous";

    /// <summary>Passwords would cross a network that others can read.</summary>
    public bool SendsPasswordsInClear => UsersFile is not null && !IsTls(Url) && !Url.IsLoopback;

    public static EventLogSettings Read(IConfiguration configuration)
    {
        var settings = new EventLogSettings(
            Address(configuration, UrlKey, "http://127.0.0.1:2113"),
            Address(configuration, HealthUrlKey, "http://127.0.0.1:2114"),
            Text(configuration, PostgresKey) ?? throw new SettingException(PostgresKey, "is not set."),
            Text(configuration, CertificateFileKey),
            Text(configuration, KeyFileKey),
            Text(configuration, UsersFileKey));
        settings.CheckTls();
        settings.CheckAnonymous(Flag(configuration, AllowAnonymousKey));
        return settings;
    }

    public static bool IsTls(Uri url) => url.Scheme == Uri.UriSchemeHttps;

    private static string? Text(IConfiguration configuration, string key) =>
        configuration[key] is { Length: > 0 } text ? text : null;

    private static bool Flag(IConfiguration configuration, string key) => Text(configuration, key) switch
    {
        null => false,
        var text when bool.TryParse(text, out var flag) => flag,
        var text => throw new SettingException(key, $"'{text}' is neither true nor false."),
    };

    private static Uri Address(IConfiguration configuration, string key, string fallback)
    {
        var text = Text(configuration, key) ?? fallback;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url)
            || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
        {
            throw new SettingException(key, $"'{text}' is no address such as https://127.0.0.1:2113.");
        }

        return url.IsLoopback || IPAddress.TryParse(url.DnsSafeHost, out _)
            ? url
            : throw new SettingException(key, $"'{url.Host}' is neither an address of this machine nor localhost.");
    }

    private void CheckTls()
    {
        var wanted = IsTls(Url) ? UrlKey : IsTls(HealthUrl) ? HealthUrlKey : null;
        if (wanted is not null && CertificateFile is null)
        {
            throw new SettingException(CertificateFileKey, $"is not set, and {wanted} is https.");
        }

        if (wanted is not null && KeyFile is null)
        {
            throw new SettingException(KeyFileKey, $"is not set, and {wanted} is https.");
        }

        // A certificate that nobody uses is a mistake: the operator believes that the log is encrypted.
        if (wanted is null && (CertificateFile ?? KeyFile) is not null)
        {
            var set = CertificateFile is not null ? CertificateFileKey : KeyFileKey;
            throw new SettingException(set, $"is set, and neither {UrlKey} nor {HealthUrlKey} is https.");
        }
    }

    private void CheckAnonymous(bool allowed)
    {
        if (UsersFile is not null && allowed)
        {
            throw new SettingException(AllowAnonymousKey, $"contradicts {UsersFileKey}: nobody is anonymous then.");
        }

        if (UsersFile is null && !allowed && !Url.IsLoopback)
        {
            throw new SettingException(
                UsersFileKey, $"is not set, and {UrlKey} can be reached from other machines: whoever reaches it could "
                + $"write anything. Give it users, or set {AllowAnonymousKey} to true.");
        }
    }
}
