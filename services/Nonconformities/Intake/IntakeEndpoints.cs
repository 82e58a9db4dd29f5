using System.Security.Claims;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>
/// Machine events over HTTP. A request is answered when everything in it is durable; where that cannot be said the
/// whole request answers 503 without receipts, and sending it again is safe: what was recorded is a duplicate then.
/// </summary>
public static class IntakeEndpoints
{
    private static readonly string[] SenderRoles =
        [Roles.SourceSystem, Roles.Importer, Roles.QualityEngineer, Roles.Reporter];

    /// <summary>Maps <c>/deviations</c>, <c>/production</c> and the import of cases.</summary>
    public static void MapIntake(this IEndpointRouteBuilder routes)
    {
        Map(routes, "deviations", MachineIntake.MachineTypes);
        Map(routes, "production", [MachineEvent.ProductionType]);
        routes.MapGet("deviations", FindAsync).WithName("find-deviation");
        routes.MapPost("nonconformities/import", ImportAsync).WithName("import-nonconformities")
            .Produces<ImportReceipt[]>()
            .TakesIdempotencyKey()
            .AddEndpointFilter(TakeRoomAsync)
            .WithMetadata(new RequestSizeLimitAttribute(Limits.IntakeBodyBytesMax))
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireRole(Roles.Importer));
    }

    private static void Map(IEndpointRouteBuilder routes, string path, IReadOnlyCollection<string> types) =>
        routes.MapPost(path, (HttpContext http, MachineIntake intake, CancellationToken ct) =>
                TakeAsync(http, types, intake, ct))
            .WithName($"send-{path}")
            .TakesIdempotencyKey()
            .AddEndpointFilter(TakeRoomAsync)
            .WithMetadata(new RequestSizeLimitAttribute(Limits.IntakeBodyBytesMax))
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireRole(SenderRoles));

    private static async Task<IResult> TakeAsync(
        HttpContext http, IReadOnlyCollection<string> types, MachineIntake intake, CancellationToken ct)
    {
        var (origin, refusal) = OriginOf(http, types);
        if (origin is null) return refusal!;
        if (IntakeStream.IsAskedFor(http.Request))
        {
            await new IntakeStream(intake, origin).RunAsync(http);
            return Results.Empty;
        }

        (var request, refusal) = await IntakeRequest.ReadAsync(http.Request, intake, origin, ct);
        if (request is null) return refusal!;
        return request.IsBatch
            ? Results.Json(await request.TakeAllAsync(ct), StrictJson.Requests)
            : await request.TakeOneAsync(ct);
    }

    // Cases come in numbers, so the answer is a list of receipts also where there is one only.
    private static async Task<IResult> ImportAsync(HttpContext http, MachineIntake intake, CancellationToken ct)
    {
        if (!History.IsTaken(http.RequestServices))
            return HttpResults.Problem(
                StatusCodes.Status403Forbidden, "history-disabled", "This installation takes no history.");
        var (origin, refusal) = OriginOf(http, [ImportedCase.Type]);
        if (origin is null) return refusal!;
        (var request, refusal) = await IntakeRequest.ReadAsync(http.Request, intake, origin, ct);
        if (request is null) return refusal!;
        var receipts = await request.TakeAllAsync(ct);
        return Results.Json(receipts.Select(ImportReceipt.Of).ToArray(), StrictJson.Requests);
    }

    // A stream holds at most what a body may have, however long it is, and so does a body of unknown length.
    private static async ValueTask<object?> TakeRoomAsync(
        EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var room = call.HttpContext.RequestServices.GetRequiredService<IntakeRoom>();
        var bytes = Math.Min(call.HttpContext.Request.ContentLength ?? long.MaxValue, Limits.IntakeBodyBytesMax);
        using var share = room.TryTake(bytes);
        return share is null
            ? HttpResults.TooManyRequests("intake-full", "Too much is under way; send it again in a moment.")
            : await next(call);
    }

    private static IResult UnreadableType() => HttpResults.Problem(
        StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
        "Send CloudEvents as JSON, as a JSON batch or one event a line, in UTF-8.");

    // Who sends what under which key, or why that cannot be taken.
    private static (IntakeOrigin? Origin, IResult? Refusal) OriginOf(
        HttpContext http, IReadOnlyCollection<string> types)
    {
        if (!IntakeBody.IsReadable(http.Request.ContentType)) return (null, UnreadableType());
        if (!Repetition.TryReadKey(http.Request, out var key, out var malformed)) return (null, malformed);
        var sender = http.RequestServices.GetRequiredService<Senders>().Of(http.User.ToActor());
        return (new IntakeOrigin(sender, http.Request.ContentType!, types) { RequestKey = key }, null);
    }

    private static async Task<IResult> FindAsync(
        string source, string id, ClaimsPrincipal user, IntakeLog log, CancellationToken ct)
    {
        var actor = user.ToActor();
        var deviationId = MachineEvent.DeviationId(source, id);
        var recorded = await log.ReadAsync(Families.Deviation.Stream(deviationId), ct);
        if (recorded.Count == 0 || (actor.Source is { } own && own != source)) return HttpResults.NotFound();
        var first = (DeviationEvent.Received)EventCatalog.Deserialize(recorded[0].Type, recorded[0].Data.Span);
        return actor.IsAt(first.Site)
            ? Results.Json(
                new FoundDeviation(
                    source, id, IntakeOutcome.Accepted, deviationId, recorded[0].Position.Commit,
                    recorded.Count(entry => entry.Type == "deviation.conflict-received.v1")),
                StrictJson.Requests)
            : HttpResults.NotFound();
    }

    /// <summary>What a machine is told that asks whether its event arrived.</summary>
    private sealed record FoundDeviation(
        string Source, string Id, IntakeOutcome Outcome, Guid DeviationId, ulong Position, int ConflictCount);
}
