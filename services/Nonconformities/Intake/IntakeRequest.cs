using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Hosting;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>One request with events on its way into the log.</summary>
internal sealed class IntakeRequest(
    IntakeBody body, IntakeLog log, Sender sender, string contentType, string[] types, DateTimeOffset now)
{
    private const int EventsPerRequestMax = 10_000;
    private const int EventBytesMax = 256 << 10;

    // Enough to fill the store's pipeline and its group commits; more only adds memory.
    private const int AppendsInFlightMax = 512;

    /// <summary>Whether it is answered event by event.</summary>
    public bool IsBatch => body.IsBatch;

    /// <summary>Reads the body, or says what to answer instead; nothing is recorded yet.</summary>
    public static async Task<(IntakeRequest? Request, IResult? Refusal)> ReadAsync(
        HttpContext http, Sender sender, string[] types, IntakeLog log, TimeProvider clock, CancellationToken ct)
    {
        if (!IntakeBody.IsReadable(http.Request.ContentType))
            return (null, HttpResults.Problem(StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
                "Send CloudEvents as JSON, as a JSON batch or one event a line, in UTF-8."));
        using var buffer = new MemoryStream();
        await http.Request.Body.CopyToAsync(buffer, ct);
        try
        {
            var body = IntakeBody.Read(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), http.Request);
            return RefuseSize(body) is { } tooMuch
                ? (null, tooMuch)
                : (new IntakeRequest(body, log, sender, http.Request.ContentType!, types, clock.GetUtcNow()), null);
        }
        catch (JsonException malformed)
        {
            return (null, HttpResults.Problem(StatusCodes.Status400BadRequest, "malformed-json",
                $"The body is not JSON: line {malformed.LineNumber + 1}, byte {malformed.BytePositionInLine}."));
        }
    }

    /// <summary>The answer for a single event.</summary>
    public async Task<IResult> TakeOneAsync(CancellationToken ct)
    {
        var item = body.Items[0];
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
    public async Task<Receipt[]> TakeAllAsync(CancellationToken ct)
    {
        var receipts = new Receipt[body.Items.Count];
        var streams = body.Items.Select((item, index) => (Item: item, Index: index, Understood: Understand(item)))
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

    // Checked before anything is recorded, so that a request is taken as a whole or not at all.
    private static IResult? RefuseSize(IntakeBody body) =>
        body.Items.Count > EventsPerRequestMax
            ? HttpResults.Problem(StatusCodes.Status422UnprocessableEntity, "too-many-events",
                $"A request holds at most {EventsPerRequestMax} events.")
            : body.Items.Any(item => item.Raw.Length > EventBytesMax)
                ? HttpResults.Problem(StatusCodes.Status413PayloadTooLarge, "event-too-large",
                    $"One event has at most {EventBytesMax} bytes.")
                : null;
}
