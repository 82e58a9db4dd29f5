using CapaEngine.Demo.Api;

namespace CapaEngine.Demo.Wafers;

/// <summary>
/// The wafer line as a production system would report it: every run as inspected production, every reading outside
/// its control limits as a minor deviation, every failed run as a major one, at the real times of the data.
/// </summary>
public static class WaferLine
{
    public const string Source = "urn:capaengine:demo:secom";
    public const string Site = "SECOM";
    public const string Product = "wafer";
    public const string Process = "wafer-line";
    public const string RunFailed = "run-failed";

    // The data say when a run was, not how long it took; a minute is the resolution of its time stamps.
    private static readonly TimeSpan RunDuration = TimeSpan.FromMinutes(1);

    /// <summary>All events in the order of their times; the production of a run before its deviations.</summary>
    public static IReadOnlyList<CloudEvent> EventsOf(WaferFile file)
    {
        var limits = ControlLimits.OfAll(file);
        return [.. file.Runs.SelectMany(run => EventsOf(run, file.Sensors, limits)).OrderBy(sent => sent.Time)];
    }

    /// <summary>Whether the event reports a deviation of the sensor.</summary>
    public static bool IsDeviationOf(this CloudEvent sent, string sensor) =>
        sent.Data is DeviationData deviation && deviation.Characteristic == sensor;

    private static IEnumerable<CloudEvent> EventsOf(
        WaferRun run, IReadOnlyList<string> sensors, IReadOnlyList<ControlLimits?> limits)
    {
        yield return Event(run, "production", CloudEvent.ProductionType, new ProductionData(
            Site, Product, Process, Station: null, new ProductionPeriod(run.At, run.At + RunDuration),
            Produced: 1, Inspected: 1, Rejected: run.Passed ? 0 : 1));
        for (var sensor = 0; sensor < sensors.Count; sensor++)
        {
            if (run.Readings[sensor] is { } reading && limits[sensor] is { } limit && limit.AreBrokenBy(reading))
                yield return Event(run, sensors[sensor], CloudEvent.DeviationType, Deviation(
                    run, sensors[sensor], null, "minor", "Reading outside its control limits.") with
                {
                    Measured = reading, LowerLimit = limit.Lower, UpperLimit = limit.Upper,
                });
        }

        if (!run.Passed)
            yield return Event(run, "failed", CloudEvent.DeviationType, Deviation(
                run, null, RunFailed, "major", "The run failed its final test.") with { Quantity = 1 });
    }

    private static CloudEvent Event(WaferRun run, string what, string type, object data) =>
        new(Source, $"row-{run.Row}:{what}", type, run.At, data);

    private static DeviationData Deviation(
        WaferRun run, string? sensor, string? defectCode, string severity, string description) => new(
            Site, Product, Process, Station: null, sensor, defectCode, severity, run.At, description,
            Serial: $"run-{run.Row}");
}
