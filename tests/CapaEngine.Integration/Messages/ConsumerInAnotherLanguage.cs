using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Integration.Journeys;
using CapaEngine.Kernel;
using Shouldly;

namespace CapaEngine.Integration.Messages;

/// <summary>A few lines of JavaScript read what the relays of a system publish, and send as a machine.</summary>
[Collection(nameof(SystemFixture))]
public sealed class ConsumerInAnotherLanguage(SystemFixture system) : IAsyncLifetime
{
    private const int OverHttp = 300;
    private const int OverTheBroker = 20;

    // The user of the broker; a machine there speaks for the source of its own name.
    private const string Source = "guest";
    private static readonly DateTimeOffset Detected = new(2026, 1, 5, 6, 0, 0, TimeSpan.Zero);

    private readonly RunningSystem running = system.Running;
    private readonly string run = Guid.NewGuid().ToString("N");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Broker => running.Setting("ConnectionStrings__RabbitMq");

    // Tests before this one may have ended a part of the system and begun it again.
    public async ValueTask InitializeAsync() => await running.ReadyAsync(Ct);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task it_gets_every_event_once_and_those_of_a_stream_in_order()
    {
        await using var programs = await NodePrograms.InstallAsync(Ct);
        await using var reader = programs.StartNode("read.js", Broker, "deviation.*");
        await running.EventuallyAsync("the consumer listens", _ => Task.FromResult(!reader.Remarks.IsEmpty), Ct);

        using var machine = new ApiClient(running.Api, "line-4", "source-system");
        await SendAsync(machine, "minor");
        // With another severity each is a conflict, and so the second event of its stream.
        await SendAsync(machine, "major");
        await using (var sender = programs.StartNode("send.js", Broker, "north.line-4"))
        {
            foreach (var n in Enumerable.Range(OverHttp, OverTheBroker))
                await sender.TellAsync(Event(n, "minor") + "\n", Ct);
            await sender.EndAsync(Ct);
        }

        const int expected = (2 * OverHttp) + OverTheBroker;
        await running.EventuallyAsync(
            "everything is printed", _ => Task.FromResult(Printed(reader).Count >= expected), Ct);
        await reader.EndAsync(Ct);

        reader.Remarks.ShouldBe(["ready"]);
        var printed = Printed(reader);
        printed.Select(entry => entry.Id).ShouldBeUnique();
        foreach (var stream in printed.GroupBy(entry => entry.Stream))
            stream.Select(entry => entry.Revision).ShouldBe(Enumerable.Range(0, stream.Count()).Select(n => (long)n));
        printed.ShouldBe(await RecordedAsync(), ignoreOrder: true);
        printed.Count.ShouldBe(expected);
    }

    private async Task SendAsync(ApiClient machine, string severity)
    {
        var events = Enumerable.Range(0, OverHttp).Select(n => Event(n, severity));
        await machine.PostRawAsync(
            "deviations", $"[{string.Join(',', events)}]", "application/cloudevents-batch+json", ct: Ct);
    }

    private string Event(int n, string severity) =>
        DeviationJson.Event(Source, $"{run}-{n}", $"P-{run}-{n}", severity, Detected);

    // Other tests leave events in the same log.
    private List<Entry> Printed(NodeProgram reader)
    {
        var entries = reader.Lines.Select(line => JsonNode.Parse(line)!)
            .Select(e => new Entry((Guid)e["id"]!, (string)e["type"]!, (string)e["subject"]!, (long)e["sequence"]!))
            .ToList();
        var own = Own();
        return [.. entries.Where(entry => own.Contains(entry.Stream))];
    }

    private async Task<List<Entry>> RecordedAsync()
    {
        var own = Own();
        return await running.Log.ReadAllAsync(LogPosition.Start, [Families.Deviation.Prefix], Ct)
            .Where(recorded => own.Contains(recorded.Stream))
            .Select(recorded => new Entry(recorded.Id, recorded.Type, recorded.Stream, recorded.Revision))
            .ToListAsync(Ct);
    }

    private HashSet<string> Own() => [.. Enumerable.Range(0, OverHttp + OverTheBroker)
        .Select(n => Families.Deviation.Stream(NameBasedId.From($"deviation\n{Source}\n{run}-{n}")))];

    private sealed record Entry(Guid Id, string Type, string Stream, long Revision);
}
