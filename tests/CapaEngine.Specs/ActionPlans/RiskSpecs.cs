using CapaEngine.ActionPlans;
using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using Microsoft.Extensions.Configuration;
using Shouldly;
using static CapaEngine.Contracts.ActionPlanEvent;
using static CapaEngine.Specs.ActionPlans.Facts;
using Ask = CapaEngine.ActionPlans.Domain.ActionPlanCommand;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>Risk before and after action, by tables that are data.</summary>
public sealed class RiskSpecs
{
    /// <summary>The tables that come with the program.</summary>
    public static readonly RiskTables Tables = RiskFiles.Load(new ConfigurationBuilder().Build());

    private static readonly TableAnswer Low = new("low", "default-1");
    private static readonly FailureModeRated ModeBefore = new(
        "Bore too wide", RatingMoment.Before, new FailureRating(9, 5, 4), new TableAnswer("high", "default-1"), "ada");

    [Fact]
    public void the_class_comes_from_the_matrix_and_names_its_version() =>
        Given(IsOpened).When(Tables.Complete(new Ask.RateRisk(4, 5)))
            .Then(new RiskRated(new RiskRating(4, 5), "ada") { Class = new TableAnswer("critical", "default-1") });

    [Fact]
    public void more_of_either_is_never_a_lesser_class_or_priority()
    {
        string[] classes = ["low", "medium", "high", "critical"];
        foreach (var s in Enumerable.Range(1, 5))
        {
            foreach (var l in Enumerable.Range(1, 4))
            {
                Class(s, l).ShouldBeLessThanOrEqualTo(Class(s, l + 1));
                Class(l, s).ShouldBeLessThanOrEqualTo(Class(l + 1, s));
            }
        }

        foreach (var (s, o, d) in Ratings())
        {
            foreach (var worse in (FailureRating[])[new(s + 1, o, d), new(s, o + 1, d), new(s, o, d + 1)])
                Priority(new(s, o, d)).ShouldBeLessThanOrEqualTo(Priority(worse), $"{s} {o} {d}");
        }

        int Class(int s, int l) => Array.IndexOf(classes, Tables.Matrix.ClassOf(new RiskRating(s, l)).Value);
        int Priority(FailureRating r) => Array.IndexOf(classes, Tables.Priorities.PriorityOf(r).Value);
    }

    [Fact]
    public void another_table_is_a_file_and_an_incomplete_one_is_refused_at_the_start()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.json");
        try
        {
            File.WriteAllText(path, """
                {"version":"ours-7","rules":[{"severityMin":1,"occurrenceMin":1,"detectionMin":1,"priority":"H"}]}
                """);
            Load().Priorities.PriorityOf(new FailureRating(1, 1, 1)).ShouldBe(new TableAnswer("H", "ours-7"));
            File.WriteAllText(path, """
                {"version":"ours-8","rules":[{"severityMin":2,"occurrenceMin":1,"detectionMin":1,"priority":"H"}]}
                """);
            Should.Throw<InvalidOperationException>(Load).Message.ShouldContain("every rating");
        }
        finally
        {
            File.Delete(path);
        }

        RiskTables Load() => RiskFiles.Load(new ConfigurationBuilder()
            .AddInMemoryCollection([new("Risk:ActionPriorityFile", path)]).Build());
    }

    [Fact]
    public void a_matrix_with_a_hole_is_refused() =>
        (Tables.Matrix with { Rows = Tables.Matrix.Rows.Skip(1).ToValueList() }).WhyIncomplete().ShouldNotBeNull();

    [Fact]
    public void a_failure_mode_is_rated_before_and_after()
    {
        var rate = Tables.Complete(new Ask.RateFailureMode("Bore too wide", 9, 5, 4));
        Given(Planning).When(rate).Then(ModeBefore);
        Given([.. Planning, ModeBefore, .. Monitoring[2..]])
            .When(Tables.Complete(new Ask.RateFailureMode("Bore too wide", 9, 1, 2)))
            .Then(new FailureModeRated("Bore too wide", RatingMoment.After, new FailureRating(9, 1, 2),
                new TableAnswer("medium", "default-1"), "ada"));
        Given(Monitoring).When(rate).ThenRejected("unknown-failure-mode");
        Given(Implementing).When(rate).ThenRejected("wrong-stage");
    }

    [Fact]
    public void nothing_is_rated_without_its_table()
    {
        Given(Planning).When(new Ask.RateFailureMode("Bore", 9, 5, 4)).ThenRejected("table-missing");
        Given(Monitoring).When(new Ask.RateResidualRisk(1, 1)).ThenRejected("table-missing");
    }

    [Fact]
    public void G16_a_risk_that_grew_does_not_close()
    {
        ActionPlanEvent[] facts = [.. InReview, FoundEffective];
        Given(facts).When(Tables.Complete(new Ask.RateResidualRisk(3, 1)))
            .Then(new ResidualRiskRated(new RiskRating(3, 1), Low, "ada"));
        Given([.. facts, new ResidualRiskRated(new RiskRating(4, 1), Low, "ada")])
            .When(new Ask.Close(Answers), by: "amira").ThenRejected("risk-increased");
        Given([.. facts, new ResidualRiskRated(new RiskRating(3, 1), Low, "ada")])
            .When(new Ask.Close(Answers), by: "amira").Then(new Closed("amira", Answers, Sign("amira")));
    }

    [Fact]
    public void what_remains_is_rated_once_it_is_implemented() =>
        Given(Implementing).When(Tables.Complete(new Ask.RateResidualRisk(3, 1))).ThenRejected("wrong-stage");

    private static IEnumerable<(int S, int O, int D)> Ratings() =>
        from s in Enumerable.Range(1, 9) from o in Enumerable.Range(1, 9) from d in Enumerable.Range(1, 9)
        select (s, o, d);
}
