using System.Globalization;
using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Hosting;
using CapaEngine.Kernel;

namespace CapaEngine.ReadModels.Deadlines.Delivery;

/// <summary>A notification as its stream tells it.</summary>
public sealed record Notification
{
    private const int DelayMinutesMax = 240;

    /// <summary>What was composed; null where nothing was.</summary>
    public NotificationEvent.Composed? Composed { get; init; }
    public DateTimeOffset ComposedAt { get; init; }
    public int AttemptCount { get; init; }
    public DateTimeOffset? LastFailedAt { get; init; }
    public bool IsFinished { get; init; }
    public long Revision { get; init; } = -1;

    /// <summary>When it may be sent next: after 1, 4, 16, 64 and then 240 minutes.</summary>
    public DateTimeOffset NextAttemptAt => LastFailedAt is { } failed
        ? failed.AddMinutes(Math.Min(DelayMinutesMax, Math.Pow(4, AttemptCount - 1))) : ComposedAt;

    /// <summary>The id of what is sent at once: one for each escalation, recipient and channel.</summary>
    public static Guid IdOf(DeliveryChannel channel, string recipient, Guid escalationId) =>
        IdOf(channel, recipient, escalationId.ToString("D"));

    /// <summary>The id of a digest: one for each day and recipient.</summary>
    public static Guid IdOf(DeliveryChannel channel, string recipient, DateOnly day) =>
        IdOf(channel, recipient, day.ToString("O", CultureInfo.InvariantCulture));

    /// <summary>The state after one more fact.</summary>
    public Notification Evolve(NotificationEvent fact, DateTimeOffset at) => fact switch
    {
        NotificationEvent.Composed e => this with { Composed = e, ComposedAt = at },
        NotificationEvent.AttemptFailed e => this with { AttemptCount = e.Attempt, LastFailedAt = at },
        NotificationEvent.Delivered or NotificationEvent.GivenUp or NotificationEvent.Dropped =>
            this with { IsFinished = true },
        _ => throw new InvalidOperationException($"{fact.GetType().Name} is no fact of a notification."),
    };

    private static Guid IdOf(DeliveryChannel channel, string recipient, string what) =>
        NameBasedId.From($"notification\n{Wire.Name(channel)}\n{recipient}\n{what}");
}

/// <summary>The streams of notifications.</summary>
public sealed class NotificationStreams(IEventStore store, TimeProvider clock)
{
    /// <summary>The notification as it stands.</summary>
    public async Task<Notification> LoadAsync(Guid id, CancellationToken ct)
    {
        var notification = new Notification();
        await foreach (var recorded in store.ReadStreamAsync(
            Families.Notification.Stream(id), 0, long.MaxValue, ct))
        {
            var fact = (NotificationEvent)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span);
            notification = notification
                .Evolve(fact, EventCatalog.Metadata(recorded.Metadata.Span).OccurredAt) with
                {
                    Revision = recorded.Revision,
                };
        }

        return notification;
    }

    /// <summary>The notification after these facts, or null where somebody else wrote first.</summary>
    public async Task<Notification?> AppendAsync(
        Guid id, Notification notification, CancellationToken ct, params NotificationEvent[] facts)
    {
        var now = clock.GetUtcNow();
        var events = facts.Select(fact => ServiceEvent.Of(ServiceNames.ReadModels, Guid.NewGuid(), fact, now)).ToList();
        return await store.AppendAsync(
            Families.Notification.Stream(id), ExpectedRevision.At(notification.Revision), events, ct) switch
        {
            AppendResult.Appended done => facts.Aggregate(notification, (state, fact) => state.Evolve(fact, now)) with
            {
                Revision = done.Revision,
            },
            AppendResult.WrongExpectedRevision => null,
            var refused => throw new EventStoreUnavailableException($"A notification was not recorded: {refused}."),
        };
    }
}
