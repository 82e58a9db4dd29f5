using System.Net;
using CapaEngine.EventLog;
using CapaEngine.EventLog.Reading;
using CapaEngine.EventLog.Rpc;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using OpenTelemetry.Metrics;

const int MessageBytesMax = 17 * 1024 * 1024;
const int SubscriptionsPerConnectionMax = 1_000;

var builder = WebApplication.CreateBuilder(args);
var url = new Uri(builder.Configuration["EventLog:Url"] ?? "http://127.0.0.1:2113");
var healthUrl = new Uri(builder.Configuration["EventLog:HealthUrl"] ?? "http://127.0.0.1:2114");
var postgres = builder.Configuration.GetConnectionString("Postgres")
    ?? throw new InvalidOperationException("ConnectionStrings:Postgres is not set.");

builder.WebHost.ConfigureKestrel(kestrel =>
{
    Listen(kestrel, url, HttpProtocols.Http2);
    Listen(kestrel, healthUrl, HttpProtocols.Http1);
    var limits = kestrel.Limits;
    // A slow subscriber is slow, not gone; who is gone does not answer a ping.
    limits.MinRequestBodyDataRate = null;
    limits.MinResponseDataRate = null;
    limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(10);
    limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(10);
    limits.Http2.MaxStreamsPerConnection = SubscriptionsPerConnectionMax;
    limits.Http2.InitialConnectionWindowSize = 8 * 1024 * 1024;
    limits.Http2.InitialStreamWindowSize = 4 * 1024 * 1024;
});

// One line per request is noise, and a node that waits for its turn is not ready all the time.
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.Critical);

var services = builder.Services;
services.AddSingleton(TimeProvider.System);
services.AddSingleton(new Databases(postgres));
services.AddSingleton(provider => new EventTable(provider.GetRequiredService<Databases>().Reads));
services.AddSingleton<Telemetry>();
services.AddSingleton<LogNode>();
services.AddHostedService(provider => provider.GetRequiredService<LogNode>());
services.AddSingleton<StreamsService>();
services.AddSingleton<GossipService>();
services.AddSingleton<ServerFeaturesService>();
services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = MessageBytesMax);
services.AddHealthChecks().AddCheck<WriterHealth>("writer", tags: [WriterHealth.Tag]);
services.AddOpenTelemetry().WithMetrics(metrics => metrics
    .AddMeter(Telemetry.MeterName, "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
    .AddPrometheusExporter());

var app = builder.Build();
app.MapGrpcService<StreamsService>();
app.MapGrpcService<GossipService>();
app.MapGrpcService<ServerFeaturesService>();
app.MapHealthChecks("/health/live", new() { Predicate = _ => false });
app.MapHealthChecks("/health/ready", new() { Predicate = check => check.Tags.Contains(WriterHealth.Tag) });
app.MapPrometheusScrapingEndpoint("/metrics");
await app.RunAsync();

static void Listen(KestrelServerOptions kestrel, Uri url, HttpProtocols protocols)
{
    if (IPAddress.TryParse(url.DnsSafeHost, out var address))
    {
        kestrel.Listen(address, url.Port, listen => listen.Protocols = protocols);
    }
    else if (url.IsLoopback)
    {
        kestrel.ListenLocalhost(url.Port, listen => listen.Protocols = protocols);
    }
    else
    {
        throw new InvalidOperationException($"{url} is neither an address of this machine nor localhost.");
    }
}
