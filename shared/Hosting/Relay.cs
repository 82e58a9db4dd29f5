using System.Diagnostics;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.Extensions.Logging;

namespace CapaEngine.Hosting;

/// <summary>
/// Brings a service's own events from the log to the broker: reads them in order, publishes them in batches and
/// checkpoints what the broker confirmed. It may repeat after a failure, it never skips; run by a <see cref="Leader"/>.
/// </summary>
public sealed class Relay(
    string service, IEventStore store, PublishBatch publish, PipelineOptions options, TimeProvider clock,
    ILogger<Relay> logger)
{
    private readonly IReadOnlyList<Family> _families = Families.OwnedBy(service);
    private readonly KeyValuePair<string, object?> _tag = new("service", service);
    private RelayBuffer? _buffer;

    /// <summary>Since when the broker takes no batches of some routing key, and its last answer.</summary>
    public Failure? Stalled => Volatile.Read(ref _buffer)?.Failing;

    /// <summary>Relays until cancelled. Throws where another leader wrote a checkpoint: this one is outdated.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var checkpoints = new CheckpointStream<CheckpointEvent.Relay>(store, $"relay-{service}", service, clock);
        var last = await checkpoints.LoadAsync(ct);
        var start = last is null ? LogPosition.Start : new LogPosition(last.Commit, last.Prepare);
        var buffer = new RelayBuffer(_families, start, options, clock);
        Volatile.Write(ref _buffer, buffer);
        var checkpoint = new Checkpoint(checkpoints, start);
        List<Func<CancellationToken, Task>> parts =
        [
            part => ReadAsync(buffer, start, part),
            part => CheckpointAsync(buffer, checkpoint, part),
            .. Enumerable.Range(0, options.PartitionCount)
                .Select(partition => (Func<CancellationToken, Task>)(part => PublishAsync(buffer, partition, part))),
        ];
        try
        {
            await RunTogetherAsync(parts, ct);
        }
        finally
        {
            Volatile.Write(ref _buffer, null);
            if (ct.IsCancellationRequested) await SaveLastAsync(buffer, checkpoint);
        }
    }

    // The first part that fails ends the others; its failure is the one that is told.
    private static async Task RunTogetherAsync(
        IReadOnlyList<Func<CancellationToken, Task>> parts, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var running = parts.Select(part => part(ending.Token)).ToList();
        var first = await Task.WhenAny(running);
        ending.End();
        await Task.WhenAll(running).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        ct.ThrowIfCancellationRequested();
        await first;
    }

    private async Task ReadAsync(RelayBuffer buffer, LogPosition start, CancellationToken ct)
    {
        await Task.Yield();
        var prefixes = _families.Select(family => family.Prefix).ToList();
        await foreach (var message in store.SubscribeToAllAsync(start, prefixes, ct))
        {
            if (message is LogMessage.Event next) await buffer.AddAsync(next.Recorded, ct);
            if (message is LogMessage.Checkpoint reached) buffer.Advance(reached.Position);
        }

        throw new InvalidOperationException("The subscription to the log ended.");
    }

    private async Task PublishAsync(RelayBuffer buffer, int partition, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            if (buffer.Next(partition) is not { } next)
            {
                await buffer.WaitForWorkAsync(partition, ct);
                continue;
            }

            try
            {
                await PublishAsync(next, ct);
                buffer.Confirm(next);
            }
            catch (Exception failure) when (!ct.IsCancellationRequested)
            {
                Note(next, failure, isFirst: buffer.Failing is null);
                buffer.Retry(next, failure.Message);
            }
        }
    }

    private async Task PublishAsync(OutgoingBatch next, CancellationToken ct)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMilliseconds(options.PublishDeadlineMs), clock);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        using var whole = PipelineTelemetry.BeginBatch(
            publishing: true, next.RoutingKey, next.Batch.Events.Select(e => e.Metadata));
        var spans = new List<Activity>();
        var events = new List<EventEnvelope>(next.Batch.Events.Count);
        foreach (var envelope in next.Batch.Events) events.Add(Traced(envelope, spans));
        Activity.Current = whole;
        try
        {
            await publish(next.RoutingKey, next.Batch with { Events = events }, limited.Token);
        }
        catch (Exception failure)
        {
            foreach (var span in spans) span.SetStatus(ActivityStatusCode.Error, failure.GetType().Name);
            throw;
        }
        finally
        {
            foreach (var span in spans) span.Dispose();
            Activity.Current = whole;
        }

        PipelineTelemetry.BatchesPublished.Add(1, _tag);
        PipelineTelemetry.EventsPublished.Add(events.Count, _tag);
    }

    // What follows from the event continues at the span of its publishing.
    private static EventEnvelope Traced(EventEnvelope envelope, List<Activity> spans)
    {
        if (PipelineTelemetry.BeginPublishing(envelope) is not { } span) return envelope;
        spans.Add(span);
        return envelope with
        {
            Metadata = envelope.Metadata! with
            {
                TraceId = span.TraceId.ToHexString(), SpanId = span.SpanId.ToHexString(), TraceSampled = span.Recorded,
            },
        };
    }

    private void Note(OutgoingBatch next, Exception failure, bool isFirst)
    {
        PipelineTelemetry.PublishFailures.Add(1, _tag);
        logger.Log(
            isFirst ? LogLevel.Warning : LogLevel.Debug, failure,
            "The broker did not take a batch of {Count} events for {RoutingKey}; it is published again.",
            next.Batch.Events.Count, next.RoutingKey);
    }

    private async Task CheckpointAsync(RelayBuffer buffer, Checkpoint checkpoint, CancellationToken ct)
    {
        var lastSaved = clock.GetTimestamp();
        while (true)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(options.CheckpointPeriodMs), clock, ct);
            var age = buffer.OldestCreated is { } oldest ? (clock.GetUtcNow() - oldest).TotalSeconds : 0;
            PipelineTelemetry.UnpublishedAge.Record(Math.Max(0, age), _tag);
            var confirmed = buffer.Confirmed;
            // A checkpoint lengthens the log, the log's growth would be worth a checkpoint: so without events, rarely.
            var isIdle = buffer.LastConfirmedEvent <= checkpoint.Saved.Commit;
            if (isIdle && clock.GetElapsedTime(lastSaved).TotalMilliseconds < options.IdleCheckpointPeriodMs) continue;
            await checkpoint.SaveAsync(confirmed, ct);
            lastSaved = clock.GetTimestamp();
            PipelineTelemetry.RelayPosition.Record((long)confirmed.Commit, _tag);
        }
    }

    // Saves the successor from publishing the last second again; its failure costs no more than that.
    private async Task SaveLastAsync(RelayBuffer buffer, Checkpoint checkpoint)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1), clock);
        try
        {
            await checkpoint.SaveAsync(buffer.Confirmed, limit.Token);
        }
        catch (Exception failure)
        {
            logger.LogInformation(failure, "The last checkpoint of {Service} was not written.", service);
        }
    }

    private sealed class Checkpoint(CheckpointStream<CheckpointEvent.Relay> stream, LogPosition saved)
    {
        public LogPosition Saved { get; private set; } = saved;

        public async Task SaveAsync(LogPosition position, CancellationToken ct)
        {
            if (position <= Saved) return;
            if (!await stream.SaveAsync(new CheckpointEvent.Relay(position.Commit, position.Prepare), ct))
                throw new InvalidOperationException("Another leader has written a checkpoint; this one is outdated.");
            Saved = position;
        }
    }
}
