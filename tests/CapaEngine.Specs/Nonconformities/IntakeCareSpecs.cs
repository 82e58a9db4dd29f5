using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using CapaEngine.Nonconformities.Intake;
using CapaEngine.Nonconformities.Intake.Mapping;
using Shouldly;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>What people do with what machines sent: each deed is an event, and doing it twice is one.</summary>
public sealed class IntakeCareSpecs
{
    private const string Good = """
        {"specversion":"1.0","type":"capa.deviation.v1","source":"urn:line-1","id":"42","data":{"site":"north",
        "product":"P-1","process":"milling","characteristic":"width","severity":"minor",
        "detectedAt":"2026-03-01T08:00:00Z"}}
        """;

    private static readonly Sender Quinn = new(new Actor("quinn", "Quinn", [], "*", []), null, false);
    private readonly MemoryEventStore store = new(TimeProvider.System);
    private readonly IntakeLog log;
    private readonly Replays replays;
    private readonly DeciderHandler<SentDeviation, DeviationCommand, DeviationEvent> deviations;

    public IntakeCareSpecs()
    {
        log = new IntakeLog(store, TimeProvider.System);
        replays = ReplaysOf(store, new MessageReader(() => MappingSet.Empty));
        deviations = new(store, SentDeviation.Decider, TimeProvider.System, new FixedProfiles());
    }

    [Fact] public async Task a_quarantined_event_is_replayed_once_it_is_understood()
    {
        var id = await QuarantineAsync(Good);
        (await ReplayAsync(id)).ShouldBeOfType<CommandOutcome.Done>().EventCount.ShouldBe(1);
        (await ReplayAsync(id)).ShouldBeOfType<CommandOutcome.Done>().EventCount.ShouldBe(0);
        (await log.ReadAsync(Families.Deviation.Stream(MachineEvent.DeviationId("urn:line-1", "42")), default))
            .Count.ShouldBe(1);
    }

    [Fact] public async Task what_is_still_not_understood_stays_in_quarantine()
    {
        var id = await QuarantineAsync("""{"specversion":"1.0"}""");
        (await ReplayAsync(id)).ShouldBeOfType<CommandOutcome.Rejected>()
            .Code.ShouldBe("still-not-understood");
        (await log.ReadAsync(Families.Quarantine.Stream(id), default)).Count.ShouldBe(1);
    }

    [Fact] public async Task a_deviation_is_dismissed_once_with_its_reason()
    {
        await ReplayAsync(await QuarantineAsync(Good));
        var id = MachineEvent.DeviationId("urn:line-1", "42");
        (await DismissAsync(id, "A test piece.")).ShouldBeOfType<CommandOutcome.Done>().EventCount.ShouldBe(1);
        (await DismissAsync(id, "A test piece.")).ShouldBeOfType<CommandOutcome.Done>().EventCount.ShouldBe(0);
        (await DismissAsync(id, "Mine.", site: "south")).ShouldBeOfType<CommandOutcome.NotFound>();
        (await DismissAsync(Guid.NewGuid(), "None.")).ShouldBeOfType<CommandOutcome.NotFound>();
    }

    [Fact] public async Task a_repetition_under_a_key_is_known_by_its_body()
    {
        await ReplayAsync(await QuarantineAsync(Good));
        var id = MachineEvent.DeviationId("urn:line-1", "42");
        var first = (await DismissAsync(id, "A test piece.", key: "k-1")).ShouldBeOfType<CommandOutcome.Done>();
        (await DismissAsync(id, "A test piece.", key: "k-1")).ShouldBe(first with { EventCount = 0 });
        (await DismissAsync(id, "Another reason.", key: "k-1")).ShouldBeOfType<CommandOutcome.KeyReused>();
    }

    [Fact] public async Task what_is_sent_again_under_its_key_is_answered_as_the_first_time()
    {
        var machine = MachineEvent.Read(
            IntakeBody.ReadLine(System.Text.Encoding.UTF8.GetBytes(Good)).Envelope!, Quinn,
            [MachineEvent.DeviationType], DateTimeOffset.UtcNow);
        var key = Guid.NewGuid();
        var first = await log.RecordAsync(machine, Quinn, default, key);
        await DismissAsync(machine.Id, "A test piece.");
        (await log.RecordAsync(machine, Quinn, default, key)).ShouldBe(first);
        (await log.RecordAsync(machine, Quinn, default, Guid.NewGuid())).Outcome.ShouldBe(IntakeOutcome.Duplicate);
        (await log.ReadAsync(machine.Stream, default)).Count.ShouldBe(2);
    }

    internal static Replays ReplaysOf(IEventStore store, MessageReader reader) => new(
        new(store, QuarantinedItem.Decider, TimeProvider.System, new FixedProfiles()), reader,
        new IntakeLog(store, TimeProvider.System), TimeProvider.System);

    private Task<CommandOutcome> ReplayAsync(Guid id) => replays.ReplayAsync(id, Quinn, Context(), default);

    private Task<CommandOutcome> DismissAsync(Guid id, string reason, string site = "*", string? key = null) =>
        deviations.HandleAsync(id, new DeviationCommand.Dismiss(reason), Context(site, key, reason), default);

    private static CommandContext Context(string site = "*", string? key = null, string request = "") => new(
        Quinn.Actor with { Site = site }, key is null ? $"{Guid.NewGuid()}" : $"quinn\n{key}", key, request);

    private async Task<Guid> QuarantineAsync(string text) =>
        (await log.QuarantineAsync(
            System.Text.Encoding.UTF8.GetBytes(text), "application/json", new("unknown-type", "type"), null, null,
            Quinn, default)).QuarantineId!.Value;
}
