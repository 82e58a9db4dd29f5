using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using CapaEngine.Demo.Recalls;

namespace CapaEngine.Demo.Api;

/// <summary>What a request was answered with.</summary>
public sealed record ApiAnswer(HttpStatusCode Status, JsonNode? Body, string? ETag)
{
    /// <summary>Whether the request succeeded.</summary>
    public bool IsOk => (int)Status is >= 200 and < 300;

    /// <summary>The code of a problem.</summary>
    public string? Code => Body is JsonObject problem ? (string?)problem["code"] : null;
}

/// <summary>The API refused what the demonstration asked of it.</summary>
public sealed class ApiRefusalException(string request, ApiAnswer answer) : Exception(
    $"{request} was answered {(int)answer.Status} {answer.Code}: {answer.Body?["detail"] ?? answer.Body}")
{
    /// <summary>The answer.</summary>
    public ApiAnswer Answer { get; } = answer;
}

/// <summary>A command as it is sent.</summary>
/// <param name="Key">The idempotency key: a second play repeats it and changes nothing.</param>
/// <param name="OccurredAt">When it is told to have happened; null for now.</param>
/// <param name="IfMatch">The revision that the signer saw.</param>
public sealed record Command(string Path, object Body, string Key, DateTimeOffset? OccurredAt, string? IfMatch = null);

/// <summary>
/// The public HTTP API and nothing else. What is not available for the moment is asked for again; that is safe, because
/// every command carries its idempotency key and every machine event its own id.
/// </summary>
public sealed class CapaApi(HttpClient http, TimeProvider clock)
{
    private static readonly TimeSpan UnavailableMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan TokenAgeMax = TimeSpan.FromMinutes(5);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly ConcurrentDictionary<string, (string Token, DateTimeOffset At)> tokens = new();

    /// <summary>Where the API is.</summary>
    public Uri Origin => http.BaseAddress!;

    /// <summary>Sends machine events in one batch; one receipt for each.</summary>
    public Task<JsonArray> SendAsync(IReadOnlyList<CloudEvent> batch, CancellationToken ct) =>
        SendBatchAsync(Person.Machine, "deviations", batch, ct);

    /// <summary>Hands over cases of another system in one batch; one receipt for each.</summary>
    public Task<JsonArray> ImportAsync(IReadOnlyList<ImportedRecord> batch, CancellationToken ct) =>
        SendBatchAsync(Person.Importer, "nonconformities/import", batch, ct);

    /// <summary>Gives a command, whatever the answer.</summary>
    public Task<ApiAnswer> TryCommandAsync(Person person, Command command, CancellationToken ct)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(command.Body, command.Body.GetType(), Json);
        return SendAsync(person, () =>
        {
            var request = Request(HttpMethod.Post, command.Path, body, "application/json");
            request.Headers.Add("Idempotency-Key", command.Key);
            if (command.OccurredAt is { } at)
                request.Headers.Add("Occurred-At", at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            if (command.IfMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", command.IfMatch);
            return request;
        }, ct);
    }

    /// <summary>Gives a command that must succeed.</summary>
    public async Task<ApiAnswer> CommandAsync(Person person, Command command, CancellationToken ct)
    {
        var answer = await TryCommandAsync(person, command, ct);
        return answer.IsOk ? answer : throw new ApiRefusalException(command.Path, answer);
    }

    /// <summary>Reads a resource; null while there is none.</summary>
    public async Task<ApiAnswer?> FindAsync(string path, CancellationToken ct)
    {
        var answer = await SendAsync(Person.Reader, () => Request(HttpMethod.Get, path, null, null), ct);
        return answer.Status == HttpStatusCode.NotFound ? null
            : answer.IsOk ? answer : throw new ApiRefusalException(path, answer);
    }

    /// <summary>All items of a list, page by page.</summary>
    public async IAsyncEnumerable<JsonObject> ListAsync(
        string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var separator = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        string? cursor = null;
        do
        {
            var next = cursor is null ? path : $"{path}{separator}cursor={Uri.EscapeDataString(cursor)}";
            var page = await FindAsync(next, ct) ?? throw new InvalidOperationException($"There is no list {path}.");
            foreach (var item in page.Body!["items"]!.AsArray()) yield return item!.AsObject();
            cursor = (string?)page.Body!["nextCursor"];
        }
        while (cursor is not null);
    }

    private async Task<JsonArray> SendBatchAsync<T>(
        Person person, string path, IReadOnlyList<T> batch, CancellationToken ct)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(batch, Json);
        var answer = await SendAsync(person, () => Request(
            HttpMethod.Post, path, body, "application/cloudevents-batch+json"), ct);
        return answer is { IsOk: true, Body: JsonArray receipts } && receipts.Count == batch.Count
            ? receipts : throw new ApiRefusalException($"A batch of {batch.Count} events", answer);
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, byte[]? body, string? mediaType)
    {
        var request = new HttpRequestMessage(method, $"/api/v1/{path}");
        if (body is null) return request;
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(mediaType!);
        return request;
    }

    private async Task<ApiAnswer> SendAsync(Person person, Func<HttpRequestMessage> create, CancellationToken ct)
    {
        var started = clock.GetTimestamp();
        for (; ; )
        {
            using var request = create();
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(person, ct));
            using var response = await http.SendAsync(request, ct);
            var mayPass = response.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests
                or HttpStatusCode.BadGateway;
            if (!mayPass || clock.GetElapsedTime(started) > UnavailableMax) return await ReadAsync(response, ct);
            await Task.Delay(response.Headers.RetryAfter?.Delta ?? RetryPause, clock, ct);
        }
    }

    private async Task<string> TokenAsync(Person person, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (tokens.TryGetValue(person.Id, out var held) && now - held.At < TokenAgeMax) return held.Token;
        using var response = await http.PostAsJsonAsync(
            "/dev/token", new { person = person.Id, roles = person.TokenRoles, site = "*" }, ct);
        if (!response.IsSuccessStatusCode)
            throw new ApiRefusalException("/dev/token", await ReadAsync(response, ct));
        var token = (await response.Content.ReadAsStringAsync(ct)).Trim();
        tokens[person.Id] = (token, now);
        return token;
    }

    private static async Task<ApiAnswer> ReadAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var text = await response.Content.ReadAsStringAsync(ct);
        var mediaType = response.Content.Headers.ContentType?.MediaType;
        var isJson = mediaType?.EndsWith("json", StringComparison.Ordinal) ?? false;
        var body = isJson && text.Length > 0 ? JsonNode.Parse(text) : JsonValue.Create(text);
        return new ApiAnswer(response.StatusCode, body, response.Headers.ETag?.ToString());
    }
}
