using System.Runtime.CompilerServices;
using System.Threading.Channels;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;

namespace CapaEngine.ReadModels.Rebuilding;

/// <summary>Events that are written in one transaction, in log order.</summary>
/// <param name="Through">The position up to which everything wanted has been read.</param>
internal sealed record LogChunk(IReadOnlyList<IncomingEvent> Events, ulong Through)
{
    /// <summary>The chunk without the events that are not wanted.</summary>
    public LogChunk Only(Func<IncomingEvent, bool> wanted) => this with { Events = [.. Events.Where(wanted)] };
}

/// <summary>
/// Reads the log in chunks, ahead of whoever writes them: reading and decoding are as much work as writing, and neither
/// should wait for the other.
/// </summary>
internal static class LogChunks
{
    private const int BytesMax = 16 * 1024 * 1024;
    private const int AheadMax = 3;

    /// <summary>The events of the families after a position, up to another or to the end of the log.</summary>
    public static async IAsyncEnumerable<LogChunk> ReadAsync(
        IEventStore store, ulong after, ulong through, IReadOnlyCollection<Family> families, int eventsMax,
        [EnumeratorCancellation] CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var ahead = Channel.CreateBounded<LogChunk>(
            new BoundedChannelOptions(AheadMax) { SingleReader = true, SingleWriter = true });
        var reading = Task.Run(() => FillAsync(
            store.ReadAllAsync(LogPosition.At(after), [.. families.Select(family => family.Prefix)], ending.Token),
            through, eventsMax, ahead.Writer, ending.Token), ct);
        try
        {
            await foreach (var chunk in ahead.Reader.ReadAllAsync(ct)) yield return chunk;
        }
        finally
        {
            // Whoever stops listening ends the reading as well.
            await ending.CancelAsync();
            await reading;
        }
    }

    private static async Task FillAsync(
        IAsyncEnumerable<RecordedEvent> log, ulong through, int eventsMax, ChannelWriter<LogChunk> chunks,
        CancellationToken ct)
    {
        try
        {
            var (events, bytes) = (new List<IncomingEvent>(eventsMax), 0);
            await foreach (var recorded in log.WithCancellation(ct))
            {
                if (recorded.Position.Commit > through) break;
                events.Add(EventEnvelope.Of(recorded).ToIncoming());
                bytes += recorded.Data.Length + recorded.Metadata.Length;
                if (events.Count < eventsMax && bytes < BytesMax) continue;
                await chunks.WriteAsync(new LogChunk(events, recorded.Position.Commit), ct);
                (events, bytes) = (new List<IncomingEvent>(eventsMax), 0);
            }

            if (events.Count > 0) await chunks.WriteAsync(new LogChunk(events, events[^1].Position.Commit), ct);
            chunks.Complete();
        }
        catch (Exception failure)
        {
            chunks.Complete(failure);
        }
    }
}
