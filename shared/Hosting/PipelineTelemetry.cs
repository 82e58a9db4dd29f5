using System.Diagnostics;
using System.Diagnostics.Metrics;
using CapaEngine.Contracts;

namespace CapaEngine.Hosting;

/// <summary>What relays and followers tell. Metric labels are bounded: never a stream, never a person.</summary>
public static class PipelineTelemetry
{
    /// <summary>Meter of the pipeline.</summary>
    public const string MeterName = "CapaEngine.Pipeline";

    /// <summary>Activity source of the relays.</summary>
    public const string RelaySourceName = "CapaEngine.Relay";

    /// <summary>Activity source of the followers.</summary>
    public const string FollowerSourceName = "CapaEngine.Follower";

    private static readonly Meter Meter = new(MeterName);
    private static readonly ActivitySource Relaying = new(RelaySourceName);
    private static readonly ActivitySource Following = new(FollowerSourceName);

    internal static readonly Gauge<int> Leads = Meter.CreateGauge<int>(
        "capa.leader", description: "1 where this process leads on the queue.");

    internal static readonly Gauge<double> UnpublishedAge = Meter.CreateGauge<double>(
        "capa.relay.oldest_unpublished_age", "s", "Age of the oldest event that the broker has not confirmed.");

    internal static readonly Gauge<long> RelayPosition = Meter.CreateGauge<long>(
        "capa.relay.checkpoint_position", description: "Log position up to which everything is confirmed.");

    internal static readonly Counter<long> BatchesPublished = Meter.CreateCounter<long>(
        "capa.relay.batches", description: "Batches confirmed, empty ones included.");

    internal static readonly Counter<long> EventsPublished = Meter.CreateCounter<long>(
        "capa.relay.events", description: "Events confirmed.");

    internal static readonly Counter<long> PublishFailures = Meter.CreateCounter<long>(
        "capa.relay.publish_failures", description: "Batches that came back, were refused or not confirmed in time.");

    internal static readonly Gauge<long> FollowerPosition = Meter.CreateGauge<long>(
        "capa.follower.position", description: "Log position reached on the routing key.");

    internal static readonly Gauge<double> FollowerLag = Meter.CreateGauge<double>(
        "capa.follower.lag", "s", "Age of the last event applied when it was; 0 when nothing waits.");

    internal static readonly Counter<long> EventsApplied = Meter.CreateCounter<long>(
        "capa.follower.events", description: "Events applied.");

    internal static readonly Counter<long> Gaps = Meter.CreateCounter<long>(
        "capa.follower.gaps", description: "Ranges missing on the bus and read from the log.");

    internal static readonly Counter<long> Duplicates = Meter.CreateCounter<long>(
        "capa.follower.duplicates_dropped", description: "Events that had been applied before.");

    internal static readonly Counter<long> Failures = Meter.CreateCounter<long>(
        "capa.follower.failures", description: "Applications that failed and are tried again.");

    internal static readonly Gauge<int> Parked = Meter.CreateGauge<int>(
        "capa.follower.parked", description: "Reactions that wait for a person, a dependency or an upgrade.");

    /// <summary>
    /// The span of an event's processing, whose parent is the span of its publishing. A sink that treats events one
    /// by one begins it itself, so that what follows from the event belongs to the same trace.
    /// </summary>
    public static Activity? BeginProcessing(string follower, IncomingEvent incoming)
    {
        if (ParentOf(incoming.Metadata) is not { } parent) return null;
        var activity = Following.StartActivity($"process {incoming.Type}", ActivityKind.Consumer, parent);
        activity?.SetTag("messaging.system", "rabbitmq");
        activity?.SetTag("messaging.operation.type", "process");
        activity?.SetTag("messaging.consumer.group.name", follower);
        activity?.SetTag("capa.stream", incoming.Stream);
        activity?.SetTag("capa.event.id", incoming.EventId.ToString("D"));
        return activity;
    }

    /// <summary>The span of an event's publishing, in the trace in which the event was appended.</summary>
    internal static Activity? BeginPublishing(EventEnvelope envelope)
    {
        if (ParentOf(envelope.Metadata) is not { } parent) return null;
        var activity = Relaying.StartActivity($"publish {envelope.Type}", ActivityKind.Producer, parent);
        activity?.SetTag("messaging.system", "rabbitmq");
        activity?.SetTag("messaging.operation.type", "send");
        activity?.SetTag("capa.stream", envelope.Stream);
        activity?.SetTag("capa.event.id", envelope.Id.ToString("D"));
        return activity;
    }

    /// <summary>
    /// The span of a whole batch, a trace of its own that links to those of its events. Without any it is not recorded,
    /// and neither is what the bus adds: empty batches would fill the traces of every service.
    /// </summary>
    internal static Activity BeginBatch(bool publishing, string routingKey, IEnumerable<EventMetadata?> events)
    {
        var source = publishing ? Relaying : Following;
        List<ActivityLink> links = source.HasListeners()
            ? [.. events.Select(ParentOf).OfType<ActivityContext>().Select(context => new ActivityLink(context))] : [];
        var name = $"{(publishing ? "publish" : "process")} batch {routingKey}";
        // A root: no event of the batch is the cause of the others' delivery.
        Activity.Current = null;
        var recorded = links.Count == 0 ? null : source.StartActivity(
            name, publishing ? ActivityKind.Producer : ActivityKind.Consumer, default(ActivityContext), links: links);
        return recorded ?? new Activity(name).SetIdFormat(ActivityIdFormat.W3C).Start();
    }

    private static ActivityContext? ParentOf(EventMetadata? metadata) =>
        metadata is { TraceSampled: true, TraceId: { } trace, SpanId: { } span }
        && ActivityContext.TryParse($"00-{trace}-{span}-01", null, isRemote: true, out var context)
            ? context : null;
}
