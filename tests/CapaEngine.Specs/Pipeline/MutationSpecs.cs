using Shouldly;

namespace CapaEngine.Specs.Pipeline;

/// <summary>
/// The simulation is worth what it notices: with a wrong part in one place, some seed breaks a promise, and the one
/// that the part was to keep.
/// </summary>
public sealed class MutationSpecs(ITestOutputHelper output)
{
    private const int SeedCountMax = 400;

    [Fact] public void a_position_stored_before_its_rows_is_noticed() =>
        Notices(WrongParts.PositionBeforeRows, "rows-with-position");

    [Fact] public void a_projector_that_does_not_see_the_others_is_noticed() =>
        Notices(WrongParts.NoFence, "row-is-fold", "rows-with-position");

    [Fact] public void a_follower_without_gap_check_is_noticed() =>
        Notices(WrongParts.NoGapCheck, "rows-with-position", "follower-checkpoint");

    [Fact] public void a_relay_that_does_not_wait_for_the_confirm_is_noticed() =>
        Notices(WrongParts.NoConfirm, "relay-checkpoint", "publish-order");

    [Fact] public void a_relay_that_publishes_out_of_order_is_noticed() =>
        Notices(WrongParts.OutOfOrder, "publish-order", "rows-with-position");

    [Fact] public void intake_that_answers_before_the_append_is_noticed() =>
        Notices(WrongParts.AnswerBeforeAppend, "receipt-is-true");

    [Fact] public void an_outdated_leader_that_writes_checkpoints_is_noticed() =>
        Notices(WrongParts.CheckpointWithoutExpectation, "checkpoint-goes-forward");

    [Fact] public void reactions_without_derived_ids_are_noticed() =>
        Notices(WrongParts.NoDerivedIds, "effect-once");

    [Fact] public void effects_that_follow_their_position_are_noticed() =>
        Notices(WrongParts.EffectAfterDone, "follower-checkpoint", "effect-once");

    private void Notices(Seams wrong, params string[] promises)
    {
        for (var seed = 1; seed <= SeedCountMax; seed++)
        {
            if (SimulatedRun.Of(seed, wrong).Broken is not { } broken) continue;
            output.WriteLine($"Seed {seed}: {broken.Message}");
            broken.Promise.ShouldBeOneOf(promises, broken.Message);
            return;
        }

        Assert.Fail($"None of {SeedCountMax} seeds notices.");
    }
}
