using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using CapaEngine.Hosting;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shouldly;

namespace CapaEngine.Integration.Edge;

/// <summary>An answer as it came over the wire.</summary>
public sealed record EdgeAnswer(HttpStatusCode Status, JsonNode? Body, string Text, HttpResponseMessage Message)
{
    public string? Code => (string?)Body?["code"];

    public string? ETag => Message.Headers.ETag?.ToString();

    /// <summary>The member and the rule of each error, such as <c>title: is required</c>.</summary>
    public IReadOnlyList<string> Errors =>
        [.. Body?["errors"]?.AsArray().Select(error => $"{error!["field"]}: {error["rule"]}") ?? []];

    /// <summary>It must be a problem of this status and code, with detail and trace.</summary>
    public EdgeAnswer ShouldBeProblem(HttpStatusCode status, string code)
    {
        Status.ShouldBe(status, Text);
        Code.ShouldBe(code, Text);
        Message.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        ((int?)Body!["status"]).ShouldBe((int)status);
        ((string?)Body["detail"]).ShouldNotBeNullOrEmpty();
        ((string?)Body["traceId"])!.Length.ShouldBe(32);
        return this;
    }
}

/// <summary>A service on the real hosting surface, on a real port, with its events in memory.</summary>
public sealed class EdgeService : IAsyncLifetime
{
    public const string Cases = "/api/v1/cases";
    // Long enough that "the body was not asked for" never means "the server was busy".
    private readonly HttpClient http =
        new(new SocketsHttpHandler
        {
            Expect100ContinueTimeout = TimeSpan.FromMinutes(1),
            ActivityHeadersPropagator = null,
        });

    private WebApplication? app;

    public TestIssuer Issuer { get; } = new();

    public Uri Address { get; } = new($"http://127.0.0.1:{ServiceProcess.FreePort()}");

    /// <summary>The body of a good create.</summary>
    public static string OpenBody(string site = "north", string title = "Width") =>
        $$"""{"site":"{{site}}","title":"{{title}}","severity":"major","detectedAt":"2026-11-20T08:00:00Z"}""";

    public async ValueTask InitializeAsync()
    {
        await Issuer.StartAsync(TestContext.Current.CancellationToken);
        await StartAsync();
    }

    /// <summary>Starts with further settings; a test that gives none uses the fixture.</summary>
    public async Task StartAsync(params string[] settings)
    {
        var builder = CapaService.CreateBuilder(
            [
                "--environment=Development", $"--urls={Address.GetLeftPart(UriPartial.Authority)}",
                $"--Auth:Authority={Issuer.Authority}", $"--Auth:Audience={TestIssuer.Audience}", .. settings,
            ], "edge");
        builder.Logging.ClearProviders();
        // The handlers of this test alone: the project refers to a service that has handlers of its own.
        builder.Services.AddMediator(options => options.Assemblies = [typeof(EdgeHandler)]);
        if (builder.Configuration.GetConnectionString("EventStore") is null)
            builder.Services.AddSingleton<IEventStore>(services =>
                new MemoryEventStore(services.GetRequiredService<TimeProvider>()));
        app = builder.Build();
        app.UseCapaService();
        var cases = app.MapGroup(Cases);
        cases.MapCreate<EdgeCommand.Open>((id, command, context) => new HandleEdge(id, command, context));
        cases.MapCommand<EdgeCommand.Rate>("rate", (id, command, context) => new HandleEdge(id, command, context));
        cases.MapCommand<EdgeCommand.Sign>("sign", (id, command, context) => new HandleEdge(id, command, context));
        cases.MapCommand<EdgeCommand.Break>("break", (id, command, context) =>
            new HandleEdge(id, command, context));
        cases.MapCommand<EdgeCommand.Rate>("rate-as-service", (id, _, context) =>
            new HandleEdge(id, new EdgeCommand.Internal(), context)).WithName("rate-as-service");
        await app.StartAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Posts <paramref name="body"/>, with a good token unless one is given.</summary>
    public Task<EdgeAnswer> PostAsync(
        string path, string? body, string? token = null, string contentType = "application/json",
        params (string Name, string Value)[] headers) =>
        SendAsync(
            HttpMethod.Post, path, token ?? Issuer.Token(), body is null ? null : Utf8(body, contentType), headers);

    /// <summary>Sends a request; an empty token sends none.</summary>
    public async Task<EdgeAnswer> SendAsync(
        HttpMethod method, string path, string token, HttpContent? content,
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(Address, path)) { Content = content };
        if (token.Length > 0) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        var message = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await message.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var isJson = message.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true;
        return new EdgeAnswer(message.StatusCode, isJson ? JsonNode.Parse(text) : null, text, message);
    }

    /// <summary>Creates a record; its path.</summary>
    public async Task<string> CreatedAsync(string site = "north", string? token = null)
    {
        var answer = await PostAsync(Cases, OpenBody(site), token);
        answer.Status.ShouldBe(HttpStatusCode.Created, answer.Text);
        return answer.Message.Headers.Location!.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null) await app.DisposeAsync();
        await Issuer.DisposeAsync();
        http.Dispose();
    }

    private static ByteArrayContent Utf8(string body, string contentType)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        if (contentType.Length > 0) content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return content;
    }
}
