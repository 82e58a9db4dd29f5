using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>One item of a body: an envelope, or bytes in which none was found.</summary>
public sealed record IntakeItem(Envelope? Envelope, ReadOnlyMemory<byte> Raw, NotUnderstoodException? Why);

/// <summary>
/// The forms in which events come: one structured CloudEvent, a batch as JSON array, one event a line, or one event
/// whose attributes stand beside the body (binary mode). Array or not decides between batch and single, whatever the
/// media type.
/// </summary>
public sealed record IntakeBody(IReadOnlyList<IntakeItem> Items, bool IsBatch)
{
    /// <summary>The media type of one event a line.</summary>
    public const string Lines = "application/x-ndjson";

    /// <summary>The media type of one event.</summary>
    public const string Structured = "application/cloudevents+json";

    /// <summary>The largest event in bytes.</summary>
    public const int EventBytesMax = 256 << 10;

    private const int EventsMax = 10_000;

    private static readonly string[] MediaTypes =
        ["application/json", Structured, "application/cloudevents-batch+json", Lines];

    private static readonly JsonDocumentOptions Syntax = new() { MaxDepth = 32 };

    /// <summary>Whether the media type is one of those that are read here, in UTF-8.</summary>
    public static bool IsReadable(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && MediaTypes.Contains(type.MediaType.Value, StringComparer.OrdinalIgnoreCase)
        && (!type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    /// <summary>Why it is more than is taken at once; null where it is not.</summary>
    public NotUnderstoodException? Excess =>
        Items.Count > EventsMax ? new("too-many-events", $"At most {EventsMax} events are taken at once")
        : Items.Any(item => item.Raw.Length > EventBytesMax)
            ? new("event-too-large", $"One event has at most {EventBytesMax} bytes")
        : null;

    /// <summary>The items of a body. Throws <see cref="JsonException"/> where the whole is not JSON.</summary>
    /// <param name="attribute">The attributes that stand beside the body, by name; null where there is none.</param>
    public static IntakeBody Read(ReadOnlyMemory<byte> body, string contentType, Func<string, string?> attribute)
    {
        if (contentType.StartsWith(Lines, StringComparison.OrdinalIgnoreCase))
            return new IntakeBody([.. SplitLines(body).Select(ReadLine)], IsBatch: true);
        var root = JsonElement.Parse(body.Span, Syntax);
        if (attribute("specversion") is not null)
            return new IntakeBody([ReadItem(JsonElement.Parse(Structure(body, attribute), Syntax))], IsBatch: false);
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

    // The one form that can be read again from the quarantine. In binary mode the data's media type is that of the
    // body, so it has been checked already.
    private static ReadOnlySpan<byte> Structure(ReadOnlyMemory<byte> data, Func<string, string?> attribute)
    {
        var structured = new ArrayBufferWriter<byte>(data.Length + 256);
        using (var json = new Utf8JsonWriter(structured))
        {
            json.WriteStartObject();
            foreach (var name in (ReadOnlySpan<string>)["specversion", "source", "id", "type", "subject"])
                if (attribute(name) is { } value) json.WriteString(name, value);
            json.WritePropertyName("data");
            json.WriteRawValue(data.Span);
            json.WriteEndObject();
        }

        return structured.WrittenSpan;
    }

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
