using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Deadlines.Delivery;

/// <summary>What a webhook is told.</summary>
public sealed record WebhookBody(string Type, DateTimeOffset Timestamp, WebhookData Data);

/// <summary>The escalation in a webhook.</summary>
public sealed record WebhookData(
    Guid EscalationId, string Kind, int Level, DateTimeOffset DueAt, string Site, string? Severity, Guid SubjectId,
    Guid CaseId, string? Number, string? Title, ValueList<string> Recipients, int PolicyVersion, Uri? Link);

/// <summary>Signed webhooks: one request for each escalation, without redirects and with a time limit.</summary>
public sealed class WebhookChannel(
    DeliverySettings settings, IHttpClientFactory clients, TimeProvider clock, ILogger<WebhookChannel> logger)
    : INotificationChannel
{
    /// <summary>The name of the client that sends.</summary>
    public const string ClientName = "webhooks";

    /// <inheritdoc/>
    public DeliveryChannel Kind => DeliveryChannel.Webhook;

    /// <inheritdoc/>
    public string ServerOf(string recipient) => $"webhook {recipient}";

    /// <inheritdoc/>
    public async Task<SendResult> SendAsync(OutgoingMessage message, CancellationToken ct)
    {
        if (settings.Webhooks.FirstOrDefault(webhook => webhook.Name == message.Recipient) is not { } target)
            return new SendResult.Failed("not-configured", IsFinal: true);
        if (ReadSecrets(target) is not { } secrets) return new SendResult.Failed("secret-file", IsFinal: false);
        using var request = Request(message, target, secrets);
        using var client = clients.CreateClient(ClientName);
        try
        {
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            if (answer.IsSuccessStatusCode) return new SendResult.Delivered();
            // 410: the receiver says that it wants no more of them.
            return Failed(
                string.Create(CultureInfo.InvariantCulture, $"http-{(int)answer.StatusCode}"),
                answer.StatusCode == HttpStatusCode.Gone, target);
        }
        catch (HttpRequestException failure)
        {
            return Failed(
                failure.HttpRequestError == HttpRequestError.SecureConnectionError ? "http-tls" : "http-unreachable",
                isFinal: false, target) with { IsDown = true };
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Failed("http-timeout", isFinal: false, target) with { IsDown = true };
        }
    }

    private HttpRequestMessage Request(
        OutgoingMessage message, WebhookSettings target, IReadOnlyList<byte[]> secrets)
    {
        var item = message.Items.Single();
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new WebhookBody("escalation.raised", item.RaisedAt, new WebhookData(
                item.Id, item.Kind, item.Level, item.DueAt, item.Site, item.Severity, item.SubjectId, item.CaseId,
                item.Number, item.Title, item.Recipients.ToValueList(), item.PolicyVersion,
                MailText.Link(item, settings.PublicUrl))),
            StrictJson.Requests);
        var id = message.Id.ToString("D");
        var now = clock.GetUtcNow();
        var request = new HttpRequestMessage(HttpMethod.Post, target.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add(StandardWebhook.IdHeader, id);
        request.Headers.Add(StandardWebhook.TimestampHeader, StandardWebhook.Seconds(now));
        request.Headers.Add(StandardWebhook.SignatureHeader, StandardWebhook.Sign(secrets, id, now, body));
        return request;
    }

    private static IReadOnlyList<byte[]>? ReadSecrets(WebhookSettings target)
    {
        try
        {
            return StandardWebhook.ParseSecrets(File.ReadAllText(target.SecretFile));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or FormatException)
        {
            return null;
        }
    }

    private SendResult.Failed Failed(string reason, bool isFinal, WebhookSettings target)
    {
        logger.LogWarning("The webhook {Name} did not take an escalation: {Reason}.", target.Name, reason);
        return new SendResult.Failed(reason, isFinal);
    }
}
