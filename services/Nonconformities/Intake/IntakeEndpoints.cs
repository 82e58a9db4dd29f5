using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using System.Text.Json;
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
    private static readonly string[] Senders =
        [Roles.SourceSystem, Roles.Importer, Roles.QualityEngineer, Roles.Reporter];

    /// <summary>Maps <c>/deviations</c>, <c>/production</c> and the import of cases.</summary>
    public static void MapIntake(this IEndpointRouteBuilder routes)
    {
        Map(routes, "deviations", MachineIntake.MachineTypes);
        Map(routes, "production", [MachineEvent.ProductionType]);
        routes.MapGet("deviations", FindAsync).WithName("find-deviation");
        routes.MapPost("deviations/{id:guid}/dismiss", DismissAsync).WithName("dismiss-deviation")
            .Accepts<DismissRequest>("application/json").Produces<CommandAnswer>()
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireRole(Roles.QualityEngineer));
        routes.MapPost("nonconformities/import", ImportAsync).WithName("import-nonconformities")
            .Produces<ImportReceipt[]>()
            .AddEndpointFilter(TakeRoomAsync)
            .WithMetadata(new RequestSizeLimitAttribute(Limits.IntakeBodyBytesMax))
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireRole(Roles.Importer));
        routes.MapPost("quarantine/{id:guid}/replay", ReplayAsync).WithName("replay-quarantined")
            .Produces<CommandAnswer>()
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireRole(Roles.QualityEngineer));
    }

    private static void Map(IEndpointRouteBuilder routes, string path, IReadOnlyCollection<string> types) =>
        routes.MapPost(path, (HttpContext http, MachineIntake intake, CancellationToken ct) =>
                TakeAsync(http, types, intake, ct))
            .WithName($"send-{path}")
            .AddEndpointFilter(TakeRoomAsync)
            .WithMetadata(new RequestSizeLimitAttribute(Limits.IntakeBodyBytesMax))
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireRole(Senders));

    private static async Task<IResult> TakeAsync(
        HttpContext http, IReadOnlyCollection<string> types, MachineIntake intake, CancellationToken ct)
    {
        if (!IntakeBody.IsReadable(http.Request.ContentType)) return UnreadableType();
        if (IntakeStream.IsAskedFor(http.Request))
        {
            await new IntakeStream(intake, OriginOf(http, types)).RunAsync(http);
            return Results.Empty;
        }

        var (request, refusal) = await IntakeRequest.ReadAsync(http.Request, intake, OriginOf(http, types), ct);
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
        if (!IntakeBody.IsReadable(http.Request.ContentType)) return UnreadableType();
        var (request, refusal) = await IntakeRequest.ReadAsync(
            http.Request, intake, OriginOf(http, [ImportedCase.Type]), ct);
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

    private static IntakeOrigin OriginOf(HttpContext http, IReadOnlyCollection<string> types) =>
        new(SenderOf(http), http.Request.ContentType!, types);

    private static Sender SenderOf(HttpContext http)
    {
        var actor = http.User.ToActor();
        var statesHistory = actor.Roles.Contains(Roles.Importer) && History.IsTaken(http.RequestServices);
        return new Sender(actor, http.User.FindFirstValue(CapaClaims.Source), statesHistory);
    }

    private static async Task<IResult> DismissAsync(
        Guid id, HttpContext http, IntakeCare care, CancellationToken ct)
    {
        var body = await StrictBody.ReadAsync<DismissRequest>(http.Request, ct);
        if (body.Value is not { } asked) return body.Refusal!;
        var errors = ValueRules.Check(asked);
        return errors.Count > 0
            ? HttpResults.Invalid(errors)
            : HttpResults.Of(await care.DismissAsync(id, asked.Reason, SenderOf(http), ct));
    }

    private static async Task<IResult> ReplayAsync(
        Guid id, HttpContext http, IntakeCare care, CancellationToken ct) =>
        HttpResults.Of(await care.ReplayAsync(id, SenderOf(http), ct));

    private static async Task<IResult> FindAsync(
        string source, string id, HttpContext http, IntakeLog log, CancellationToken ct)
    {
        var sender = SenderOf(http);
        var deviationId = MachineEvent.DeviationId(source, id);
        var recorded = await log.ReadAsync(Families.Deviation.Stream(deviationId), ct);
        if (recorded.Count == 0 || (sender.Source is { } own && own != source)) return HttpResults.NotFound();
        var first = (DeviationEvent.Received)EventCatalog.Deserialize(recorded[0].Type, recorded[0].Data.Span);
        return sender.Actor.IsAt(first.Site)
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

/// <summary>Why a deviation is none.</summary>
public sealed record DismissRequest([property: Required, StringLength(4_000)] string Reason);
