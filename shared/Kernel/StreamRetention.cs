using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CapaEngine.Kernel;

/// <summary>
/// Which events of a stream are still read: the members <c>$maxCount</c> and <c>$tb</c> of the last event of its
/// metadata stream <c>$${stream}</c>.
/// </summary>
public static class StreamRetention
{
    /// <summary>The prefix that turns a stream's name into that of its metadata stream.</summary>
    public const string MetadataPrefix = "$$";

    private const string MetadataType = "$metadata";
    private const string MaxCount = "$maxCount";
    private const string TruncateBefore = "$tb";
    private const int AttemptsMax = 5;

    /// <summary>Says how many events the stream keeps, unless it says so already.</summary>
    public static Task SetMaxCountAsync(IEventStore store, string stream, long countMax, CancellationToken ct) =>
        SetAsync(store, stream, MaxCount, countMax, ct);

    /// <summary>Says before which revision the stream's events are hidden, unless it says so already.</summary>
    public static Task SetTruncateBeforeAsync(IEventStore store, string stream, long revision, CancellationToken ct) =>
        SetAsync(store, stream, TruncateBefore, revision, ct);

    /// <summary>The first revision that the content of a metadata event leaves to be read.</summary>
    /// <param name="last">The last revision of the stream.</param>
    public static long FirstKept(ReadOnlySpan<byte> metadata, long last)
    {
        var content = ObjectOf(metadata);
        var kept = Number(content, MaxCount) is { } count ? Math.Max(0, last - count + 1) : 0;
        return Math.Max(kept, Number(content, TruncateBefore) ?? 0);
    }

    private static async Task SetAsync(
        IEventStore store, string stream, string name, long value, CancellationToken ct)
    {
        var metadataStream = MetadataPrefix + stream;
        AppendResult? last = null;
        for (var attempt = 0; attempt < AttemptsMax; attempt++)
        {
            var current = await LastAsync(store, metadataStream, ct);
            var content = current is null ? [] : ObjectOf(current.Data.Span);
            if (Number(content, name) == value)
            {
                return;
            }

            content[name] = value;
            var change = new NewEvent(
                Guid.NewGuid(), MetadataType, Encoding.UTF8.GetBytes(content.ToJsonString()), default);

            // Whoever wrote in between wins; then it is looked at again. So is an append whose outcome is unknown.
            last = await store.AppendAsync(
                metadataStream, ExpectedRevision.At(current?.Revision ?? -1), [change], ct);
            if (last is AppendResult.Appended)
            {
                return;
            }
        }

        throw new InvalidOperationException($"Cannot set {name} of {stream}: {last}");
    }

    private static long? Number(JsonObject content, string name) =>
        content.TryGetPropertyValue(name, out var number) ? (long?)number : null;

    private static JsonObject ObjectOf(ReadOnlySpan<byte> json) => JsonNode.Parse(json) as JsonObject
        ?? throw new JsonException("The metadata of a stream is a JSON object.");

    private static async Task<RecordedEvent?> LastAsync(IEventStore store, string stream, CancellationToken ct)
    {
        await foreach (var last in store.ReadStreamBackwardsAsync(stream, 1, ct))
        {
            return last;
        }

        return null;
    }
}
