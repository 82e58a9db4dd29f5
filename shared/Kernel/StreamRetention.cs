using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CapaEngine.Kernel;

/// <summary>
/// How many events a stream keeps: the member <c>$maxCount</c> of the last event of its metadata stream
/// <c>$${stream}</c>.
/// </summary>
public static class StreamRetention
{
    /// <summary>The prefix that turns a stream's name into that of its metadata stream.</summary>
    public const string MetadataPrefix = "$$";

    private const string MetadataType = "$metadata";
    private const string MaxCount = "$maxCount";
    private const int AttemptsMax = 5;

    /// <summary>Appends the new count to the metadata stream, unless it is there already.</summary>
    public static async Task SetMaxCountAsync(IEventStore store, string stream, long countMax, CancellationToken ct)
    {
        var metadataStream = MetadataPrefix + stream;
        AppendResult? last = null;
        for (var attempt = 0; attempt < AttemptsMax; attempt++)
        {
            var current = await LastAsync(store, metadataStream, ct);
            if (current is not null && MaxCountOf(current.Data.Span) == countMax)
            {
                return;
            }

            var content = current is null ? [] : ObjectOf(current.Data.Span);
            content[MaxCount] = countMax;
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

        throw new InvalidOperationException($"Cannot set how many events {stream} keeps: {last}");
    }

    /// <summary>The count that the content of a metadata event sets, if any.</summary>
    public static long? MaxCountOf(ReadOnlySpan<byte> metadata) =>
        ObjectOf(metadata).TryGetPropertyValue(MaxCount, out var count) ? (long?)count : null;

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
