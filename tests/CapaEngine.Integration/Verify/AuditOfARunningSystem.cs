using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Integration.Journeys;
using CapaEngine.Kernel;
using Shouldly;

namespace CapaEngine.Integration.Verify;

/// <summary>
/// The auditor as the operator runs it, beside a system that works: nothing to find; then a poison event, which the
/// operator finds, looks at and has tried again, while everything else goes on.
/// </summary>
public sealed class AuditOfARunningSystem : IAsyncLifetime
{
    private readonly RunningSystem system = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => system.InitializeAsync();

    public ValueTask DisposeAsync() => system.DisposeAsync();

    [Fact]
    public async Task It_holds_until_something_is_parked_which_is_then_listed_inspected_and_replayed()
    {
        using var machine = new ApiClient(system.Api, "line-1", "source-system");
        using var engineer = new ApiClient(system.Api, "quinn", "quality-engineer");
        using var administrator = new ApiClient(system.Api, "ada", "administrator");
        await SendAsync(machine, 0, 300);
        var capa = await OpenCapaAsync(engineer);
        var (exit, report) = await AuditAsync();
        exit.ShouldBe(0, report.ToJsonString());
        ((long)report["checks"]!["deviation-once"]!["examined"]!).ShouldBe(300);
        ((long)report["checks"]!["analysis-started"]!["examined"]!).ShouldBe(1);

        var stream = Families.ActionPlan.Stream(capa);
        await AppendPoisonAsync(stream);
        await system.EventuallyAsync(
            "the poison event is parked",
            async ct => (await ParkedAsync(administrator, ct)).Count == 1, Ct);
        var parked = (await ParkedAsync(administrator, Ct))[0]!;
        ((string?)parked["stream"]).ShouldBe(stream);
        ((string?)parked["code"]).ShouldBe("unknown-event-type");
        var path = $"parked/{ServiceNames.RootCauses}/{(string?)parked["eventId"]}";
        ((int)(await administrator.GetAsync(path, ct: Ct)).Body!["data"]!["odd"]!).ShouldBe(1);
        await engineer.GetAsync(path, HttpStatusCode.Forbidden, Ct);
        var replayed = await administrator.PostAsync($"{path}/replay", new { }, ct: Ct);
        ((int)replayed.Body!["carriedOut"]!, (int)replayed.Body!["remaining"]!).ShouldBe((0, 1));
        await administrator.PostAsync(
            $"parked/{ServiceNames.RootCauses}/{Guid.NewGuid()}/replay", new { }, HttpStatusCode.NotFound, ct: Ct);

        // Others go on: another CAPA gets its analysis.
        await OpenCapaAsync(engineer);
        (exit, report) = await AuditAsync();
        exit.ShouldBe(1);
        report["findings"]!.AsArray().Select(finding => (string)finding!["check"]!).Distinct().ShouldBe(
            ["log-content", "parked-reaction", "parked-stream"], ignoreOrder: true);
    }

    private async Task<Guid> OpenCapaAsync(ApiClient engineer)
    {
        var opened = await engineer.PostAsync(
            "action-plans", new { site = "north", title = "Preventive", owner = "quinn", reason = "A near miss." },
            HttpStatusCode.Created, ct: Ct);
        await system.EventuallyAsync(
            "the analysis of the CAPA",
            async ct => await system.ScalarAsync<long>(
                $"select count(*) from read_models.root_cause_analysis where capa_id = '{opened.Id}'", ct) == 1, Ct);
        return opened.Id;
    }

    private static async Task SendAsync(ApiClient machine, int from, int to)
    {
        var batch = Enumerable.Range(from, to - from).Select(n => DeviationJson.Event(
            "urn:audit", $"d-{n}", $"L-{n}", "minor", DateTimeOffset.UnixEpoch.AddYears(55)));
        await machine.PostRawAsync(
            "deviations", $"[{string.Join(',', batch)}]", "application/cloudevents-batch+json", ct: Ct);
    }

    private async Task AppendPoisonAsync(string stream)
    {
        var metadata = new EventMetadata(
            new EventActor("quinn", ["quality-engineer"], "*"), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, "");
        var poison = new NewEvent(
            Guid.NewGuid(), "actionplan.odd.v9", """{"odd":1}"""u8.ToArray(), EventCatalog.Serialize(metadata));
        (await system.Log.AppendAsync(
            stream, ExpectedRevision.At(await system.HeadRevisionAsync(stream, Ct)), [poison], Ct))
            .ShouldBeOfType<AppendResult.Appended>();
    }

    private static async Task<JsonArray> ParkedAsync(ApiClient administrator, CancellationToken ct) =>
        (await administrator.GetAsync($"parked/{ServiceNames.RootCauses}", ct: ct)).Body!["items"]!.AsArray();

    private async Task<(int Exit, JsonNode Report)> AuditAsync()
    {
        var start = new ProcessStartInfo(
            "dotnet", [ServiceProcess.AssemblyOf("infra/Verify"), "--json", "--at-rest", "--settle-seconds", "8"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        foreach (var name in (string[])["ConnectionStrings__EventStore", "ConnectionStrings__Postgres"])
            start.Environment[name] = system.Setting(name);
        using var audit = Process.Start(start)!;
        var output = await audit.StandardOutput.ReadToEndAsync(Ct);
        await audit.WaitForExitAsync(Ct);
        return (audit.ExitCode, JsonNode.Parse(output)!);
    }
}
