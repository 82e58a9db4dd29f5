using System.Text.Json;
using System.Text.Json.Nodes;
using CapaEngine.EventLog.Access;

namespace CapaEngine.EventLog;

/// <summary>What the metadata of a stream say: what readers may see of it, and who may do what.</summary>
/// <param name="Access">Null if the stream has no access list of its own.</param>
internal sealed record StreamLimits(
    long? MaxCount, long? TruncateBefore, long? MaxAgeSeconds, AccessList? Access = null)
{
    private const string MaxCountName = "$maxCount";
    private const string TruncateBeforeName = "$tb";
    private const string MaxAgeName = "$maxAge";
    private const string AccessListName = "$acl";

    private static readonly JsonDocumentOptions Once = new() { AllowDuplicateProperties = false };

    public static StreamLimits None { get; } = new(null, null, null);

    /// <summary>Deleted softly: nothing is visible, and a later append continues the numbering.</summary>
    public bool IsDeleted => TruncateBefore == long.MaxValue;

    /// <summary>The first revision that readers may see.</summary>
    /// <param name="last">The last revision of the stream.</param>
    public long FirstVisible(long last) => Math.Max(
        TruncateBefore ?? 0, MaxCount is { } count && count <= last ? last - count + 1 : 0);

    /// <summary>
    /// Metadata that is no JSON object, or has a member of another type, limits nothing; but an access list that can
    /// be read keeps its stream closed. A number that makes no sense is as if it were not there.
    /// </summary>
    public static StreamLimits Parse(ReadOnlyMemory<byte> metadata)
    {
        try
        {
            using var json = JsonDocument.Parse(metadata);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                return None;
            }

            var access = AccessList.Member(json.RootElement, AccessListName);
            return TryNumber(json, MaxCountName, least: 1, out var maxCount)
                && TryNumber(json, TruncateBeforeName, least: 0, out var truncateBefore)
                && TryNumber(json, MaxAgeName, least: 1, out var maxAge)
                    ? new(maxCount, truncateBefore, maxAge, access)
                    : None with { Access = access };
        }
        catch (JsonException)
        {
            return None;
        }
        catch (InvalidOperationException)
        {
            // A name in it is no text, perhaps that of an access list: what it was to close must not be open.
            return None with { Access = AccessList.Nobody };
        }
    }

    /// <summary>
    /// The same metadata with another truncation. What cannot be kept as it is, because it is no object or says
    /// something twice, is forgotten; but not who may do what.
    /// </summary>
    public static byte[] WithTruncateBefore(ReadOnlyMemory<byte> metadata, long truncateBefore)
    {
        try
        {
            if (!metadata.IsEmpty && JsonNode.Parse(metadata.Span, documentOptions: Once) is JsonObject content)
            {
                content[TruncateBeforeName] = truncateBefore;
                return JsonSerializer.SerializeToUtf8Bytes(content);
            }
        }
        catch (Exception unfit) when (unfit is JsonException or InvalidOperationException)
        {
            // No JSON, a member twice, or a string that is no text.
        }

        return Truncated(metadata, truncateBefore);
    }

    /// <summary>
    /// The metadata of a stream that is deleted: what they said is forgotten with it, but not who may do what, for
    /// its events can be made visible again.
    /// </summary>
    public static byte[] Deleted(ReadOnlyMemory<byte> metadata) => Truncated(metadata, long.MaxValue);

    private static byte[] Truncated(ReadOnlyMemory<byte> metadata, long truncateBefore)
    {
        var content = new JsonObject { [TruncateBeforeName] = truncateBefore };
        if (Parse(metadata).Access is { } access)
        {
            content[AccessListName] = JsonNode.Parse(access.ToJson());
        }

        return JsonSerializer.SerializeToUtf8Bytes(content);
    }

    /// <summary>False if it is there and no number.</summary>
    private static bool TryNumber(JsonDocument json, string name, long least, out long? number)
    {
        number = null;
        if (!json.RootElement.TryGetProperty(name, out var value))
        {
            return true;
        }

        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var parsed))
        {
            return false;
        }

        number = parsed >= least ? parsed : null;
        return true;
    }
}
