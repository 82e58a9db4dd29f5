using System.Diagnostics;
using System.Globalization;
using HdrHistogram;

namespace CapaEngine.Benchmarks.Pipeline;

/// <summary>What is measured, for how long, and where it is told.</summary>
internal sealed record PipelineOrder(
    TimeSpan Phase, TimeSpan Part, IReadOnlyList<double> Rates, bool Direct, Action<string> Tell);

/// <summary>Events a second that each part of the way does alone.</summary>
internal sealed record PartSpeeds(double Append, double Broker, double Upsert)
{
    /// <summary>What they allow one after the other.</summary>
    public double Limit => 1 / ((1 / Append) + (1 / Broker) + (1 / Upsert));
}

/// <summary>
/// The whole way of a deviation, from the request to the row: as fast as it goes, at half of that, and at fixed rates,
/// beside what each part of the way does alone.
/// </summary>
internal sealed class PipelineBench
{
    private const int ConnectionsMax = 64;
    private const double WarmUpRate = 1_000;
    private const int SignificantDigits = 3;
    private const long LongestUs = 3_600_000_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly PipelineUnderTest _system;
    private readonly PipelineOrder _order;
    private readonly PartSpeeds _parts;
    private readonly ProcessMeter _meter;

    private PipelineBench(
        PipelineUnderTest system, IReadOnlyDictionary<string, int> servers, PipelineOrder order, PartSpeeds parts)
    {
        (_system, _order, _parts) = (system, order, parts);
        _meter = new ProcessMeter(new Dictionary<string, int>(system.ProcessIds.Concat(servers))
        {
            ["generator"] = Environment.ProcessId,
        });
    }

    /// <summary>Measures everything and has the auditor look at what is left behind.</summary>
    /// <param name="servers">The process ids of PostgreSQL and RabbitMQ by name.</param>
    public static async Task<PipelineResult> RunAsync(
        IReadOnlyDictionary<string, int> servers, PipelineOrder order, CancellationToken ct)
    {
        order.Tell("measuring the parts alone");
        var limits = new PartLimits(order.Part);
        // Before the system is there, which would take a share.
        var (append, broker) = (await limits.AppendAsync(ct), await limits.PublishAndConsumeAsync(ct));
        await using var system = await PipelineUnderTest.StartAsync(ct);
        var parts = new PartSpeeds(append, broker, await limits.UpsertAsync(system.Database, ct));
        order.Tell(string.Create(
            CultureInfo.InvariantCulture,
            $"append {append:N0}/s, publish and consume {broker:N0}/s, upsert {parts.Upsert:N0}/s; "
            + $"all in a row {parts.Limit:N0}/s"));
        return await new PipelineBench(system, servers, order, parts).RunPhasesAsync(ct);
    }

    private async Task<PipelineResult> RunPhasesAsync(CancellationToken ct)
    {
        using var http = await _system.ConnectAsync(_order.Direct, ConnectionsMax, ct);
        var generator = new Generator(http, new DeviationLines($"{Guid.NewGuid():N}"[..8]));
        await using var rows = RowWatch.Begin(_system.Database);
        // Code is compiled while it runs: the first seconds tell of the compiler.
        await AtRateAsync("warm-up", WarmUpRate);
        var saturation = await PhaseAsync(
            "saturation", null, rows, () => generator.AtSaturationAsync(_order.Phase, ct), ct);
        var half = await AtRateAsync("half load", saturation.EventsPerSecond / 2);
        var rates = new Dictionary<string, PhaseResult>();
        foreach (var rate in _order.Rates)
            rates[rate.ToString(CultureInfo.InvariantCulture)] = await AtRateAsync($"at {rate:N0}/s", rate);

        _order.Tell("the auditor looks at the log and the rows");
        var (holds, report) = await _system.AuditAsync(ct);
        return new PipelineResult(
            saturation, half, rates, new(Math.Round(_parts.Append)), new(Math.Round(_parts.Broker)),
            new(Math.Round(_parts.Upsert)), holds, report);

        Task<PhaseResult> AtRateAsync(string name, double rate) =>
            PhaseAsync(name, rate, rows, () => generator.AtRateAsync(rate, _order.Phase, ct), ct);
    }

    private async Task<PhaseResult> PhaseAsync(
        string name, double? rate, RowWatch rows, Func<Task<IReadOnlyList<SentBatch>>> send,
        CancellationToken ct)
    {
        var (started, before) = (Stopwatch.GetTimestamp(), _meter.CpuSeconds());
        var batches = await send();
        var last = new ulong[4];
        foreach (var (position, partition) in batches.SelectMany(batch => batch.Accepted))
            last[partition] = Math.Max(last[partition], position);
        if (!await rows.ReachedAsync(last, Patience, ct))
            throw new TimeoutException($"{name}: not every row was visible {Patience} after the last receipt.");
        var (ended, after) = (Stopwatch.GetTimestamp(), _meter.CpuSeconds());
        var elapsed = Stopwatch.GetElapsedTime(started, ended).TotalSeconds;
        var cpu = after.ToDictionary(part => part.Key, part => part.Value - before[part.Key]);
        var result = ResultOf(batches, rows, rate, _parts.Limit) with
        {
            CpuPercent = cpu.ToDictionary(part => part.Key, part => Math.Round(100 * part.Value / elapsed, 1)),
            MemoryMb = _meter.MemoryMb().ToDictionary(part => part.Key, part => Math.Round(part.Value)),
        };
        result = result with
        {
            CpuMicrosecondsPerEvent = cpu.ToDictionary(
                part => part.Key, part => Math.Round(1e6 * part.Value / Math.Max(1, result.Accepted), 1)),
        };
        PipelineReport.Tell(_order.Tell, name, result);
        return result;
    }

    private static PhaseResult ResultOf(
        IReadOnlyList<SentBatch> batches, RowWatch rows, double? rate, double limit)
    {
        var (receipts, visible) = (NewHistogram(), NewHistogram());
        var (first, lastReceipt, lastRow) = (long.MaxValue, 0L, 0L);
        foreach (var batch in batches.Where(batch => batch.Failure is null))
        {
            first = Math.Min(first, batch.Intended[0]);
            lastReceipt = Math.Max(lastReceipt, batch.Answered);
            for (var n = 0; n < batch.Intended.Length; n++)
            {
                var (position, partition) = batch.Accepted[n];
                var seen = rows.SeenAt(partition, position)
                    ?? throw new InvalidOperationException("A row that was waited for was not seen.");
                lastRow = Math.Max(lastRow, seen);
                Record(receipts, batch.Intended[n], batch.Answered);
                Record(visible, batch.Intended[n], seen);
            }
        }

        var accepted = receipts.TotalCount;
        if (accepted == 0)
            throw new InvalidOperationException(
                $"Nothing was accepted: {(batches.Count > 0 ? batches[0].Failure : "")}");
        var endToEnd = accepted / Stopwatch.GetElapsedTime(first, lastRow).TotalSeconds;
        return new PhaseResult(
            Math.Round(endToEnd), Math.Round(limit), Math.Round(endToEnd / limit, 3), Ms(visible, 50), Ms(visible, 99),
            rate is { } offered ? Math.Round(offered) : null, accepted,
            Math.Round(accepted / Stopwatch.GetElapsedTime(first, lastReceipt).TotalSeconds),
            batches.Where(batch => batch.Failure is not null).Sum(batch => (long)batch.Intended.Length),
            Math.Round(Math.Max(0, Stopwatch.GetElapsedTime(lastReceipt, lastRow).TotalSeconds), 2),
            LatencyOf(receipts), LatencyOf(visible), new Dictionary<string, double>(),
            new Dictionary<string, double>(), new Dictionary<string, double>());
    }

    private static LongHistogram NewHistogram() => new(1, LongestUs, SignificantDigits);

    private static void Record(LongHistogram histogram, long from, long to) => histogram.RecordValue(
        Math.Clamp((long)Stopwatch.GetElapsedTime(from, to).TotalMicroseconds, 1, LongestUs));

    private static Latency LatencyOf(LongHistogram histogram) => new(
        Ms(histogram, 50), Ms(histogram, 90), Ms(histogram, 99), Ms(histogram, 99.9), Ms(histogram, 100));

    private static double Ms(LongHistogram histogram, double percentile) =>
        Math.Round(histogram.GetValueAtPercentile(percentile) / 1_000.0, 1);
}
