using System.Diagnostics;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Integration.Journeys;
using CapaEngine.Integration.ReadModels;
using CapaEngine.Kernel;
using Shouldly;

namespace CapaEngine.Integration.Verify;

/// <summary>
/// What is parked anywhere, as the operator lists it and has it tried again by the program behind <c>./capa replay</c>,
/// while the system works.
/// </summary>
public sealed class ReplayOnARunningSystem : IAsyncLifetime
{
    private static readonly Guid CaseId = NameBasedId.From("case that comes late");
    private static readonly Guid CapaId = NameBasedId.From("capa of a case that comes late");
    private readonly RunningSystem system = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        // Otherwise the services would try again by themselves while the test looks at what is parked.
        system.Extra["Pipeline__ParkedRetryPeriodMs"] = "3600000";
        return system.InitializeAsync();
    }

    public ValueTask DisposeAsync() => system.DisposeAsync();

    [Fact]
    public async Task It_is_listed_by_service_and_event_and_carried_out_once_the_reason_is_gone()
    {
        await ExpectAsync(0, null, 0, "--list");
        await ParkARowAsync();
        await ParkAReactionAsync();
        var stranger = await ParkAStrangerAsync();
        await system.EventuallyAsync(
            "all is parked", async _ => (await ReplayAsync("--list")).Parked.Count == 6, Ct);

        var parked = await ExpectAsync(0, null, 6, "--list");
        parked.Select(one => $"{one["service"]} {one["code"]}").ShouldBe(
        [
            "nonconformities not-yet", "nonconformities unknown-event-type", "root-causes unknown-event-type",
            "action-plans unknown-event-type", "read-models not-storable", "read-models unknown-event-type",
        ], ignoreOrder: true);
        await ExpectAsync(0, null, 1, "--list", "--service", "action-plans");
        await ExpectAsync(1, 0, 6);

        await system.Database.CreateCommand("alter table read_models.deviation drop constraint narrow")
            .ExecuteNonQueryAsync(Ct);
        var row = (string)parked.Single(one => (string?)one["code"] == "not-storable")["eventId"]!;
        await ExpectAsync(0, 1, 0, "--event", row);
        (await system.ScalarAsync<long>("select count(*) from read_models.deviation", Ct)).ShouldBe(2);
        (await RunAsync(["--event", row])).ShouldBe((1, ""), "It is parked no longer.");

        await AppendAsync(Families.Nonconformity.Stream(CaseId), CaseOfTheCapa());
        await ExpectAsync(1, 1, 1, "--service", ServiceNames.Nonconformities);

        parked = await ExpectAsync(1, 0, 4);
        parked.ShouldAllBe(one => (string?)one["stream"] == stranger, "No version knows the stranger.");
        foreach (string[] wrong in (string[][])[["--service", "gateway"], ["--event", "42"], ["--frobnicate"]])
            (await RunAsync(wrong)).Exit.ShouldBe(2, string.Join(' ', wrong));
    }

    private async Task ParkARowAsync()
    {
        await system.Database.CreateCommand(
            "alter table read_models.deviation add constraint narrow check (source_event_id <> 'd-1')")
            .ExecuteNonQueryAsync(Ct);
        using var machine = new ApiClient(system.Api, "line-1", "source-system");
        var events = Enumerable.Range(0, 2).Select(n => DeviationJson.Event(
            "urn:replay", $"d-{n}", "L-1", "minor", DateTimeOffset.UnixEpoch.AddYears(55)));
        await machine.PostRawAsync(
            "deviations", $"[{string.Join(',', events)}]", "application/cloudevents-batch+json", ct: Ct);
    }

    // A CAPA whose case is not there yet: nobody can note its stage.
    private Task ParkAReactionAsync() => AppendAsync(
        Families.ActionPlan.Stream(CapaId), new ActionPlanEvent.Opened(
            "plant-1", "Bores too wide", "quinn", CaseId, "It recurs.", WholeCase.Subject, DateTimeOffset.UnixEpoch,
            false));

    private async Task<string> ParkAStrangerAsync()
    {
        var stream = Families.ActionPlan.Stream(NameBasedId.From("stranger"));
        var metadata = new EventMetadata(
            new EventActor("quinn", [], "*"), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, "");
        await system.Log.AppendAsync(stream, ExpectedRevision.NoStream,
            [new NewEvent(Guid.NewGuid(), "actionplan.odd.v9", "{}"u8.ToArray(), EventCatalog.Serialize(metadata))],
            Ct);
        return stream;
    }

    private static object[] CaseOfTheCapa() =>
    [
        WholeCase.Report(DateTimeOffset.UnixEpoch),
        new NonconformityEvent.Accepted("quinn", Severity.Critical, 24),
        new NonconformityEvent.CorrectiveActionRequired(
            CapaId, CapaLink.Join, 1, "quinn", "It recurs.", "plant-1", "Bores too wide", WholeCase.Subject,
            DateTimeOffset.UnixEpoch, false),
    ];

    private Task AppendAsync(string stream, params object[] facts) =>
        ParkedProcess.AppendAsync(system.Log, stream, Ct, facts);

    private async Task<List<JsonNode>> ExpectAsync(int exit, int? carriedOut, int remaining, params string[] options)
    {
        var answer = await ReplayAsync(options);
        (answer.Exit, answer.CarriedOut, answer.Parked.Count).ShouldBe(
            (exit, carriedOut, remaining), string.Join('\n', answer.Parked.Select(one => one.ToJsonString())));
        return answer.Parked;
    }

    private async Task<(int Exit, int? CarriedOut, List<JsonNode> Parked)> ReplayAsync(params string[] options)
    {
        var (exit, output) = await RunAsync([.. options, "--json"]);
        var answer = JsonNode.Parse(output)!;
        return (exit, (int?)answer["carriedOut"], [.. answer["parked"]!.AsArray().OfType<JsonNode>()]);
    }

    private async Task<(int Exit, string Output)> RunAsync(IEnumerable<string> options)
    {
        using var http = new HttpClient { BaseAddress = system.Api };
        using var token = await http.PostAsync("dev/token", new StringContent(
            """{"person":"ada","roles":["administrator"],"site":"*"}""", null, "application/json"), Ct);
        var start = new ProcessStartInfo("dotnet",
            [ServiceProcess.AssemblyOf("infra/Verify"), "replay", "--api", system.Api.ToString(), .. options])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        start.Environment["CAPA_TOKEN"] = await token.Content.ReadAsStringAsync(Ct);
        using var replay = Process.Start(start)!;
        var output = await replay.StandardOutput.ReadToEndAsync(Ct);
        await replay.WaitForExitAsync(Ct);
        return (replay.ExitCode, output);
    }
}
