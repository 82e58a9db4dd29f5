using System.Threading.Channels;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using Grpc.Core;

namespace CapaEngine.EventStore;

/// <summary>
/// All appends of the process, through one queue and one duplex call. When the call breaks the next append opens a
/// new one; while no node can be reached appends wait for one until their deadline.
/// </summary>
internal sealed class AppendPipeline : IAsyncDisposable
{
    private const int QueuedMax = 10_000;
    private const string StreamsService = "event_store.client.streams.streams";

    private readonly NodeSelector _nodes;
    private readonly EventStoreSettings _settings;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    private readonly Channel<PendingAppend> _queue = Channel.CreateBounded<PendingAppend>(
        new BoundedChannelOptions(QueuedMax) { SingleReader = true });

    public AppendPipeline(NodeSelector nodes, EventStoreSettings settings, TimeProvider clock)
    {
        (_nodes, _settings, _clock) = (nodes, settings, clock);

        // Whoever happens to create the client must not lend its trace to the appends of everybody.
        using (ExecutionContext.SuppressFlow())
        {
            _running = Task.Run(RunAsync);
        }
    }

    public async Task<AppendResult> AppendAsync(
        string stream, ExpectedRevision expected, IReadOnlyList<NewEvent> events, CancellationToken ct)
    {
        var deadlineTicks = (long)(_settings.DefaultDeadline.TotalSeconds * _clock.TimestampFrequency);
        var append = new PendingAppend(stream, expected, events, _clock.GetTimestamp() + deadlineTicks);
        await _queue.Writer.WriteAsync(append, ct);
        return await append.Answer.WaitAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        // What is queued or in flight still gets its answer, for as long as an append may take.
        _queue.Writer.TryComplete();
        _stop.CancelAfter(_settings.DefaultDeadline);
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            var delays = NodeSelector.NewDelays();
            while (await _queue.Reader.WaitToReadAsync())
            {
                if (await OpenAsync(delays) is var (node, call))
                {
                    await PumpAsync(node, call);
                }
            }
        }
        catch (Exception defect)
        {
            // A defect of this class must not leave callers waiting for ever.
            _queue.Writer.TryComplete(defect);
            while (_queue.Reader.TryRead(out var append))
            {
                append.Fail(defect);
            }

            throw;
        }
    }

    private async Task PumpAsync(Node node, AppendCall call)
    {
        await using (call)
        await using (_stop.Token.UnsafeRegister(static c => ((AppendCall)c!).Abort(), call))
        {
            if (await call.PumpAsync(_queue.Reader) is { } failure)
            {
                _nodes.Report(node, failure);
            }
        }
    }

    /// <summary>
    /// Asking what the node can do proves that it can be reached: so an append that waited in vain is known not to
    /// have been sent, and is refused instead of unknown.
    /// </summary>
    private async Task<(Node, AppendCall)?> OpenAsync(RetryDelays delays)
    {
        Node? node = null;
        try
        {
            node = await _nodes.SelectAsync(_stop.Token);
            var asDuration = await KnowsDurationsAsync(node);
            var call = node.Invoker.AsyncDuplexStreamingCall(
                Calls.BatchAppend, null, _nodes.Call(CancellationToken.None));
            delays.Reset();
            return (node, new AppendCall(call, _settings.DefaultDeadline, asDuration, _clock));
        }
        catch (RpcException failure)
        {
            if (node is not null)
            {
                _nodes.Report(node, failure);
            }

            await RefuseAndWaitAsync(delays, failure);
        }
        catch (EventStoreUnavailableException failure)
        {
            await RefuseAndWaitAsync(delays, failure);
        }
        catch (OperationCanceledException)
        {
            RefuseQueued(_ => true, new AppendResult.ServerBusy("The client is closed."));
        }

        return null;
    }

    private async Task<bool> KnowsDurationsAsync(Node node)
    {
        try
        {
            var features = new ServerFeatures.ServerFeaturesClient(node.Channel);
            var supported = await features.GetSupportedMethodsAsync(
                new Empty(), _nodes.Call(_stop.Token, _settings.GossipTimeout));
            return supported.Methods.Any(m => m.ServiceName == StreamsService && m.MethodName == "batchappend"
                                              && m.Features.Contains("deadline_duration"));
        }
        catch (RpcException old) when (old.StatusCode is StatusCode.Unimplemented)
        {
            return false;
        }
    }

    private async Task RefuseAndWaitAsync(RetryDelays delays, Exception failure)
    {
        if (NodeSelector.IsDenied(failure))
        {
            RefuseQueued(_ => true, new AppendResult.AccessDenied());
        }

        var now = _clock.GetTimestamp();
        RefuseQueued(
            append => now > append.ExpiresAt, new AppendResult.ServerBusy($"No node answers: {failure.Message}"));
        try
        {
            await delays.WaitAsync(_clock, _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // Closing: the next attempt to open refuses what is left.
        }
    }

    private void RefuseQueued(Func<PendingAppend, bool> which, AppendResult result)
    {
        while (_queue.Reader.TryPeek(out var append) && which(append) && _queue.Reader.TryRead(out append))
        {
            append.Complete(result);
        }
    }
}
