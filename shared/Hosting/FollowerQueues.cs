using System.Text.Json;
using System.Threading.Channels;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace CapaEngine.Hosting;

/// <summary>One queue of a follower: what it is called, its partition, and the routing keys it is bound to.</summary>
internal sealed record FollowerQueue(string Name, int Partition, IReadOnlyList<string> RoutingKeys);

/// <summary>
/// Reads the queues of a follower, one for each partition. Of each queue one process takes one batch at a time, and
/// acknowledges it when its effects are durable. Whatever ends a connection, a new one is made.
/// </summary>
/// <remarks>Why these are not endpoints of MassTransit: docs/decisions/0008-own-consumers.md.</remarks>
public sealed class FollowerQueues(
    Follower follower, BrokerAddress broker, PipelineOptions options, TimeProvider clock,
    ILogger<FollowerQueues> logger) : BackgroundService
{
    // One batch in work and some at hand: the batch, not the prefetch, gives the speed.
    private const int PrefetchCount = 4;
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    // A batch whose sink keeps failing is given back when this is over; one that gets on is finished.
    private static readonly TimeSpan FinishPatience = TimeSpan.FromSeconds(2);

    private readonly string _exchange = Partitions.Exchange(options.PartitionCount);
    private Failure? _failure;
    private volatile bool _areRead;

    /// <summary>Whether the queues exist and are read.</summary>
    public bool AreRead => _areRead;

    /// <summary>Since when they are not read and why; null where they are.</summary>
    public Failure? Failing => Volatile.Read(ref _failure);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var delays = new RetryDelays(options.RetryDelayMsMax);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ConnectAndReadAsync(delays, stoppingToken);
            }
            catch (Exception lost)
            {
                // A connection that fails as the process stops is no more than that.
                if (stoppingToken.IsCancellationRequested) return;
                Fails(lost);
                await delays.WaitAsync(clock, stoppingToken);
            }
        }
    }

    private async Task ConnectAndReadAsync(RetryDelays delays, CancellationToken ct)
    {
        using var ending = new Ending(clock, ct);
        await using var connection = await broker.ConnectAsync($"capa.{follower.Name}", Heartbeat, ct);
        connection.ConnectionShutdownAsync += (_, why) => ending.BeginAsync(why.ReplyText);
        var channels = new List<IChannel>();
        var readers = new List<Task>();
        try
        {
            foreach (var queue in follower.Queues)
            {
                var channel = await connection.CreateChannelAsync(
                    new CreateChannelOptions(
                        publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), ct);
                channels.Add(channel);
                var arrived = await BeginAsync(channel, queue, ending);
                readers.Add(ReadAsync(channel, queue, arrived, ending));
            }

            Recovers(delays);
            // Normally none of them ends; the first that does ends the others, too.
            await await Task.WhenAny(readers);
            throw new IOException($"The broker ended the delivery: {ending.Reason}");
        }
        finally
        {
            _areRead = false;
            await ending.BeginAsync("a queue is no longer read");
            await Task.WhenAll(readers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var channel in channels) await channel.DisposeAsync();
        }
    }

    private async Task<ChannelReader<Delivery>> BeginAsync(IChannel channel, FollowerQueue queue, Ending ending)
    {
        channel.ChannelShutdownAsync += (_, why) => ending.BeginAsync(why.ReplyText);
        await DeclareAsync(channel, queue, ending.Begun);
        await channel.BasicQosAsync(0, PrefetchCount, global: false, ending.Begun);
        // The prefetch bounds it: the broker sends no more before something is acknowledged.
        var arrived = Channel.CreateUnbounded<Delivery>();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.UnregisteredAsync += (_, _) => ending.BeginAsync("the queue was deleted");
        consumer.ReceivedAsync += (_, message) =>
        {
            // The body is the client's own memory, and given back when the handler returns.
            arrived.Writer.TryWrite(new Delivery(message.DeliveryTag, message.RoutingKey, message.Body.ToArray()));
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(queue.Name, autoAck: false, consumer, ending.Begun);
        return arrived.Reader;
    }

    private async Task DeclareAsync(IChannel channel, FollowerQueue queue, CancellationToken ct)
    {
        await channel.ExchangeDeclareAsync(_exchange, ExchangeType.Topic, durable: true, cancellationToken: ct);
        // Quorum: replicated and on disk. One consumer at a time, or a stream's events would overtake each other.
        var arguments = new Dictionary<string, object?>
        {
            ["x-queue-type"] = "quorum", ["x-single-active-consumer"] = true,
        };
        await channel.QueueDeclareAsync(
            queue.Name, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: ct);
        foreach (var key in queue.RoutingKeys)
            await channel.QueueBindAsync(queue.Name, _exchange, key, cancellationToken: ct);
    }

    private async Task ReadAsync(
        IChannel channel, FollowerQueue queue, ChannelReader<Delivery> arrived, Ending ending)
    {
        try
        {
            await foreach (var delivery in arrived.ReadAllAsync(ending.Begun))
            {
                await TakeAsync(channel, queue, delivery, ending.Over);
                await channel.BasicAckAsync(delivery.Tag, multiple: false, ending.Over);
            }
        }
        catch (OperationCanceledException) when (ending.Begun.IsCancellationRequested)
        {
            // What was not acknowledged is delivered again.
        }
    }

    private async Task TakeAsync(IChannel channel, FollowerQueue queue, Delivery delivery, CancellationToken ct)
    {
        EventBatch batch;
        try
        {
            batch = JsonSerializer.Deserialize<EventBatch>(delivery.Body)
                    ?? throw new JsonException("This is no batch of events.");
        }
        catch (JsonException malformed)
        {
            await SetAsideAsync(channel, queue, delivery, malformed.Message, ct);
            return;
        }

        await follower.ConsumeAsync(queue.Partition, delivery.RoutingKey, batch, ct);
    }

    // The broker confirms the copy before the original is acknowledged.
    private async Task SetAsideAsync(
        IChannel channel, FollowerQueue queue, Delivery delivery, string reason, CancellationToken ct)
    {
        logger.LogWarning("A message of {Queue} was set aside: {Reason}", queue.Name, reason);
        var aside = $"{queue.Name}_error";
        await channel.QueueDeclareAsync(
            aside, durable: true, exclusive: false, autoDelete: false,
            new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }, cancellationToken: ct);
        var properties = new BasicProperties
        {
            Persistent = true,
            Headers = new Dictionary<string, object?> { ["reason"] = reason, ["routing-key"] = delivery.RoutingKey },
        };
        await channel.BasicPublishAsync("", aside, mandatory: true, properties, delivery.Body, ct);
    }

    private void Fails(Exception reason)
    {
        var first = Failing;
        Volatile.Write(ref _failure, new Failure(first?.Since ?? clock.GetUtcNow(), reason.Message));
        if (first is null) logger.LogWarning(reason, "The queues of {Follower} are not read.", follower.Name);
    }

    private void Recovers(RetryDelays delays)
    {
        delays.Reset();
        _areRead = true;
        if (Interlocked.Exchange(ref _failure, null) is not null)
            logger.LogInformation("The queues of {Follower} are read again.", follower.Name);
    }

    private readonly record struct Delivery(ulong Tag, string RoutingKey, byte[] Body);

    /// <summary>The end of a connection or of the process: no further batch is begun, soon none is in work.</summary>
    private sealed class Ending : IDisposable
    {
        private readonly CancellationTokenSource _begun;
        private readonly CancellationTokenSource _over;
        private string? _reason;

        public Ending(TimeProvider clock, CancellationToken ct)
        {
            _begun = CancellationTokenSource.CreateLinkedTokenSource(ct);
            _over = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
            _begun.Token.Register(() => _over.CancelAfter(FinishPatience));
        }

        public CancellationToken Begun => _begun.Token;

        public CancellationToken Over => _over.Token;

        public string Reason => _reason ?? "the process stops";

        public Task BeginAsync(string reason)
        {
            _reason ??= reason;
            return _begun.CancelAsync();
        }

        public void Dispose()
        {
            _begun.Dispose();
            _over.Dispose();
        }
    }
}
