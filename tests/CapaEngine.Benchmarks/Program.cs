using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CapaEngine.Benchmarks;
using CapaEngine.Benchmarks.Pipeline;

const int DoesNotHold = 1, WrongUsage = 2;

var name = new Argument<string>("name")
{
    Description = "What to measure.",
    DefaultValueFactory = _ => "store",
};
name.AcceptOnlyFromAmong("store", "pipeline");
var json = new Option<bool>("--json") { Description = "Print one object keyed by row name, and nothing else." };
var rounds = new Option<int>("--rounds") { Description = "Medians of so many.", DefaultValueFactory = _ => 5 };
var slice = new Option<int>("--slice-ms")
{
    Description = "How long one side of a round of appends runs, in milliseconds.",
    DefaultValueFactory = _ => 3_000,
};
var only = new Option<string[]>("--row") { Description = "Measure only this row; may be repeated." };
var seconds = new Option<double>("--seconds")
{
    Description = "How long a phase of the pipeline runs.", DefaultValueFactory = _ => 60,
};
var rate = new Option<double[]>("--rate")
{
    Description = "A fixed rate for the pipeline, events a second; may be repeated.",
    DefaultValueFactory = _ => [1_000],
};
var direct = new Option<bool>("--direct") { Description = "Send to the intake itself, past the gateway." };
var root = new RootCommand("Measures paths of the product beside the limits of their parts.")
{
    name, json, rounds, slice, only, seconds, rate, direct,
};
root.SetAction((options, ct) =>
    options.GetValue(name) == "pipeline" ? RunPipelineAsync(options, ct) : RunStoreAsync(options, ct));
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    await Console.Error.WriteLineAsync(parsed.Errors[0].Message);
    return WrongUsage;
}

return await parsed.InvokeAsync();

async Task<int> RunStoreAsync(ParseResult options, CancellationToken ct)
{
    await using var log = await EventLogUnderTest.StartAsync(ct);
    await using var raw = new RawPostgres(log.Database);
    var bench = new StoreBench(
        log, raw, TimeSpan.FromMilliseconds(options.GetValue(slice)), options.GetValue(rounds),
        options.GetValue(only)!);
    var quiet = options.GetValue(json);
    if (!quiet)
    {
        Console.WriteLine(
            "row                events/s      limit  ratio   p50 ms   p99 ms  client us  node us  limit is");
    }

    var rows = await bench.RunAsync((row, measured) => Print(quiet, row, measured), ct);
    if (quiet)
    {
        Console.WriteLine(JsonSerializer.Serialize(rows, MeasuredJson.Default.IReadOnlyDictionaryStringMeasured));
    }

    return 0;
}

async Task<int> RunPipelineAsync(ParseResult options, CancellationToken ct)
{
    var quiet = options.GetValue(json);
    var phase = TimeSpan.FromSeconds(options.GetValue(seconds));
    var result = await PipelineBench.RunAsync(
        Servers(),
        new PipelineOrder(
            phase, TimeSpan.FromSeconds(Math.Clamp(phase.TotalSeconds / 4, 1, 15)), options.GetValue(rate)!,
            options.GetValue(direct), (quiet ? Console.Error : Console.Out).WriteLine),
        ct);
    await Console.Error.WriteLineAsync(result.Audit);
    if (quiet)
    {
        var text = JsonSerializer.Serialize(result, PipelineJson.Default.PipelineResult);
        await Console.Out.WriteLineAsync(text);
    }

    return result.AuditHolds ? 0 : DoesNotHold;
}

// The servers were started by somebody else, who says which processes they are.
static Dictionary<string, int> Servers() => new()
{
    ["postgres"] = ProcessOf("CAPA_BENCH_POSTGRES_PROCESS"), ["rabbitmq"] = ProcessOf("CAPA_BENCH_RABBITMQ_PROCESS"),
};

static int ProcessOf(string variable) => int.Parse(
    Environment.GetEnvironmentVariable(variable)
    ?? throw new InvalidOperationException("Run the benchmarks with './capa bench pipeline'."),
    CultureInfo.InvariantCulture);

static void Print(bool quiet, string row, Measured m)
{
    var line = string.Create(
        CultureInfo.InvariantCulture,
        $"{row,-16} {m.EventsPerSecond,10:N0} {m.Limit,10:N0} {m.RatioToLimit,6:N2} {m.P50Ms,8:N2} {m.P99Ms,8:N2} "
        + $"{m.ClientCpuUs,10:N1} {m.ServerCpuUs,8:N1}  {m.LimitIs}");
    if (quiet)
    {
        Console.Error.WriteLine(line);
    }
    else
    {
        Console.WriteLine(line);
    }
}
