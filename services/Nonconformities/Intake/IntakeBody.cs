using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>One item of a body: an envelope, or bytes in which none was found.</summary>
public sealed record IntakeItem(Envelope? Envelope, ReadOnlyMemory<byte> Raw, NotUnderstoodException? Why);

/// <summary>
/// The forms in which events come: one structured CloudEvent, a batch as JSON array, one event a line, or one event
/// whose attributes are headers (binary mode). Array or not decides between batch and single, whatever the media type.
/// </summary>
public sealed record IntakeBody(IReadOnlyList<IntakeItem> Items, bool IsBatch)
{
    private const string Lines = "application/x-ndjson";
    private const string HeaderPrefix = "ce-";

    private static readonly string[] MediaTypes =
        ["application/json", "application/cloudevents+json", "application/cloudevents-batch+json", Lines];

    private static readonly JsonDocumentOptions Syntax = new() { MaxDepth = 32 };

    /// <summary>Whether the media type is one of those that are read here, in UTF-8.</summary>
    public static bool IsReadable(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && MediaTypes.Contains(type.MediaType.Value, StringComparer.OrdinalIgnoreCase)
        && (!type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    /// <summary>The items of a body. Throws <see cref="JsonException"/> where the whole is not JSON.</summary>
    public static IntakeBody Read(ReadOnlyMemory<byte> body, HttpRequest request)
    {
        if (request.ContentType!.StartsWith(Lines, StringComparison.OrdinalIgnoreCase))
            return new IntakeBody([.. SplitLines(body).Select(ReadLine)], IsBatch: true);
        var root = JsonElement.Parse(body.Span, Syntax);
        if (request.Headers.ContainsKey(HeaderPrefix + "specversion"))
            return new IntakeBody([new(FromHeaders(request.Headers, root, body), body, null)], IsBatch: false);
        return root.ValueKind == JsonValueKind.Array
            ? new IntakeBody([.. root.EnumerateArray().Select(ReadItem)], IsBatch: true)
            : new IntakeBody([ReadItem(root)], IsBatch: false);
    }

    /// <summary>The one item of bytes that stand alone.</summary>
    public static IntakeItem ReadLine(ReadOnlyMemory<byte> line)
    {
        try
        {
            return ReadItem(JsonElement.Parse(line.Span, Syntax));
        }
        catch (JsonException malformed)
        {
            return new IntakeItem(null, line, new NotUnderstoodException(
                "not-json", $"The line is not JSON at byte {malformed.BytePositionInLine}."));
        }
    }

    private static IntakeItem ReadItem(JsonElement json)
    {
        var raw = JsonMarshal.GetRawUtf8Value(json).ToArray();
        if (json.ValueKind != JsonValueKind.Object)
            return new IntakeItem(null, raw, new NotUnderstoodException("not-a-cloud-event", "It is not an object."));
        try
        {
            var envelope = new Envelope(
                Text(json, "specversion"), Text(json, "source"), Text(json, "id"), Text(json, "type"),
                Text(json, "subject"), Text(json, "datacontenttype"),
                json.TryGetProperty("data", out var data) ? data : default, raw);
            return envelope.Data.ValueKind == JsonValueKind.Undefined
                ? new IntakeItem(envelope, raw, new NotUnderstoodException("not-a-cloud-event", "data: is required"))
                : new IntakeItem(envelope, raw, null);
        }
        catch (NotUnderstoodException why)
        {
            return new IntakeItem(null, raw, why);
        }
    }

    private static string? Text(JsonElement json, string attribute)
    {
        if (!json.TryGetProperty(attribute, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind != JsonValueKind.String)
            throw new NotUnderstoodException("not-a-cloud-event", $"{attribute}: must be a string");
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            throw new NotUnderstoodException("not-a-cloud-event", $"{attribute}: must be valid Unicode");
        }
    }

    // In binary mode the data's media type is that of the body, so it has been checked already.
    private static Envelope FromHeaders(IHeaderDictionary headers, JsonElement data, ReadOnlyMemory<byte> raw) => new(
        Header(headers, "specversion"), Header(headers, "source"), Header(headers, "id"), Header(headers, "type"),
        Header(headers, "subject"), null, data, raw);

    private static string? Header(IHeaderDictionary headers, string attribute) =>
        headers.TryGetValue(HeaderPrefix + attribute, out var value) ? Uri.UnescapeDataString(value.ToString()) : null;

    private static IEnumerable<ReadOnlyMemory<byte>> SplitLines(ReadOnlyMemory<byte> body)
    {
        while (!body.IsEmpty)
        {
            var end = body.Span.IndexOf((byte)'\n');
            var line = end < 0 ? body : body[..end];
            if (!line.Span.Trim(" \t\r"u8).IsEmpty) yield return line;
            body = end < 0 ? default : body[(end + 1)..];
        }
    }
}
