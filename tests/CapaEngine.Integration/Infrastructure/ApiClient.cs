using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Shouldly;

namespace CapaEngine.Integration.Infrastructure;

/// <summary>What a request was answered with.</summary>
public sealed record Answered(HttpStatusCode Status, JsonNode? Body, string? ETag)
{
    /// <summary>The problem's code.</summary>
    public string? Code => (string?)Body?["code"];

    /// <summary>The record's id.</summary>
    public Guid Id => Guid.Parse((string)Body!["id"]!);

    /// <summary>Where the answer says that what was created is to be read.</summary>
    public string? Location { get; init; }
}

/// <summary>The public API as one person uses it: over HTTP, with a token of the development issuer.</summary>
public sealed class ApiClient(Uri api, string person, params string[] roles) : IDisposable
{
    private readonly HttpClient http = new() { BaseAddress = api, Timeout = TimeSpan.FromSeconds(60) };

    /// <summary>The person's id.</summary>
    public string Person => person;

    /// <summary>The one site of the caller, or <c>*</c> for all.</summary>
    public string Site { get; init; } = "*";

    /// <summary>The kinds of disposition the person is qualified to decide.</summary>
    public IReadOnlyList<string> Dispositions { get; init; } = [];

    /// <summary>The one source a machine speaks for; null where it may speak for any.</summary>
    public string? Source { get; init; }

    /// <summary>
    /// Where set, every command that is carried out is sent once more under its key; the answers must be the same, and
    /// this is told of the path, the key and the answer.
    /// </summary>
    public Func<string, string, Answered, Task>? Repeats { get; init; }

    /// <summary>Sends a command; it must end in the expected status.</summary>
    public async Task<Answered> PostAsync(
        string path, object body, HttpStatusCode expected = HttpStatusCode.OK, string? ifMatch = null,
        string? idempotencyKey = null, DateTimeOffset? at = null, CancellationToken ct = default)
    {
        var answered = await TryPostAsync(path, body, ifMatch, at, ct, idempotencyKey);
        answered.Status.ShouldBe(expected, $"POST {path}: {answered.Body}");
        return answered;
    }

    /// <summary>Sends a command whatever the status.</summary>
    public async Task<Answered> TryPostAsync(
        string path, object body, string? ifMatch, DateTimeOffset? at, CancellationToken ct,
        string? idempotencyKey = null)
    {
        var key = idempotencyKey ?? (Repeats is null ? null : Guid.NewGuid().ToString());
        var first = await SendCommandAsync(path, body, ifMatch, at, key, ct);
        if (Repeats is null || key is null || first.Body is not JsonObject answer || !answer.ContainsKey("revision"))
            return first;
        var second = await SendCommandAsync(path, body, ifMatch, at, key, ct);
        second.Status.ShouldBe(first.Status, $"POST {path} again: {second.Body}");
        foreach (var member in (string[])["id", "revision", "position"])
            second.Body![member]!.ToJsonString().ShouldBe(answer[member]!.ToJsonString(), $"POST {path} again");
        await Repeats(path, key, first);
        return first;
    }

    private async Task<Answered> SendCommandAsync(
        string path, object body, string? ifMatch, DateTimeOffset? at, string? idempotencyKey, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/{path}")
        {
            Content = JsonContent.Create(body, body.GetType()),
        };
        if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        if (at is not null) request.Headers.Add("Occurred-At", at.Value.ToUniversalTime().ToString("O"));
        return await SendAsync(request, null, ct);
    }

    /// <summary>Sends bytes under a media type.</summary>
    public async Task<Answered> PostRawAsync(
        string path, string content, string mediaType, HttpStatusCode expected = HttpStatusCode.OK,
        string? traceParent = null, CancellationToken ct = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/{path}")
        {
            Content = new StringContent(content, Encoding.UTF8, MediaTypeHeaderValue.Parse(mediaType)),
        };
        if (traceParent is not null) request.Headers.Add("traceparent", traceParent);
        return await SendAsync(request, expected, ct);
    }

    /// <summary>Sends bytes under a media type whatever the status.</summary>
    public async Task<Answered> TryPostRawAsync(
        string path, string content, string mediaType, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/{path}")
        {
            Content = new StringContent(content, Encoding.UTF8, MediaTypeHeaderValue.Parse(mediaType)),
        };
        return await SendAsync(request, null, ct);
    }

    /// <summary>A command that a rule refuses with this code.</summary>
    public async Task RefusedAsync(
        string path, object body, string code, string? ifMatch = null, DateTimeOffset? at = null)
    {
        var answered = await PostAsync(path, body, HttpStatusCode.Conflict, ifMatch, at: at);
        answered.Code.ShouldBe(code);
    }

    /// <summary>Reads a resource.</summary>
    public async Task<Answered> GetAsync(
        string path, HttpStatusCode expected = HttpStatusCode.OK, CancellationToken ct = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/{path}");
        return await SendAsync(request, expected, ct);
    }

    /// <summary>Reads a resource whatever the status.</summary>
    public async Task<Answered> TryGetAsync(string path, CancellationToken ct = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/{path}");
        return await SendAsync(request, null, ct);
    }

    public void Dispose() => http.Dispose();

    private async Task<Answered> SendAsync(
        HttpRequestMessage request, HttpStatusCode? expected, CancellationToken ct)
    {
        if (http.DefaultRequestHeaders.Authorization is null)
        {
            using var token = await http.PostAsJsonAsync(
                "/dev/token", new { person, roles, site = Site, dispositions = Dispositions, source = Source }, ct);
            token.StatusCode.ShouldBe(HttpStatusCode.OK);
            http.DefaultRequestHeaders.Authorization =
                new AuthenticationHeaderValue("Bearer", (await token.Content.ReadAsStringAsync(ct)).Trim());
        }

        using var response = await http.SendAsync(request, ct);
        var text = await response.Content.ReadAsStringAsync(ct);
        if (expected is not null)
            response.StatusCode.ShouldBe(expected.Value, $"{request.Method} {request.RequestUri}: {text}");
        return new Answered(response.StatusCode, Parse(text), response.Headers.ETag?.ToString())
        {
            Location = response.Headers.Location?.ToString(),
        };
    }

    private static JsonNode? Parse(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
