using CapaEngine.Contracts;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace CapaEngine.Hosting;

/// <summary>Publishes a batch under its routing key; returns once the broker is responsible for it.</summary>
public delegate Task PublishBatch(string routingKey, EventBatch batch, CancellationToken ct);

/// <summary>The queues of a follower: name, partition, and the routing keys each is bound to.</summary>
internal sealed record FollowerQueues(
    Follower Follower, IReadOnlyList<(string Queue, int Partition, IReadOnlyList<string> RoutingKeys)> Queues);

/// <summary>The connection to the broker. MassTransit is named here and in <see cref="EndpointCare"/> only.</summary>
public static class BusRegistration
{
    // One batch in work and one at hand: the batch, not the prefetch, gives the speed.
    private const int PrefetchCount = 4;
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(8);

    // A batch whose sink keeps failing is given back when this is over; one that gets on is finished.
    private static readonly TimeSpan ConsumerStopTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    /// <summary>Adds the bus, once per process; relays and followers add it themselves.</summary>
    public static WebApplicationBuilder AddBus(this WebApplicationBuilder builder, string serviceName)
    {
        if (builder.Services.Any(service => service.ServiceType == typeof(BrokerAddress))) return builder;
        var address = BrokerAddress.Parse(
            builder.Configuration.GetConnectionString("RabbitMq")
            ?? throw new InvalidOperationException("ConnectionStrings:RabbitMq is missing."));
        builder.Services.AddSingleton(address);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.Configure<PipelineOptions>(builder.Configuration.GetSection(PipelineOptions.Section));
        builder.Services.Configure<MassTransitHostOptions>(host =>
            (host.StopTimeout, host.ConsumerStopTimeout) = (StopTimeout, ConsumerStopTimeout));
        builder.Services.AddMassTransit(bus =>
        {
            // What a quality system does is nobody else's business, and a plant's network may have no way out.
            bus.DisableUsageTelemetry();
            // Commands are taken while the broker is away, because the log is the truth; so this only degrades.
            bus.ConfigureHealthCheckOptions(health =>
            {
                health.Name = "bus";
                health.MinimalFailureStatus = HealthStatus.Degraded;
                health.Tags.Add("ready");
            });
            bus.UsingRabbitMq((context, rabbit) => Configure(context, rabbit, address, serviceName));
        });
        builder.Services.AddHostedService<EndpointCare>();
        builder.Services.AddSingleton<PublishBatch>(services => Publisher(
            services.GetRequiredService<IBus>(),
            services.GetRequiredService<IOptions<PipelineOptions>>().Value.PartitionCount));
        return builder;
    }

    private static void Configure(
        IBusRegistrationContext context, IRabbitMqBusFactoryConfigurator bus, BrokerAddress address, string serviceName)
    {
        bus.Host(address.Host, address.Port, address.VirtualHost, serviceName, host =>
        {
            host.Username(address.UserName);
            host.Password(address.Password);
            host.Heartbeat(Heartbeat);
            host.PublisherConfirmation = true;
            if (address.Tls) host.UseSsl(_ => { });
        });
        bus.ClearSerialization();
        bus.UseRawJsonSerializer(RawSerializerOptions.AnyMessageType, isDefault: true);
        var options = context.GetRequiredService<IOptions<PipelineOptions>>().Value;
        var exchange = Partitions.Exchange(options.PartitionCount);
        foreach (var (follower, queues) in context.GetServices<FollowerQueues>())
        foreach (var (queue, partition, routingKeys) in queues)
        {
            bus.ReceiveEndpoint(queue, endpoint =>
            {
                Configure(endpoint, exchange, routingKeys);
                endpoint.Handler<EventBatch>(context => follower.ConsumeAsync(
                    partition, context.RoutingKey() ?? "", context.Message, context.CancellationToken));
            });
        }
    }

    private static void Configure(
        IRabbitMqReceiveEndpointConfigurator endpoint, string exchange, IReadOnlyList<string> routingKeys)
    {
        endpoint.ConfigureConsumeTopology = false;
        endpoint.SetQuorumQueue();
        endpoint.SingleActiveConsumer = true;
        endpoint.ConcurrentMessageLimit = 1;
        endpoint.PrefetchCount = PrefetchCount;
        foreach (var key in routingKeys)
            endpoint.Bind(exchange, binding =>
            {
                binding.ExchangeType = "topic";
                binding.RoutingKey = key;
            });
    }

    // Mandatory: a batch that no queue takes comes back as an exception instead of being confirmed and lost.
    private static PublishBatch Publisher(IBus bus, int partitionCount)
    {
        var exchange = new Uri($"exchange:{Partitions.Exchange(partitionCount)}?type=topic");
        return async (routingKey, batch, ct) =>
        {
            var endpoint = await bus.GetSendEndpoint(exchange);
            await endpoint.Send(
                batch,
                context =>
                {
                    context.SetRoutingKey(routingKey);
                    context.GetPayload<RabbitMqSendContext>().Mandatory = true;
                },
                ct);
        };
    }
}
