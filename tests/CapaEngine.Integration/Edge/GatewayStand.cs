using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CapaEngine.Integration.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shouldly;

namespace CapaEngine.Integration.Edge;

/// <summary>A stand-in for a service behind the gateway: it echoes what reached it.</summary>
public sealed class EchoService(string name) : IAsyncDisposable
{
    private WebApplication? app;

    public string Address { get; } = $"http://127.0.0.1:{ServiceProcess.FreePort()}";

    /// <summary>Its OpenAPI document: a path of its own, one it shares, and a schema whose name clashes.</summary>
    private string Description => """
        {"openapi":"3.1.1","info":{"title":"NAME","version":"v1"},"paths":{
          "/api/v1/NAME":{"post":{"operationId":"create","requestBody":{"content":{"application/json":{
            "schema":{"$ref":"#/components/schemas/Body"}}}}}},
          "/api/v1/shared":{"x-NAME":{"operationId":"NAME"}}},
         "components":{"schemas":{"Body":{"title":"NAME"},"Same":{"type":"string"}},
          "securitySchemes":{"bearer":{"type":"http"}}}}
        """.Replace("NAME", name, StringComparison.Ordinal);

    public async Task StartAsync(CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(Address);
        builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        app = builder.Build();
        app.MapGet("/health/live", () => Results.Ok());
        app.MapGet("/openapi/v1.json", () => Results.Text(Description, "application/json"));
        app.Map("{**path}", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
            request.HttpContext.Response.Headers.XContentTypeOptions = "nosniff";
            return Results.Json(new
            {
                service = name, path = request.Path.Value + request.QueryString.Value, bytes = body.Length,
                authorization = request.Headers.Authorization.ToString(),
                traceParent = request.Headers.TraceParent.ToString(),
            });
        });
        await app.StartAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null) await app.DisposeAsync();
    }
}

/// <summary>The real gateway process before four stand-ins.</summary>
public sealed class GatewayStand : IAsyncLifetime
{
    private readonly HttpClient http =
        new(new SocketsHttpHandler
        {
            Expect100ContinueTimeout = TimeSpan.FromMinutes(1),
            ActivityHeadersPropagator = null,
        });
    private ServiceProcess? eventLog;
    private ServiceProcess? process;
    private string rabbitMq = "";

    public IReadOnlyDictionary<string, EchoService> Services { get; } = new[]
    {
        "Nonconformities", "RootCauses", "ActionPlans", "ReadModels",
    }.ToDictionary(name => name, name => new EchoService(name));

    public Uri Address { get; } = new($"http://127.0.0.1:{ServiceProcess.FreePort()}");

    private readonly Uri log = new($"http://127.0.0.1:{ServiceProcess.FreePort()}");

    public string KeyFile { get; } = Path.Combine(Path.GetTempPath(), $"capa-test-{Guid.NewGuid():N}", "issuer.pem");

    public string Token { get; private set; } = "";

    /// <summary>How the gateway is configured.</summary>
    public Dictionary<string, string> Environment()
    {
        var origin = Address.GetLeftPart(UriPartial.Authority);
        var environment = new Dictionary<string, string>
        {
            ["ASPNETCORE_URLS"] = origin, ["Auth__Authority"] = origin, ["Auth__Audience"] = TestIssuer.Audience,
            ["Auth__DevIssuerKeyFile"] = KeyFile, ["ConnectionStrings__RabbitMq"] = rabbitMq,
            ["ConnectionStrings__EventStore"] = $"esdb://127.0.0.1:{log.Port}?tls=false",
        };
        foreach (var (name, service) in Services) environment[$"Services__{name}"] = service.Address;
        return environment;
    }

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        foreach (var service in Services.Values) await service.StartAsync(ct);
        rabbitMq = await TestServers.CreateVirtualHostAsync(ct);
        var health = new Uri($"http://127.0.0.1:{ServiceProcess.FreePort()}");
        eventLog = await ServiceProcess.StartReadyAsync("infra/EventLog", new Dictionary<string, string>
        {
            ["ConnectionStrings__Postgres"] = await TestServers.CreateDatabaseAsync(ct),
            ["EventLog__Url"] = log.GetLeftPart(UriPartial.Authority),
            ["EventLog__HealthUrl"] = health.GetLeftPart(UriPartial.Authority),
        }, new Uri(health, "/health/ready"), ct);
        await StartGatewayAsync(ct);
        Token = await TokenAsync("""{"person":"p-1","roles":["quality-engineer"],"site":"*"}""");
    }

    /// <summary>Stops the gateway and starts it again.</summary>
    public async Task RestartAsync(CancellationToken ct)
    {
        await process!.DisposeAsync();
        await StartGatewayAsync(ct);
    }

    /// <summary>A token for <paramref name="request"/>.</summary>
    public async Task<string> TokenAsync(string request)
    {
        var answer = await SendAsync(HttpMethod.Post, "/dev/token", "", Json(request));
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        answer.Message.Content.Headers.ContentType!.MediaType.ShouldBe("text/plain");
        return answer.Text;
    }

    /// <summary>Sends a request with a good token unless another is given.</summary>
    public async Task<EdgeAnswer> SendAsync(
        HttpMethod method, string path, string? token = null, HttpContent? content = null, string? traceParent = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(Address, path)) { Content = content };
        token ??= Token;
        if (token.Length > 0) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (traceParent is not null) request.Headers.Add("traceparent", traceParent);
        // A large body is announced, so that a refusal is read instead of a broken pipe.
        if (content is ByteArrayContent and not StringContent) request.Headers.ExpectContinue = true;
        var message = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await message.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var isJson = message.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true;
        var body = isJson && text.Length > 0 ? JsonNode.Parse(text) : null;
        return new EdgeAnswer(message.StatusCode, body, text, message);
    }

    public static StringContent Json(string body) =>
        new(body, System.Text.Encoding.UTF8, MediaTypeHeaderValue.Parse("application/json"));

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await process.DisposeAsync();
        if (eventLog is not null) await eventLog.DisposeAsync();
        foreach (var service in Services.Values) await service.DisposeAsync();
        if (Directory.Exists(Path.GetDirectoryName(KeyFile))) Directory.Delete(Path.GetDirectoryName(KeyFile)!, true);
        http.Dispose();
    }

    private async Task StartGatewayAsync(CancellationToken ct) =>
        process = await ServiceProcess.StartReadyAsync(
            "services/Gateway", Environment(), new Uri(Address, "/health/ready"), ct);
}
