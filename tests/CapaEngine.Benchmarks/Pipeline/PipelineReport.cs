using System.Globalization;

namespace CapaEngine.Benchmarks.Pipeline;

/// <summary>Tells people what a phase came to.</summary>
internal static class PipelineReport
{
    /// <summary>One phase: speed, latencies, and what each process used.</summary>
    public static void Tell(Action<string> tell, string name, PhaseResult phase)
    {
        tell("");
        tell(Line($"{name}: {phase.Accepted:N0} events, {phase.EventsPerSecond:N0}/s to the row")
            + Line($" ({phase.RatioToLimit:0.00} of the limit), accepted {phase.AcceptedPerSecond:N0}/s")
            + (phase.OfferedPerSecond is { } offered ? Line($" of {offered:N0}/s offered") : "")
            + Line($", last row {phase.DrainSeconds:0.0} s after the last receipt"));
        if (phase.NotAccepted > 0) tell(Line($"  NOT ACCEPTED: {phase.NotAccepted:N0} events"));
        Tell(tell, "receipt", phase.Receipt);
        Tell(tell, "row", phase.Row);
        tell("  process           % of a core   us/event   most MB");
        foreach (var (process, percent) in phase.CpuPercent.OrderByDescending(entry => entry.Value))
        {
            var memory = phase.MemoryMb.TryGetValue(process, out var mb) ? Line($"{mb,9:N0}") : "";
            tell(Line($"  {process,-16} {percent,12:N1} {phase.CpuMicrosecondsPerEvent[process],10:N1} {memory}"));
        }
    }

    private static void Tell(Action<string> tell, string what, Latency latency) => tell(
        Line($"  {what,-8} p50 {latency.P50,8:N1}  p90 {latency.P90,8:N1}  p99 {latency.P99,8:N1}")
        + Line($"  p99.9 {latency.P999,8:N1}  max {latency.Max,8:N1} ms"));

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
