using System.Diagnostics;
using CapaEngine.Kernel;

namespace CapaEngine.EventStore;

/// <summary>
/// The event store behind a connection string, over the published gRPC protocol. One instance serves the whole
/// process: appends share one duplex call, reads and subscriptions share its connection.
/// </summary>
public sealed partial class EventStoreClient : IEventStore, IAsyncDisposable
{
    /// <summary>The name of the activity source of this client.</summary>
    public const string ActivitySourceName = "CapaEngine.EventStore";

    private static readonly ActivitySource Activities = new(ActivitySourceName);

    private readonly NodeSelector _nodes;
    private readonly AppendPipeline _appends;
    private readonly EventReader _reader;
    private readonly Unary _unary;

    public EventStoreClient(EventStoreSettings settings, TimeProvider clock)
    {
        _nodes = new NodeSelector(settings, clock);
        _appends = new AppendPipeline(_nodes, settings, clock);
        _reader = new EventReader(_nodes, settings, clock);
        _unary = new Unary(_nodes, settings);
    }

    /// <summary>The client for a connection string. It connects when it is first used.</summary>
    public static EventStoreClient Create(string connectionString) =>
        new(EventStoreSettings.Parse(connectionString), TimeProvider.System);

    /// <inheritdoc/>
    public async Task<AppendResult> AppendAsync(
        string stream, ExpectedRevision expected, IReadOnlyList<NewEvent> events, CancellationToken ct)
    {
        using var activity = Start("append", stream);
        activity?.SetTag("db.operation.batch.size", events.Count);
        var result = await _appends.AppendAsync(stream, expected, events, ct);
        if (result is not AppendResult.Appended)
        {
            activity?.SetTag("error.type", result.GetType().Name);
            activity?.SetStatus(ActivityStatusCode.Error);
        }

        return result;
    }

    /// <summary>
    /// Appends by a call of its own, past the queue of the other appends; the same results as
    /// <see cref="AppendAsync"/>.
    /// </summary>
    public async Task<AppendResult> AppendAloneAsync(
        string stream, ExpectedRevision expected, IReadOnlyList<NewEvent> events, CancellationToken ct)
    {
        using var activity = Start("append", stream);
        return await _unary.AppendAsync(stream, expected, events, ct);
    }

    /// <summary>
    /// Deletes the events of a stream softly: they are no longer read, and the next append continues the numbering.
    /// </summary>
    public Task<RemovalResult> DeleteAsync(string stream, ExpectedRevision expected, CancellationToken ct) =>
        _unary.DeleteAsync(stream, expected, ct);

    /// <summary>Deletes a stream for ever: nothing can be appended to its name again.</summary>
    public Task<RemovalResult> TombstoneAsync(string stream, ExpectedRevision expected, CancellationToken ct) =>
        _unary.TombstoneAsync(stream, expected, ct);

    /// <summary>Hides the events of a stream before a revision (<c>$tb</c>).</summary>
    public Task SetTruncateBeforeAsync(string stream, long revision, CancellationToken ct) =>
        StreamRetention.SetTruncateBeforeAsync(this, stream, revision, ct);

    /// <inheritdoc/>
    public Task SetMaxCountAsync(string stream, long countMax, CancellationToken ct) =>
        StreamRetention.SetMaxCountAsync(this, stream, countMax, ct);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _appends.DisposeAsync();
        _nodes.Dispose();
    }

    /// <summary>Tagged with the stream's family, never its id: that would be a tag with a million values.</summary>
    private static Activity? Start(string operation, string stream)
    {
        var activity = Activities.StartActivity($"streams.{operation}", ActivityKind.Client);
        activity?.SetTag("db.system.name", "eventstoredb");
        activity?.SetTag("db.operation.name", operation);
        activity?.SetTag("db.collection.name", Family(stream));
        return activity;
    }

    private static string Family(string stream) =>
        stream.IndexOf('-', StringComparison.Ordinal) is > 0 and var dash ? stream[..dash] : stream;
}
