using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using Shouldly;
using static CapaEngine.Contracts.ActionPlanEvent;
using static CapaEngine.Specs.ActionPlans.Facts;
using Ask = CapaEngine.ActionPlans.Domain.ActionPlanCommand;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>Actions that get more time, another owner or a successor (G21), and who may not judge them then.</summary>
public sealed class HandoverSpecs
{
    private static readonly DateOnly Later = new(2026, 4, 10);
    private static readonly ExtensionRequested Requested = new(Replace, Later, "oscar", "The rail is late.");
    private static readonly ExtensionGranted Granted = new(Replace, Later, "amira");
    private static readonly ActionOwnerChanged HandedOver = new(Replace, "otmar", "ada", "Oscar is ill.");
    private static readonly Ask.ReplaceAction Successor = new(
        Replace, "Grinding will do.", ActionKind.Corrective, "Grind the rail", "Grind it.", "otmar", new(2026, 3, 20));

    [Fact]
    public void G21_a_later_date_is_asked_for_with_a_reason() =>
        Given(Implementing).When(new Ask.RequestExtension(Replace, Later, "The rail is late."), by: "oscar")
            .Then(Requested);

    [Fact]
    public void G21_another_person_grants_it()
    {
        Given([.. Implementing, Requested]).When(new Ask.GrantExtension(Replace), by: "amira").Then(Granted);
        ActionPlanEvent[] facts = [.. Implementing, Requested, Granted];
        facts.Aggregate(ActionPlan.NotOpened, ActionPlan.Evolve).Find(Replace)!.DueOn.ShouldBe(Later);
    }

    [Fact]
    public void G21_a_refused_one_leaves_the_date_and_may_be_asked_for_again()
    {
        var refused = new ExtensionRefused(Replace, "amira", "Borrow one.");
        Given([.. Implementing, Requested]).When(new Ask.RefuseExtension(Replace, "Borrow one."), by: "amira")
            .Then(refused);
        ActionPlanEvent[] facts = [.. Implementing, Requested, refused];
        facts.Aggregate(ActionPlan.NotOpened, ActionPlan.Evolve).Find(Replace)!.DueOn.ShouldBe(new(2026, 3, 20));
        Given(facts).When(new Ask.RequestExtension(Replace, Later, "There is none."), by: "oscar")
            .Then(Requested with { Reason = "There is none." });
    }

    [Theory]
    [InlineData("oscar")]
    [InlineData("otto")]
    [InlineData("olga")]
    public void G21_nobody_with_a_part_in_the_work_grants_time(string person)
    {
        ActionPlanEvent[] facts = [.. Implementing, Requested];
        Given(facts).When(new Ask.GrantExtension(Replace), by: person).ThenRejected("self-approval");
        Given(facts).When(new Ask.RefuseExtension(Replace, "No."), by: person).ThenRejected("self-approval");
    }

    [Fact]
    public void G21_who_asked_does_not_grant() =>
        Given([.. Implementing, Requested with { RequestedBy = "amira" }])
            .When(new Ask.GrantExtension(Replace), by: "amira").ThenRejected("self-approval");

    [Fact]
    public void G21_nothing_is_granted_that_nobody_asked_for() =>
        Given(Implementing).When(new Ask.GrantExtension(Replace), by: "amira").ThenRejected("no-extension-requested");

    [Fact]
    public void an_extension_is_asked_for_once_and_is_later()
    {
        Given([.. Implementing, Requested]).When(new Ask.RequestExtension(Replace, Later, "Again."), by: "oscar")
            .ThenRejected("extension-pending");
        Given(Implementing).When(new Ask.RequestExtension(Replace, new(2026, 3, 20), "Same."), by: "oscar")
            .ThenRejected("not-an-extension");
        Given(Implementing)
            .When(new Ask.RequestExtension(Replace, new(2026, 3, 25), "Late."), by: "oscar", at: Now.AddDays(40))
            .ThenRejected("due-in-the-past");
        Given(ReplaceDone).When(new Ask.RequestExtension(Replace, Later, "Late."), by: "oscar")
            .ThenRejected("wrong-stage");
        Given(Implementing).When(new Ask.RequestExtension(Wear, Later, "Late."), by: "oscar")
            .ThenRejected("unknown-action");
    }

    [Fact]
    public void an_action_goes_to_another_owner_with_a_reason()
    {
        Given(Implementing).When(new Ask.ChangeActionOwner(Replace, "otmar", "Oscar is ill.")).Then(HandedOver);
        Given([.. Implementing, HandedOver, new ActionStarted(Replace, "otmar")])
            .When(new Ask.CompleteAction(Replace, "Order"), by: "oscar").ThenRejected("not-the-action-owner");
    }

    [Theory]
    [InlineData("oscar")]
    [InlineData("otmar")]
    [InlineData("sven")]
    public void G13_neither_a_former_owner_nor_who_began_it_verifies(string person)
    {
        ActionPlanEvent[] facts =
        [
            .. Implementing, new ActionStarted(Replace, "sven"), HandedOver,
            new ActionCompleted(Replace, "otmar", "Order"),
        ];
        Given(facts).When(new Ask.VerifyAction(Replace, "Fine."), by: person).ThenRejected("self-verification");
        Given(facts).When(new Ask.VerifyAction(Replace, "Fine."), by: "vera")
            .Then(new ActionVerified(Replace, "vera", "Fine."));
    }

    [Fact]
    public void a_former_owner_neither_approves_nor_closes_nor_cancels()
    {
        Given([.. Complete, HandedOver, IsSubmitted]).When(new Ask.Approve(), by: "oscar")
            .ThenRejected("self-approval");
        ActionPlanEvent[] after = [.. Implementing, HandedOver, .. InReview[Implementing.Length..], FoundEffective];
        Given(after).When(new Ask.Close(Answers), by: "otmar").ThenRejected("self-approval");
        Given(after).When(new Ask.Cancel("No."), by: "oscar").ThenRejected("self-approval");
    }

    [Fact]
    public void who_approved_takes_no_part_in_the_work()
    {
        Given(Implementing).When(new Ask.ChangeActionOwner(Replace, "amira", "Help.")).ThenRejected("self-approval");
        Given(Implementing).When(new Ask.ChangeOwner("amira", "Help.")).ThenRejected("self-approval");
        Given(Implementing).When(new Ask.StartAction(Replace), by: "amira").ThenRejected("self-approval");
    }

    [Fact]
    public void a_capa_goes_to_another_owner_and_the_former_one_still_judges_nothing()
    {
        var changed = new OwnerChanged("oda", "ada", "Olga left.");
        Given(Planning).When(new Ask.ChangeOwner("oda", "Olga left.")).Then(changed);
        Given(InApproval).When(new Ask.ChangeOwner("oda", "Olga left.")).ThenRejected("wrong-stage");
        ActionPlanEvent[] facts = [.. Planning, changed, .. InApproval[2..]];
        Given(facts).When(new Ask.Approve(), by: "olga").ThenRejected("self-approval");
        Given(facts).When(new Ask.Approve(), by: "oda").ThenRejected("self-approval");
    }

    [Fact]
    public void an_action_is_replaced_by_a_better_one_against_the_same_causes() =>
        Given(Implementing).When(Successor, by: "ada").Then(facts =>
        {
            var planned = facts[0].ShouldBeOfType<ActionPlanned>();
            planned.Causes.ShouldBe(ReplacePlanned.Causes);
            facts[1].ShouldBe(new ActionReplaced(Replace, planned.ActionId, "ada", "Grinding will do."));
        });

    [Fact]
    public void G21_a_successor_is_no_hidden_extension() =>
        Given(Implementing).When(Successor with { DueOn = Later }).ThenRejected("due-date-moved");

    [Fact]
    public void an_approved_action_is_replaced_by_somebody_without_a_part_in_it()
    {
        Given(Implementing).When(Successor, by: "oscar").ThenRejected("self-approval");
        Given(Implementing).When(Successor, by: "otmar").ThenRejected("self-approval");
        Given(Implementing).When(Successor with { Owner = "amira" }).ThenRejected("self-approval");
    }

    [Fact]
    public void before_the_approval_a_successor_may_be_due_later_but_not_in_the_past()
    {
        Given(Complete).When(Successor with { DueOn = Later }).Then(facts => facts.Count.ShouldBe(2));
        Given(Complete).When(Successor with { DueOn = new(2026, 3, 1) }).ThenRejected("due-in-the-past");
    }

    [Fact]
    public void what_is_verified_is_neither_replaced_nor_handed_over()
    {
        ActionPlanEvent[] facts = [.. ReplaceDone, new ActionVerified(Replace, "vera", "No play.")];
        Given(facts).When(Successor).ThenRejected("wrong-stage");
        Given(facts).When(new Ask.ChangeActionOwner(Replace, "otmar", "Ill.")).ThenRejected("wrong-stage");
    }
}
