using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.ReadModels.Deadlines;
using CapaEngine.ReadModels.Deadlines.Delivery;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using MimeKit;

namespace CapaEngine.Integration.Deadlines;

/// <summary>
/// A <see cref="DeadlineStand"/> whose messages go to a mail server and a webhook receiver on loopback.
/// </summary>
public sealed class DeliveryStand : IAsyncDisposable
{
    public const string Secret = "whsec_Y2FwYWVuZ2luZS1zZWNyZXQtb25lLTAxMjM0NTY3ODk=";

    private readonly string folder = Directory.CreateTempSubdirectory("capa-test-delivery-").FullName;
    private readonly ServiceProvider services = new ServiceCollection()
        .AddHttpClient(WebhookChannel.ClientName, client => client.Timeout = TimeSpan.FromSeconds(15))
        .ConfigurePrimaryHttpMessageHandler(EscalationServices.Handler).Services.BuildServiceProvider();

    private DeliveryStand(DeadlineStand deadlines, WebhookReceiver webhooks)
    {
        Deadlines = deadlines;
        Webhooks = webhooks;
        File.WriteAllText(SecretFile, Secret);
        Know(new() { ["oscar"] = "oscar@example.com" });
    }

    public DeadlineStand Deadlines { get; }

    public SmtpListener Mail { get; } = new();

    public WebhookReceiver Webhooks { get; }

    /// <summary>Whether a webhook is configured beside the mail server.</summary>
    public bool HasWebhook { get; set; }

    /// <summary>Whether the mail server is configured.</summary>
    public bool HasMail { get; set; } = true;

    private string SecretFile => Path.Combine(folder, "secrets");

    private string ContactsFile => Path.Combine(folder, "contacts.json");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<DeliveryStand> CreateAsync() =>
        new(await DeadlineStand.CreateAsync(), await WebhookReceiver.StartAsync(Ct));

    /// <summary>Writes who can be reached where.</summary>
    public void Know(Dictionary<string, string> addresses) =>
        File.WriteAllText(ContactsFile, JsonSerializer.Serialize(addresses));

    /// <summary>The work as a process of its own would have it.</summary>
    public DeliveryWork Work()
    {
        var settings = DeliverySettings.Nothing with
        {
            ContactsFile = ContactsFile,
            PublicUrl = new Uri("https://capa.example.com/api/v1/"),
            Smtp = HasMail ? new SmtpSettings(
                "127.0.0.1", Mail.Port, SmtpSecurity.None, null, null, MailboxAddress.Parse("capa@example.com")) : null,
            Webhooks = HasWebhook
                ? [new WebhookSettings(
                    "erp", Webhooks.Url, SecretFile, Enum.GetValues<DeadlineKind>().ToValueList())] : [],
        };
        return new DeliveryWork(
            settings,
            [
                new MailChannel(
                    settings, new Contacts(ContactsFile, NullLogger<Contacts>.Instance), Deadlines.Clock,
                    NullLogger<MailChannel>.Instance),
                new WebhookChannel(
                    settings, services.GetRequiredService<IHttpClientFactory>(), Deadlines.Clock,
                    NullLogger<WebhookChannel>.Instance),
            ],
            new DeliveryQueries(Deadlines.Database.Source), new NotificationStreams(Deadlines.Store, Deadlines.Clock),
            Deadlines.Projected(), Deadlines.Clock, NullLogger<DeliveryWork>.Instance);
    }

    /// <summary>Raises and sends what is due at an instant, as new processes would.</summary>
    public async Task RunAsync(DateTimeOffset at)
    {
        Deadlines.Clock.Now = at;
        await Deadlines.Scheduler().TickAsync(Ct);
        await Deadlines.ProjectAsync();
        await Work().TickAsync(Ct);
        await Deadlines.ProjectAsync();
    }

    /// <summary>What became of every notification, as its recipient and its facts.</summary>
    public async Task<List<string>> TellAsync() =>
    [
        .. (await Deadlines.NotificationsAsync()).GroupBy(entry => entry.Id).Select(notification => string.Join(
            ", ", notification.Select(entry => Tell(entry.Fact)))),
    ];

    /// <summary>The rows of the notifications.</summary>
    public Task<List<string>> RowsAsync() => Deadlines.Database.ListAsync<string>("""
        select concat_ws(' ', channel, recipient, status, attempt_count, last_reason) from reporting.notification
        order by composed_at, channel, recipient
        """, Ct);

    public async ValueTask DisposeAsync()
    {
        await Mail.DisposeAsync();
        await Webhooks.DisposeAsync();
        await services.DisposeAsync();
        await Deadlines.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static string Tell(NotificationEvent fact) => fact switch
    {
        NotificationEvent.Composed e => $"{e.Recipient}: composed{(e.Day is { } day ? $" {day:MM-dd}" : "")}",
        NotificationEvent.Delivered e => $"delivered {e.Attempt}",
        NotificationEvent.AttemptFailed e => $"failed {e.Attempt} {e.Reason}",
        NotificationEvent.GivenUp e => $"given up {e.Attempts} {e.Reason}",
        NotificationEvent.Dropped e => $"dropped {e.Reason}",
        _ => throw new InvalidOperationException(fact.GetType().Name),
    };
}
