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

/// <summary>The bus that batches are published over. MassTransit is named here only.</summary>
public static class BusRegistration
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(8);
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
        builder.Services.Configure<MassTransitHostOptions>(host => host.StopTimeout = StopTimeout);
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
            bus.UsingRabbitMq((_, rabbit) => Configure(rabbit, address, serviceName));
        });
        builder.Services.AddSingleton<PublishBatch>(services => Publisher(
            services.GetRequiredService<IBus>(),
            services.GetRequiredService<IOptions<PipelineOptions>>().Value.PartitionCount));
        return builder;
    }

    private static void Configure(IRabbitMqBusFactoryConfigurator bus, BrokerAddress address, string serviceName)
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
