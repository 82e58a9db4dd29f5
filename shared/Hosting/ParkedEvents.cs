using System.Security.Claims;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace CapaEngine.Hosting;

/// <summary>What a follower has set aside until it can be done: reactions to events, or their rows.</summary>
public interface IParkedEvents
{
    /// <summary>How many events are set aside, as this process last saw it.</summary>
    int ParkedCount { get; }

    /// <summary>What is set aside, by stream and in each stream's order.</summary>
    Task<IReadOnlyList<ParkingEvent.Parked>> ReadParkedAsync(CancellationToken ct);

    /// <summary>The event as the log holds it; null where it is gone.</summary>
    Task<RecordedEvent?> FindEventAsync(ParkingEvent.Parked parked, CancellationToken ct);

    /// <summary>Tries a stream again, or all of them. How many of the events set aside were carried out.</summary>
    Task<int> ReplayAsync(string? stream, CancellationToken ct);
}

/// <summary>An event that was set aside, as an operator sees it.</summary>
/// <param name="EventId">The event whose reaction or row is missing; names it in the API.</param>
/// <param name="Code">
/// Kebab-case: why; <c>behind-parked</c> where only an earlier one of its stream is in the way.
/// </param>
/// <param name="Attempts">How often it was tried before it was parked; null where it was not.</param>
/// <param name="Data">The event's data; only where one is looked at.</param>
public sealed record ParkedEvent(
    Guid EventId, string Service, string Stream, long Revision, ulong Position, string Type, string Code, string Reason,
    int? Attempts, JsonElement? Data = null);

/// <summary>What is parked, in the order in which it would be carried out.</summary>
public sealed record ParkedEventList(ValueList<ParkedEvent> Items);

/// <summary>What a replay came to.</summary>
/// <param name="CarriedOut">Events that were carried out, now or before.</param>
/// <param name="Remaining">Events that are still parked in the service.</param>
public sealed record ReplayAnswer(int CarriedOut, int Remaining);

/// <summary>Looking at what a service has parked, and having it tried again.</summary>
public static class ParkedEvents
{
    /// <summary>Maps <c>/api/v1/parked/{service}</c>, for administrators of all sites.</summary>
    public static void MapParkedEvents(this IEndpointRouteBuilder app, string serviceName)
    {
        var group = app.MapGroup($"/api/v1/parked/{serviceName}").WithTags("Parked events")
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireRole(Roles.Administrator))
            .AddEndpointFilter(RefuseThoseOfOneSite);
        group.MapGet("", (IParkedEvents lot, CancellationToken ct) => ListAsync(serviceName, lot, ct))
            .Produces<ParkedEventList>();
        group.MapGet("{eventId:guid}", (Guid eventId, IParkedEvents lot, CancellationToken ct) =>
            GetAsync(serviceName, eventId, lot, ct)).Produces<ParkedEvent>();
        group.MapPost("replay", async (IParkedEvents lot, CancellationToken ct) => await ReplayAsync(null, lot, ct))
            .AddEndpointFilter(ReadKey).TakesIdempotencyKey()
            .Produces<ReplayAnswer>().WithName($"replay-parked-of-{serviceName}");
        group.MapPost("{eventId:guid}/replay", ReplayStreamAsync)
            .AddEndpointFilter(ReadKey).TakesIdempotencyKey()
            .Produces<ReplayAnswer>().WithName($"replay-parked-stream-of-{serviceName}");
    }

    // What is parked can be of any site, and its data are shown.
    private static async ValueTask<object?> RefuseThoseOfOneSite(
        EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        context.HttpContext.User.ToActor().Site == "*"
            ? await next(context)
            : HttpResults.Problem(
                StatusCodes.Status403Forbidden, "forbidden", "What is parked concerns all sites.");

    // A replay tries what remains, so its repetition is harmless and the key needs not be remembered.
    private static async ValueTask<object?> ReadKey(
        EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        Repetition.TryReadKey(context.HttpContext.Request, out _, out var refusal) ? await next(context) : refusal;

    private static async Task<IResult> ListAsync(string service, IParkedEvents lot, CancellationToken ct) =>
        Answer(new ParkedEventList(
            (await lot.ReadParkedAsync(ct)).Select(parked => Describe(service, parked)).ToValueList()));

    private static async Task<IResult> GetAsync(
        string service, Guid eventId, IParkedEvents lot, CancellationToken ct)
    {
        if (await FindAsync(eventId, lot, ct) is not { } parked) return HttpResults.NotFound();
        var recorded = await lot.FindEventAsync(parked, ct);
        return Answer(Describe(service, parked) with { Data = recorded is null ? null : DataOf(recorded) });
    }

    // The order of a stream holds: the ones before it come first, the ones after it follow.
    private static async Task<IResult> ReplayStreamAsync(
        Guid eventId, [FromServices] IParkedEvents lot, CancellationToken ct) =>
        await FindAsync(eventId, lot, ct) is { } parked
            ? await ReplayAsync(parked.Stream, lot, ct) : HttpResults.NotFound();

    private static async Task<IResult> ReplayAsync(string? stream, IParkedEvents lot, CancellationToken ct)
    {
        var carriedOut = await lot.ReplayAsync(stream, ct);
        return Answer(new ReplayAnswer(carriedOut, lot.ParkedCount));
    }

    private static async Task<ParkingEvent.Parked?> FindAsync(Guid eventId, IParkedEvents lot, CancellationToken ct) =>
        (await lot.ReadParkedAsync(ct)).FirstOrDefault(parked => parked.EventId == eventId);

    private static ParkedEvent Describe(string service, ParkingEvent.Parked parked) => new(
        parked.EventId, service, parked.Stream, parked.Revision, parked.Position, parked.Type, parked.Code,
        parked.Reason, parked.Attempts);

    // A poison event may hold what is no JSON at all; then it is shown as the text of its bytes in base64.
    private static JsonElement DataOf(RecordedEvent recorded)
    {
        try
        {
            return JsonElement.Parse(recorded.Data.Span);
        }
        catch (JsonException)
        {
            return JsonSerializer.SerializeToElement(Convert.ToBase64String(recorded.Data.Span), StrictJson.Requests);
        }
    }

    private static IResult Answer<T>(T answer) => Results.Json(answer, StrictJson.Requests);
}
