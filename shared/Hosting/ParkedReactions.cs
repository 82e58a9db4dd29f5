using System.Security.Claims;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace CapaEngine.Hosting;

/// <summary>A reaction that was set aside, as an operator sees it.</summary>
/// <param name="EventId">The event it is a reaction to; names it in the API.</param>
/// <param name="Code">
/// Kebab-case: why; <c>behind-parked</c> where only an earlier one of its stream is in the way.
/// </param>
/// <param name="Attempts">How often it was tried before it was parked; null where it was not.</param>
/// <param name="Data">The event's data; only where one is looked at.</param>
public sealed record ParkedReaction(
    Guid EventId, string Service, string Stream, long Revision, ulong Position, string Type, string Code, string Reason,
    int? Attempts, JsonElement? Data = null);

/// <summary>What is parked, in the order in which it would be carried out.</summary>
public sealed record ParkedReactionList(ValueList<ParkedReaction> Items);

/// <summary>What a replay came to.</summary>
/// <param name="CarriedOut">Reactions that were carried out, now or before.</param>
/// <param name="Remaining">Reactions that are still parked in the service.</param>
public sealed record ReplayAnswer(int CarriedOut, int Remaining);

/// <summary>Looking at the parked reactions of a service, and having them tried again.</summary>
public static class ParkedReactions
{
    /// <summary>Maps <c>/api/v1/parked/{service}</c>, for administrators of all sites.</summary>
    public static void MapParkedReactions(this IEndpointRouteBuilder app, string serviceName)
    {
        var group = app.MapGroup($"/api/v1/parked/{serviceName}").WithTags("Parked reactions")
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireRole(Roles.Administrator))
            .AddEndpointFilter(RefuseThoseOfOneSite);
        group.MapGet("", (ReactionSink sink, CancellationToken ct) => ListAsync(serviceName, sink, ct))
            .Produces<ParkedReactionList>();
        group.MapGet("{eventId:guid}", (Guid eventId, ReactionSink sink, CancellationToken ct) =>
            GetAsync(serviceName, eventId, sink, ct)).Produces<ParkedReaction>();
        group.MapPost("replay", async (ReactionSink sink, CancellationToken ct) => await ReplayAsync(null, sink, ct))
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
                StatusCodes.Status403Forbidden, "forbidden", "Parked reactions concern all sites.");

    // A replay tries what remains, so its repetition is harmless and the key needs not be remembered.
    private static async ValueTask<object?> ReadKey(
        EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        Repetition.TryReadKey(context.HttpContext.Request, out _, out var refusal) ? await next(context) : refusal;

    private static async Task<IResult> ListAsync(string service, ReactionSink sink, CancellationToken ct) =>
        Answer(new ParkedReactionList(
            (await sink.ReadParkedAsync(ct)).Select(parked => Describe(service, parked)).ToValueList()));

    private static async Task<IResult> GetAsync(
        string service, Guid eventId, ReactionSink sink, CancellationToken ct)
    {
        if (await FindAsync(eventId, sink, ct) is not { } parked) return HttpResults.NotFound();
        var recorded = await sink.FindEventAsync(parked, ct);
        return Answer(Describe(service, parked) with { Data = recorded is null ? null : DataOf(recorded) });
    }

    // The order of a stream holds: the ones before it come first, the ones after it follow.
    private static async Task<IResult> ReplayStreamAsync(
        Guid eventId, [FromServices] ReactionSink sink, CancellationToken ct) =>
        await FindAsync(eventId, sink, ct) is { } parked
            ? await ReplayAsync(parked.Stream, sink, ct) : HttpResults.NotFound();

    private static async Task<IResult> ReplayAsync(string? stream, ReactionSink sink, CancellationToken ct)
    {
        var carriedOut = await sink.ReplayAsync(stream, ct);
        return Answer(new ReplayAnswer(carriedOut, sink.ParkedCount));
    }

    private static async Task<ParkingEvent.Parked?> FindAsync(Guid eventId, ReactionSink sink, CancellationToken ct) =>
        (await sink.ReadParkedAsync(ct)).FirstOrDefault(parked => parked.EventId == eventId);

    private static ParkedReaction Describe(string service, ParkingEvent.Parked parked) => new(
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
