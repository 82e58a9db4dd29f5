using CapaEngine.Contracts;
using CapaEngine.Hosting;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace CapaEngine.Gateway;

/// <summary>
/// Which service answers which path: commands go to the service that owns the resource, questions to the read models.
/// </summary>
internal static class Proxy
{
    private const string Api = "/api/v1";
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(2);

    public static void AddProxy(this WebApplicationBuilder builder, Destinations destinations)
    {
        builder.Services.AddReverseProxy().LoadFromMemory(Routes(destinations), Clusters(destinations));
        builder.Services.AddHttpClient(nameof(DestinationProbe));
        var health = builder.Services.AddHealthChecks();
        foreach (var destination in destinations.All)
        {
            health.AddTypeActivatedCheck<DestinationProbe>(
                destination.Name, null, [Health.ReadyTag], ProbeTimeout, destination);
        }
    }

    public static void MapProxy(this WebApplication app) => app.MapReverseProxy(proxy => proxy.Use(AnswerFailures));

    private static List<RouteConfig> Routes(Destinations to) =>
    [
        Streams("deviations", to.Nonconformities),
        Streams("production", to.Nonconformities),
        Commands("deviations", to.Nonconformities, Limits.IntakeBodyBytesMax),
        Commands("production", to.Nonconformities, Limits.IntakeBodyBytesMax),
        Commands("nonconformities/import", to.Nonconformities, Limits.IntakeBodyBytesMax),
        Commands("nonconformities", to.Nonconformities),
        Commands("concessions", to.Nonconformities),
        Commands("quarantine", to.Nonconformities),
        Commands("triage-policy", to.Nonconformities),
        Commands("root-cause-analyses", to.RootCauses),
        Commands("cause-codes", to.RootCauses),
        Commands("action-plans", to.ActionPlans),
        Commands("effectiveness-reviews", to.ActionPlans),
        Commands("escalation-policy", to.ReadModels),
        .. Parked(ServiceNames.Nonconformities, to.Nonconformities),
        .. Parked(ServiceNames.RootCauses, to.RootCauses),
        .. Parked(ServiceNames.ActionPlans, to.ActionPlans),
        .. Parked(ServiceNames.ReadModels, to.ReadModels),
        // A machine asks the service that took its event, which knows it before any read model does.
        Questions("deviations", "deviations", to.Nonconformities),
        Questions("other", "{**rest}", to.ReadModels),
    ];

    private static RouteConfig Commands(string resource, Destination to, long? bodyBytesMax = null) => new()
    {
        RouteId = $"commands-{resource.Replace('/', '-')}",
        ClusterId = to.Name,
        MaxRequestBodySize = bodyBytesMax,
        Match = new RouteMatch { Path = $"{Api}/{resource}/{{**rest}}", Methods = [HttpMethods.Post] },
    };

    // Events a line are recorded while they come, so no length is too much: nobody holds the whole.
    private static RouteConfig Streams(string resource, Destination to) => new()
    {
        RouteId = $"streams-{resource}",
        ClusterId = to.Name,
        Order = -1,
        MaxRequestBodySize = -1,
        Match = new RouteMatch
        {
            Path = $"{Api}/{resource}",
            Methods = [HttpMethods.Post],
            Headers = [new() { Name = "Accept", Mode = HeaderMatchMode.Contains, Values = ["application/x-ndjson"] }],
        },
    };

    // A service alone knows what it has set aside.
    private static RouteConfig[] Parked(string service, Destination to) =>
        [Commands($"parked/{service}", to), Questions($"parked-{service}", $"parked/{service}/{{**rest}}", to)];

    private static RouteConfig Questions(string name, string path, Destination to) => new()
    {
        RouteId = $"questions-{name}",
        ClusterId = to.Name,
        Match = new RouteMatch { Path = $"{Api}/{path}", Methods = [HttpMethods.Get, HttpMethods.Head] },
    };

    private static List<ClusterConfig> Clusters(Destinations to) =>
    [
        .. to.All.Select(service => new ClusterConfig
        {
            ClusterId = service.Name,
            Destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal)
            {
                [service.Name] = new() { Address = service.Address.AbsoluteUri },
            },
        }),
    ];

    private static async Task AnswerFailures(HttpContext http, RequestDelegate next)
    {
        await next(http);
        if (http.GetForwarderErrorFeature() is not { } failure || http.Response.HasStarted) return;
        // What the caller did, such as sending too much or hanging up, has its status already.
        if (failure.Error is ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled
            or ForwarderError.RequestBodyClient) return;
        Note(http, failure);
        await HttpResults.Unavailable(
            "service-unavailable", "The service behind this address does not answer; repeat it later.")
            .ExecuteAsync(http);
    }

    private static void Note(HttpContext http, IForwarderErrorFeature failure) =>
        http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Proxy)).LogWarning(
            "{Service} did not answer {Method} {Path}: {Error}, {Reason}",
            http.GetReverseProxyFeature().Cluster.Config.ClusterId, http.Request.Method, http.Request.Path,
            failure.Error, failure.Exception?.GetBaseException().Message);
}
