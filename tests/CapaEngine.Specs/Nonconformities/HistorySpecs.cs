using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Shouldly;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;
using Fact = CapaEngine.Contracts.NonconformityEvent;
using Stage = CapaEngine.Nonconformities.Domain.NonconformityStage;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>Whatever people try, in whatever order: no history of a nonconformity reaches an illegal state.</summary>
public sealed class HistorySpecs
{
    private const int StepCount = 120;
    private static readonly string[] People = ["rita", "eve", "mia", "ann"];
    private static readonly DispositionKind[] Kinds = Enum.GetValues<DispositionKind>();

    private static readonly Gen<(int Person, int Choice, int Pick)[]> Steps = Gen.ArrayOf(
        from person in Gen.Choose(0, People.Length - 1)
        from choice in Gen.Choose(0, 1000)
        from pick in Gen.Choose(0, 1000)
        select (person, choice, pick), StepCount);

    [Property(MaxTest = 300)]
    public Property no_history_reaches_an_illegal_state() => Prop.ForAll(Arb.From(Steps), steps =>
    {
        var (state, closings) = (Nonconformity.NotReported, 0);
        for (var n = 0; n < steps.Length; n++)
        {
            var (person, choice, pick) = steps[n];
            var command = CommandOf(choice, pick, state);
            var context = new CommandContext(
                new Actor(People[person], People[person], [Roles.Approver], "*", Kinds.ToValueList()), $"step {n}")
            {
                Now = Cases.Detected, RecordedAt = Cases.Detected, Seen = new StreamSeen("spec", n, "hash"),
            };
            if (NonconformityRules.Decide(command, state, context) is not Decision<Fact>.Accepted accepted) continue;
            var before = state;
            state = accepted.Events.Aggregate(state, Nonconformity.Evolve);
            NonconformityRules.Decide(command, state, context)
                .ShouldBe(Decision<Fact>.Accept(), $"A resend of {command} must append nothing.");
            foreach (var fact in accepted.Events) ExpectAllowed(before, fact, People[person]);
            ExpectWithinQuantity(state);
            if (accepted.Events.Any(fact => fact is Fact.Closed)) ExpectTerminal(state);
            closings += accepted.Events.OfType<Fact.Closed>().Count();
        }

        return Prop.Collect(true, closings > 0);
    });

    [Fact] public void random_histories_reach_their_end_often_enough_to_mean_something()
    {
        var histories = Gen.Sample(Steps, 500);
        histories.Count(steps => Stages(steps).Contains(Stage.Closed)).ShouldBeGreaterThan(10);
        histories.Count(steps => Stages(steps).Contains(Stage.Merged)).ShouldBeGreaterThan(10);
    }

    private static IEnumerable<Stage> Stages((int Person, int Choice, int Pick)[] steps)
    {
        var state = Nonconformity.NotReported;
        for (var n = 0; n < steps.Length; n++)
        {
            var context = new CommandContext(
                new Actor(People[steps[n].Person], "", [Roles.Approver], "*", Kinds.ToValueList()), $"step {n}")
            {
                Now = Cases.Detected, RecordedAt = Cases.Detected, Seen = new StreamSeen("spec", n, "hash"),
            };
            var command = CommandOf(steps[n].Choice, steps[n].Pick, state);
            if (NonconformityRules.Decide(command, state, context) is Decision<Fact>.Accepted accepted)
                state = accepted.Events.Aggregate(state, Nonconformity.Evolve);
            yield return state.Stage;
        }
    }

    // Written apart from the rules, in the words of the standard.
    private static void ExpectWithinQuantity(Nonconformity state)
    {
        state.Lines.Sum(line => line.Quantity).ShouldBeLessThanOrEqualTo(state.AffectedQuantity * 1.000001);
        state.Lines.ShouldAllBe(line => line.Quantity > 0);
    }

    private static void ExpectTerminal(Nonconformity state)
    {
        var decided = state.Lines.Sum(line => line.Quantity);
        state.Containment.ShouldBeOneOf(ContainmentStage.NotNeeded, ContainmentStage.Lifted);
        state.Notice.ShouldBeOneOf(CustomerNotice.NotNeeded, CustomerNotice.Sent);
        decided.ShouldBeGreaterThanOrEqualTo(state.AffectedQuantity * 0.999999);
        foreach (var line in state.Lines)
        {
            if (line.Kind is DispositionKind.Rework or DispositionKind.Repair)
                line.Stage.ShouldBe(DispositionStage.Verified);
            else line.Stage.ShouldNotBe(DispositionStage.Decided);
        }

        var capas = state.Capas.Where(capa => capa.Stage != PlanStage.Cancelled).ToList();
        (capas.Count > 0 || state.NoCorrectiveAction is not null).ShouldBeTrue();
        capas.ShouldAllBe(capa => capa.Stage == PlanStage.Closed && capa.Verdict == Verdict.Effective);
        state.Incoming.ShouldBeEmpty();
    }

    private static void ExpectAllowed(Nonconformity before, Fact fact, string person)
    {
        if (before.Stage is Stage.Rejected or Stage.Withdrawn or Stage.Merged)
            (fact is Fact.DeviationsAttached or Fact.CapaStageNoted or Fact.MergeLapsed).ShouldBeTrue($"{fact}");
        if (before.Stage == Stage.Closed)
            (fact is Fact.DeviationsAttached or Fact.CapaStageNoted or Fact.MergeLapsed or Fact.Reopened
                or Fact.Corrected or Fact.Closed).ShouldBeTrue($"{fact}");
        if (fact is Fact.Rejected) person.ShouldNotBe(before.ReportedBy);
        if (fact is Fact.Withdrawn) person.ShouldBe(before.ReportedBy);
        if (fact is Fact.DispositionVerified verified)
            before.Lines.Single(line => line.LineId == verified.LineId).ExecutedBy.ShouldNotBe(person);
    }

    private static Command CommandOf(int choice, int pick, Nonconformity state)
    {
        if (state.Stage == Stage.NotReported) return Report(pick);
        var line = state.Lines.Count == 0 ? Guid.Empty : state.Lines[pick % state.Lines.Count].LineId;
        var capa = state.Capas.Count == 0 ? Guid.Empty : state.Capas[pick % state.Capas.Count].CapaId;
        var kind = Kinds[pick % Kinds.Length];
        var merge = NameBasedId.From($"merge {pick % 3}");
        return (choice % 26) switch
        {
            0 or 1 => new Command.Accept((Severity)(pick % 3), 24),
            2 => pick % 9 == 0 ? new Command.Reject("Unfounded.") : new Command.CompleteReview(),
            3 => pick % 9 == 0 ? new Command.Withdraw("Wrong.") : new Command.CompleteReview(),
            4 => pick % 9 == 0
                ? new Command.Merge(merge, "Same.", pick % 3) { IsPrepared = pick % 2 == 0 } : new Command.Close(),
            5 => new Command.GiveUpMerge(merge, merge),
            6 => pick % 4 == 0 ? new Command.PrepareMerge(merge, merge, "plant-1") : new Command.Close(),
            7 => new Command.AbsorbDuplicate(merge, merge, ["L-9"], pick % 2, null, null, false, []),
            8 => new Command.AbandonMerge(merge),
            9 => new Command.PlanContainment("Block.", 8),
            10 => new Command.DecideContainmentNotNeeded("Nothing left."),
            11 => new Command.ConfirmContainment("Tag.", "L-8"),
            12 => new Command.LiftContainment("Sorted."),
            13 or 14 or 15 => new Command.DecideDisposition(
                kind, pick % 7, "L-7", "Oversize.",
                Profile.Iso9001.Rules.ConcessionKinds.Contains(kind) ? merge : null)
            {
                IsDrawn = pick % 5 != 0,
            },
            16 or 17 => new Command.ExecuteDisposition(line, "Order 1"),
            18 or 19 => new Command.VerifyDisposition(line, "gauge", "seen", pick % 4 != 0),
            20 => new Command.DecideCustomerNoticeNotNeeded("Not delivered."),
            21 => pick % 5 == 0
                ? new Command.RequireCustomerNotice(new(2026, 4, 1)) : new Command.ConfirmCustomerInformed("Mail 1"),
            22 => pick % 3 == 0
                ? new Command.RequireCorrectiveAction("omar", $"Reason {pick % 4}.", null)
                : new Command.DecideNoCorrectiveAction("One slip.", "Overridden."),
            23 => new Command.NoteCapaStage(
                capa, pick % 2 == 0 ? PlanStage.Closed : PlanStage.Cancelled, 1, Verdict.Effective),
            24 => pick % 5 == 0
                ? new Command.Reopen("It came back.")
                : new Command.Correct("A slip.", $"Title {pick % 3}", null, null, null, null),
            _ => new Command.Close(),
        };
    }

    private static Command.Report Report(int pick) => new(
        "plant-1", "Bore too wide", "Above the limit.", new RequirementRef("drawing", "C", "4.2"),
        NonconformitySource.Production, DetectionStage.InProcess, "housing", "honing", ["L-7"], pick % 4 * 3, "pieces",
        (Severity)(pick % 3), Cases.Detected, null);
}
