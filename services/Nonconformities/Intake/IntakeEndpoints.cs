using System.ComponentModel.DataAnnotations;
using System.Buffers;
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
    private const int EventsPerRequestMax = 10_000;
    private const int EventBytesMax = 256 << 10;

    // Enough to fill the store's pipeline and its group commits; more only adds memory.
    private const int AppendsInFlightMax = 512;

    private static readonly string[] Senders =
        [Roles.SourceSystem, Roles.Importer, Roles.QualityEngineer, Roles.Reporter];

    /// <summary>Maps <c>/deviations</c> and <c>/production</c>.</summary>
    public static void MapIntake(this IEndpointRouteBuilder routes)
    {
        Map(routes, "deviations", [MachineEvent.DeviationType, MachineEvent.ProductionType]);
        Map(routes, "production", [MachineEvent.ProductionType]);
        routes.MapGet("deviations", FindAsync).WithName("find-deviation");
        routes.MapPost("deviations/{id:guid}/dismiss", DismissAsync).WithName("dismiss-deviation")
            .Accepts<DismissRequest>("application/json").Produces<CommandAnswer>()
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireRole(Roles.QualityEngineer));
        routes.MapPost("quarantine/{id:guid}/replay", ReplayAsync).WithName("replay-quarantined")
            .Produces<CommandAnswer>()
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireRole(Roles.QualityEngineer));
    }

    private static void Map(IEndpointRouteBuilder routes, string path, string[] types) =>
        routes.MapPost(path, (HttpContext http, IntakeLog log, TimeProvider clock, CancellationToken ct) =>
                TakeAsync(http, types, log, clock, ct))
            .WithName($"send-{path}")
            .WithMetadata(new RequestSizeLimitAttribute(Limits.IntakeBodyBytesMax))
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireRole(Senders));

    private static async Task<IResult> TakeAsync(
        HttpContext http, string[] types, IntakeLog log, TimeProvider clock, CancellationToken ct)
    {
        if (!IntakeBody.IsReadable(http.Request.ContentType))
            return HttpResults.Problem(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
                "Send CloudEvents as JSON, as a JSON batch or one event a line, in UTF-8.");
        using var buffer = new MemoryStream();
        await http.Request.Body.CopyToAsync(buffer, ct);
        IntakeBody body;
        try
        {
            body = IntakeBody.Read(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), http.Request);
        }
        catch (JsonException malformed)
        {
            return HttpResults.Problem(StatusCodes.Status400BadRequest, "malformed-json",
                $"The body is not JSON: line {malformed.LineNumber + 1}, byte {malformed.BytePositionInLine}.");
        }

        if (RefuseSize(body) is { } tooMuch) return tooMuch;
        var intake = new Request(log, SenderOf(http.User), http.Request.ContentType!, types, clock.GetUtcNow());
        return body.IsBatch
            ? Results.Json(await intake.TakeAllAsync(body.Items, ct), StrictJson.Requests)
            : await intake.TakeOneAsync(body.Items[0], ct);
    }

    // Checked before anything is recorded, so that a request is taken as a whole or not at all.
    private static IResult? RefuseSize(IntakeBody body) =>
        body.Items.Count > EventsPerRequestMax
            ? HttpResults.Problem(StatusCodes.Status422UnprocessableEntity, "too-many-events",
                $"A request holds at most {EventsPerRequestMax} events.")
            : body.Items.Any(item => item.Raw.Length > EventBytesMax)
                ? HttpResults.Problem(StatusCodes.Status413PayloadTooLarge, "event-too-large",
                    $"One event has at most {EventBytesMax} bytes.")
                : null;

    private static Sender SenderOf(ClaimsPrincipal user)
    {
        var actor = user.ToActor();
        return new Sender(actor, user.FindFirstValue(CapaClaims.Source), actor.Roles.Contains(Roles.Importer));
    }

    private static async Task<IResult> DismissAsync(
        Guid id, HttpContext http, IntakeCare care, CancellationToken ct)
    {
        var body = await StrictBody.ReadAsync<DismissRequest>(http.Request, ct);
        if (body.Value is not { } asked) return body.Refusal!;
        var errors = ValueRules.Check(asked);
        return errors.Count > 0
            ? HttpResults.Invalid(errors)
            : HttpResults.Of(await care.DismissAsync(id, asked.Reason, SenderOf(http.User), ct));
    }

    private static async Task<IResult> ReplayAsync(
        Guid id, ClaimsPrincipal user, IntakeCare care, CancellationToken ct) =>
        HttpResults.Of(await care.ReplayAsync(id, SenderOf(user), ct));

    private static async Task<IResult> FindAsync(
        string source, string id, ClaimsPrincipal user, IntakeLog log, CancellationToken ct)
    {
        var sender = SenderOf(user);
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

    /// <summary>One request on its way into the log.</summary>
    private sealed class Request(
        IntakeLog log, Sender sender, string contentType, string[] types, DateTimeOffset now)
    {
        public async Task<IResult> TakeOneAsync(IntakeItem item, CancellationToken ct)
        {
            var (machine, why) = Understand(item);
            if (why is { Reason: "site-not-yours" or "source-not-yours" })
                return HttpResults.Problem(StatusCodes.Status403Forbidden, why.Reason, $"{why.Message}.");
            var receipt = await TakeAsync(item, machine, why, ct);
            return Results.Json(receipt, StrictJson.Requests, statusCode: receipt.Outcome switch
            {
                IntakeOutcome.Conflict => StatusCodes.Status409Conflict,
                IntakeOutcome.Quarantined => StatusCodes.Status202Accepted,
                _ => StatusCodes.Status200OK,
            });
        }

        /// <summary>The receipts in the order of the events; those of one stream are taken in turn.</summary>
        public async Task<Receipt[]> TakeAllAsync(IReadOnlyList<IntakeItem> items, CancellationToken ct)
        {
            var receipts = new Receipt[items.Count];
            var streams = items.Select((item, index) => (Item: item, Index: index, Understood: Understand(item)))
                .GroupBy(entry => entry.Understood.Machine?.Stream ?? $"{entry.Index}", StringComparer.Ordinal);
            await Parallel.ForEachAsync(
                streams, new ParallelOptions { MaxDegreeOfParallelism = AppendsInFlightMax, CancellationToken = ct },
                async (stream, token) =>
                {
                    foreach (var (item, index, understood) in stream)
                        receipts[index] = await TakeAsync(item, understood.Machine, understood.Why, token);
                });
            return receipts;
        }

        private Task<Receipt> TakeAsync(
            IntakeItem item, MachineEvent? machine, NotUnderstoodException? why, CancellationToken ct) =>
            machine is not null
                ? log.RecordAsync(machine, sender, ct)
                : log.QuarantineAsync(
                    item.Raw, contentType, why!, Short(item.Envelope?.Source), Short(item.Envelope?.Id), sender, ct);

        private (MachineEvent? Machine, NotUnderstoodException? Why) Understand(IntakeItem item)
        {
            if (item.Why is not null) return (null, item.Why);
            try
            {
                return (MachineEvent.Read(item.Envelope!, sender, types, now), null);
            }
            catch (NotUnderstoodException why)
            {
                return (null, why);
            }
            catch (Exception why) when (why is NotCanonicalException or InvalidOperationException)
            {
                return (null, new NotUnderstoodException("ambiguous-json", why.Message));
            }
        }

        // What names the sender of a quarantined event is a help to people, not an id: it may be anything.
        private static string? Short(string? text) => text is { Length: > 500 } ? text[..500] : text;
    }
}

/// <summary>Why a deviation is none.</summary>
public sealed record DismissRequest([property: Required, StringLength(4_000)] string Reason);
