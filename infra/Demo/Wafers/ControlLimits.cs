using MathNet.Numerics.Statistics;

namespace CapaEngine.Demo.Wafers;

/// <summary>Between which readings a sensor is in control.</summary>
public sealed record ControlLimits(double Lower, double Upper)
{
    private const int BaseRunCount = 500;
    private const double StandardDeviationCount = 4;

    /// <summary>Whether the reading lies outside.</summary>
    public bool AreBrokenBy(double reading) => reading < Lower || reading > Upper;

    /// <summary>
    /// The limits of every sensor in the order of the file: mean ± 4 sample standard deviations (n − 1) of the
    /// readings in the first 500 passing runs; null where fewer than two of these runs have a reading, because
    /// nothing can be said of such a sensor.
    /// </summary>
    public static IReadOnlyList<ControlLimits?> OfAll(WaferFile file)
    {
        var baseRuns = file.Runs.Where(run => run.Passed).Take(BaseRunCount).ToList();
        return [.. file.Sensors.Select((_, sensor) =>
            Of([.. baseRuns.Select(run => run.Readings[sensor]).OfType<double>()]))];
    }

    /// <summary>The limits by these readings.</summary>
    public static ControlLimits? Of(IReadOnlyList<double> readings)
    {
        if (readings.Count < 2) return null;
        // Rounding must not put a sensor that never moves outside its own mean.
        if (readings.All(reading => reading == readings[0])) return new ControlLimits(readings[0], readings[0]);
        var (mean, standardDeviation) = readings.MeanStandardDeviation();
        return new ControlLimits(
            mean - StandardDeviationCount * standardDeviation, mean + StandardDeviationCount * standardDeviation);
    }
}
