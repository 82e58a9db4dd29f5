using System.Text.Json.Serialization;

namespace CapaEngine.Benchmarks;

/// <summary>One measured path beside the limit of its parts, both from the same run.</summary>
/// <param name="EventsPerSecond">Median of the rounds.</param>
/// <param name="Limit">What the parts alone allow, events per second; median of the rounds.</param>
/// <param name="RatioToLimit">Median of the rounds' own ratios: a noisy machine slows both sides of a round.</param>
/// <param name="P50Ms">Median latency in milliseconds; null where single answers are not timed.</param>
/// <param name="P99Ms">99th percentile in milliseconds; null where single answers are not timed.</param>
/// <param name="ClientCpuUs">Processor time of this process per event, in microseconds.</param>
/// <param name="ServerCpuUs">Processor time of the event log node per event, in microseconds.</param>
/// <param name="Rounds">How many rounds the medians are of.</param>
/// <param name="LimitIs">What the limit was measured by.</param>
internal sealed record Measured(
    double EventsPerSecond, double Limit, double RatioToLimit, double? P50Ms, double? P99Ms, double ClientCpuUs,
    double ServerCpuUs, int Rounds, string LimitIs)
{
    /// <summary>The medians of several rounds of the same path.</summary>
    public static Measured MedianOf(IReadOnlyList<Round> rounds, string limitIs) => new(
        Median(rounds, round => round.EventsPerSecond),
        Median(rounds, round => round.Limit),
        Median(rounds, round => round.EventsPerSecond / round.Limit),
        rounds[0].P50Ms is null ? null : Median(rounds, round => round.P50Ms!.Value),
        rounds[0].P99Ms is null ? null : Median(rounds, round => round.P99Ms!.Value),
        Median(rounds, round => round.ClientCpuUs),
        Median(rounds, round => round.ServerCpuUs),
        rounds.Count,
        limitIs);

    private static double Median(IReadOnlyList<Round> rounds, Func<Round, double> figure)
    {
        var sorted = rounds.Select(figure).Order().ToList();
        var middle = sorted.Count / 2;
        var median = sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return Math.Round(median, median < 10 ? 3 : 0);
    }
}

/// <summary>One round of one path, and of its limit right beside it.</summary>
internal sealed record Round(
    double EventsPerSecond, double Limit, double? P50Ms, double? P99Ms, double ClientCpuUs, double ServerCpuUs);

/// <summary>The rows by name, as <c>bench --json</c> prints them.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never)]
[JsonSerializable(typeof(IReadOnlyDictionary<string, Measured>))]
internal sealed partial class MeasuredJson : JsonSerializerContext;
