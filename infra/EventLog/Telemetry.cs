using System.Diagnostics.Metrics;

namespace CapaEngine.EventLog;

/// <summary>What the log measures of itself.</summary>
internal sealed class Telemetry : IDisposable
{
    public const string MeterName = "CapaEngine.EventLog";

    private readonly Meter _meter;
    private readonly Counter<long> _requests;
    private readonly Counter<long> _events;
    private readonly Histogram<long> _batchEvents;
    private readonly Histogram<double> _duration;
    private readonly UpDownCounter<long> _subscriptions;

    public Telemetry(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _requests = _meter.CreateCounter<long>("eventlog.append.requests", "{request}", "Appends answered.");
        _events = _meter.CreateCounter<long>("eventlog.append.events", "{event}", "Events written.");
        _batchEvents = _meter.CreateHistogram<long>(
            "eventlog.append.batch.size", "{event}", "Events written in one transaction.",
            advice: new() { HistogramBucketBoundaries = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 4000] });
        _duration = _meter.CreateHistogram<double>(
            "eventlog.append.duration", "s", "From taking a batch off the queue to its commit.",
            advice: new() { HistogramBucketBoundaries = [.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 5] });
        _subscriptions = _meter.CreateUpDownCounter<long>(
            "eventlog.subscriptions", "{subscription}", "Subscriptions being served.");
    }

    public void Wrote(int requests, int events, TimeSpan duration)
    {
        _requests.Add(requests);
        _events.Add(events);
        if (events > 0)
        {
            _batchEvents.Record(events);
            _duration.Record(duration.TotalSeconds);
        }
    }

    public void SubscriptionStarted() => _subscriptions.Add(1);

    public void SubscriptionEnded() => _subscriptions.Add(-1);

    public void Dispose() => _meter.Dispose();
}
