using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using CapaEngine.Nonconformities.Intake;
using CapaEngine.Nonconformities.Intake.Mapping;
using Shouldly;
using static CapaEngine.Specs.Nonconformities.Cases;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;
using Fact = CapaEngine.Contracts.NonconformityEvent;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>A case of another system is one fact in that system's words: taken as it is, or kept as it came.</summary>
public sealed class ImportedCaseSpecs
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
    private static readonly string[] Types = [ImportedCase.Type];
    private static readonly Sender Importer = new(new Actor("ivo", "Ivo", [Roles.Importer], "*", []), null, true);
    private static readonly Guid Other = new("4f0c5b7e-40c5-4d0b-9f7e-2f1f0a6b3c77");

    private static readonly Fact.Imported Closed = new(
        "urn:other", "R-1", "plant-1", "Recall R-1", "The pump leaks.", "Pump", "ABC", null, "Maker", "Wear",
        "machine.wear", "Seals replaced.", 12, "pieces", null, null, "Terminated", true, new(2011, 5, 6),
        new(2012, 1, 2), "hash");

    private static readonly Fact.Imported Open = Closed with
    {
        SourceStatus = "Open", IsClosed = false, ClosedOn = null,
    };

    public static TheoryData<Command> EveryoneElses() =>
    [
        new Command.Accept(Severity.Minor, 24), new Command.Reject("Unfounded."), new Command.Withdraw("Wrong."),
        new Command.Merge(Other, "Same.", 0) { IsPrepared = true }, new Command.Close(),
        new Command.Reopen("It came back."), new Command.PlanContainment("Block.", 8), new Command.CompleteReview(),
        new Command.DecideDisposition(DispositionKind.Scrap, 1, null, "Leaks."),
        new Command.RequireCustomerNotice(new(2026, 3, 9)),
        new Command.RequireCorrectiveAction("omar", "It recurs.", null),
        new Command.DecideNoCorrectiveAction("A slip.", null),
    ];

    [Theory, MemberData(nameof(EveryoneElses))]
    public void what_another_system_closed_is_not_worked_on_here(Command command) =>
        Given(Closed).When(command).ThenRejected("imported");

    [Theory, MemberData(nameof(EveryoneElses))]
    public void what_another_system_works_on_is_not_worked_on_here(Command command) =>
        Given(Open).When(command).ThenRejected("imported");

    [Fact] public void it_takes_in_no_duplicates() =>
        Given(Open).When(new Command.PrepareMerge(Other, Other, "plant-1")).ThenRejected("target-imported");

    [Fact] public void G19_an_imported_case_is_corrected_and_has_no_signature_to_supersede() =>
        Given(Closed).When(new Command.Correct("A slip.", "Recall R-1, pumps", null, null, null, null), by: "eve")
            .Then(new Fact.Corrected("eve", "A slip.", "Recall R-1, pumps", null, null, null, null, false));

    [Fact] public void G19_what_is_so_already_is_no_correction() =>
        Given(Closed).When(new Command.Correct("A slip.", "Recall R-1", null, null, null, null)).ThenNothing();

    [Fact] public void the_source_says_whether_it_is_closed()
    {
        Nonconformity.Evolve(Nonconformity.NotReported, Closed).Stage.ShouldBe(NonconformityStage.Closed);
        Nonconformity.Evolve(Nonconformity.NotReported, Open).Stage.ShouldBe(NonconformityStage.Imported);
    }

    [Fact] public void what_the_source_says_later_changes_nothing() =>
        Given(Closed, new Fact.ImportConflictReceived("other", "{}")).When(new Command.Reopen("It came back."))
            .ThenRejected("imported");

    [Fact] public void a_record_is_understood_in_its_own_words()
    {
        var machine = Read(Record());
        machine.Fact.ShouldBe(Closed with { PayloadHash = machine.PayloadHash });
        machine.Stream.ShouldBe($"nonconformity-{ImportedCase.IdOf("urn:other", "R-1"):D}");
        machine.OccurredAt.ShouldBe(new DateTimeOffset(2011, 5, 6, 0, 0, 0, TimeSpan.Zero));
    }

    [Fact] public void it_may_be_closed_without_a_date_and_without_a_cause()
    {
        var fact = (Fact.Imported)Read(Record(("closedOn", null), ("cause", null), ("causeCode", null))).Fact;
        (fact.IsClosed, fact.ClosedOn, fact.Cause, fact.CauseCode).ShouldBe((true, null, null, null));
    }

    [Theory]
    [InlineData("openedOn", null, "openedOn: is required")]
    [InlineData("openedOn", "0010-08-17", "openedOn: must not lie before 1900-01-01")]
    [InlineData("openedOn", "2026-03-02", "openedOn: must not lie in the future")]
    [InlineData("openedOn", "2011-02-29", "openedOn: must be a date of the calendar, such as 2026-11-23")]
    [InlineData("closedOn", "2011-05-05", "closedOn: must not lie before openedOn")]
    [InlineData("closedOn", "2026-03-02", "closedOn: must not lie in the future")]
    [InlineData("isClosed", false, "closedOn: must not be given where isClosed is false")]
    [InlineData("isClosed", "yes", "isClosed: must be true or false")]
    [InlineData("isClosed", null, "isClosed: is required")]
    [InlineData("description", null, "description: is required")]
    [InlineData("description", " ", "description: is required")]
    [InlineData("status", null, "status: is required")]
    [InlineData("title", null, "title: is required")]
    [InlineData("causeCode", "Wear!", "causeCode: must be words of a-z, 0-9 and hyphens, with dots between them")]
    [InlineData("quantity", -1, "quantity: must not be negative")]
    [InlineData("severity", "huge", "severity: must be one of minor, major, critical")]
    [InlineData("recallClass", "II", "recallClass: is not a member of this event type")]
    public void a_member_that_breaks_a_rule_is_named(string member, object? value, string detail) =>
        Should.Throw<NotUnderstoodException>(() => Read(Record((member, value)))).Message.ShouldBe(detail);

    [Fact] public void a_text_that_is_too_long_is_not_cut() =>
        Should.Throw<NotUnderstoodException>(() => Read(Record(("product", new string('p', 401)))))
            .Message.ShouldBe("product: must have at most 400 characters");

    [Fact] public void only_an_importer_hands_over_cases() =>
        Should.Throw<NotUnderstoodException>(() => Read(Record(), Importer with { StatesHistory = false }))
            .Reason.ShouldBe("importer-only");

    [Fact] public async Task the_same_record_is_a_duplicate_and_another_a_conflict_that_is_kept_once()
    {
        var log = new IntakeLog(new MemoryEventStore(TimeProvider.System), TimeProvider.System);
        var otherwise = Record(("status", "Completed"));
        List<IntakeOutcome> outcomes = [];
        foreach (var record in (JsonObject[])[Record(), Record(), otherwise, otherwise])
            outcomes.Add((await log.RecordAsync(Read(record), Importer, default)).Outcome);
        outcomes.ShouldBe([
            IntakeOutcome.Accepted, IntakeOutcome.Duplicate, IntakeOutcome.Conflict, IntakeOutcome.Conflict]);
        var stream = Families.Nonconformity.Stream(ImportedCase.IdOf("urn:other", "R-1"));
        var recorded = await log.ReadAsync(stream, default);
        recorded.Select(entry => entry.Type)
            .ShouldBe(["nonconformity.imported.v1", "nonconformity.import-conflict-received.v1"]);
        EventCatalog.Metadata(recorded[0].Metadata.Span).Imported.ShouldBeTrue();
    }

    [Fact] public async Task a_quarantined_record_is_replayed_by_an_importer_alone()
    {
        var store = new MemoryEventStore(TimeProvider.System);
        var log = new IntakeLog(store, TimeProvider.System);
        var replays = IntakeCareSpecs.ReplaysOf(store, new MessageReader(() => MappingSet.Empty));
        var bytes = Encoding.UTF8.GetBytes(Record().ToJsonString());
        var kept = await log.QuarantineAsync(
            bytes, "application/json", new("invalid-data", "openedOn"), null, null, Importer, default);
        var id = kept.QuarantineId!.Value;
        (await ReplayAsync(Importer with { StatesHistory = false }))
            .ShouldBeOfType<CommandOutcome.Rejected>().Code.ShouldBe("still-not-understood");
        (await ReplayAsync(Importer)).ShouldBeOfType<CommandOutcome.Done>().EventCount.ShouldBe(1);
        (await ReplayAsync(Importer)).ShouldBeOfType<CommandOutcome.Done>().EventCount.ShouldBe(0);
        var replayed = (await log.ReadAsync(Families.Quarantine.Stream(id), default))[^1];
        EventCatalog.Deserialize(replayed.Type, replayed.Data.Span).ShouldBe(
            new QuarantineEvent.Replayed("ivo", null, null, "accepted")
            {
                NonconformityId = ImportedCase.IdOf("urn:other", "R-1"),
            });

        Task<CommandOutcome> ReplayAsync(Sender sender) => replays.ReplayAsync(
            id, sender, new CommandContext(sender.Actor, $"{Guid.NewGuid()}"), default);
    }

    private static MachineEvent Read(JsonObject json, Sender? sender = null)
    {
        var item = IntakeBody.ReadLine(Encoding.UTF8.GetBytes(json.ToJsonString()));
        return MachineEvent.Read(item.Envelope!, sender ?? Importer, Types, Now);
    }

    private static JsonObject Record(params (string Member, object? Value)[] changes)
    {
        var data = new JsonObject
        {
            ["site"] = "plant-1", ["title"] = "Recall R-1", ["description"] = "The pump leaks.", ["product"] = "Pump",
            ["productCode"] = "ABC", ["supplier"] = "Maker", ["cause"] = "Wear", ["causeCode"] = "machine.wear",
            ["action"] = "Seals replaced.", ["quantity"] = 12, ["unit"] = "pieces", ["status"] = "Terminated",
            ["isClosed"] = true, ["openedOn"] = "2011-05-06", ["closedOn"] = "2012-01-02",
        };
        foreach (var (member, value) in changes)
        {
            data.Remove(member);
            if (value is not null) data[member] = JsonSerializer.SerializeToNode(value);
        }

        return new JsonObject
        {
            ["specversion"] = "1.0", ["type"] = ImportedCase.Type, ["source"] = "urn:other", ["id"] = "R-1",
            ["data"] = data,
        };
    }
}
