using System.CommandLine;
using System.Globalization;
using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Kernel;
using CapaEngine.Verify;
using CapaEngine.Verify.Replay;
using Npgsql;

const int Holds = 0, DoesNotHold = 1, WrongUsage = 2, PartMissing = 3;

var json = new Option<bool>("--json") { Description = "One JSON object instead of a table." };
var atRest = new Option<bool>("--at-rest") { Description = "Nothing may be in flight any more at the deadline." };
var allowParked = new Option<bool>("--allow-parked") { Description = "List what is parked, but let it pass." };
var settle = Seconds("--settle-seconds", "So long a finding must stay the same to count.", 10);
var deadline = Seconds("--deadline-seconds", "When to end on a system that never rests.", 60);
var root = new RootCommand("Holds what the pipeline has made of the log against the log.")
{
    json, atRest, allowParked, settle, deadline, ReplayCommand.Create(),
};
root.SetAction((parsed, ct) => RunAsync(parsed, ct));
var parsed = root.Parse(args);
return parsed.Errors.Count > 0 ? Fail(WrongUsage, parsed.Errors[0].Message) : await parsed.InvokeAsync();

async Task<int> RunAsync(ParseResult given, CancellationToken ct)
{
    if (Environment.GetEnvironmentVariable("ConnectionStrings__EventStore") is not { } log
        || Environment.GetEnvironmentVariable("ConnectionStrings__Postgres") is not { } postgres)
        return Fail(WrongUsage, "ConnectionStrings__EventStore and ConnectionStrings__Postgres must be set.");
    try
    {
        await using var store = EventStoreClient.Create(log);
        await using var readModels = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(postgres)
        {
            ApplicationName = "capaengine-verify",
            Options = "-c default_transaction_read_only=on",
        });
        var auditor = new Auditor(
            store, ct => EndOfAsync(store, ct), readModels,
            new AuditOptions
            {
                PartitionCount = PartitionCount(),
                Settle = TimeSpan.FromSeconds(given.GetValue(settle)),
                Deadline = TimeSpan.FromSeconds(given.GetValue(deadline)),
            },
            TimeProvider.System);
        var result = await auditor.RunAsync(ct);
        var holds = !result.Last.IsCut && (!given.GetValue(atRest) || result.InFlight.Count == 0)
            && result.Findings.All(finding => given.GetValue(allowParked) && IsParked(finding));
        if (given.GetValue(json)) Report.WriteJson(Console.Out, result, holds);
        else Report.WriteText(Console.Out, result, holds);
        return holds ? Holds : DoesNotHold;
    }
    catch (Exception missing) when (missing is EventStoreUnavailableException or NpgsqlException)
    {
        return Fail(PartMissing, $"A part of the system does not answer: {missing.Message}");
    }
}

static bool IsParked(Finding finding) => finding.Check.StartsWith("parked-", StringComparison.Ordinal);

// The store's own events count, too: a checkpoint may stand at one of them.
static async Task<ulong> EndOfAsync(EventStoreClient store, CancellationToken ct)
{
    await foreach (var last in store.ReadAllBackwardsAsync(null, LogFilter.Everything, 1, ct))
        return last.Position.Commit;
    return LogPosition.Start.Commit;
}

static int PartitionCount() =>
    Environment.GetEnvironmentVariable("Pipeline__PartitionCount") is { } configured
        ? int.Parse(configured, CultureInfo.InvariantCulture) : Partitions.CountDefault;

static Option<double> Seconds(string name, string description, double standard)
{
    var option = new Option<double>(name) { Description = description, DefaultValueFactory = _ => standard };
    option.Validators.Add(given =>
    {
        if (given.GetValue(option) is not (>= 0 and <= 86_400)) given.AddError($"{name} must lie between 0 and 86400.");
    });
    return option;
}

static int Fail(int code, string message)
{
    Console.Error.WriteLine($"verify: {message}");
    return code;
}
