using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.ReadModels.Deadlines.Delivery;

namespace CapaEngine.ReadModels.Deadlines;

/// <summary>Adds deadlines, their escalation and its delivery to the service.</summary>
public static class EscalationServices
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(15);

    /// <summary>One process of the service at a time raises escalations, and one sends.</summary>
    public static WebApplicationBuilder AddEscalations(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(EscalationPolicy.Decider);
        builder.Services.AddSingleton<
            DeciderHandler<EscalationPolicy, EscalationPolicyCommand, EscalationPolicyEvent>>();
        builder.AddProfiles();
        builder.Services.AddSingleton<DeadlineQueries>();
        builder.Services.AddSingleton<EscalationQueries>();
        builder.Services.AddSingleton<ProjectedStreams>();
        builder.Services.AddSingleton<EscalationClock>();
        builder.AddDelivery();
        builder.AddLeader(
            "escalations", ServiceNames.ReadModels,
            services => services.GetRequiredService<EscalationClock>().RunAsync);
        return builder.AddLeader(
            "delivery", ServiceNames.ReadModels, services => services.GetRequiredService<DeliveryWork>().RunAsync);
    }

    private static void AddDelivery(this WebApplicationBuilder builder)
    {
        var settings = DeliverySettings.From(builder.Configuration, builder.Environment.IsDevelopment());
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton<DeliveryQueries>();
        builder.Services.AddSingleton<NotificationStreams>();
        builder.Services.AddSingleton(services => new Contacts(
            settings.ContactsFile, services.GetRequiredService<ILogger<Contacts>>()));
        builder.Services.AddSingleton<INotificationChannel, MailChannel>();
        builder.Services.AddSingleton<INotificationChannel, WebhookChannel>();
        builder.Services.AddSingleton<DeliveryWork>();
        builder.Services.AddHealthChecks().AddCheck<DeliveryHealth>("delivery", tags: [Health.ReadyTag]);
        builder.Services.AddHttpClient(WebhookChannel.ClientName, client => client.Timeout = RequestTimeout)
            .ConfigurePrimaryHttpMessageHandler(Handler);
    }

    /// <summary>
    /// A redirect would carry the signed body to an address that nobody configured; our traces end at our door.
    /// </summary>
    public static SocketsHttpHandler Handler() => new()
    {
        AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = ConnectTimeout,
        ActivityHeadersPropagator = null,
    };
}
