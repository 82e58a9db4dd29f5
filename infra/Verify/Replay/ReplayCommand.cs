using System.CommandLine;
using System.Net.Http.Headers;

namespace CapaEngine.Verify.Replay;

/// <summary>Lists what all services have set aside, or has it tried again.</summary>
internal sealed class ReplayCommand
{
    private const int Done = 0, SomeRemain = 1, WrongUsage = 2, PartMissing = 3;

    // Many parked streams are read from the log again within one request.
    private static readonly TimeSpan PatienceMax = TimeSpan.FromMinutes(10);

    private readonly Option<string> api = new("--api") { Description = "Origin of the API.", Required = true };
    private readonly Option<bool> list = new("--list") { Description = "List what is parked and try nothing." };
    private readonly Option<string?> service = new("--service") { Description = "Of this service alone." };
    private readonly Option<Guid?> eventId = new("--event") { Description = "The stream of this event alone." };
    private readonly Option<bool> json = new("--json") { Description = "One JSON object instead of a table." };

    private ReplayCommand() => service.AcceptOnlyFromAmong(ParkedApi.Services);

    /// <summary>The command. Its token is in <c>CAPA_TOKEN</c>: every user of a machine can read arguments.</summary>
    public static Command Create()
    {
        var replay = new ReplayCommand();
        var command = new Command("replay", "Lists what is parked in all services, or has it tried again.")
        {
            replay.api, replay.list, replay.service, replay.eventId, replay.json,
        };
        command.SetAction(replay.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult given, CancellationToken ct)
    {
        if (Environment.GetEnvironmentVariable("CAPA_TOKEN") is not { Length: > 0 } token)
            return Fail(WrongUsage, "CAPA_TOKEN must hold the token of an administrator of all sites.");
        if (!Uri.TryCreate(given.GetValue(api), UriKind.Absolute, out var origin))
            return Fail(WrongUsage, "--api must be an address such as http://127.0.0.1:8080.");
        using var http = new HttpClient { BaseAddress = origin, Timeout = PatienceMax };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Trim());
        try
        {
            return await RunAsync(new ParkedApi(http), given, ct);
        }
        catch (Exception missing) when (missing is HttpRequestException or TaskCanceledException)
        {
            return Fail(PartMissing, $"A part of the system does not answer: {missing.Message}");
        }
        catch (ApiRefusalException refused)
        {
            return Fail(SomeRemain, refused.Message);
        }
    }

    private async Task<int> RunAsync(ParkedApi parkedApi, ParseResult given, CancellationToken ct)
    {
        var services = given.GetValue(service) is { } one ? [one] : ParkedApi.Services;
        var parked = await ListAsync(parkedApi, services, ct);
        var chosen = given.GetValue(eventId) is { } id ? parked.FindAll(candidate => candidate.EventId == id) : parked;
        if (chosen.Count == 0 && given.GetValue(eventId) is { } unknown)
            return Fail(SomeRemain, $"No event {unknown} is parked.");
        if (given.GetValue(list))
        {
            ReplayReport.Write(Console.Out, given.GetValue(json), carriedOut: null, chosen);
            return Done;
        }

        var carriedOut = 0;
        foreach (var name in chosen.Select(candidate => candidate.Service).Distinct(StringComparer.Ordinal))
            carriedOut += await parkedApi.ReplayAsync(name, given.GetValue(eventId), ct);
        // Asked again: what is behind another event, or came meanwhile, remains as well.
        var streams = chosen.Select(candidate => (candidate.Service, candidate.Stream)).ToHashSet();
        var remaining = await ListAsync(parkedApi, services, ct);
        if (given.GetValue(eventId) is not null)
            remaining.RemoveAll(candidate => !streams.Contains((candidate.Service, candidate.Stream)));
        ReplayReport.Write(Console.Out, given.GetValue(json), carriedOut, remaining);
        return remaining.Count == 0 ? Done : SomeRemain;
    }

    private static async Task<List<ParkedEvent>> ListAsync(
        ParkedApi parkedApi, IEnumerable<string> services, CancellationToken ct)
    {
        List<ParkedEvent> parked = [];
        foreach (var name in services) parked.AddRange(await parkedApi.ListAsync(name, ct));
        return parked;
    }

    private static int Fail(int code, string message)
    {
        Console.Error.WriteLine($"replay: {message}");
        return code;
    }
}
