using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Kernel;
using Mediator;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CapaEngine.Hosting;

/// <summary>What all services have in common, so that the program of each shows only what is its own.</summary>
public static class CapaService
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(2);

    /// <summary>
    /// A builder with clock, event store, authentication, limits, health and telemetry. A service without
    /// <c>ConnectionStrings:EventStore</c> has no event store, and asking for one fails.
    /// </summary>
    public static WebApplicationBuilder CreateBuilder(string[] args, string serviceName)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.ConfigureHttpJsonOptions(json => StrictJson.Apply(json.SerializerOptions));
        builder.AddLimits();
        builder.AddCapaAuthentication();
        builder.AddTelemetry(serviceName);
        builder.AddEventStore();
        builder.Services.AddOpenApi();
        // The order is that in which they see a command.
        builder.Services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(CommandTracing<,>));
        builder.Services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(CommandAuthorisation<,>));
        builder.Services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(CommandValidation<,>));
        return builder;
    }

    /// <summary>Everything before and beside the service's own endpoints.</summary>
    public static WebApplication UseCapaService(this WebApplication app)
    {
        app.UseProblems();
        app.Use(SecurityHeaders);
        app.UseAuthentication();
        app.UseRateLimiter();
        app.UseAuthorization();
        app.MapHealth();
        app.MapOpenApi("/openapi/{documentName}.json").AllowAnonymous();
        return app;
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
        var headers = http.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        return next(http);
    }
}
