using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using Shouldly;
using Command = CapaEngine.Nonconformities.Domain.ConcessionCommand;
using Fact = CapaEngine.Contracts.ConcessionEvent;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>Concessions and deviation permits: who grants them, what burns them down and ends them (G06).</summary>
public sealed class ConcessionSpecs
{
    private static readonly DateTimeOffset Granting = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset End = Granting.AddDays(30);
    private static readonly Guid Case = new("0d5f5b0e-7f0a-4a5f-9b2c-5b6a3e0f1c22");
    private static readonly Guid First = new("6a1f0c9d-1d0e-4a88-8a57-6f4a4f8f1a01");
    private static readonly Guid Second = new("6a1f0c9d-1d0e-4a88-8a57-6f4a4f8f1a02");

    private static readonly Command.Request Ask = new(
        "plant-1", ConcessionKind.Concession, "housing", new RequirementRef("drawing", "C", "4.2"),
        "Bore up to 40.03 mm.", "The bearing seat is not concerned.", null, ["L-7", "L-8"], 20, "pieces");

    private static readonly Command.Grant Grant = new(
        ConcessionAuthority.Customer, "Mail of 1 March", "Mark each piece.", null, null, End);

    private static readonly Command.Draw Draw = new(
        First, Case, "plant-1", "housing", "L-7", "pieces", 12, Granting.AddDays(-1));

    private static readonly Profile OnlyDesign = Profile.Iso9001 with
    {
        Rules = Profile.Iso9001.Rules with { ConcessionAuthorities = [ConcessionAuthority.Design] },
    };

    private static readonly Signature Signed = new(
        "ann", "Name of ann", SignatureMeaning.Approved, Granting, "spec", 7, "hash-of-content");

    [Fact] public void a_concession_is_asked_for_with_what_departs_and_why() =>
        Given().When(Ask, by: "rita").Then(Requested());

    [Fact] public void a_concession_names_the_requirement_departed_from() =>
        Given().When(Ask with { Requirement = new("", "", "") }).ThenRejected("requirement-missing");

    [Theory, InlineData(0), InlineData(-2)]
    public void a_quantity_asked_for_is_above_zero(double quantity) =>
        Given().When(Ask with { Quantity = quantity }).ThenRejected("quantity-not-positive");

    [Fact] public void a_permit_is_for_what_is_not_made_yet() =>
        Given().When(Ask with { Kind = ConcessionKind.DeviationPermit, NonconformityId = Case })
            .ThenRejected("permit-for-made-goods");

    [Fact] public void nothing_can_be_asked_of_a_concession_that_does_not_exist() =>
        Given().When(new Command.Refuse("No.")).ThenNotFound();

    [Fact] public void what_is_left_out_is_granted_as_requested() =>
        Given(Requested()).When(Grant, by: "ann", at: Granting).Then(Granted());

    [Fact] public void less_may_be_granted_than_was_asked_for() =>
        Given(Requested()).When(Grant with { Lots = ["L-8"], QuantityMax = 5, Until = null }, by: "ann", at: Granting)
            .Then(Granted(["L-8"], 5, null));

    [Fact] public void nobody_grants_what_they_asked_for() =>
        Given(Requested()).When(Grant, by: "rita", at: Granting).ThenRejected("self-grant");

    [Fact] public void a_grant_has_a_limit() =>
        Given(Requested() with { Quantity = null }).When(Grant with { Until = null }, by: "ann", at: Granting)
            .ThenRejected("limit-missing");

    [Fact] public void a_grant_does_not_end_before_it_begins() =>
        Given(Requested()).When(Grant with { Until = Granting }, by: "ann", at: Granting)
            .ThenRejected("limit-in-the-past");

    [Fact] public void no_quantity_is_granted_beyond_the_request() =>
        Given(Requested()).When(Grant with { QuantityMax = 21 }, by: "ann", at: Granting)
            .ThenRejected("beyond-request");

    [Fact] public void no_lot_is_granted_beyond_the_request() =>
        Given(Requested()).When(Grant with { Lots = ["L-9"] }, by: "ann", at: Granting).ThenRejected("beyond-request");

    [Fact] public void a_granted_quantity_is_above_zero() =>
        Given(Requested()).When(Grant with { QuantityMax = 0 }, by: "ann", at: Granting)
            .ThenRejected("quantity-not-positive");

    [Fact] public void a_request_may_be_refused() =>
        Given(Requested()).When(new Command.Refuse("The seal is concerned."), by: "ann")
            .Then(new Fact.Refused("ann", "The seal is concerned."));

    [Fact] public void what_was_refused_is_not_granted() =>
        Given(Requested(), new Fact.Refused("ann", "No.")).When(Grant, by: "ann", at: Granting)
            .ThenRejected("wrong-stage");

    [Fact] public void a_grant_may_be_revoked() =>
        Given(Requested(), Granted()).When(new Command.Revoke("The customer withdrew it."), by: "ann")
            .Then(new Fact.Revoked("ann", "The customer withdrew it."));

    [Fact] public void G06_a_disposition_draws_its_part() =>
        Given(Requested(), Granted()).When(Draw, at: End).Then(Drawn(First, 12));

    [Fact] public void G06_the_last_part_exhausts_it() =>
        Given(Requested(), Granted(), Drawn(First, 12)).When(Draw with { DrawId = Second, Quantity = 8 }, at: Granting)
            .Then(Drawn(Second, 8), new Fact.Exhausted(20));

    [Fact] public void G06_no_more_is_drawn_than_is_left() =>
        Given(Requested(), Granted(), Drawn(First, 12)).When(Draw with { DrawId = Second, Quantity = 9 }, at: Granting)
            .ThenRejected("exceeds-concession");

    [Fact] public void G06_tenths_add_up_to_the_limit() =>
        Given(Requested(), Granted(["L-7"], 0.3), Drawn(First, 0.1))
            .When(Draw with { DrawId = Second, Quantity = 0.2 }, at: Granting)
            .Then(Drawn(Second, 0.2), new Fact.Exhausted(0.3));

    [Fact] public void G06_an_exhausted_concession_covers_nothing() =>
        Given(Requested(), Granted(), Drawn(First, 20), new Fact.Exhausted(20))
            .When(Draw with { DrawId = Second }, at: Granting).ThenRejected("concession-exhausted");

    [Fact] public void G06_it_covers_its_time() =>
        Given(Requested(), Granted()).When(Draw, at: End.AddTicks(1)).ThenRejected("concession-expired");

    [Fact] public void G06_an_expired_concession_covers_nothing() =>
        Given(Requested(), Granted(), new Fact.Expired(End)).When(Draw, at: Granting)
            .ThenRejected("concession-expired");

    [Fact] public void G06_a_revoked_concession_covers_nothing() =>
        Given(Requested(), Granted(), new Fact.Revoked("ann", "Withdrawn."))
            .When(Draw, at: Granting).ThenRejected("concession-revoked");

    [Fact] public void G06_a_request_covers_nothing() =>
        Given(Requested()).When(Draw, at: Granting).ThenRejected("concession-not-granted");

    [Fact] public void G06_it_covers_its_lots() =>
        Given(Requested(), Granted()).When(Draw with { Lot = "L-9" }, at: Granting).ThenRejected("lot-not-covered");

    [Fact] public void G06_a_line_without_a_lot_is_not_covered_by_a_concession_for_lots() =>
        Given(Requested(), Granted()).When(Draw with { Lot = null }, at: Granting).ThenRejected("lot-not-covered");

    [Fact] public void G06_it_covers_its_product() =>
        Given(Requested(), Granted()).When(Draw with { Product = "cover" }, at: Granting)
            .ThenRejected("product-not-covered");

    [Fact] public void G06_it_counts_in_its_unit() =>
        Given(Requested(), Granted()).When(Draw with { Unit = "kg" }, at: Granting).ThenRejected("unit-not-covered");

    [Fact] public void G06_it_covers_its_site() =>
        Given(Requested(), Granted()).When(Draw with { Site = "plant-2" }, at: Granting)
            .ThenRejected("concession-elsewhere");

    [Fact] public void G06_its_authority_suffices_at_the_site() =>
        Given(Requested(), Granted()).When(Draw, at: Granting).Under(OnlyDesign)
            .ThenRejected("authority-insufficient");

    [Fact] public void G06_granted_for_one_case_it_covers_no_other() =>
        Given(Requested() with { NonconformityId = First }, Granted()).When(Draw, at: Granting)
            .ThenRejected("concession-for-another");

    [Fact] public void G06_a_permit_does_not_cover_what_was_found_before_it() =>
        Given(Requested() with { Kind = ConcessionKind.DeviationPermit }, Granted()).When(Draw, at: Granting)
            .ThenRejected("permit-too-late");

    [Fact] public void G06_a_permit_covers_what_is_found_after_it() =>
        Given(Requested() with { Kind = ConcessionKind.DeviationPermit }, Granted())
            .When(Draw with { DetectedAt = Granting.AddDays(1) }, at: Granting.AddDays(2)).Then(Drawn(First, 12));

    [Fact] public void a_draw_given_back_makes_room_again()
    {
        Given(Requested(), Granted(), Drawn(First, 20), new Fact.Exhausted(20))
            .When(new Command.ReleaseDraw(First, "Not decided.")).Then(new Fact.DrawReleased(First, "Not decided."));
        Given(Requested(), Granted(), Drawn(First, 20), new Fact.Exhausted(20), new Fact.DrawReleased(First, "No."))
            .When(Draw with { DrawId = Second }, at: Granting).Then(Drawn(Second, 12));
    }

    [Fact] public void a_draw_given_back_is_not_drawn_again() =>
        Given(Requested(), Granted(), Drawn(First, 12), new Fact.DrawReleased(First, "No."))
            .When(Draw, at: Granting).ThenRejected("draw-released");

    [Fact] public void what_was_never_drawn_is_not_given_back() =>
        Given(Requested(), Granted()).When(new Command.ReleaseDraw(First, "No.")).ThenRejected("unknown-draw");

    [Fact] public void it_expires_after_its_last_instant() =>
        Given(Requested(), Granted()).When(new Command.Expire(), at: End.AddTicks(1)).Then(new Fact.Expired(End));

    [Fact] public void it_does_not_expire_in_its_last_instant() =>
        Given(Requested(), Granted()).When(new Command.Expire(), at: End).ThenRejected("not-expired");

    private static Fact.Requested Requested() => new(
        Ask.Site, Ask.Kind, Ask.Product, Ask.Requirement, Ask.Departure, Ask.Justification, null, Ask.Lots!,
        Ask.Quantity, Ask.Unit, "rita");

    private static Fact.Granted Granted() => Granted(["L-7", "L-8"], 20, End);

    private static Fact.Granted Granted(ValueList<string> lots, double? quantity) => Granted(lots, quantity, End);

    private static Fact.Granted Granted(ValueList<string> lots, double? quantity, DateTimeOffset? until) => new(
        "ann", Grant.Authority, Grant.AuthorityReference, Grant.Conditions, lots, quantity, Granting, until, Signed);

    private static Fact.Drawn Drawn(Guid id, double quantity) => new(id, Case, "L-7", quantity);

    private static DeciderSpec<Concession, Command, Fact> Given(params IEnumerable<Fact> facts) =>
        new DeciderSpec<Concession, Command, Fact>(Concession.Decider).Given(facts);
}
