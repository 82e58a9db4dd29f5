using System.Diagnostics.Metrics;
using CapaEngine.Contracts;
using CapaEngine.Hosting;

namespace CapaEngine.ReadModels.Deadlines.Delivery;

/// <summary>
/// Tells people and systems what was raised. First it is recorded that a message will be sent, then it is sent, then
/// what came of it: after a crash between the last two it is sent again under the same id, so it arrives at least once
/// and the receiver can tell a repeat. Run by a <see cref="Leader"/>.
/// </summary>
public sealed class DeliveryWork(
    DeliverySettings settings, IEnumerable<INotificationChannel> channels, DeliveryQueries queries,
    NotificationStreams streams, ProjectedStreams projected, TimeProvider clock, ILogger<DeliveryWork> logger)
{
    private const int FinishedMax = 100_000;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);
    private static readonly Meter Meter = new("CapaEngine.Delivery");
    private static readonly Counter<long> Outcomes = Meter.CreateCounter<long>(
        "capa.delivery.attempts", description: "Attempts to send a notification, by channel and outcome.");

    private readonly Dictionary<DeliveryChannel, INotificationChannel> channelOf =
        channels.ToDictionary(channel => channel.Kind);

    // What the rows do not show as finished yet; forgetting costs reading the stream again.
    private readonly HashSet<Guid> finished = [];

    // Servers that did not answer in this round: waiting for each message in turn would hold up all the others.
    private readonly HashSet<string> down = [];

    /// <summary>Watches until cancelled; the leader that runs it begins it again when it throws.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        finished.Clear();
        using var timer = new PeriodicTimer(Period, clock);
        do
        {
            await TickAsync(ct);
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    /// <summary>Sends what is to be sent now.</summary>
    public async Task TickAsync(CancellationToken ct)
    {
        if (!settings.SendsAnything) return;
        HashSet<Guid> seen = [];
        down.Clear();
        foreach (var (id, composed) in await PlannedAsync(ct))
            if (seen.Add(id)) await ProcessAsync(id, composed, ct);
        foreach (var id in await queries.UnfinishedAsync(ct))
            if (seen.Add(id)) await ProcessAsync(id, null, ct);
    }

    private async Task<List<(Guid Id, NotificationEvent.Composed Composed)>> PlannedAsync(CancellationToken ct)
    {
        List<(Guid, NotificationEvent.Composed)> planned = [];
        if (settings.Smtp is not null)
        {
            foreach (var (recipient, escalation) in await queries.MailsAsync(ct))
                planned.Add((Notification.IdOf(DeliveryChannel.Mail, recipient, escalation),
                    new NotificationEvent.Composed(DeliveryChannel.Mail, recipient, [escalation], null)));
            planned.AddRange(await DigestsAsync(ct));
        }

        foreach (var webhook in settings.Webhooks)
        {
            foreach (var escalation in await queries.WebhookAsync(webhook, ct))
                planned.Add((Notification.IdOf(DeliveryChannel.Webhook, webhook.Name, escalation),
                    new NotificationEvent.Composed(DeliveryChannel.Webhook, webhook.Name, [escalation], null)));
        }

        return planned;
    }

    private async Task<IEnumerable<(Guid, NotificationEvent.Composed)>> DigestsAsync(CancellationToken ct)
    {
        var local = TimeZoneInfo.ConvertTime(clock.GetUtcNow(), settings.TimeZone);
        if (local.Hour < settings.DigestHour) return [];
        var day = DateOnly.FromDateTime(local.DateTime);
        return (await queries.DigestsAsync(day, ct)).GroupBy(entry => entry.Recipient).Select(digest => (
            Notification.IdOf(DeliveryChannel.Mail, digest.Key, day),
            new NotificationEvent.Composed(
                DeliveryChannel.Mail, digest.Key, digest.Select(entry => entry.EscalationId).ToValueList(), day)));
    }

    private async Task ProcessAsync(Guid id, NotificationEvent.Composed? planned, CancellationToken ct)
    {
        if (finished.Contains(id)) return;
        var notification = await streams.LoadAsync(id, ct);
        if (!notification.IsFinished)
        {
            if (notification.Composed is { } begun && clock.GetUtcNow() < notification.NextAttemptAt) return;
            if ((notification.Composed ?? planned) is not { } composed) return;
            if (await OpenItemsAsync(composed.Escalations, ct) is not { } items) return;
            if (notification.Composed is null)
            {
                if (items.Count == 0) return;
                if (await streams.AppendAsync(id, notification, ct, composed) is not { } written) return;
                notification = written;
            }

            notification = await FinishAsync(id, notification, items, ct) ?? notification;
        }

        if (!notification.IsFinished) return;
        if (finished.Count >= FinishedMax) finished.Clear();
        finished.Add(id);
    }

    // Null: the rows cannot say yet what is still open.
    private async Task<IReadOnlyList<EscalationView>?> OpenItemsAsync(
        ValueList<Guid> escalations, CancellationToken ct)
    {
        var rows = await queries.EscalationsAsync(escalations, ct);
        if (rows.Count < escalations.Count) return null;
        var level = await projected.LevelAsync(rows.Select(row => row.Stream), ct);
        if (rows.Exists(row => !level.Contains(row.Stream))) return null;
        // Read again, now that the rows show at least what the log was compared with.
        return [.. (await queries.EscalationsAsync(escalations, ct)).Where(row => row.Status == "open")];
    }

    private async Task<Notification?> FinishAsync(
        Guid id, Notification notification, IReadOnlyList<EscalationView> items, CancellationToken ct)
    {
        var composed = notification.Composed!;
        if (items.Count == 0)
            return await streams.AppendAsync(id, notification, ct, new NotificationEvent.Dropped("nothing-open"));
        var channel = channelOf[composed.Channel];
        if (down.Contains(channel.ServerOf(composed.Recipient))) return notification;
        var result = await channel.SendAsync(
            new OutgoingMessage(id, composed.Recipient, composed.Day, notification.ComposedAt, items), ct);
        var attempt = notification.AttemptCount + 1;
        Outcomes.Add(
            1, new("channel", Wire.Name(composed.Channel)),
            new KeyValuePair<string, object?>("outcome", result is SendResult.Delivered ? "delivered" : "failed"));
        if (result is not SendResult.Failed failed)
            return await streams.AppendAsync(id, notification, ct, new NotificationEvent.Delivered(attempt));
        if (failed.IsDown) down.Add(channel.ServerOf(composed.Recipient));
        var tried = new NotificationEvent.AttemptFailed(attempt, failed.Reason);
        if (!failed.IsFinal && attempt < settings.AttemptsMax)
            return await streams.AppendAsync(id, notification, ct, tried);
        logger.LogWarning(
            "A notification by {Channel} is given up after {Attempts} attempts: {Reason}.",
            composed.Channel, attempt, failed.Reason);
        return await streams.AppendAsync(
            id, notification, ct, tried, new NotificationEvent.GivenUp(attempt, failed.Reason));
    }
}
