using System.Globalization;
using System.Text;

namespace CapaEngine.Benchmarks.Pipeline;

/// <summary>
/// What a plant sends, one CloudEvent a line, the same on every run but for run, number and time. Deviations are
/// minor and spread over 200,000 subjects, so that few of these reach the count that opens a case; one in a hundred
/// belongs to one of 20 subjects that do, as an alarm that keeps coming.
/// </summary>
internal sealed class DeviationLines(string run)
{
    public const string MediaType = "application/x-ndjson";

    private const int HotEvery = 100;
    private const int HotSubjects = 20;
    private const int Products = 50;
    private const int Processes = 8;
    private const int Stations = 20;
    private const int Characteristics = 25;

    /// <summary>The lines of so many events from this number on, detected at this time.</summary>
    public byte[] Body(long first, int count, DateTimeOffset detectedAt)
    {
        var text = new StringBuilder(count * 420);
        var time = detectedAt.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        for (var n = first; n < first + count; n++) Append(text, n, time);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private void Append(StringBuilder text, long n, string time)
    {
        // A fixed mix of the number's bits, so that neighbours belong to different subjects.
        var mix = (ulong)n * 0x9E3779B97F4A7C15UL >> 20;
        var subject = n % HotEvery == 0 ? mix % HotSubjects : HotSubjects + mix;
        var (product, rest) = (subject % Products, subject / Products);
        var (process, left) = (rest % Processes, rest / Processes);
        text.Append(
            CultureInfo.InvariantCulture,
            $$"""
            {"specversion":"1.0","type":"capa.deviation.v1","source":"urn:bench:line-{{n % 16}}","id":"{{run}}-{{n}}",
            """);
        text.Append(
            CultureInfo.InvariantCulture,
            $$"""
            "data":{"site":"north","product":"P-{{product:000}}","lot":"L-{{n / 500}}","serial":"S-{{n}}",
            """);
        text.Append(
            CultureInfo.InvariantCulture,
            $$"""
            "process":"process-{{process}}","station":"E-{{left % Stations}}",
            """);
        text.Append(
            CultureInfo.InvariantCulture,
            $$"""
            "characteristic":"c-{{left / Stations % Characteristics}}","measured":{{12.5 + (n % 1000 / 1000.0)}},
            """);
        text.Append(
            CultureInfo.InvariantCulture,
            $$"""
            "lowerLimit":11.9,"upperLimit":12.5,"unit":"mm","quantity":1,"severity":"minor","detectedAt":"{{time}}"} }
            """);
        text.Append('\n');
    }
}
