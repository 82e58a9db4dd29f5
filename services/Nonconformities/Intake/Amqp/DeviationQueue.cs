using System.Threading.Channels;
using CapaEngine.EventStore;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace CapaEngine.Nonconformities.Intake.Amqp;

/// <summary>
/// Machine events from the broker. A message is acknowledged when everything in it is durable, in the order of the
/// queue. While the store takes nothing messages are held and tried again, and the broker keeps all further ones.
/// </summary>
public sealed class DeviationQueue(
    BrokerAddress broker, MachineIntake intake, AmqpSenders senders, IOptions<IntakeOptions> options,
    TimeProvider clock, ILogger<DeviationQueue> logger) : BackgroundService, IHealthCheck
{
    private const int RetryDelayMsMax = 5_000;

    // Further failures of this kind are of the message, not of the store: it is set aside, and others go on.
    private const int DefectsMax = 10;

    // What is kept in quarantine of a message that is too large; the whole of it waits in a queue of its own.
    private const int ExcerptBytes = 64 << 10;

    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    // As long as a slow store may take for what it then answers.
    private static readonly TimeSpan StalledAfter = TimeSpan.FromSeconds(10);

    private Failure? failure;
    private long waitingSince;

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken ct = default) =>
        Task.FromResult(Volatile.Read(ref failure) is { } lasting
            ? HealthCheckResult.Degraded($"Nothing is taken since {lasting.Since.UtcDateTime:O}: {lasting.Reason}")
            : Volatile.Read(ref waitingSince) is not 0 and var since && clock.GetElapsedTime(since) > StalledAfter
                ? HealthCheckResult.Degraded("Nothing became durable for 10 s and longer; the broker keeps the rest.")
                : HealthCheckResult.Healthy("takes messages"));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var delays = new RetryDelays(RetryDelayMsMax);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ConsumeAsync(delays, stoppingToken);
            }
            catch (Exception lost) when (!stoppingToken.IsCancellationRequested)
            {
                Fails(lost);
                await delays.WaitAsync(clock, stoppingToken);
            }
        }
    }

    private async Task ConsumeAsync(RetryDelays delays, CancellationToken ct)
    {
        await using var connection = await broker.ConnectAsync(DeviationTopology.Deviations, Heartbeat, ct);
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true),
            ct);
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await DeviationTopology.DeclareAsync(channel, ct);
        await channel.BasicQosAsync(0, options.Value.Amqp.PrefetchCount, global: false, ct);

        // The prefetch bounds both: the broker sends no more before something is acknowledged.
        var arrived = Channel.CreateUnbounded<AmqpMessage>();
        var begun = Channel.CreateUnbounded<(ulong Tag, Task Durable)>();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) => arrived.Writer.WriteAsync(AmqpMessage.Of(delivery), ct).AsTask();
        consumer.UnregisteredAsync += (_, _) => EndAsync(arrived, "the queue was deleted");
        channel.ChannelShutdownAsync += (_, why) => EndAsync(arrived, why.ReplyText);
        await channel.BasicConsumeAsync(DeviationTopology.Deviations, autoAck: false, consumer, ct);
        Recovers(delays);

        var beginning = BeginAllAsync(channel, arrived.Reader, begun.Writer, lost.Token);
        try
        {
            await AcknowledgeAsync(channel, begun.Reader, lost.Token);
        }
        finally
        {
            // What is under way may become durable or not: the broker delivers it again, and it is a duplicate then.
            await lost.CancelAsync();
            await Task.WhenAny(beginning);
        }
    }

    private static Task EndAsync(Channel<AmqpMessage> arrived, string why)
    {
        arrived.Writer.TryComplete(new IOException($"The broker ended the delivery: {why}"));
        return Task.CompletedTask;
    }

    private async Task BeginAllAsync(
        IChannel channel, ChannelReader<AmqpMessage> arrived, ChannelWriter<(ulong Tag, Task Durable)> begun,
        CancellationToken ct)
    {
        try
        {
            var window = intake.OpenWindow(RecordAsync);
            await foreach (var message in arrived.ReadAllAsync(ct))
                await begun.WriteAsync((message.DeliveryTag, await BeginAsync(channel, window, message, ct)), ct);
        }
        catch (Exception ended)
        {
            begun.TryComplete(ended);
        }
    }

    // The inner task: when everything in the message is durable. The outer one: when all of it was entered.
    private async Task<Task> BeginAsync(
        IChannel channel, IntakeWindow window, AmqpMessage message, CancellationToken ct)
    {
        var (sender, refused) = senders.Of(message.UserId);
        var origin = new IntakeOrigin(sender, message.ContentType, MachineIntake.MachineTypes);
        var body = message.Read();
        if (body.Excess is { } excess)
        {
            await SetAsideAsync(channel, message, ct);
            var excerpt = message.Body[..Math.Min(message.Body.Length, ExcerptBytes)];
            var why = new NotUnderstoodException(
                excess.Reason, $"{excess.Message}; the whole message is in the queue {DeviationTopology.TooLarge}");
            body = new IntakeBody([new IntakeItem(null, excerpt, why)], IsBatch: false);
        }

        var receipts = new List<Task>(body.Items.Count);
        foreach (var item in body.Items)
        {
            await window.WaitForPlaceAsync(item, ct);
            receipts.Add(window.TakeAsync(refused is null ? item : item with { Why = refused }, origin, ct));
        }

        return Task.WhenAll(receipts);
    }

    // The broker confirms the copy before the original is acknowledged.
    private static async Task SetAsideAsync(IChannel channel, AmqpMessage message, CancellationToken ct)
    {
        var properties = new BasicProperties { ContentType = message.ContentType, Persistent = true };
        await channel.BasicPublishAsync(
            "", DeviationTopology.TooLarge, mandatory: true, properties, message.Body, ct);
        IntakeTelemetry.CountTooLarge();
    }

    private async Task AcknowledgeAsync(
        IChannel channel, ChannelReader<(ulong Tag, Task Durable)> begun, CancellationToken ct)
    {
        await foreach (var (tag, durable) in begun.ReadAllAsync(ct))
        {
            Volatile.Write(ref waitingSince, durable.IsCompleted ? 0 : clock.GetTimestamp());
            await durable;
            Volatile.Write(ref waitingSince, 0);
            // One acknowledgement for all that became durable meanwhile.
            if (!begun.TryPeek(out var next) || !next.Durable.IsCompletedSuccessfully)
                await channel.BasicAckAsync(tag, multiple: true, ct);
        }
    }

    private async Task<Receipt> RecordAsync(Func<Task<Receipt>> record, CancellationToken ct)
    {
        var delays = new RetryDelays(RetryDelayMsMax);
        for (var defects = 0; ;)
        {
            try
            {
                var receipt = await record();
                Recovers(delays);
                return receipt;
            }
            catch (Exception notTaken) when (notTaken is not NotUnderstoodException && !ct.IsCancellationRequested)
            {
                if (notTaken is not EventStoreUnavailableException && ++defects == DefectsMax)
                    throw new NotUnderstoodException("not-recordable", $"It cannot be recorded: {notTaken.Message}");
                Fails(notTaken);
                await delays.WaitAsync(clock, ct);
            }
        }
    }

    private void Fails(Exception reason)
    {
        var now = new Failure(clock.GetUtcNow(), reason.Message);
        if (Interlocked.CompareExchange(ref failure, now, null) is null)
            logger.LogWarning(reason, "No machine events are taken from the broker.");
    }

    private void Recovers(RetryDelays delays)
    {
        delays.Reset();
        if (Interlocked.Exchange(ref failure, null) is not null)
            logger.LogInformation("Machine events are taken from the broker again.");
    }
}
