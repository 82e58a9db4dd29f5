using CapaEngine.Contracts;
using CapaEngine.Integration.ReadModels;
using CapaEngine.Kernel;
using Shouldly;
using static CapaEngine.Contracts.NonconformityEvent;

namespace CapaEngine.Integration.Deadlines;

/// <summary>What <c>reporting.deadline</c> says of a record as it goes its way.</summary>
public sealed class DeadlineViewTests
{
    private static readonly Guid Action = NameBasedId.From("deadline action");

    private static readonly Signature Signed = new(
        "amira", "Amira", SignatureMeaning.Approved, new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero), "s", 3,
        "ab");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task containment_is_due_from_acceptance_until_it_is_in_place()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        await CaseAsync(stand, WholeCase.Report(stand.Clock.Now));
        (await TellAsync(stand)).ShouldBeEmpty();
        await CaseAsync(stand, new Accepted("quinn", Severity.Critical, 24));
        (await TellAsync(stand)).ShouldBe(["containment-due quinn critical 2026-03-03 08:00 open"]);
        stand.Clock.Now = stand.Clock.Now.AddHours(1);
        await CaseAsync(stand, new ContainmentPlanned("Sort.", 8));
        (await TellAsync(stand)).ShouldBe(["containment-due quinn critical 2026-03-02 17:00 open"]);
        await CaseAsync(stand, new ContainmentConfirmed("quinn", "Log 7", "L-2"));
        (await TellAsync(stand)).ShouldBe(["containment-due quinn critical 2026-03-02 17:00 met 2026-03-02 09:00"]);
    }

    [Fact]
    public async Task a_case_that_ended_asks_for_nothing_and_one_opened_again_does()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        await CaseAsync(stand, WholeCase.Report(stand.Clock.Now), new Accepted("quinn", Severity.Major, 24),
            new CustomerNoticeRequired(new DateOnly(2026, 3, 9)));
        await CaseAsync(stand, new NonconformityEvent.Rejected("quinn", "As specified."));
        (await TellAsync(stand)).ShouldBe([
            "containment-due quinn major 2026-03-03 08:00 lapsed",
            "customer-notice-due quinn major 2026-03-10 00:00 lapsed"]);
    }

    [Fact]
    public async Task a_case_reopened_has_its_open_deadlines_again()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        await CaseAsync(stand, WholeCase.Report(stand.Clock.Now), new Accepted("quinn", Severity.Major, 24),
            new ContainmentNotNeeded("Nothing left the machine."),
            new CustomerNoticeRequired(new DateOnly(2026, 3, 9)), new Closed("quinn", Signed));
        (await TellAsync(stand)).ShouldBe([
            "containment-due quinn major 2026-03-03 08:00 met 2026-03-02 08:00",
            "customer-notice-due quinn major 2026-03-10 00:00 lapsed"]);
        await CaseAsync(stand, new Reopened("amira", "It came back."), new ContainmentPlanned("Sort.", 8));
        (await TellAsync(stand)).ShouldBe([
            "containment-due quinn major 2026-03-02 16:00 open",
            "customer-notice-due quinn major 2026-03-10 00:00 open"]);
    }

    [Fact]
    public async Task an_action_is_due_until_done_and_its_verification_from_then_on()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        await stand.PlanAsync(Action, new DateOnly(2026, 4, 1));
        (await TellAsync(stand)).ShouldBe(["action-due oscar none 2026-04-02 00:00 open"]);
        await PlanAsync(stand, new ActionPlanEvent.ActionCompleted(Action, "oscar", "Order 3"));
        (await TellAsync(stand)).ShouldBe([
            "action-due oscar none 2026-04-02 00:00 met 2026-03-02 08:00",
            "action-verification quinn none 2026-03-02 08:00 open"]);
        await PlanAsync(stand, new ActionPlanEvent.ActionReturned(Action, "vera", "No protocol."));
        (await TellAsync(stand)).ShouldBe(["action-due oscar none 2026-04-02 00:00 open"]);
        await PlanAsync(stand, new ActionPlanEvent.ActionCancelled(Action, "quinn", "Not needed."));
        (await TellAsync(stand)).ShouldBe(["action-due oscar none 2026-04-02 00:00 lapsed"]);
    }

    [Fact]
    public async Task a_capa_s_deadlines_have_the_gravest_severity_of_its_cases_and_lapse_with_it()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        await CaseAsync(stand, WholeCase.Report(stand.Clock.Now));
        await stand.PlanAsync(Action, new DateOnly(2026, 4, 1));
        await PlanAsync(stand, new ActionPlanEvent.NonconformityJoined(DeadlineStand.CaseId),
            new ActionPlanEvent.Submitted("quinn"));
        (await TellAsync(stand)).ShouldBe([
            "action-due oscar major 2026-04-02 00:00 open", "plan-approval quinn major 2026-03-02 08:00 open"]);
        await PlanAsync(stand, new ActionPlanEvent.SentBack("amira", "Who checks it?"));
        (await TellAsync(stand))[1].ShouldBe("plan-approval quinn major 2026-03-02 08:00 lapsed");
        await PlanAsync(stand, new ActionPlanEvent.Cancelled("quinn", "Covered elsewhere."));
        (await TellAsync(stand))[0].ShouldBe("action-due oscar major 2026-04-02 00:00 lapsed");
    }

    [Fact]
    public async Task a_whole_case_leaves_nothing_open()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        await ReadModelDatabase.ApplyAsync(stand.Database.Projector(), WholeCase.Tell().Events, 50, Ct);
        (await stand.Database.ListAsync<string>(
            "select kind || ' ' || status from reporting.deadline order by 1", Ct)).ShouldBe([
            "action-due met", "action-verification met", "concession-end lapsed", "containment-due met",
            "plan-approval met", "window-end met"]);
    }

    [Fact]
    public async Task windows_are_open_until_evaluated_and_concessions_until_they_end()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        var events = WholeCase.Tell().Events;
        await ReadModelDatabase.ApplyAsync(
            stand.Database.Projector(), [.. events.TakeWhile(e => e.Fact is not ConcessionEvent.Expired)], 50, Ct);
        (await StatusAsync(stand, "concession-end")).ShouldBe(["open quinn"]);
        await ReadModelDatabase.ApplyAsync(
            stand.Database.Projector(), [.. events.TakeWhile(e => e.Fact is not EffectivenessEvent.Evaluated)], 50, Ct);
        (await StatusAsync(stand, "window-end")).ShouldBe(["open quinn"]);
        (await StatusAsync(stand, "concession-end")).ShouldBe(["lapsed quinn"]);
    }

    private static Task<List<string>> StatusAsync(DeadlineStand stand, string kind) => stand.Database.ListAsync<string>(
        $"select status || ' ' || owner from reporting.deadline where kind = '{kind}'", Ct);

    private static Task CaseAsync(DeadlineStand stand, params object[] facts) =>
        stand.HappenAsync(Families.Nonconformity, DeadlineStand.CaseId, facts);

    private static Task PlanAsync(DeadlineStand stand, params object[] facts) =>
        stand.HappenAsync(Families.ActionPlan, DeadlineStand.CapaId, facts);

    private static Task<List<string>> TellAsync(DeadlineStand stand) => stand.Database.ListAsync<string>("""
        select concat_ws(' ', kind, owner, coalesce(severity, 'none'),
          to_char(due_at at time zone 'utc', 'YYYY-MM-DD HH24:MI'), status,
          to_char(met_at at time zone 'utc', 'YYYY-MM-DD HH24:MI'))
        from reporting.deadline order by kind
        """, Ct);
}
