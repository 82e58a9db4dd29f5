using System.Text;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Intake;
using CapaEngine.Nonconformities.Intake.Mapping;
using Shouldly;
using static CapaEngine.Specs.Nonconformities.MappedMessages;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>What equipment says becomes deviations and exposure, or stays in quarantine whole.</summary>
public sealed class MappingSpecs
{
    [Fact] public void each_defect_of_each_unit_is_a_deviation()
    {
        var found = Deviations(Read(UnitsInspected()));
        found.Select(fact => fact.SourceEventId).ShouldBe(["u-1#SN-2/i-1/d-1", "u-1#SN-2/i-1/d-2"]);
        found.Select(fact => (fact.DefectCode, fact.Severity, fact.Serial)).ShouldBe(
            [("bridge", Severity.Critical, "SN-2"), ("void", Severity.Major, "SN-2")]);
        found.ShouldAllBe(fact => fact.Site == "north" && fact.Product == "BOARD-9" && fact.Process == "AOI"
            && fact.Station == "north.aoi-2" && fact.DetectedAt == Now.AddMinutes(-48));
        found[0].Mapping.ShouldBe(Shipped.All.Single(m => m.Reference.Name == "cfx-units-inspected").Reference);
    }

    [Fact] public void the_units_inspected_are_the_exposure()
    {
        var exposure = Read(UnitsInspected()).Events.Select(made => made.Fact).OfType<ProductionEvent.Recorded>()
            .ShouldHaveSingleItem();
        (exposure.SourceEventId, exposure.Produced, exposure.Inspected, exposure.Rejected).ShouldBe(("u-1", 2, 2, 1));
        (exposure.PeriodFrom, exposure.PeriodTo).ShouldBe((Now.AddMinutes(-50), Now.AddMinutes(-30)));
        exposure.Mapping!.Name.ShouldBe("cfx-units-inspected");
    }

    [Fact] public void a_fault_of_equipment_is_a_deviation_of_its_station()
    {
        var fault = Deviations(Read(FaultOccurred())).ShouldHaveSingleItem();
        (fault.SourceEventId, fault.Station, fault.DefectCode, fault.Process, fault.Severity)
            .ShouldBe(("f-1", "north.placer-1", "4711", "MechanicalFailure", Severity.Major));
        fault.DetectedAt.ShouldBe(Now.AddMinutes(-31));
    }

    [Theory]
    [InlineData(1, Severity.Minor)]
    [InlineData(333, Severity.Minor)]
    [InlineData(334, Severity.Major)]
    [InlineData(666, Severity.Major)]
    [InlineData(667, Severity.Critical)]
    [InlineData(1000, Severity.Critical)]
    public void the_severity_of_an_alarm_follows_ranges(int severity, Severity expected)
    {
        var alarm = Deviations(Read(Alarm(severity))).ShouldHaveSingleItem();
        (alarm.Severity, alarm.Characteristic, alarm.Measured, alarm.UpperLimit, alarm.LowerLimit, alarm.Description)
            .ShouldBe((expected, "zone-1-temperature", 262.5, 255, null, "Zone 1 is too hot"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1001)]
    public void a_severity_outside_the_ranges_is_not_guessed(int severity) => Fails(
        Alarm(severity),
        $"opcua-alarm/1, produces[0].members.severity: {severity} at $.Severity is not in a range");

    [Fact] public void an_alarm_that_is_not_active_says_nothing_to_be_recorded()
    {
        var over = Alarm();
        DataOf(over)["ActiveState"] = new JsonObject { ["Id"] = false };
        var understood = Read(over);
        (understood.Events.Count, understood.Why, understood.Ignored)
            .ShouldBe((0, null, "opcua-alarm/1: the alarm is not active"));
    }

    [Fact] public void units_without_defects_are_exposure_alone()
    {
        var good = UnitsInspected();
        DataOf(good)["MessageBody"]!["InspectedUnits"]!.AsArray().RemoveAt(1);
        Read(good).Events.ShouldHaveSingleItem().Fact.ShouldBeOfType<ProductionEvent.Recorded>().Rejected.ShouldBe(0);
    }

    [Fact] public void a_missing_member_keeps_the_whole_message_out()
    {
        var nameless = UnitsInspected();
        DataOf(nameless)["MessageBody"]!.AsObject().Remove("RecipeName");
        Fails(nameless, "cfx-units-inspected/1, produces[0].members.product: is required, "
            + "from $.MessageBody.RecipeName");
    }

    [Fact] public void a_value_that_the_map_does_not_name_is_not_guessed()
    {
        var unknown = FaultOccurred();
        DataOf(unknown)["MessageBody"]!["Fault"]!["Severity"] = "Fatal";
        Fails(unknown, "cfx-fault-occurred/1, produces[0].members.severity: Fatal at $.MessageBody.Fault.Severity "
            + "is not in the map");
    }

    [Fact] public void an_item_without_an_id_of_its_own_keeps_the_whole_message_out()
    {
        var anonymous = UnitsInspected();
        Defect(anonymous, 1).Remove("UniqueIdentifier");
        Fails(anonymous,
            "cfx-units-inspected/1, produces[0].id: no text or number is at defect.UniqueIdentifier");
    }

    [Fact] public void two_items_with_one_id_are_not_taken_for_a_repeat()
    {
        var twins = UnitsInspected();
        Defect(twins, 1)["UniqueIdentifier"] = "d-1";
        Fails(twins, "cfx-units-inspected/1, two items have the id u-1#SN-2/i-1/d-1");
    }

    [Fact] public void a_message_that_comes_again_gives_the_same_ids_and_payload()
    {
        var first = Read(UnitsInspected()).Events;
        var again = Read(UnitsInspected()).Events;
        again.Select(made => (made.Stream, made.PayloadHash)).ShouldBe(
            first.Select(made => (made.Stream, made.PayloadHash)));
        first.Select(made => made.PayloadHash).Distinct().ShouldHaveSingleItem();
        var other = UnitsInspected();
        Defect(other, 0)["Description"] = "R13";
        Read(other).Events[0].PayloadHash.ShouldNotBe(first[0].PayloadHash);
    }

    [Fact] public async Task repeats_conflicts_and_a_changed_mapping_are_told_apart_by_the_message()
    {
        var store = new MemoryEventStore(TimeProvider.System);
        var mappings = With("");
        var log = new IntakeLog(store, TimeProvider.System);
        var intake = new MachineIntake(new MessageReader(() => mappings), log, TimeProvider.System);
        var message = Event("mine", "1", "{}");
        (await TakeAsync(intake, message)).Outcome.ShouldBe(IntakeOutcome.Accepted);
        mappings = With("""
            "station": { "constant": "m-1" }
            """);
        (await TakeAsync(intake, message)).Outcome.ShouldBe(IntakeOutcome.Duplicate);
        message["data"] = new JsonObject { ["more"] = 1 };
        (await TakeAsync(intake, message)).Outcome.ShouldBe(IntakeOutcome.Conflict);
    }

    [Fact] public async Task after_the_mapping_was_mended_a_message_in_quarantine_is_understood()
    {
        var store = new MemoryEventStore(TimeProvider.System);
        var mappings = With("""
            "lot": { "from": ["$.Lot"], "map": { "a": "A" } }
            """);
        var log = new IntakeLog(store, TimeProvider.System);
        var reader = new MessageReader(() => mappings);
        var kept = await TakeAsync(
            new MachineIntake(reader, log, TimeProvider.System), Event("mine", "1", """{"Lot":"b"}"""));
        (kept.Outcome, kept.Reason).ShouldBe((IntakeOutcome.Quarantined, "mapping-failed"));
        var replays = IntakeCareSpecs.ReplaysOf(store, reader);
        (await ReplayAsync()).ShouldBeOfType<CommandOutcome.Rejected>();
        mappings = With("""
            "lot": { "from": ["$.Lot"] }
            """);
        (await ReplayAsync()).ShouldBeOfType<CommandOutcome.Done>();
        (await log.ReadAsync(Families.Deviation.Stream(MachineEvent.DeviationId("urn:line:4", "1")), default))
            .Count.ShouldBe(1);

        Task<CommandOutcome> ReplayAsync() => replays.ReplayAsync(
            kept.QuarantineId!.Value, Line, new CommandContext(Line.Actor, $"{Guid.NewGuid()}"), default);
    }

    [Fact] public void whoever_is_bound_to_a_source_cannot_send_for_another_by_a_mapping() =>
        Read(Alarm(), sender: Line with { Source = "urn:line:5" }).Why!.Reason.ShouldBe("source-not-yours");

    [Fact] public void a_type_that_no_mapping_names_is_unknown() =>
        Read(Event("other", "1", "{}")).Why!.Reason.ShouldBe("unknown-type");

    private static void Fails(JsonObject message, string detail)
    {
        var understood = Read(message);
        understood.Events.ShouldBeEmpty();
        (understood.Why!.Reason, understood.Why.Message).ShouldBe(("mapping-failed", detail));
    }

    private static JsonObject Defect(JsonObject message, int index) => DataOf(message)["MessageBody"]!
        ["InspectedUnits"]![1]!["Inspections"]![0]!["DefectsFound"]![index]!.AsObject();

    private static List<DeviationEvent.Received> Deviations(Understood understood)
    {
        understood.Why.ShouldBeNull();
        return [.. understood.Events.Select(made => made.Fact).OfType<DeviationEvent.Received>()];
    }

    private static async Task<Receipt> TakeAsync(MachineIntake intake, JsonObject message)
    {
        var window = intake.OpenWindow();
        var item = IntakeBody.ReadLine(Encoding.UTF8.GetBytes(message.ToJsonString()));
        (await window.WaitForPlaceAsync(item, default)).ShouldBeTrue();
        return await window.TakeAsync(
            item, new IntakeOrigin(Line, IntakeBody.Structured, MachineIntake.MachineTypes), default);
    }
}
