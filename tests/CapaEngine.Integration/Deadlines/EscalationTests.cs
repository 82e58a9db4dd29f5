using CapaEngine.Contracts;
using CapaEngine.Integration.ReadModels;
using CapaEngine.Kernel;
using CapaEngine.Specs;
using Shouldly;

namespace CapaEngine.Integration.Deadlines;

/// <summary>Every step of a deadline is raised once, whatever happens to whoever raises it.</summary>
public sealed class EscalationTests
{
    private static readonly Guid Action = NameBasedId.From("deadline action");
    private static readonly DateOnly DueOn = new(2026, 4, 1);
    private static readonly DateTimeOffset DueAt = new(2026, 4, 2, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task the_steps_of_a_deadline_are_raised_one_after_the_other_and_each_once()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        await stand.PlanAsync(Action, DueOn);
        var scheduler = stand.Scheduler();
        foreach (var hours in (int[])[-73, -72, -71, 0, 1, 24, 25, 168, 500])
        {
            stand.Clock.Now = DueAt.AddHours(hours);
            await scheduler.TickAsync(Ct);
            if (hours % 2 == 0) await stand.ProjectAsync();
        }

        var raised = await stand.RaisedAsync();
        raised.Select(Tell).ShouldBe([
            "1 digest to oscar", "2 now to oscar", "3 now to nobody but role:quality-engineer",
            "4 now to nobody but role:approver"]);
        raised.ShouldAllBe(entry => entry.DueAt == DueAt && entry.PolicyVersion == 1 && entry.Site == "plant-1"
            && entry.CaseId == DeadlineStand.CapaId && entry.SubjectId == Action);
    }

    [Fact]
    public async Task two_schedulers_raise_what_one_would()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        await stand.PlanAsync(Action, DueOn);
        stand.Clock.Now = DueAt.AddHours(30);
        var both = await Task.WhenAll(stand.Scheduler().TickAsync(Ct), stand.Scheduler().TickAsync(Ct));
        both.Sum().ShouldBe(3);
        (await stand.RaisedAsync()).Select(Tell).ShouldBe([
            "1 digest to oscar superseded by 3", "2 digest to oscar superseded by 3",
            "3 now to nobody but role:quality-engineer"]);
    }

    [Fact]
    public async Task a_power_cut_at_any_append_neither_loses_nor_repeats_a_step()
    {
        foreach (var isWritten in (bool[])[false, true])
        {
            for (var append = 1; append <= 4; append++)
            {
                await using var stand = await DeadlineStand.CreateAsync();
                await stand.PlanAsync(Action, DueOn);
                stand.Clock.Now = DueAt.AddHours(30);
                stand.Store.CutAt(append, isWritten);
                await Should.ThrowAsync<PowerCutException>(stand.Scheduler().TickAsync(Ct));
                await stand.Scheduler().TickAsync(Ct);
                (await stand.RaisedAsync()).Select(entry => (entry.Level, entry.SupersededBy)).ShouldBe(
                    [(1, 3), (2, 3), (3, null)], $"cut at append {append}, written: {isWritten}");
            }
        }
    }

    [Fact]
    public async Task read_models_built_anew_raise_nothing_again()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        await stand.PlanAsync(Action, DueOn);
        stand.Clock.Now = DueAt.AddHours(30);
        (await stand.Scheduler().TickAsync(Ct)).ShouldBe(3);

        await stand.LoseReadModelsAsync();
        (await stand.Scheduler().TickAsync(Ct)).ShouldBe(0, "Rows that are not there yet have no deadlines.");
        await stand.ProjectAsync();
        (await stand.Scheduler().TickAsync(Ct)).ShouldBe(0);
        (await stand.RaisedAsync()).Count.ShouldBe(3);
    }

    [Fact]
    public async Task what_was_done_in_time_is_not_raised_because_the_rows_lag()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        await stand.PlanAsync(Action, DueOn);
        stand.Clock.Now = DueAt.AddHours(-1);
        await stand.RecordAsync(
            Families.ActionPlan, DeadlineStand.CapaId, new ActionPlanEvent.ActionCompleted(Action, "oscar", "Order 3"));
        stand.Clock.Now = DueAt.AddHours(1);
        (await stand.Scheduler().TickAsync(Ct)).ShouldBe(0);
        await stand.ProjectAsync();
        (await stand.Scheduler().TickAsync(Ct)).ShouldBe(0);
        (await stand.RaisedAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task lagging_rows_only_put_an_escalation_off()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        await stand.PlanAsync(Action, DueOn);
        await stand.RecordAsync(
            Families.ActionPlan, DeadlineStand.CapaId, new ActionPlanEvent.ActionStarted(Action, "oscar"));
        stand.Clock.Now = DueAt.AddHours(-1);
        (await stand.Scheduler().TickAsync(Ct)).ShouldBe(0);
        await stand.ProjectAsync();
        (await stand.Scheduler().TickAsync(Ct)).ShouldBe(1);
    }

    [Fact]
    public async Task an_extension_begins_another_chain_and_ends_the_first()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        await stand.PlanAsync(Action, DueOn);
        stand.Clock.Now = DueAt.AddHours(-10);
        await stand.Scheduler().TickAsync(Ct);
        await stand.ProjectAsync();
        await stand.HappenAsync(Families.ActionPlan, DeadlineStand.CapaId,
            new ActionPlanEvent.ExtensionRequested(Action, DueOn.AddDays(30), "oscar", "Parts are late."),
            new ActionPlanEvent.ExtensionGranted(Action, DueOn.AddDays(30), "amira"));
        stand.Clock.Now = DueAt.AddHours(200);
        (await stand.Scheduler().TickAsync(Ct)).ShouldBe(0);
        stand.Clock.Now = DueAt.AddDays(30).AddHours(-1);
        (await stand.Scheduler().TickAsync(Ct)).ShouldBe(1);
        (await stand.RaisedAsync()).Select(entry => (entry.Level, entry.DueAt)).ShouldBe(
            [(1, DueAt), (1, DueAt.AddDays(30))]);
    }

    [Fact]
    public async Task a_clock_that_goes_back_raises_nothing_twice()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        await stand.PlanAsync(Action, DueOn);
        var scheduler = stand.Scheduler();
        foreach (var hours in (int[])[1, -80, 1, -71, 2])
        {
            stand.Clock.Now = DueAt.AddHours(hours);
            await scheduler.TickAsync(Ct);
            await stand.Scheduler().TickAsync(Ct);
        }

        (await stand.RaisedAsync()).Select(entry => entry.Level).ShouldBe([1, 2]);
    }

    [Fact]
    public async Task a_person_s_policy_replaces_the_first_one_and_names_who_holds_a_role()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        await stand.PlanAsync(Action, DueOn);
        await stand.RecordAsync(Families.EscalationPolicy, Guid.Empty, new EscalationPolicyEvent.Set(
            1, [new(DeadlineKind.ActionDue, null, 5, -1_000, ["role:approver", "person:zoe"], Urgency.Now)],
            [new("plant-1", "approver", ["amira"])], "Earlier.", "adam"));
        (await stand.Scheduler().TickAsync(Ct)).ShouldBe(1);
        (await stand.RaisedAsync()).Select(Tell).ShouldBe(["5 now to amira, zoe"]);
    }

    [Fact]
    public async Task what_an_import_brought_counts_from_the_import_on()
    {
        await using var stand = await DeadlineStand.CreateAsync();
        var later = NameBasedId.From("due after the import");
        stand.IsImport = true;
        await stand.PlanAsync(Action, new DateOnly(2011, 4, 1));
        await stand.HappenAsync(Families.ActionPlan, DeadlineStand.CapaId, new ActionPlanEvent.ActionPlanned(
            later, ActionKind.Corrective, "Later", "As said.", "oscar", DueOn, []));
        stand.Clock.Now = DueAt;
        await stand.Scheduler().TickAsync(Ct);
        (await stand.RaisedAsync()).Select(entry => entry.SubjectId).Distinct().ShouldBe([later]);
    }

    private static string Tell(EscalationEvent.Raised raised) =>
        $"{raised.Level} {(raised.Urgency == Urgency.Now ? "now" : "digest")} to "
        + (raised.Recipients.Count > 0 ? string.Join(", ", raised.Recipients) : "nobody")
        + (raised.Unresolved.Count > 0 ? $" but {string.Join(", ", raised.Unresolved)}" : "")
        + (raised.SupersededBy is { } by ? $" superseded by {by}" : "");
}
