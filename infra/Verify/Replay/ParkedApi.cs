using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;

namespace CapaEngine.Verify.Replay;

/// <summary>An event that a service has set aside, as the API tells it.</summary>
internal sealed record ParkedEvent(
    Guid EventId, string Service, string Stream, long Revision, string Type, string Code, string Reason);

/// <summary>The API refused, or did not answer as it is described.</summary>
internal sealed class ApiRefusalException(string message) : Exception(message);

/// <summary>What the services have set aside, through the gateway and as an administrator.</summary>
internal sealed class ParkedApi(HttpClient http)
{
    /// <summary>The services that set anything aside.</summary>
    public static readonly string[] Services =
        [ServiceNames.Nonconformities, ServiceNames.RootCauses, ServiceNames.ActionPlans, ServiceNames.ReadModels];

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>What a service has set aside, in the order in which it would be carried out.</summary>
    public async Task<IReadOnlyList<ParkedEvent>> ListAsync(string service, CancellationToken ct) =>
        (await SendAsync<ParkedList>(HttpMethod.Get, service, ct)).Items;

    /// <summary>Has a service try everything again, or the stream of one event; how many were carried out.</summary>
    public async Task<int> ReplayAsync(string service, Guid? eventId, CancellationToken ct) =>
        (await SendAsync<ReplayAnswer>(
            HttpMethod.Post, eventId is { } id ? $"{service}/{id}/replay" : $"{service}/replay", ct)).CarriedOut;

    private async Task<T> SendAsync<T>(HttpMethod method, string path, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, $"api/v1/parked/{path}");
        using var answer = await http.SendAsync(request, ct);
        var description = $"{method} {request.RequestUri} was answered {(int)answer.StatusCode}";
        if (answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout)
            throw new HttpRequestException(description);
        try
        {
            if (answer.IsSuccessStatusCode) return (await answer.Content.ReadFromJsonAsync<T>(Json, ct))!;
            var problem = await answer.Content.ReadFromJsonAsync<JsonObject>(Json, ct);
            throw new ApiRefusalException($"{description}: {problem?["detail"]}");
        }
        catch (JsonException)
        {
            throw new ApiRefusalException($"{description} and cannot be read.");
        }
    }

    private sealed record ParkedList(IReadOnlyList<ParkedEvent> Items);

    private sealed record ReplayAnswer(int CarriedOut);
}
