using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using CapaEngine.Integration.Infrastructure;
using RabbitMQ.Client;

namespace CapaEngine.Integration.Pipeline;

/// <summary>A queue as the management API tells.</summary>
internal sealed record BrokerQueue(string Name, int Messages);

/// <summary>The broker seen from outside the product: a plain AMQP client and the management API.</summary>
internal static class Broker
{
    /// <summary>Publishes text as any AMQP client would.</summary>
    public static async Task PublishAsync(
        string broker, string exchange, string routingKey, string body, CancellationToken ct)
    {
        await using var connection = await new ConnectionFactory { Uri = new Uri(broker) }.CreateConnectionAsync(ct);
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(true, true), cancellationToken: ct);
        await channel.BasicPublishAsync(
            exchange, routingKey, mandatory: true, new BasicProperties(), Encoding.UTF8.GetBytes(body), ct);
    }

    /// <summary>Declares a queue that takes everything of the exchange.</summary>
    public static async Task DeclareQueueAsync(
        string broker, string exchange, string queue, string routingKey, CancellationToken ct)
    {
        await using var connection = await new ConnectionFactory { Uri = new Uri(broker) }.CreateConnectionAsync(ct);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: ct);
        await channel.ExchangeDeclareAsync(exchange, "topic", durable: true, cancellationToken: ct);
        await channel.QueueDeclareAsync(
            queue, durable: true, exclusive: false, autoDelete: false,
            new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }, cancellationToken: ct);
        await channel.QueueBindAsync(queue, exchange, routingKey, cancellationToken: ct);
    }

    /// <summary>Takes the next message of a queue; null where none came in time.</summary>
    public static async Task<BasicGetResult?> TakeAsync(string broker, string queue, CancellationToken ct)
    {
        await using var connection = await new ConnectionFactory { Uri = new Uri(broker) }.CreateConnectionAsync(ct);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: ct);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var attempt = 0; attempt < 500; attempt++)
        {
            if (await channel.BasicGetAsync(queue, autoAck: true, ct) is { } message) return message;
            await poll.WaitForNextTickAsync(ct);
        }

        return null;
    }

    /// <summary>Waits until there is such a queue, or verifies that there is none.</summary>
    public static async Task HasQueueAsync(
        string broker, Predicate<BrokerQueue> which, bool expected, CancellationToken ct)
    {
        using var management = Management();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        for (var attempt = 0; ; attempt++)
        {
            // The figures of queues lag behind by some seconds.
            var queues = await management.GetFromJsonAsync<List<BrokerQueue>>(
                $"api/queues/{VirtualHost(broker)}?disable_stats=false", ct);
            if (queues!.Exists(which) == expected) return;
            if (attempt == 100) throw new TimeoutException($"Queues: {string.Join(", ", queues)}");
            await poll.WaitForNextTickAsync(ct);
        }
    }

    /// <summary>Cuts connections of a virtual host as a failing network would; how many.</summary>
    public static async Task<int> CutAsync(string broker, Predicate<string> clientName, CancellationToken ct)
    {
        using var management = Management();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        for (var attempt = 0; attempt < 100; attempt++)
        {
            var all = await management.GetFromJsonAsync<List<Connection>>(
                $"api/vhosts/{VirtualHost(broker)}/connections", ct);
            var cut = all!.Where(c => clientName(c.Client_Properties?.Connection_Name ?? "")).ToList();
            foreach (var connection in cut)
            {
                using var closed = await management.DeleteAsync(
                    $"api/connections/{Uri.EscapeDataString(connection.Name)}", ct);
            }

            // A connection appears in the API some seconds after it was made.
            if (cut.Count > 0) return cut.Count;
            await poll.WaitForNextTickAsync(ct);
        }

        return 0;
    }

    /// <summary>Deletes a queue that others read.</summary>
    public static async Task DeleteQueueAsync(string broker, string queue, CancellationToken ct)
    {
        using var management = Management();
        using var deleted = await management.DeleteAsync($"api/queues/{VirtualHost(broker)}/{queue}", ct);
        deleted.EnsureSuccessStatusCode();
    }

    /// <summary>Lets the broker take no further connection of a virtual host, or any number again.</summary>
    public static async Task TakeConnectionsAsync(string broker, bool taken, CancellationToken ct)
    {
        using var management = Management();
        using var limited = await management.PutAsJsonAsync(
            $"api/vhost-limits/{VirtualHost(broker)}/max-connections", new { value = taken ? -1 : 0 }, ct);
        limited.EnsureSuccessStatusCode();
    }

    private static string VirtualHost(string broker) => new Uri(broker).AbsolutePath.TrimStart('/');

    private static HttpClient Management()
    {
        var address = TestServers.RabbitMqManagement;
        var client = new HttpClient { BaseAddress = new UriBuilder(address) { UserName = "", Password = "" }.Uri };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(address.UserInfo))));
        return client;
    }

    private sealed record ClientProperties(string? Connection_Name);

    private sealed record Connection(string Name, ClientProperties? Client_Properties);
}
