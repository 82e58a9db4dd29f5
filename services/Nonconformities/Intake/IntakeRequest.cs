using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Hosting;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>One request with events on its way into the log.</summary>
internal sealed class IntakeRequest(IntakeBody body, MachineIntake intake, IntakeOrigin origin)
{
    private const string AttributePrefix = "ce-";

    /// <summary>Whether it is answered event by event.</summary>
    public bool IsBatch => body.IsBatch;

    /// <summary>Reads the body, or says what to answer instead; nothing is recorded yet.</summary>
    public static async Task<(IntakeRequest? Request, IResult? Refusal)> ReadAsync(
        HttpRequest http, MachineIntake intake, IntakeOrigin origin, CancellationToken ct)
    {
        using var buffer = new MemoryStream();
        await http.Body.CopyToAsync(buffer, ct);
        try
        {
            var body = IntakeBody.Read(
                buffer.GetBuffer().AsMemory(0, (int)buffer.Length), origin.ContentType,
                name => AttributeOf(http.Headers, name));
            // Checked before anything is recorded, so that a request is taken as a whole or not at all.
            return body.Excess is { } tooMuch
                ? (null, HttpResults.Problem(StatusOf(tooMuch), tooMuch.Reason, $"{tooMuch.Message}."))
                : (new IntakeRequest(body, intake, origin), null);
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
        if (intake.Refusal(body.Items[0], origin) is { } refused)
            return HttpResults.Problem(StatusCodes.Status403Forbidden, refused.Reason, $"{refused.Message}.");
        var receipt = (await TakeAllAsync(ct))[0];
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
        var window = intake.OpenWindow();
        var receipts = new List<Task<Receipt>>(body.Items.Count);
        foreach (var item in body.Items)
        {
            // The first event that cannot be recorded ends the request, which then gives no receipts.
            if (!await window.WaitForPlaceAsync(item, ct)) break;
            receipts.Add(window.TakeAsync(item, origin, ct));
        }

        return await Task.WhenAll(receipts);
    }

    private static int StatusOf(NotUnderstoodException excess) => excess.Reason == "too-many-events"
        ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status413PayloadTooLarge;

    private static string? AttributeOf(IHeaderDictionary headers, string name) =>
        headers.TryGetValue(AttributePrefix + name, out var value) ? Uri.UnescapeDataString(value.ToString()) : null;
}
