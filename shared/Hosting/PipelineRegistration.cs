using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CapaEngine.Hosting;

/// <summary>Adds relays, followers and numbering to a service; each with its readiness check.</summary>
public static class PipelineRegistration
{
    /// <summary>Relays the stream families that the service owns; one process of it at a time does.</summary>
    public static WebApplicationBuilder AddRelay(this WebApplicationBuilder builder, string serviceName)
    {
        builder.AddBus(serviceName);
        builder.Services.AddSingleton(services => new Relay(
            serviceName, services.GetRequiredService<IEventStore>(), services.GetRequiredService<PublishBatch>(),
            Options(services), Clock(services), Logger<Relay>(services)));
        return builder.AddLeader(
            $"capa.relay.{serviceName}", services => services.GetRequiredService<Relay>().RunAsync,
            (leader, services) => PipelineHealth.Of(
                leader, services.GetRequiredService<Relay>(), Options(services), Clock(services)));
    }

    /// <summary>Lets the service react to the events of the families its reactions name.</summary>
    public static WebApplicationBuilder AddReactions<TReactions>(
        this WebApplicationBuilder builder, string serviceName)
        where TReactions : class, IReactions
    {
        builder.Services.TryAddSingleton<TReactions>();
        builder.Services.AddSingleton(services => new ReactionSink(
            serviceName, services.GetRequiredService<TReactions>(), services.GetRequiredService<IEventStore>(),
            Options(services), Clock(services), Logger<ReactionSink>(services)));
        builder.Services.AddSingleton<IParkedEvents>(services => services.GetRequiredService<ReactionSink>());
        builder.Services.AddSingleton<IHostedService>(services => new ParkedRetries(
            services.GetRequiredService<ReactionSink>(), Options(services), Clock(services),
            Logger<ParkedRetries>(services)));
        return builder.AddFollower(
            serviceName,
            services => services.GetRequiredService<TReactions>().Families,
            services => services.GetRequiredService<ReactionSink>(),
            services => services.GetRequiredService<ReactionSink>().ParkedCount);
    }

    /// <summary>Follows stream families into <typeparamref name="TSink"/>, which is added here too.</summary>
    public static WebApplicationBuilder AddFollower<TSink>(
        this WebApplicationBuilder builder, string followerName, IReadOnlyList<Family> families)
        where TSink : class, IFollowerSink
    {
        builder.Services.TryAddSingleton<TSink>();
        return builder.AddFollower(
            followerName, _ => families, services => services.GetRequiredService<TSink>(), _ => 0);
    }

    /// <summary>Numbers new cases, by one process at a time, and lets requests wait for their number.</summary>
    public static WebApplicationBuilder AddNumbering(
        this WebApplicationBuilder builder, string serviceName, NumberSeries series)
    {
        builder.AddBus(serviceName);
        builder.Services.AddSingleton(services => new NumberReader(
            series, services.GetRequiredService<IEventStore>(), Options(services), Clock(services),
            Logger<NumberReader>(services)));
        builder.Services.AddSingleton<IHostedService>(services => services.GetRequiredService<NumberReader>());
        builder.AddReadiness(
            "numbers", services => PipelineHealth.Of(services.GetRequiredService<NumberReader>()));
        return builder.AddLeader(
            $"capa.numbering.{serviceName}",
            services => new Numbering(
                serviceName, series, services.GetRequiredService<IEventStore>(), Clock(services)).RunAsync,
            (leader, services) => PipelineHealth.Of(leader, Options(services), Clock(services)));
    }

    /// <summary>Runs work in one process of the service at a time, elected on <c>capa.{role}.{service}</c>.</summary>
    public static WebApplicationBuilder AddLeader(
        this WebApplicationBuilder builder, string role, string serviceName,
        Func<IServiceProvider, Func<CancellationToken, Task>> work)
    {
        builder.AddBus(serviceName);
        return builder.AddLeader(
            $"capa.{role}.{serviceName}", work,
            (leader, services) => PipelineHealth.Of(leader, Options(services), Clock(services)));
    }

    private static WebApplicationBuilder AddLeader(
        this WebApplicationBuilder builder, string queue, Func<IServiceProvider, Func<CancellationToken, Task>> work,
        Func<Leader, IServiceProvider, HealthCheckResult> health)
    {
        builder.Services.AddKeyedSingleton(queue, (services, _) => new Leader(
            queue, services.GetRequiredService<BrokerAddress>(), work(services), Options(services), Clock(services),
            Logger<Leader>(services)));
        builder.Services.AddSingleton<IHostedService>(services => services.GetRequiredKeyedService<Leader>(queue));
        builder.AddReadiness(queue, services => health(services.GetRequiredKeyedService<Leader>(queue), services));
        return builder;
    }

    private static WebApplicationBuilder AddFollower(
        this WebApplicationBuilder builder, string name, Func<IServiceProvider, IReadOnlyList<Family>> families,
        Func<IServiceProvider, IFollowerSink> sink, Func<IServiceProvider, int> parkedCount)
    {
        builder.AddBus(name);
        builder.Services.AddKeyedSingleton(name, (services, _) => new Follower(
            name, families(services), sink(services), services.GetRequiredService<IEventStore>(), Options(services),
            Clock(services), Logger<Follower>(services)));
        builder.Services.AddSingleton<IHostedService>(services => services.GetRequiredKeyedService<Follower>(name));
        builder.Services.AddKeyedSingleton(name, (services, _) => new FollowerQueues(
            services.GetRequiredKeyedService<Follower>(name), services.GetRequiredService<BrokerAddress>(),
            Options(services), Clock(services), Logger<FollowerQueues>(services)));
        builder.Services.AddSingleton<IHostedService>(
            services => services.GetRequiredKeyedService<FollowerQueues>(name));
        builder.AddReadiness($"follower.{name}", services => PipelineHealth.Of(
            services.GetRequiredKeyedService<Follower>(name),
            services.GetRequiredKeyedService<FollowerQueues>(name), Options(services), Clock(services),
            parkedCount(services)));
        return builder;
    }

    private static void AddReadiness(
        this WebApplicationBuilder builder, string name, Func<IServiceProvider, HealthCheckResult> check) =>
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            name, services => new HealthFunction(() => check(services)), HealthStatus.Unhealthy, ["ready"]));

    private static PipelineOptions Options(IServiceProvider services) =>
        services.GetRequiredService<IOptions<PipelineOptions>>().Value;

    private static TimeProvider Clock(IServiceProvider services) => services.GetRequiredService<TimeProvider>();

    private static ILogger<T> Logger<T>(IServiceProvider services) =>
        services.GetRequiredService<ILoggerFactory>().CreateLogger<T>();
}

/// <summary>Tries parked reactions again from time to time, and writes the last positions at the end.</summary>
internal sealed class ParkedRetries(
    ReactionSink sink, PipelineOptions options, TimeProvider clock, ILogger<ParkedRetries> logger) : BackgroundService
{
    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await sink.SaveAsync(cancellationToken);
        }
        catch (Exception failure)
        {
            logger.LogInformation(failure, "The last positions were not written; some events will come again.");
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var period = new PeriodicTimer(TimeSpan.FromMilliseconds(options.ParkedRetryPeriodMs), clock);
        do
        {
            try
            {
                await sink.RetryParkedAsync(stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogWarning(failure, "Parked reactions cannot be tried now.");
            }
        }
        while (await period.WaitForNextTickAsync(stoppingToken));
    }
}
