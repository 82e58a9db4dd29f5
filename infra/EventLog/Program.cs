using CapaEngine.EventLog;
using CapaEngine.EventLog.Access;
using CapaEngine.EventLog.Reading;
using CapaEngine.EventLog.Rpc;
using Grpc.AspNetCore.Server.Model;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using OpenTelemetry.Metrics;

const int MessageBytesMax = 17 * 1024 * 1024;
const int SubscriptionsPerConnectionMax = 1_000;

if (args is [HashPasswordCommand.Name])
{
    return await HashPasswordCommand.RunAsync(Console.In, Console.Out, Console.Error);
}

try
{
    await RunAsync(args);
    return 0;
}
catch (SettingException wrong)
{
    await Console.Error.WriteLineAsync(wrong.Message);
    return 1;
}

static async Task RunAsync(string[] args)
{
    // Beside the program, not where it was started from: the framework watches that folder and all below it.
    var builder = WebApplication.CreateBuilder(
        new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
    var settings = EventLogSettings.Read(builder.Configuration);
    builder.WebHost.ConfigureKestrel(kestrel =>
    {
        var certificate = kestrel.ApplicationServices.GetService<FromFiles<ServerCertificate>>();
        kestrel.Listen(settings.Url, HttpProtocols.Http2, certificate);
        kestrel.Listen(settings.HealthUrl, HttpProtocols.Http1, certificate);
        Limit(kestrel.Limits);
    });

    // One line per request is noise, so is a client that leaves, and a node that waits for its turn is not ready.
    builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
    builder.Logging.AddFilter("Grpc", LogLevel.Warning);
    builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.Critical);
    AddLog(builder.Services, settings);
    builder.Services.AddAccess(settings);

    var app = builder.Build();
    app.UseAdmission(settings);
    app.MapGrpcService<StreamsService>();
    app.MapGrpcService<GossipService>().AllowAnonymous();
    app.MapGrpcService<ServerFeaturesService>().AllowAnonymous();
    app.MapHealthChecks("/health/live", new() { Predicate = _ => false }).AllowAnonymous();
    app.MapHealthChecks("/health/ready", new() { Predicate = check => check.Tags.Contains(WriterHealth.Tag) })
        .AllowAnonymous();
    app.MapPrometheusScrapingEndpoint("/metrics").AllowAnonymous();
    await app.RunAsync();
}

static void Limit(KestrelServerLimits limits)
{
    // A slow subscriber is slow, not gone; who is gone does not answer a ping.
    limits.MinRequestBodyDataRate = null;
    limits.MinResponseDataRate = null;
    limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(10);
    limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(10);
    limits.Http2.MaxStreamsPerConnection = SubscriptionsPerConnectionMax;
    limits.Http2.InitialConnectionWindowSize = 8 * 1024 * 1024;
    limits.Http2.InitialStreamWindowSize = 4 * 1024 * 1024;
}

static void AddLog(IServiceCollection services, EventLogSettings settings)
{
    services.AddSingleton(TimeProvider.System);
    services.AddSingleton(new Databases(settings.Postgres));
    services.AddSingleton(provider => new EventTable(provider.GetRequiredService<Databases>().Reads));
    services.AddSingleton<Telemetry>();
    services.AddSingleton<LogNode>();
    services.AddHostedService(provider => provider.GetRequiredService<LogNode>());
    services.AddSingleton<StreamsService>();
    services.AddSingleton<GossipService>();
    services.AddSingleton<ServerFeaturesService>();
    services.AddSingleton<IServiceMethodProvider<StreamsService>, StreamsMethods>();
    services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = MessageBytesMax);
    services.AddHealthChecks().AddCheck<WriterHealth>("writer", tags: [WriterHealth.Tag]);
    services.AddOpenTelemetry().WithMetrics(metrics => metrics
        .AddMeter(Telemetry.MeterName, "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
        .AddPrometheusExporter());
}
