using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace CapaEngine.Hosting;

/// <summary>Traces and metrics of every service, by the conventions of OpenTelemetry.</summary>
internal static class Telemetry
{
    private static readonly string[] Sources = ["CapaEngine.*", "MassTransit", "Npgsql"];

    public static void AddTelemetry(this WebApplicationBuilder builder, string serviceName)
    {
        var version = Assembly.GetEntryAssembly()?.GetName().Version?.ToString(3);
        var isExported = !string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService($"capaengine-{serviceName}", serviceVersion: version))
            .WithTracing(tracing => tracing
                .AddSource(Sources)
                .AddAspNetCoreInstrumentation(http => http.Filter = request => !Health.IsProbe(request))
                .AddHttpClientInstrumentation()
                .SampleOnlyIf(isExported))
            .WithMetrics(metrics => metrics
                .AddMeter(Sources)
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation()
                .AddPrometheusExporter());
        if (isExported) telemetry.UseOtlpExporter();
    }

    // Spans that nobody will ever see cost each event its share; trace ids are passed on all the same.
    private static TracerProviderBuilder SampleOnlyIf(this TracerProviderBuilder tracing, bool isExported) =>
        isExported ? tracing : tracing.SetSampler<AlwaysOffSampler>();
}
