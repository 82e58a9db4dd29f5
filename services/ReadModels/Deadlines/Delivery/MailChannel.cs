using System.Net.Sockets;
using CapaEngine.Contracts;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace CapaEngine.ReadModels.Deadlines.Delivery;

/// <summary>Mail by any SMTP server.</summary>
public sealed class MailChannel(
    DeliverySettings settings, Contacts contacts, TimeProvider clock, ILogger<MailChannel> logger)
    : INotificationChannel
{
    private const int FirstPermanentStatus = 500;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public DeliveryChannel Kind => DeliveryChannel.Mail;

    /// <inheritdoc/>
    public string ServerOf(string recipient) => "smtp";

    /// <inheritdoc/>
    public async Task<SendResult> SendAsync(OutgoingMessage message, CancellationToken ct)
    {
        if (settings.Smtp is not { } smtp) return new SendResult.Failed("not-configured", IsFinal: true);
        if (contacts.Find(message.Recipient) is not { } address)
            return new SendResult.Failed("no-contact", IsFinal: false);
        if (!TryReadPassword(smtp, out var password)) return new SendResult.Failed("password-file", IsFinal: false);
        using var mail = Compose(message, settings, smtp, address, clock.GetUtcNow());
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Timeout);
        try
        {
            await SendAsync(smtp, password, mail, limit.Token);
            return new SendResult.Delivered();
        }
        catch (Exception failure) when (!ct.IsCancellationRequested && ReasonOf(failure) is { } reason)
        {
            logger.LogWarning("A mail was not taken: {Reason}.", reason);
            return new SendResult.Failed(
                reason, failure is SmtpCommandException { StatusCode: >= (SmtpStatusCode)FirstPermanentStatus },
                IsDown: failure is not SmtpCommandException);
        }
    }

    /// <summary>The mail of a message; its Message-ID is the same at every attempt.</summary>
    public static MimeMessage Compose(
        OutgoingMessage message, DeliverySettings settings, SmtpSettings smtp, MailboxAddress to, DateTimeOffset now)
    {
        var domain = smtp.From.Address[(smtp.From.Address.LastIndexOf('@') + 1)..];
        var mail = new MimeMessage
        {
            MessageId = $"{message.Id:D}@{domain}",
            Date = message.ComposedAt,
            Subject = MailText.Subject(message, now),
            Body = new BodyBuilder
            {
                TextBody = MailText.Plain(message, settings, now), HtmlBody = MailText.Html(message, settings, now),
            }.ToMessageBody(),
        };
        mail.From.Add(smtp.From);
        mail.To.Add(to);
        // So that nobody's absence note answers it (RFC 3834).
        mail.Headers.Add("Auto-Submitted", "auto-generated");
        return mail;
    }

    private static async Task SendAsync(SmtpSettings smtp, string? password, MimeMessage mail, CancellationToken ct)
    {
        using var client = new SmtpClient();
        await client.ConnectAsync(smtp.Host, smtp.Port, smtp.Security switch
        {
            SmtpSecurity.None => SecureSocketOptions.None,
            SmtpSecurity.Tls => SecureSocketOptions.SslOnConnect,
            _ => SecureSocketOptions.StartTls,
        }, ct);
        if (smtp.User is { } user) await client.AuthenticateAsync(user, password!, ct);
        await client.SendAsync(mail, ct);
        try
        {
            await client.DisconnectAsync(quit: true, ct);
        }
        catch (Exception farewell) when (ReasonOf(farewell) is not null)
        {
            // The server has taken the mail; how it says goodbye does not matter.
        }
    }

    private static bool TryReadPassword(SmtpSettings smtp, out string? password)
    {
        password = null;
        if (smtp.PasswordFile is null) return true;
        try
        {
            password = File.ReadAllText(smtp.PasswordFile).TrimEnd('\r', '\n');
            return true;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // Codes of our own: what a server answers may quote the address.
    private static string? ReasonOf(Exception failure) => failure switch
    {
        SmtpCommandException refused => $"smtp-{(int)refused.StatusCode}",
        SmtpProtocolException => "smtp-protocol",
        AuthenticationException => "smtp-authentication",
        SslHandshakeException => "smtp-tls",
        NotSupportedException => "smtp-not-supported",
        OperationCanceledException or TimeoutException => "smtp-timeout",
        SocketException or IOException => "smtp-unreachable",
        _ => null,
    };
}
