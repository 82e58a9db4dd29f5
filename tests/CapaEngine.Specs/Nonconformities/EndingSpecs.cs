using CapaEngine.Contracts;
using CapaEngine.Nonconformities.Domain;
using Shouldly;
using static CapaEngine.Specs.Nonconformities.Cases;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;
using Fact = CapaEngine.Contracts.NonconformityEvent;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>The ways out of a case beside closing, and what is possible after its end (G18, G19, G20).</summary>
public sealed class EndingSpecs
{
    private static readonly Guid Target = new("1c0a5b7e-40c5-4d0b-9f7e-2f1f0a6b3c55");
    private static readonly Guid MergeId = NameBasedId.From("spec\ncommand-1\nmerge");
    private static readonly Guid Other = new("4f0c5b7e-40c5-4d0b-9f7e-2f1f0a6b3c77");

    private static readonly Command.Merge MergeIt = new(Target, "The same bores.", 0) { IsPrepared = true };
    private static readonly Command.Correct NewTitle = new("A slip.", "Bores too wide", null, null, null, null);

    private static readonly Command.AbsorbDuplicate Absorb = new(
        MergeId, Other, ["L-7", "L-8"], 5, "Block L-8.", 4, true, [new CountedDeviation(Line, Detected)]);

    [Fact] public void a_report_is_withdrawn_by_its_reporter() =>
        Given(Reported()).When(new Command.Withdraw("Wrong machine."), by: "rita")
            .Then(new Fact.Withdrawn("rita", "Wrong machine."));

    [Fact] public void nobody_withdraws_the_report_of_another() =>
        Given(Reported()).When(new Command.Withdraw("Wrong machine."), by: "eve").ThenRejected("not-the-reporter");

    [Fact] public void what_was_accepted_is_not_withdrawn() =>
        Given(Opened().Take(2)).When(new Command.Withdraw("Wrong machine."), by: "rita").ThenRejected("wrong-stage");

    [Fact] public void a_report_with_goods_on_hold_is_not_withdrawn() =>
        Given(Reported(), new Fact.ContainmentPlanned("Block.", 8), new Fact.ContainmentConfirmed("eve", "Tag", "L-8"))
            .When(new Command.Withdraw("Wrong machine."), by: "rita").ThenRejected("containment-in-place");

    [Fact] public void a_withdrawn_report_takes_no_further_commands() =>
        Given(Reported(), new Fact.Withdrawn("rita", "Wrong machine."))
            .When(new Command.Accept(Severity.Minor, null)).ThenRejected("wrong-stage");

    [Fact] public void G18_a_closed_case_is_opened_again_with_a_reason() =>
        Given(Closed()).When(new Command.Reopen("It came back."), by: "ann")
            .Then(new Fact.Reopened("ann", "It came back."));

    [Fact] public void G18_what_is_not_closed_is_not_opened_again() =>
        Given(Opened()).When(new Command.Reopen("It came back."), by: "ann").ThenRejected("wrong-stage");

    [Fact] public void G18_reopening_undoes_nothing()
    {
        Fact[] history =
        [
            .. Opened(Reported(affected: 12)), Decided(DispositionKind.Scrap, 12),
            new Fact.DispositionExecuted(Line, "rob", "Bin 3"), .. Decisions, SignedClosing,
            new Fact.Reopened("ann", "It came back."),
        ];
        var state = history.Aggregate(Nonconformity.NotReported, Nonconformity.Evolve);
        (state.Stage, state.Lines.Single().Stage).ShouldBe((NonconformityStage.Open, DispositionStage.Executed));
        Given(history).When(new Command.DecideDisposition(DispositionKind.Scrap, 1, "L-7", "More."),
            kinds: [DispositionKind.Scrap]).ThenRejected("exceeds-affected-quantity");
    }

    [Fact] public void G18_a_reopened_case_is_closed_again() =>
        Given([.. Closed(), new Fact.Reopened("ann", "It came back.")]).When(new Command.Close(), by: "eve")
            .Then(SignedClosing);

    [Fact] public void G19_after_closing_only_corrections_are_possible() =>
        Given(Closed()).When(new Command.RequireCustomerNotice(new(2026, 3, 9))).ThenRejected("wrong-stage");

    [Fact] public void G19_a_correction_after_closing_supersedes_the_signature() =>
        Given(Closed()).When(NewTitle, by: "eve").Then(Correction(supersedes: true));

    [Fact] public void G19_a_corrected_case_is_signed_again() =>
        Given([.. Closed(), Correction(supersedes: true)]).When(new Command.Close(), by: "eve").Then(SignedClosing);

    [Fact] public void G19_before_closing_there_is_no_signature_to_supersede() =>
        Given(Opened()).When(NewTitle, by: "eve").Then(Correction(supersedes: false));

    [Fact] public void G19_a_correction_names_what_changes() =>
        Given(Closed()).When(NewTitle with { Title = null }).ThenRejected("nothing-to-correct");

    [Fact] public void G19_a_title_is_not_corrected_away() =>
        Given(Closed()).When(NewTitle with { Title = " " }).ThenRejected("nothing-left");

    [Fact] public void G19_a_requirement_is_not_corrected_away() =>
        Given(Closed()).When(NewTitle with { Requirement = new("", "", "") }).ThenRejected("requirement-missing");

    [Fact] public void G19_what_is_so_already_is_no_correction() =>
        Given(Closed()).When(NewTitle with { Title = "Bore too wide" }).ThenNothing();

    [Fact] public void G20_a_duplicate_is_merged_into_a_prepared_case() =>
        Given(Reported()).When(MergeIt, by: "eve")
            .Then(new Fact.Merged(MergeId, Target, "eve", "The same bores.", 0));

    [Fact] public void G20_the_other_case_must_be_prepared() =>
        Given(Reported()).When(MergeIt with { IsPrepared = false }).ThenRejected("merge-not-prepared");

    [Fact] public void G20_a_case_is_no_duplicate_of_itself()
    {
        var self = new Fact.Merged(MergeId, Target, "eve", "The same bores.", 0);
        var state = Nonconformity.Evolve(Nonconformity.NotReported, Reported());
        var context = DeciderSpec<Nonconformity, Command, Fact>.Context("eve");
        var refused = NonconformityRules.Decide(
            MergeIt, state, context with { Seen = new(Families.Nonconformity.Stream(self.IntoId), 0, "") });
        refused.ShouldBeOfType<Kernel.Decision<Fact>.Rejected>().Code.ShouldBe("merge-into-itself");
    }

    [Fact] public void G20_a_case_with_dispositions_is_no_mere_duplicate() =>
        Given([.. Opened(Reported(affected: 12)), Decided(DispositionKind.Scrap, 2)]).When(MergeIt)
            .ThenRejected("tracks-begun");

    [Fact] public void G20_a_duplicate_adds_no_more_than_it_has() =>
        Given(Reported(affected: 3)).When(MergeIt with { AdditionalQuantity = 4 })
            .ThenRejected("exceeds-affected-quantity");

    [Fact] public void G20_a_merge_given_up_is_not_decided() =>
        Given(Reported(), new Fact.MergeLapsed(MergeId)).When(MergeIt).ThenRejected("merge-lapsed");

    [Fact] public void G20_an_undecided_merge_can_be_given_up() =>
        Given(Reported()).When(new Command.GiveUpMerge(MergeId, Target)).Then(new Fact.MergeLapsed(MergeId));

    [Fact] public void G20_a_decided_merge_is_not_given_up() =>
        Given(Reported(), new Fact.Merged(MergeId, Target, "eve", "Same.", 0))
            .When(new Command.GiveUpMerge(MergeId, Target)).ThenRejected("merge-decided");

    [Fact] public void G20_a_live_case_is_prepared() =>
        Given(Reported()).When(new Command.PrepareMerge(MergeId, Other, "plant-1"))
            .Then(new Fact.MergePrepared(MergeId, Other));

    [Fact] public void G20_nothing_is_merged_across_sites() =>
        Given(Reported()).When(new Command.PrepareMerge(MergeId, Other, "plant-2")).ThenRejected("target-elsewhere");

    [Fact] public void G20_the_target_is_not_merged_itself() =>
        Given(Reported(), new Fact.Merged(Line, Target, "eve", "Same.", 0))
            .When(new Command.PrepareMerge(MergeId, Other, "plant-1")).ThenRejected("target-merged");

    [Fact] public void G20_the_target_is_not_rejected() =>
        Given(Reported(), new Fact.Rejected("eve", "Unfounded."))
            .When(new Command.PrepareMerge(MergeId, Other, "plant-1")).ThenRejected("target-rejected");

    [Fact] public void G20_the_target_is_not_withdrawn() =>
        Given(Reported(), new Fact.Withdrawn("rita", "Wrong."))
            .When(new Command.PrepareMerge(MergeId, Other, "plant-1")).ThenRejected("target-withdrawn");

    [Fact] public void G20_the_target_is_not_closed() =>
        Given(Closed()).When(new Command.PrepareMerge(MergeId, Other, "plant-1")).ThenRejected("target-closed");

    [Fact] public void G20_a_prepared_case_is_not_merged_itself() =>
        Given(Reported(), new Fact.MergePrepared(Line, Other)).When(MergeIt).ThenRejected("merge-in-progress");

    [Fact] public void G20_a_prepared_case_does_not_end() =>
        Given([.. Opened(), .. Decisions, new Fact.MergePrepared(Line, Other)]).When(new Command.Close())
            .ThenRejected("merge-in-progress");

    [Fact] public void G20_deviations_and_holds_move_to_the_target() =>
        Given([.. Opened(Reported(affected: 12)), new Fact.MergePrepared(MergeId, Other)]).When(Absorb).Then(
            new Fact.DuplicateAbsorbed(MergeId, Other, ["L-7", "L-8"], 5, "Block L-8.", 4, true),
            new Fact.DeviationsAttached([Line], Detected, Detected));

    [Fact] public void G20_the_target_has_what_the_duplicate_held()
    {
        Fact[] history =
        [
            .. Opened(Reported(affected: 12)), new Fact.MergePrepared(MergeId, Other),
            new Fact.DuplicateAbsorbed(MergeId, Other, ["L-7", "L-8"], 5, "Block L-8.", 4, true),
        ];
        var state = history.Aggregate(Nonconformity.NotReported, Nonconformity.Evolve);
        state.Lots.ShouldBe(["L-7", "L-8"]);
        (state.AffectedQuantity, state.Containment).ShouldBe((17, ContainmentStage.InPlace));
        Given([.. history, .. Decisions]).When(new Command.Close()).ThenRejected("containment-open");
    }

    [Fact] public void G20_only_a_prepared_case_takes_a_duplicate_in() =>
        Given(Reported()).When(Absorb).ThenRejected("merge-not-prepared");

    [Fact] public void G20_a_merge_given_up_frees_the_target() =>
        Given(Reported(), new Fact.MergePrepared(MergeId, Other)).When(new Command.AbandonMerge(MergeId))
            .Then(new Fact.MergeAbandoned(MergeId));

    [Fact] public void G20_what_was_never_prepared_is_not_given_up() =>
        Given(Reported()).When(new Command.AbandonMerge(MergeId)).ThenRejected("merge-not-prepared");

    [Fact] public void G20_a_merged_case_takes_no_further_commands() =>
        Given(Reported(), new Fact.Merged(Line, Target, "eve", "Same.", 0))
            .When(new Command.Accept(Severity.Minor, null)).ThenRejected("wrong-stage");

    private static Fact[] Closed() => [.. Opened(), .. Decisions, SignedClosing];

    private static Fact.Corrected Correction(bool supersedes) =>
        new("eve", "A slip.", "Bores too wide", null, null, null, null, supersedes);

    private static readonly Fact SignedClosing = new Fact.Closed("eve", new Signature(
        "eve", "Name of eve", SignatureMeaning.Approved, new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero), "spec", 7,
        "hash-of-content"));
}
