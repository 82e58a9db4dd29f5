using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Kernel;
using Mediator;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace CapaEngine.Hosting;

/// <summary>What all services have in common, so that the program of each shows only what is its own.</summary>
public static class CapaService
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(2);
    private static readonly string[] ChattyFrameworks = ["Microsoft.AspNetCore", "System.Net.Http", "Yarp"];

    /// <summary>
    /// A builder with clock, event store, authentication, limits, health and telemetry. A service without
    /// <c>ConnectionStrings:EventStore</c> has no event store, and asking for one fails.
    /// </summary>
    public static WebApplicationBuilder CreateBuilder(string[] args, string serviceName)
    {
        // Beside the program, not where it was started from: the framework watches that folder and all below it.
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            StrictJson.Apply(json.SerializerOptions);
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
            json.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
            json.SerializerOptions.TypeInfoResolver =
                new DefaultJsonTypeInfoResolver().WithAddedModifier(StrictJson.RequireOnlyWhatCannotBeNull);
        });
        builder.AddLogging();
        builder.AddLimits();
        builder.AddCapaAuthentication();
        builder.AddTelemetry(serviceName);
        builder.AddEventStore();
        builder.Services.AddApiDescription(serviceName);
        // The order is that in which they see a command.
        builder.Services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(CommandTracing<,>));
        builder.Services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(CommandAuthorisation<,>));
        builder.Services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(CommandValidation<,>));
        return builder;
    }

    /// <summary>Everything before and beside the service's own endpoints.</summary>
    /// <param name="describesItself">False where the service publishes another API document than its own.</param>
    public static WebApplication UseCapaService(this WebApplication app, bool describesItself = true)
    {
        app.Use(SecurityHeaders);
        app.UseProblems();
        app.UseAuthentication();
        app.UseRateLimiter();
        app.UseAuthorization();
        app.MapHealth();
        if (describesItself) app.MapOpenApi("/openapi/{documentName}.json").AllowAnonymous();
        return app;
    }

    // What the frameworks say of every request is in the traces and metrics; the log is for what an operator must read.
    private static void AddLogging(this WebApplicationBuilder builder)
    {
        foreach (var framework in ChattyFrameworks) builder.Logging.AddFilter(framework, LogLevel.Warning);
        builder.Logging.ClearProviders();
        if (builder.Environment.IsDevelopment())
            builder.Logging.AddSimpleConsole(
                console => (console.UseUtcTimestamp, console.TimestampFormat) = (true, "HH:mm:ss.fff "));
        else
            builder.Logging.AddJsonConsole(console => console.UseUtcTimestamp = true);
    }

    private static void AddEventStore(this WebApplicationBuilder builder)
    {
        var health = builder.Services.AddHealthChecks();
        if (builder.Configuration.GetConnectionString("EventStore") is not { } connection) return;
        builder.Services.AddSingleton<IEventStore>(_ => EventStoreClient.Create(connection));
        health.AddCheck<EventStoreProbe>("event-store", HealthStatus.Unhealthy, [Health.ReadyTag], ProbeTimeout);
    }

    private static Task SecurityHeaders(HttpContext http, RequestDelegate next)
    {
        // At the last moment: an endpoint may have said it more precisely, or a service behind this one already.
        http.Response.OnStarting(() =>
        {
            var headers = http.Response.Headers;
            headers.TryAdd(HeaderNames.XContentTypeOptions, "nosniff");
            headers.TryAdd(HeaderNames.ContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'");
            headers.TryAdd(HeaderNames.CacheControl, "no-store");
            headers.TryAdd("Referrer-Policy", "no-referrer");
            return Task.CompletedTask;
        });
        return next(http);
    }
}
