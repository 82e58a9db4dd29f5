using CapaEngine.Contracts;
using CapaEngine.Kernel;
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
    private readonly IntakeCare care;

    public IntakeCareSpecs()
    {
        log = new IntakeLog(store, TimeProvider.System);
        care = new IntakeCare(log, new MessageReader(() => MappingSet.Empty), TimeProvider.System);
    }

    [Fact] public async Task a_quarantined_event_is_replayed_once_it_is_understood()
    {
        var id = await QuarantineAsync(Good);
        (await care.ReplayAsync(id, Quinn, default)).ShouldBeOfType<CommandOutcome.Done>().EventCount.ShouldBe(1);
        (await care.ReplayAsync(id, Quinn, default)).ShouldBeOfType<CommandOutcome.Done>().EventCount.ShouldBe(0);
        (await log.ReadAsync(Families.Deviation.Stream(MachineEvent.DeviationId("urn:line-1", "42")), default))
            .Count.ShouldBe(1);
    }

    [Fact] public async Task what_is_still_not_understood_stays_in_quarantine()
    {
        var id = await QuarantineAsync("""{"specversion":"1.0"}""");
        (await care.ReplayAsync(id, Quinn, default)).ShouldBeOfType<CommandOutcome.Rejected>()
            .Code.ShouldBe("still-not-understood");
        (await log.ReadAsync(Families.Quarantine.Stream(id), default)).Count.ShouldBe(1);
    }

    [Fact] public async Task a_deviation_is_dismissed_once_with_its_reason()
    {
        await care.ReplayAsync(await QuarantineAsync(Good), Quinn, default);
        var id = MachineEvent.DeviationId("urn:line-1", "42");
        (await care.DismissAsync(id, "A test piece.", Quinn, default)).ShouldBeOfType<CommandOutcome.Done>()
            .EventCount.ShouldBe(1);
        (await care.DismissAsync(id, "A test piece.", Quinn, default)).ShouldBeOfType<CommandOutcome.Done>()
            .EventCount.ShouldBe(0);
        var stranger = Quinn with { Actor = Quinn.Actor with { Site = "south" } };
        (await care.DismissAsync(id, "Mine.", stranger, default)).ShouldBeOfType<CommandOutcome.NotFound>();
    }

    private async Task<Guid> QuarantineAsync(string text) =>
        (await log.QuarantineAsync(
            System.Text.Encoding.UTF8.GetBytes(text), "application/json", new("unknown-type", "type"), null, null,
            Quinn, default)).QuarantineId!.Value;
}
