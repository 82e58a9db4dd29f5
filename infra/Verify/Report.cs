using System.Globalization;
using System.Text.Json;

namespace CapaEngine.Verify;

/// <summary>What an audit came to, for people and for programs.</summary>
internal static class Report
{
    private const int ToldMax = 50;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Writes it as a table, findings and one word at the end.</summary>
    public static void WriteText(TextWriter output, AuditResult result, bool holds)
    {
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"the log through {result.Through}: {result.Events} events; {result.FirstReadEvents} of them and all rows "
            + $"in {result.FirstReadTime.TotalSeconds:0.00} s ({EventsPerSecond(result):0}/s); "
            + $"looked {result.Rounds} times in {result.Elapsed.TotalSeconds:0.0} s"));
        output.WriteLine($"{"CHECK",-24} {"EXAMINED",12} {"FOUND",9}");
        foreach (var (check, tally) in result.Last.Checks)
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{check,-24} {tally.Examined,12} {tally.Found,9}"));
        Tell(output, "does not hold", result.Findings);
        Tell(output, "in flight", result.InFlight);
        output.WriteLine(holds ? "everything holds" : string.Create(
            CultureInfo.InvariantCulture, $"{result.Findings.Count} findings, {result.InFlight.Count} in flight"));
    }

    /// <summary>Writes it as one JSON object.</summary>
    public static void WriteJson(TextWriter output, AuditResult result, bool holds) =>
        output.WriteLine(JsonSerializer.Serialize(
            new
            {
                Holds = holds,
                result.Events,
                result.Through,
                EventsPerSecond = Math.Round(EventsPerSecond(result)),
                result.Rounds,
                ElapsedSeconds = Math.Round(result.Elapsed.TotalSeconds, 2),
                result.Last.Checks,
                result.Findings,
                result.InFlight,
            },
            Json));

    private static double EventsPerSecond(AuditResult result) =>
        result.FirstReadEvents / Math.Max(0.001, result.FirstReadTime.TotalSeconds);

    private static void Tell(TextWriter output, string what, IReadOnlyList<Finding> findings)
    {
        foreach (var finding in findings.Take(ToldMax))
            output.WriteLine($"{what}: {finding.Check}: {finding.Subject}: {finding.Detail}");
        if (findings.Count > ToldMax)
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{what}: and {findings.Count - ToldMax} more, see --json"));
    }
}
