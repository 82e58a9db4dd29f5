using System.Globalization;
using CapaEngine.Contracts;
using MimeKit;

namespace CapaEngine.ReadModels.Deadlines.Delivery;

/// <summary>How the connection to the mail server is secured.</summary>
public enum SmtpSecurity { None, StartTls, Tls }

/// <summary>The mail server and the address that mails come from.</summary>
/// <param name="PasswordFile">Read at every mail, so that a changed password needs no restart.</param>
public sealed record SmtpSettings(
    string Host, int Port, SmtpSecurity Security, string? User, string? PasswordFile, MailboxAddress From);

/// <summary>A receiver of webhooks.</summary>
/// <param name="SecretFile">One secret a line; while two stand there, both sign.</param>
/// <param name="Kinds">The deadlines it hears of.</param>
public sealed record WebhookSettings(string Name, Uri Url, string SecretFile, ValueList<DeadlineKind> Kinds);

/// <summary>The configuration section <c>Delivery</c>; a wrong value stops the start and is named.</summary>
/// <param name="DigestHour">From which hour of the day on, in <paramref name="TimeZone"/>, the digest is sent.</param>
/// <param name="PublicUrl">The address below which people open records; null for mails without links.</param>
/// <param name="ContactsFile">Mail addresses by person id, as a JSON object.</param>
public sealed record DeliverySettings(
    int DigestHour, TimeZoneInfo TimeZone, Uri? PublicUrl, string? ContactsFile, int AttemptsMax, SmtpSettings? Smtp,
    ValueList<WebhookSettings> Webhooks)
{
    /// <summary>The settings of an installation that sends nothing.</summary>
    public static DeliverySettings Nothing { get; } = new(7, TimeZoneInfo.Utc, null, null, 6, null, []);

    /// <summary>Whether there is anything to send with.</summary>
    public bool SendsAnything => Smtp is not null || Webhooks.Count > 0;

    /// <summary>Reads the section.</summary>
    /// <param name="allowsHttp">Whether webhooks may go unencrypted: in Development only.</param>
    public static DeliverySettings From(IConfiguration configuration, bool allowsHttp)
    {
        var section = configuration.GetSection("Delivery");
        var smtp = ReadSmtp(section.GetSection("Smtp"));
        var contacts = section["ContactsFile"];
        if (smtp is not null && contacts is null) throw Wrong(section, "ContactsFile", "is needed to send mail");
        return new DeliverySettings(
            Number(section, "DigestHour", Nothing.DigestHour, 0, 23), ReadTimeZone(section), ReadPublicUrl(section),
            contacts, Number(section, "AttemptsMax", Nothing.AttemptsMax, 1, 20), smtp,
            ReadWebhooks(section.GetSection("Webhooks"), allowsHttp));
    }

    private static TimeZoneInfo ReadTimeZone(IConfigurationSection section) =>
        section["TimeZone"] is not { } id ? TimeZoneInfo.Utc
        : TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone
        : throw Wrong(section, "TimeZone", "must be a time zone such as Europe/Berlin");

    private static Uri? ReadPublicUrl(IConfigurationSection section) =>
        section["PublicUrl"] is not { } text ? null
        : Uri.TryCreate(text.TrimEnd('/') + '/', UriKind.Absolute, out var url) && IsHttp(url) ? url
        : throw Wrong(section, "PublicUrl", "must be an http or https address");

    private static SmtpSettings? ReadSmtp(IConfigurationSection smtp)
    {
        if (smtp["Host"] is not { Length: > 0 } host) return null;
        var security = (smtp["Security"] ?? "starttls") switch
        {
            "none" => SmtpSecurity.None,
            "starttls" => SmtpSecurity.StartTls,
            "tls" => SmtpSecurity.Tls,
            _ => throw Wrong(smtp, "Security", "must be none, starttls or tls"),
        };
        if (!MailboxAddress.TryParse(smtp["From"] ?? "", out var from) || !from.Address.Contains('@'))
            throw Wrong(smtp, "From", "must be a mail address");
        if ((smtp["User"] is null) != (smtp["PasswordFile"] is null))
            throw Wrong(smtp, "PasswordFile", "and User go together");
        var port = Number(smtp, "Port", security == SmtpSecurity.Tls ? 465 : 587, 1, ushort.MaxValue);
        return new SmtpSettings(host, port, security, smtp["User"], smtp["PasswordFile"], from);
    }

    private static ValueList<WebhookSettings> ReadWebhooks(IConfigurationSection webhooks, bool allowsHttp)
    {
        var read = webhooks.GetChildren().Select(webhook => ReadWebhook(webhook, allowsHttp)).ToValueList();
        return read.Select(webhook => webhook.Name).Distinct(StringComparer.Ordinal).Count() == read.Count
            ? read : throw new InvalidOperationException($"{webhooks.Path} names a webhook twice.");
    }

    private static WebhookSettings ReadWebhook(IConfigurationSection webhook, bool allowsHttp)
    {
        if (webhook["Name"] is not { Length: > 0 } name) throw Wrong(webhook, "Name", "is missing");
        if (!Uri.TryCreate(webhook["Url"], UriKind.Absolute, out var url) || !IsHttp(url)
            || (url.Scheme == Uri.UriSchemeHttp && !allowsHttp))
            throw Wrong(webhook, "Url", "must be an https address");
        if (webhook["SecretFile"] is not { Length: > 0 } secrets) throw Wrong(webhook, "SecretFile", "is missing");
        var kinds = webhook.GetSection("DeadlineKinds").GetChildren().Select(kind =>
            Enum.GetValues<DeadlineKind>().Where(known => Wire.Name(known) == kind.Value).Cast<DeadlineKind?>()
                .FirstOrDefault() ?? throw Wrong(webhook, "DeadlineKinds", $"does not know '{kind.Value}'"))
            .ToValueList();
        return new WebhookSettings(
            name, url, secrets, kinds.Count > 0 ? kinds : Enum.GetValues<DeadlineKind>().ToValueList());
    }

    private static int Number(IConfigurationSection section, string key, int preset, int min, int max) =>
        section[key] is not { } text ? preset
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= min && number <= max ? number
        : throw Wrong(section, key, $"must be a number from {min} to {max}");

    private static bool IsHttp(Uri url) => url.Scheme is "http" or "https";

    private static InvalidOperationException Wrong(IConfigurationSection section, string key, string rule) =>
        new($"{section.Path}:{key} {rule}.");
}
