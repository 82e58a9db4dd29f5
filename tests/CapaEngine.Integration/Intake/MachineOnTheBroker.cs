using System.Text;
using RabbitMQ.Client;

namespace CapaEngine.Integration.Intake;

/// <summary>A machine that publishes as any AMQP client does, and waits for the broker's confirm.</summary>
internal sealed class MachineOnTheBroker : IAsyncDisposable
{
    public const string Exchange = "capa.deviations";
    private readonly IConnection connection;
    private readonly IChannel channel;

    private MachineOnTheBroker(IConnection connection, IChannel channel) =>
        (this.connection, this.channel) = (connection, channel);

    public static async Task<MachineOnTheBroker> ConnectAsync(string broker, CancellationToken ct)
    {
        var made = await new ConnectionFactory { Uri = new Uri(broker) }.CreateConnectionAsync(ct);
        return new(made, await made.CreateChannelAsync(new CreateChannelOptions(true, true), ct));
    }

    /// <summary>Publishes a body under the line's routing key.</summary>
    /// <param name="userId">The connection's user, which the broker verifies; null leaves it out.</param>
    public async Task PublishAsync(
        string body, CancellationToken ct, string? userId = null, string contentType = "application/cloudevents+json",
        Dictionary<string, object?>? headers = null)
    {
        var properties = new BasicProperties { ContentType = contentType, Persistent = true, Headers = headers };
        if (userId is not null) properties.UserId = userId;
        await channel.BasicPublishAsync(
            Exchange, "north.line-4", mandatory: true, properties, Encoding.UTF8.GetBytes(body), ct);
    }

    /// <summary>How many messages of a queue nobody has been given.</summary>
    public async Task<uint> CountAsync(string queue, CancellationToken ct) =>
        (await channel.QueueDeclarePassiveAsync(queue, ct)).MessageCount;

    public async ValueTask DisposeAsync()
    {
        await channel.DisposeAsync();
        await connection.DisposeAsync();
    }
}
