using System.CommandLine;
using System.CommandLine.Parsing;
using CapaEngine.Demo;
using CapaEngine.Demo.Api;
using CapaEngine.Demo.Cases;
using CapaEngine.Demo.Plant;
using CapaEngine.Demo.Playing;
using CapaEngine.Demo.Recalls;
using CapaEngine.Demo.Wafers;
using Npgsql;

const int Done = 0, DoesNotHold = 1, WrongUsage = 2, PartMissing = 3;

var api = new Option<Uri>("--api")
{
    Description = "Origin of the API.",
    Required = true,
    CustomParser = argument => OriginIn(argument),
};
var postgres = new Option<string>("--postgres") { Description = "Connection string of the analyst.", Required = true };
var data = new Option<FileInfo?>("--data")
{
    Description = "The file of the SECOM wafer line or of the recalls; without one a simulated plant is played.",
};
var intoExisting = new Option<bool>("--into-existing") { Description = "Play beside cases of users." };
var seed = new Option<int>("--seed")
{
    Description = "Of the simulated plant; another seed is another site.",
    DefaultValueFactory = _ => SimulatedPlant.DefaultSeed,
};
var root = new RootCommand("Plays production data through the running system to closed CAPAs.")
{
    api, postgres, data, intoExisting, seed,
};
root.SetAction((parsed, ct) => RunAsync(parsed, ct));
var parsed = root.Parse(args);
return parsed.Errors.Count > 0 ? Fail(WrongUsage, parsed.Errors[0].Message) : await parsed.InvokeAsync();

async Task<int> RunAsync(ParseResult options, CancellationToken ct)
{
    try
    {
        using var http = new HttpClient { BaseAddress = options.GetValue(api), Timeout = TimeSpan.FromSeconds(100) };
        await using var database = NpgsqlDataSource.Create(options.GetValue(postgres)!);
        var client = new CapaApi(http, TimeProvider.System);
        var report = new Report(Console.Out, !Console.IsOutputRedirected, TimeProvider.System);
        var (file, recalls) = Read(options.GetValue(data));
        if (!options.GetValue(intoExisting) && await UserCases.FindOneAsync(client, ct) is { } owned)
            return Fail(DoesNotHold, $"The system holds cases of its users ({owned}); "
                + "--into-existing plays beside them, and nothing that is played can be deleted.");
        var analyst = new AnalystDesk(database);
        if (recalls is not null)
        {
            report.Say("Medical-device recalls of 2002 to 2013 in the words of the US Food and Drug Administration.");
            await new RecallPlay(client, analyst, report, TimeProvider.System).RunAsync(recalls, ct);
            return Done;
        }

        var script = file is not null
            ? Scripts.OfWafers(file)
            : Scripts.OfPlant(await SimulatedPlantInUse.FindAsync(client, options.GetValue(seed), ct));
        report.Say(file is not null
            ? "The SECOM wafer line of 2008. Its readings and times are real; persons and actions are simulated,\n"
                + "told with hindsight."
            : "A simulated plant: nothing of it was ever measured.");
        await new Play(client, analyst, report, TimeProvider.System).RunAsync(script, ct);
        return Done;
    }
    catch (UnplayableFileException unplayable)
    {
        return Fail(WrongUsage, unplayable.Message);
    }
    catch (Exception missing) when (missing is HttpRequestException or NpgsqlException { SqlState: null })
    {
        return Fail(PartMissing, $"A part of the system does not answer: {missing.Message}");
    }
    catch (Exception refused) when (refused is ApiRefusalException or NotInTimeException or NotAsExpectedException
                                        or NpgsqlException)
    {
        return Fail(DoesNotHold, refused.Message);
    }
}

// The header tells what a file holds; what is none of the two is refused by the name of the column it lacks.
static (WaferFile? Wafers, IReadOnlyList<Recall>? Recalls) Read(FileInfo? file)
{
    if (file is null) return (null, null);
    using var table = CsvTable.Open(file.FullName);
    return RecallFile.IsIn(table) ? (null, RecallFile.Read(table)) : (WaferFile.Read(table), null);
}

static int Fail(int code, string message)
{
    Console.Error.WriteLine($"demo: {message}");
    return code;
}

static Uri? OriginIn(ArgumentResult argument)
{
    if (Uri.TryCreate(argument.Tokens[0].Value, UriKind.Absolute, out var origin)) return origin;
    argument.AddError("--api must be an absolute address.");
    return null;
}
