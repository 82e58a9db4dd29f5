using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using CapaEngine.EventStore;
using CapaEngine.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace CapaEngine.ReadModels.Rebuilding;

/// <summary>
/// <c>rebuild [NAME]</c> and <c>verify [--json]</c>, which this program carries out instead of serving. They need the
/// event store and the database and no other part of the system, whether it runs or not.
/// </summary>
internal static class RebuildCommands
{
    private const int Done = 0, Failed = 1, WrongUsage = 2, PartMissing = 3;

    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(1);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Whether the arguments name a command.</summary>
    public static bool IsNamedBy(string[] arguments) => arguments is ["rebuild" or "verify", ..];

    /// <summary>Carries it out; the exit code.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().Build();
        if (configuration.GetConnectionString("EventStore") is not { } log
            || configuration.GetConnectionString("Postgres") is not { } postgres)
            return Fail(WrongUsage, "ConnectionStrings__EventStore and ConnectionStrings__Postgres must be set.");
        var pipeline = configuration.GetSection(PipelineOptions.Section).Get<PipelineOptions>() ?? new();
        using var interrupted = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = true;
            interrupted.Cancel();
        };
        try
        {
            await using var store = EventStoreClient.Create(log);
            await using var database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(postgres)
            {
                ApplicationName = "capaengine-rebuild", MaxAutoPrepare = 200, AutoPrepareMinUsages = 2,
                CommandTimeout = 0,
            });
            return arguments switch
            {
                ["rebuild"] => await RebuildAsync(Projections.All),
                ["rebuild", var name] => Projections.All.FirstOrDefault(model => model.Name == name) is { } model
                    ? await RebuildAsync([model]) : Fail(WrongUsage, $"no read model '{name}'; there are {Names()}"),
                ["verify"] => await VerifyAsync(asJson: false),
                ["verify", "--json"] => await VerifyAsync(asJson: true),
                _ => Fail(WrongUsage, "rebuild takes the name of one read model or none, verify --json or nothing"),
            };

            Task<int> RebuildAsync(IReadOnlyList<IReadModel> models) => CarryOutAsync(
                new Rebuild(
                    database, store, Options.Create(pipeline), TimeProvider.System, NullLogger<Rebuild>.Instance),
                models, interrupted.Token);

            async Task<int> VerifyAsync(bool asJson) => Report(
                await new ReadModelCheck(database, store, Options.Create(pipeline))
                    .RunAsync(Projections.All, ProgressOf<CopyState>(Describe), interrupted.Token), asJson);
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            return Fail(Failed, "interrupted; begun again, it goes on where it was");
        }
        catch (Exception failure) when (
            failure is CopyInProgressException or CopyLostException or InvalidOperationException or PostgresException)
        {
            return Fail(Failed, failure is PostgresException
            {
                SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName,
            }
                ? "the database has not been prepared by this version; start the service first" : failure.Message);
        }
        catch (Exception missing) when (missing is EventStoreUnavailableException or NpgsqlException)
        {
            return Fail(PartMissing, $"a part of the system does not answer: {missing.Message}");
        }
    }

    private static async Task<int> CarryOutAsync(
        Rebuild rebuild, IReadOnlyList<IReadModel> models, CancellationToken ct)
    {
        RebuildProgress? last = null;
        var tell = ProgressOf<RebuildProgress>(Describe);
        await rebuild.RunAsync(models, progress => tell(last = progress), ct);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{models.Count} read models rebuilt from {last!.Events} events ({last.EventsPerSecond:0}/s)"));
        return Done;
    }

    private static int Report(CheckResult result, bool asJson)
    {
        if (asJson)
        {
            Console.WriteLine(JsonSerializer.Serialize(result, Json));
            return result.Holds ? Done : Failed;
        }

        Console.WriteLine($"{"TABLE",-26} {"LIVE",10} {"REBUILT",10}");
        foreach (var table in result.Tables)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{table.Table,-26} {table.Live,10} {table.Rebuilt,10} {(table.IsSame ? "" : " differ")}").TrimEnd());
        foreach (var stream in result.Waiting) Console.WriteLine($"waits, compared up to there: {stream}");
        foreach (var one in result.NotProjected) Console.WriteLine($"cannot be projected: {one}");
        if (result.First is { } first)
            Console.WriteLine(first.Column is null
                ? $"first difference: {first.Table} {first.Key}: the row is {first.Live} in the live table, "
                    + $"{first.Rebuilt} in the rebuilt one"
                : $"first difference: {first.Table} {first.Key}: {first.Column} is {first.Live ?? "null"}, and "
                    + $"{first.Rebuilt ?? "null"} rebuilt");
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{result.Events} events: {(result.Holds ? "live rows are what the log says" : "live rows differ")}"));
        return result.Holds ? Done : Failed;
    }

    // One line a second, and one for each phase.
    private static Action<T> ProgressOf<T>(Func<T, (string Phase, string Line)> describe)
    {
        var (phase, told) = ("", 0L);
        return progress =>
        {
            var now = describe(progress);
            if (now.Phase == phase && Stopwatch.GetElapsedTime(told) < BetweenLines) return;
            (phase, told) = (now.Phase, Stopwatch.GetTimestamp());
            Console.Error.WriteLine(now.Line);
        };
    }

    private static (string Phase, string Line) Describe(RebuildProgress progress) => (progress.Phase, string.Create(
        CultureInfo.InvariantCulture,
        $"{progress.Phase}: {100.0 * progress.Position / Math.Max(1, progress.Goal):0} %, {progress.Events} events, "
        + $"{progress.EventsPerSecond:0}/s"));

    private static (string Phase, string Line) Describe(CopyState state) => (state.Phase, string.Create(
        CultureInfo.InvariantCulture, $"{state.Phase}: {state.EventCount} events"));

    private static string Names() => string.Join(", ", Projections.All.Select(model => model.Name));

    private static int Fail(int code, string message)
    {
        Console.Error.WriteLine(message);
        return code;
    }
}
