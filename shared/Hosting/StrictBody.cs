using System.Text.Json;
using System.Text.Unicode;
using CapaEngine.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace CapaEngine.Hosting;

/// <summary>A request body as read: its value, or the refusal.</summary>
/// <param name="Value">Null where <paramref name="Refusal"/> is set.</param>
/// <param name="Canonical">The value written in one way, whatever the spelling of the request.</param>
public sealed record ReadBody<T>(T? Value, ReadOnlyMemory<byte> Canonical, IResult? Refusal)
    where T : class;

/// <summary>
/// Reads JSON bodies and tells apart what cannot be read (415, 400) from what reads but is wrong (422 with the member
/// and the rule). An empty body stands for <c>{}</c>.
/// </summary>
public static class StrictBody
{
    private static readonly JsonDocumentOptions Syntax = new()
    {
        AllowTrailingCommas = false,
        CommentHandling = JsonCommentHandling.Disallow,
        MaxDepth = StrictJson.Requests.MaxDepth,
    };

    /// <summary>Reads the body of <paramref name="request"/> as a <typeparamref name="T"/>.</summary>
    public static async Task<ReadBody<T>> ReadAsync<T>(HttpRequest request, CancellationToken ct)
        where T : class
    {
        using var buffer = new MemoryStream();
        if (request.ContentType is not null && !IsJson(request.ContentType)) return Refuse<T>(NotJson());
        await request.Body.CopyToAsync(buffer, ct);
        if (buffer.Length > 0 && request.ContentType is null) return Refuse<T>(NotJson());
        return Parse<T>(buffer.Length == 0 ? "{}"u8.ToArray() : buffer.ToArray());
    }

    /// <summary>Reads <paramref name="utf8"/> as a <typeparamref name="T"/>.</summary>
    public static ReadBody<T> Parse<T>(ReadOnlyMemory<byte> utf8)
        where T : class
    {
        if (!Utf8.IsValid(utf8.Span)) return Refuse<T>(Malformed("it is not UTF-8"));
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(utf8, Syntax);
        }
        catch (JsonException malformed)
        {
            return Refuse<T>(Malformed(
                $"line {malformed.LineNumber + 1}, byte {malformed.BytePositionInLine}, at most "
                + $"{Syntax.MaxDepth} levels deep"));
        }

        using (document)
        {
            var errors = RequestShape.Check(document.RootElement, typeof(T));
            if (errors.Count > 0) return Refuse<T>(HttpResults.Invalid(errors));
            var value = document.RootElement.Deserialize<T>(StrictJson.Requests)!;
            return new ReadBody<T>(value, JsonSerializer.SerializeToUtf8Bytes(value, StrictJson.Requests), null);
        }
    }

    private static IResult Malformed(string why) => HttpResults.Problem(
        StatusCodes.Status400BadRequest, "malformed-json", $"The body cannot be read as JSON: {why}.");

    private static bool IsJson(string contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && (!type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    private static IResult NotJson() => HttpResults.Problem(
        StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type", "Send application/json in UTF-8.");

    private static ReadBody<T> Refuse<T>(IResult refusal)
        where T : class => new(null, default, refusal);
}
