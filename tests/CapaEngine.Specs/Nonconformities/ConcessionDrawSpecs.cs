using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities;
using CapaEngine.Nonconformities.Concessions;
using CapaEngine.Nonconformities.Domain;
using Microsoft.Extensions.Configuration;
using Shouldly;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>
/// The way from a disposition to its concession and back, over the store in memory: what is used up is drawn first, and
/// nothing stays drawn for a line that is never decided (G06).
/// </summary>
public sealed class ConcessionDrawSpecs
{
    private static readonly Guid Case = NameBasedId.From("case");
    private static readonly Guid Leave = NameBasedId.From("concession");
    private static readonly DateTimeOffset Until = Cases.Detected.AddDays(60);

    private static readonly NonconformityCommand.DecideDisposition UseTwelve = new(
        DispositionKind.UseAsIs, 12, "L-7", "The seat is not concerned.", Leave);

    private readonly SettableClock clock = new() { Now = Cases.Detected.AddDays(1) };
    private readonly MemoryEventStore store;
    private readonly DeciderHandler<Nonconformity, NonconformityCommand, NonconformityEvent> nonconformities;
    private readonly DeciderHandler<Concession, ConcessionCommand, ConcessionEvent> concessions;
    private readonly ConcessionDraws draws;

    public ConcessionDrawSpecs()
    {
        store = new MemoryEventStore(clock);
        nonconformities = new(store, Nonconformity.Decider, clock, new FixedProfiles());
        concessions = new(store, Concession.Decider, clock, new FixedProfiles());
        draws = DrawsUnder("iso9001");
    }

    [Fact] public async Task G06_a_covered_quantity_is_drawn_and_then_decided()
    {
        await PrepareAsync();
        (await DecideAsync(UseTwelve)).ShouldBeOfType<CommandOutcome.Done>();
        var line = (await CaseAsync()).Lines.ShouldHaveSingleItem();
        (await ConcessionAsync()).Draws.ShouldBe([new(line.LineId, 12)]);
    }

    [Fact] public async Task G06_a_repeated_decision_draws_once()
    {
        await PrepareAsync();
        await DecideAsync(UseTwelve);
        (await DecideAsync(UseTwelve)).ShouldBeOfType<CommandOutcome.Done>().EventCount.ShouldBe(0);
        (await ConcessionAsync()).Remaining.ShouldBe(8);
    }

    [Fact] public async Task G06_what_the_concession_does_not_cover_is_not_decided()
    {
        await PrepareAsync(granted: 11);
        (await DecideAsync(UseTwelve)).ShouldBeOfType<CommandOutcome.Rejected>().Code.ShouldBe("exceeds-concession");
        (await CaseAsync()).Lines.ShouldBeEmpty();
    }

    [Fact] public async Task G06_what_the_rules_refuse_is_not_drawn()
    {
        await PrepareAsync();
        (await DecideAsync(UseTwelve with { Quantity = 31 })).ShouldBeOfType<CommandOutcome.Rejected>()
            .Code.ShouldBe("exceeds-affected-quantity");
        (await ConcessionAsync()).Draws.ShouldBeEmpty();
    }

    [Fact] public async Task G06_a_concession_that_does_not_exist_is_named()
    {
        await PrepareAsync();
        (await DecideAsync(UseTwelve with { ConcessionId = Case })).ShouldBeOfType<CommandOutcome.Rejected>()
            .Code.ShouldBe("unknown-concession");
    }

    [Fact] public async Task G06_the_profile_of_the_site_says_whose_leave_it_takes()
    {
        await PrepareAsync(authority: ConcessionAuthority.Organisation);
        (await DrawsUnder("as9100").DecideAsync(Case, UseTwelve, By("mia", "use"), default))
            .ShouldBeOfType<CommandOutcome.Rejected>().Code.ShouldBe("authority-insufficient");
        (await DecideAsync(UseTwelve)).ShouldBeOfType<CommandOutcome.Done>();
    }

    [Fact] public async Task a_case_of_another_site_draws_nothing()
    {
        await PrepareAsync();
        var stranger = new Actor("mia", "Mia", [], "plant-2", [DispositionKind.UseAsIs]);
        (await draws.DecideAsync(Case, UseTwelve, new CommandContext(stranger, "use"), default))
            .ShouldBeOfType<CommandOutcome.NotFound>();
        (await ConcessionAsync()).Draws.ShouldBeEmpty();
    }

    [Fact] public async Task a_draw_whose_disposition_is_still_being_decided_waits()
    {
        await PrepareAsync();
        await DrawAloneAsync();
        (await SettleAsync()).ShouldBeOfType<ReactionOutcome.NotYet>();
        (await ConcessionAsync()).Remaining.ShouldBe(8);
    }

    [Fact] public async Task a_draw_whose_disposition_never_came_is_given_back_and_the_line_is_never_decided()
    {
        await PrepareAsync();
        await DrawAloneAsync();
        clock.Now = clock.Now.AddMinutes(1);
        (await SettleAsync()).ShouldBeOfType<ReactionOutcome.Done>();
        (await SettleAsync()).ShouldBeOfType<ReactionOutcome.AlreadyDone>();
        (await ConcessionAsync()).Remaining.ShouldBe(20);
        (await DecideAsync(UseTwelve)).ShouldBeOfType<CommandOutcome.Rejected>().Code.ShouldBe("draw-lapsed");
    }

    [Fact] public async Task a_draw_whose_disposition_was_decided_stays()
    {
        await PrepareAsync();
        await DecideAsync(UseTwelve);
        clock.Now = clock.Now.AddMinutes(1);
        (await SettleAsync()).ShouldBeOfType<ReactionOutcome.AlreadyDone>();
        (await ConcessionAsync()).Remaining.ShouldBe(8);
    }

    [Fact] public async Task the_clock_expires_a_concession_once()
    {
        await PrepareAsync();
        var expiry = new ConcessionClock(store, concessions, clock);
        await foreach (var recorded in store.ReadStreamAsync(Families.Concession.Stream(Leave), 0, 100, default))
            expiry.Note(recorded);
        clock.Now = Until;
        await expiry.ExpireAsync(default);
        (await ConcessionAsync()).Stage.ShouldBe(ConcessionStage.Granted);
        clock.Now = Until.AddSeconds(1);
        await expiry.ExpireAsync(default);
        (await ConcessionAsync()).Stage.ShouldBe(ConcessionStage.Expired);
        (await concessions.LoadAsync(Leave, default)).Revision.ShouldBe(2);
        await expiry.ExpireAsync(default);
        (await concessions.LoadAsync(Leave, default)).Revision.ShouldBe(2);
    }

    private async Task PrepareAsync(
        double granted = 20, ConcessionAuthority authority = ConcessionAuthority.Customer)
    {
        await nonconformities.HandleAsync(Case, new NonconformityCommand.Report(
            "plant-1", "Bore too wide", "Above the limit.", new RequirementRef("drawing", "C", "4.2"),
            NonconformitySource.Production, DetectionStage.InProcess, "housing", "honing", ["L-7"], 30, "pieces",
            Severity.Minor, Cases.Detected, null), By("rita", "report"), default);
        NonconformityCommand[] review =
        [
            new NonconformityCommand.Accept(Severity.Minor, null),
            new NonconformityCommand.DecideContainmentNotNeeded("Nothing left."),
            new NonconformityCommand.CompleteReview(),
        ];
        foreach (var command in review)
            await nonconformities.HandleAsync(Case, command, By("eve", $"{command.GetType()}"), default);
        await concessions.HandleAsync(Leave, new ConcessionCommand.Request(
            "plant-1", ConcessionKind.Concession, "housing", new RequirementRef("drawing", "C", "4.2"), "40.03 mm",
            "No seat.", Case, ["L-7"], 20, "pieces"), By("rita", "request"), default);
        (await concessions.HandleAsync(Leave, new ConcessionCommand.Grant(
            authority, "Mail 3", "None.", null, granted, Until), By("ann", "grant"), default))
            .ShouldBeOfType<CommandOutcome.Done>();
    }

    private ConcessionDraws DrawsUnder(string profile) => new(
        new(store, Nonconformity.Decider, clock, new FixedProfiles(profile)),
        new(store, Concession.Decider, clock, new FixedProfiles(profile)), clock);

    // As if the process had died between the draw and the decision.
    private async Task DrawAloneAsync()
    {
        var lineId = Dispositions.LineIdOf(By("mia", "use") with
        {
            Seen = new StreamSeen(Families.Nonconformity.Stream(Case), 3, ""),
        });
        (await concessions.HandleAsync(Leave, new ConcessionCommand.Draw(
            lineId, Case, "plant-1", "housing", "L-7", "pieces", 12, Cases.Detected),
            By("mia", $"{lineId:D}/draw") with { IsReaction = true }, default)).ShouldBeOfType<CommandOutcome.Done>();
    }

    private async Task<ReactionOutcome> SettleAsync()
    {
        await foreach (var recorded in store.ReadStreamAsync(Families.Concession.Stream(Leave), 2, 1, default))
        {
            var incoming = EventEnvelope.Of(recorded).ToIncoming();
            return await draws.SettleAsync(incoming, (ConcessionEvent.Drawn)incoming.Fact, default);
        }

        throw new InvalidOperationException("Nothing was drawn.");
    }

    private Task<CommandOutcome> DecideAsync(NonconformityCommand.DecideDisposition command) =>
        draws.DecideAsync(Case, command, By("mia", "use"), default);

    private async Task<Nonconformity> CaseAsync() => (await nonconformities.LoadAsync(Case, default)).State;

    private async Task<Concession> ConcessionAsync() => (await concessions.LoadAsync(Leave, default)).State;

    private static CommandContext By(string person, string commandId) =>
        new(new Actor(person, person, [], "*", [DispositionKind.UseAsIs]), commandId);
}
