using System.Text.Json.Serialization;

namespace CapaEngine.Benchmarks.Pipeline;

/// <summary>Latencies in milliseconds, from when an event was to be sent.</summary>
internal sealed record Latency(double P50, double P90, double P99, double P999, double Max);

/// <summary>What one phase came to.</summary>
/// <param name="EventsPerSecond">Events from the first intended start until the last of their rows was visible.</param>
/// <param name="Limit">What the parts allow, each measured alone in this run: 1/Σ(1/r).</param>
/// <param name="P50Ms">Median of the time from the intended start until the row was visible.</param>
/// <param name="P99Ms">99th percentile of the same.</param>
/// <param name="OfferedPerSecond">Null where the generator sent as much as was taken.</param>
/// <param name="AcceptedPerSecond">Events with a durable receipt, over the time until the last receipt.</param>
/// <param name="NotAccepted">Events of requests that were refused or failed.</param>
/// <param name="DrainSeconds">From the last receipt until the last row.</param>
/// <param name="Receipt">From the intended start until the durable receipt.</param>
/// <param name="Row">From the intended start until the row was visible.</param>
/// <param name="CpuPercent">Of one core, by process; <c>machine</c> is everything that ran, others' work too.</param>
/// <param name="CpuMicrosecondsPerEvent">By process.</param>
/// <param name="MemoryMb">The most so far, by process.</param>
internal sealed record PhaseResult(
    double EventsPerSecond, double Limit, double RatioToLimit, double P50Ms, double P99Ms, double? OfferedPerSecond,
    long Accepted, double AcceptedPerSecond, long NotAccepted, double DrainSeconds, Latency Receipt, Latency Row,
    IReadOnlyDictionary<string, double> CpuPercent, IReadOnlyDictionary<string, double> CpuMicrosecondsPerEvent,
    IReadOnlyDictionary<string, double> MemoryMb);

/// <summary>A part alone: its speed is its own limit.</summary>
internal sealed record PartResult(double EventsPerSecond);

/// <summary>Everything of one run. <see cref="EndToEnd"/> is the path at saturation.</summary>
internal sealed record PipelineResult(
    PhaseResult EndToEnd, PhaseResult HalfLoad, IReadOnlyDictionary<string, PhaseResult> FixedRates, PartResult Append,
    PartResult PublishAndConsume, PartResult Upsert, bool AuditHolds, string Audit);

/// <summary>The result as <c>bench --json</c> prints it.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PipelineResult))]
internal sealed partial class PipelineJson : JsonSerializerContext;
