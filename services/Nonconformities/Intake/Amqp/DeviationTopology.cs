using RabbitMQ.Client;

namespace CapaEngine.Nonconformities.Intake.Amqp;

/// <summary>What the intake declares on the broker. Declaring it again changes nothing.</summary>
internal static class DeviationTopology
{
    /// <summary>The exchange that producers publish to, under any routing key, and the queue behind it.</summary>
    public const string Deviations = "capa.deviations";

    /// <summary>Where messages wait for a person that are larger than an event may be.</summary>
    public const string TooLarge = "capa.deviations.too-large";

    // Brokers from version 4 on drop a message that was given back 20 times; here it waits for as long as it takes.
    private const int DeliveriesMax = 1_000_000_000;

    public static async Task DeclareAsync(IChannel channel, CancellationToken ct)
    {
        await channel.ExchangeDeclareAsync(Deviations, ExchangeType.Topic, durable: true, cancellationToken: ct);
        // One consumer at a time, so that of two events with one id the first sent is the first recorded; another
        // process takes over when it goes.
        await DeclareQueueAsync(channel, Deviations, new() { ["x-single-active-consumer"] = true }, ct);
        await channel.QueueBindAsync(Deviations, Deviations, "#", cancellationToken: ct);
        await DeclareQueueAsync(channel, TooLarge, [], ct);
    }

    private static Task<QueueDeclareOk> DeclareQueueAsync(
        IChannel channel, string queue, Dictionary<string, object?> arguments, CancellationToken ct)
    {
        arguments["x-queue-type"] = "quorum";
        arguments["x-delivery-limit"] = DeliveriesMax;
        return channel.QueueDeclareAsync(
            queue, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: ct);
    }
}
