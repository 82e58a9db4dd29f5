using CapaEngine.Kernel;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace CapaEngine.Hosting;

/// <summary>
/// Runs work in one process at a time: in the one that holds the single active consumer of a queue. AMQP does not
/// tell a consumer that it became the active one, so every candidate sends small expiring pings into the queue;
/// whoever receives them leads, until they stay away or the connection is lost.
/// </summary>
/// <remarks>
/// Two leaders can overlap for some seconds, for instance when a paused process wakes up. So the work must guard its
/// writes with expected revisions; the election only saves effort.
/// </remarks>
public sealed class Leader(
    string queue, BrokerAddress broker, Func<CancellationToken, Task> work, PipelineOptions options, TimeProvider clock,
    ILogger<Leader> logger) : BackgroundService
{
    private const string PingExpirationMs = "5000";
    private const int PrefetchCount = 10;
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan PingPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookPeriod = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(6);

    private readonly LeadersWork _work = new(queue, work, options, clock, logger);
    private long _lastPing;

    /// <summary>The queue by which the leader is elected; it names the role.</summary>
    public string Queue { get; } = queue;

    /// <summary>Whether this process leads now.</summary>
    public bool IsLeading => _work.Leads;

    /// <summary>Since when the work has been failing and why; null once it lasts, or where another leads.</summary>
    public Failure? WorkFailure => _work.Failure;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var delays = new RetryDelays(options.RetryDelayMsMax);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await CampaignAsync(stoppingToken);
                delays.Reset();
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogWarning(failure, "No election on {Queue}: the broker is not there.", Queue);
            }

            if (!stoppingToken.IsCancellationRequested) await delays.WaitAsync(clock, stoppingToken);
        }
    }

    private async Task CampaignAsync(CancellationToken ct)
    {
        await using var connection = await broker.ConnectAsync(Queue, Heartbeat, ct);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: ct);
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(ct);
        connection.ConnectionShutdownAsync += (_, _) => CancelAsync(lost);
        channel.ChannelShutdownAsync += (_, _) => CancelAsync(lost);
        await StandAsync(channel, lost, ct);

        using var term = new Term();
        try
        {
            for (var lastSent = 0L; !lost.IsCancellationRequested; await Task.Delay(LookPeriod, clock, lost.Token))
            {
                if (lastSent == 0 || clock.GetElapsedTime(lastSent) >= PingPeriod)
                {
                    await PingAsync(channel, lost.Token);
                    lastSent = clock.GetTimestamp();
                }

                var last = Volatile.Read(ref _lastPing);
                var isActive = last != 0 && clock.GetElapsedTime(last) < LeaseTime;
                if (isActive && !term.IsRunning) term.Begin(_work.RunAsync, lost.Token);
                if (!isActive && term.IsRunning) await term.EndAsync();
            }
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested)
        {
            // The connection is gone or the process stops; the term ends below.
        }
        finally
        {
            await term.EndAsync();
        }
    }

    private async Task StandAsync(IChannel channel, CancellationTokenSource lost, CancellationToken ct)
    {
        var arguments = new Dictionary<string, object?>
        {
            ["x-queue-type"] = "quorum", ["x-single-active-consumer"] = true,
        };
        await channel.QueueDeclareAsync(
            Queue, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: ct);
        await channel.BasicQosAsync(0, PrefetchCount, global: false, ct);
        Volatile.Write(ref _lastPing, 0);
        var consumer = new RabbitMQ.Client.Events.AsyncEventingBasicConsumer(channel);
        consumer.UnregisteredAsync += (_, _) => CancelAsync(lost);
        consumer.ReceivedAsync += async (_, ping) =>
        {
            Volatile.Write(ref _lastPing, clock.GetTimestamp());
            if (channel.IsOpen) await channel.BasicAckAsync(ping.DeliveryTag, multiple: false, CancellationToken.None);
        };
        await channel.BasicConsumeAsync(Queue, autoAck: false, consumer, ct);
    }

    private async Task PingAsync(IChannel channel, CancellationToken ct) => await channel.BasicPublishAsync(
        "", Queue, mandatory: false, new BasicProperties { Expiration = PingExpirationMs },
        ReadOnlyMemory<byte>.Empty, ct);

    private static Task CancelAsync(CancellationTokenSource lost)
    {
        try
        {
            lost.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The campaign is over already.
        }

        return Task.CompletedTask;
    }

    /// <summary>One time in office.</summary>
    private sealed class Term : IDisposable
    {
        private CancellationTokenSource? _over;
        private Task _leading = Task.CompletedTask;

        public bool IsRunning => _over is not null;

        public void Begin(Func<CancellationToken, Task> lead, CancellationToken ct)
        {
            _over = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var over = _over.Token;
            _leading = Task.Run(() => lead(over), CancellationToken.None);
        }

        public async Task EndAsync()
        {
            if (_over is null) return;
            await _over.CancelAsync();
#pragma warning disable VSTHRD003 // The task was begun here, in Begin.
            await _leading;
#pragma warning restore VSTHRD003
            Dispose();
        }

        public void Dispose()
        {
            _over?.Dispose();
            _over = null;
        }
    }
}
