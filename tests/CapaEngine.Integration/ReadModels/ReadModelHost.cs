using System.Security.Claims;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.ReadModels;
using CapaEngine.ReadModels.AsOf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CapaEngine.Integration.ReadModels;

/// <summary>Endpoints of the read models on a database of their own, for callers whose site a header names.</summary>
internal static class ReadModelHost
{
    /// <summary>The header that says which site the caller belongs to.</summary>
    public const string SiteHeader = "X-Test-Site";

    /// <summary>Starts the queries of the API.</summary>
    public static Task<WebApplication> StartWithQueriesAsync(ReadModelDatabase database, CancellationToken ct) =>
        StartAsync(
            database, builder => builder.Services
                .AddSingleton(Options.Create(new PipelineOptions()))
                .AddSingleton<IEventStore>(new MemoryEventStore(TimeProvider.System))
                .AddSingleton<NonconformityQueries>().AddSingleton<ActionBoardQueries>()
                .AddSingleton<RootCauseQueries>().AddSingleton<EffectivenessQueries>().AddSingleton<DossierQueries>()
                .AddSingleton<Evidence>().AddSingleton<RevisionWait>().AddSingleton<Moments>(),
            app => app.MapReadModels(), ct);

    /// <summary>Starts endpoints on a free port.</summary>
    public static async Task<WebApplication> StartAsync(
        ReadModelDatabase database, Action<WebApplicationBuilder> add, Action<WebApplication> map, CancellationToken ct)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.ConfigureHttpJsonOptions(json => StrictJson.Apply(json.SerializerOptions));
        builder.Services.AddSingleton(database.Source).AddSingleton(TimeProvider.System);
        add(builder);
        var app = builder.Build();
        app.Use((context, next) =>
        {
            context.User = new ClaimsPrincipal(new ClaimsIdentity(
                [new Claim("sub", "quinn"), new Claim("site", context.Request.Headers[SiteHeader].ToString())],
                "test"));
            return next(context);
        });
        map(app);
        await app.StartAsync(ct);
        return app;
    }
}
