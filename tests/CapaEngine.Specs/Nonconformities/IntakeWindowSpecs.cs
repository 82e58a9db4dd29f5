using System.Text;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Intake;
using CapaEngine.Nonconformities.Intake.Amqp;
using CapaEngine.Nonconformities.Intake.Mapping;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Options;
using Shouldly;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>What is under way is bounded, in order by stream, and spoken for by a known sender.</summary>
public sealed class IntakeWindowSpecs
{
    private static readonly Sender Line = new(new Actor("line-4", "line-4", [], "north", []), null, false);
    private static readonly IntakeOrigin Origin = new(Line, IntakeBody.Structured, MachineIntake.MachineTypes);
    private readonly MemoryEventStore store = new(TimeProvider.System);

    [Fact] public async Task of_two_events_with_one_id_the_first_entered_counts()
    {
        var window = Open((record, _) => record());
        var receipts = new List<Task<Receipt>>();
        for (var n = 0; n < 100; n++)
        {
            var item = Item("1", n == 0 ? "first" : "later");
            await window.WaitForPlaceAsync(item, default);
            receipts.Add(window.TakeAsync(item, Origin, default));
        }

        var outcomes = (await Task.WhenAll(receipts)).Select(receipt => receipt.Outcome).ToList();
        outcomes[0].ShouldBe(IntakeOutcome.Accepted);
        outcomes.Skip(1).ShouldAllBe(outcome => outcome == IntakeOutcome.Conflict);
    }

    [Fact] public async Task a_large_event_takes_more_room_and_all_together_are_bounded()
    {
        var held = new TaskCompletionSource();
        var window = Open(async (record, _) =>
        {
            await held.Task;
            return await record();
        });
        var entered = new List<Task<Receipt>>();
        for (var n = 0; ; n++)
        {
            var item = Item($"{n}", new string('x', 200_000));
            var place = window.WaitForPlaceAsync(item, default);
            if (!place.IsCompleted)
            {
                held.SetResult();
                (await place).ShouldBeTrue("A place becomes free when something is durable.");
                entered.Add(window.TakeAsync(item, Origin, default));
                break;
            }

            entered.Add(window.TakeAsync(item, Origin, default));
        }

        // 200 kB are 7 of 512 places.
        entered.Count.ShouldBe(512 / 7 + 1);
        await Task.WhenAll(entered);
    }

    [Fact] public async Task after_one_event_could_not_be_recorded_no_other_is_entered()
    {
        var window = Open((_, _) => throw new EventStoreUnavailableException("It is down."));
        var item = Item("1", "first");
        await window.WaitForPlaceAsync(item, default);
        await Should.ThrowAsync<EventStoreUnavailableException>(window.TakeAsync(item, Origin, default));
        (await window.WaitForPlaceAsync(Item("2", "next"), default)).ShouldBeFalse();
    }

    [Fact] public void what_finds_no_room_is_told_so_and_room_comes_back_once()
    {
        var room = new IntakeRoom(100);
        var first = room.TryTake(60).ShouldNotBeNull();
        room.TryTake(41).ShouldBeNull();
        using var second = room.TryTake(40).ShouldNotBeNull();
        first.Dispose();
        first.Dispose();
        room.TryTake(61).ShouldBeNull();
        room.TryTake(60).ShouldNotBeNull();
    }

    [Theory]
    [InlineData("line-4", "line-4", "*", null)]
    [InlineData("press", "urn:press:1", "north", null)]
    [InlineData("edge", null, "*", null)]
    [InlineData(null, null, "*", "sender-unknown")]
    public void the_verified_user_names_the_source(string? userId, string? source, string site, string? refused)
    {
        var options = new IntakeOptions();
        options.Amqp.Users["press"] = new AmqpUser { Source = "urn:press:1", Site = "north" };
        options.Amqp.Users["edge"] = new AmqpUser { Source = "*" };
        var (sender, why) = new AmqpSenders(
            Options.Create(options), new HostingEnvironment { EnvironmentName = "Production" }).Of(userId);
        (sender.Source, sender.Actor.Site, why?.Reason).ShouldBe((source, site, refused));
        sender.Actor.Roles.ShouldBe([Roles.SourceSystem]);
    }

    [Theory]
    [InlineData("Development", null, true)]
    [InlineData("Development", true, false)]
    [InlineData("Production", false, true)]
    public void who_is_not_named_is_taken_in_development_or_by_choice(string environment, bool? requires, bool taken)
    {
        var options = new IntakeOptions { Amqp = new AmqpOptions { RequiresUserId = requires } };
        var senders = new AmqpSenders(
            Options.Create(options), new HostingEnvironment { EnvironmentName = environment });
        (senders.Of("").Why is null).ShouldBe(taken);
    }

    private IntakeWindow Open(Recording recording) => new MachineIntake(
        new MessageReader(() => MappingSet.Empty), new IntakeLog(store, TimeProvider.System), TimeProvider.System)
        .OpenWindow(recording);

    private static IntakeItem Item(string id, string lot) => IntakeBody.ReadLine(Encoding.UTF8.GetBytes(
        MappedMessages.Event(MachineEvent.DeviationType, id, new JsonObject
        {
            ["product"] = "P-1", ["process"] = "milling", ["defectCode"] = "burr", ["severity"] = "minor",
            ["detectedAt"] = "2026-01-05T06:00:00Z", [lot.Length > 200 ? "unknown" : "lot"] = lot,
        }.ToJsonString()).ToJsonString()));
}
