using System.Runtime.CompilerServices;
using CapaEngine.EventStore.Protocol;
using CapaEngine.Kernel;
using Grpc.Core;

namespace CapaEngine.EventStore;

/// <summary>
/// A read that survives a broken connection: it asks again from where the caller has got to. A plain read gives up
/// after some attempts without progress; a subscription never does.
/// </summary>
internal sealed class EventReader(NodeSelector nodes, EventStoreSettings settings, TimeProvider clock)
{
    /// <summary>Reads to the end.</summary>
    /// <param name="request">Builds the request for what is still to be read; asked again after each break.</param>
    public IAsyncEnumerable<ReadAnswer> ReadAsync(Func<ReadReq> request, CancellationToken ct) =>
        RunAsync(request, endless: false, ct);

    /// <summary>Follows for ever, or until the stream it follows is tombstoned.</summary>
    public IAsyncEnumerable<ReadAnswer> FollowAsync(Func<ReadReq> request, CancellationToken ct) =>
        RunAsync(request, endless: true, ct);

    private async IAsyncEnumerable<ReadAnswer> RunAsync(
        Func<ReadReq> request, bool endless, [EnumeratorCancellation] CancellationToken ct)
    {
        var delays = NodeSelector.NewDelays();
        while (true)
        {
            var attempt = await OpenAsync(request(), endless, delays, ct);
            if (attempt is var (node, call))
            {
                using (call)
                {
                    while (await NextAsync(node, call, endless, delays, ct) is var (outcome, message))
                    {
                        if (outcome == Outcome.Message)
                        {
                            delays.Reset();
                            yield return message!;
                        }
                        else if (outcome == Outcome.Deleted || (outcome == Outcome.Ended && !endless))
                        {
                            yield break;
                        }
                        else
                        {
                            break;
                        }
                    }
                }
            }

            await delays.WaitAsync(clock, ct);
        }
    }

    private async Task<(Node, AsyncServerStreamingCall<ReadAnswer>)?> OpenAsync(
        ReadReq request, bool endless, RetryDelays delays, CancellationToken ct)
    {
        try
        {
            var node = await nodes.SelectAsync(ct);
            return (node, node.Invoker.AsyncServerStreamingCall(Calls.Read, null, nodes.Call(ct), request));
        }
        catch (EventStoreUnavailableException) when (endless || delays.Count < settings.MaxDiscoverAttempts)
        {
            return null;
        }
    }

    private async ValueTask<(Outcome, ReadAnswer?)> NextAsync(
        Node node, AsyncServerStreamingCall<ReadAnswer> call, bool endless, RetryDelays delays, CancellationToken ct)
    {
        try
        {
            return await call.ResponseStream.MoveNext(ct)
                ? (Outcome.Message, call.ResponseStream.Current)
                : (Outcome.Ended, null);
        }
        catch (Exception) when (ct.IsCancellationRequested)
        {
            throw new OperationCanceledException(ct);
        }
        catch (RpcException deleted) when (deleted.Trailers.GetValue("exception") == "stream-deleted")
        {
            return (Outcome.Deleted, null);
        }
        catch (Exception failure) when (NodeSelector.IsTransient(failure))
        {
            nodes.Report(node, failure);
            return endless || delays.Count < settings.MaxDiscoverAttempts
                ? (Outcome.Broken, null)
                : throw new EventStoreUnavailableException(
                    $"The event store at {node.Address.Host}:{node.Address.Port} cannot be read.", failure);
        }
    }

    private enum Outcome
    {
        Message,
        Ended,
        Deleted,
        Broken,
    }
}
