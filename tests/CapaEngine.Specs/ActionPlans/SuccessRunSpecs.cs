using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Shouldly;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>What clean units show, against published sample sizes and against the definition of the limits.</summary>
public sealed class SuccessRunSpecs
{
    private static readonly DateTimeOffset Start = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0.95, 0.95, 59)]
    [InlineData(0.95, 0.99, 299)]
    [InlineData(0.90, 0.90, 22)]
    public void worked_values(double confidence, double reliability, long units) =>
        SuccessRunTest.UnitsNeeded(new SuccessRun(confidence, reliability)).ShouldBe(units);

    [Fact]
    public void without_a_failure_the_limit_is_the_root_of_what_is_not_confident()
    {
        var numbers = SuccessRunTest.Evaluate(Window(0, 59), new SuccessRun(0.95, 0.95));
        numbers.ReliabilityLower.ShouldBe(Math.Pow(0.05, 1.0 / 59), 1e-9);
        numbers.ReliabilityUpper.ShouldBe(1);
    }

    [Fact]
    public void more_deviations_than_units_leave_nothing_that_conforms()
    {
        var run = new SuccessRun(0.95, 0.95);
        var numbers = SuccessRunTest.Evaluate(Window(80, 59), run);
        (numbers.Failures, numbers.ReliabilityLower).ShouldBe((80, 0));
        SuccessRunTest.Judge(numbers, run).ShouldBe(Verdict.Ineffective);
    }

    [Fact]
    public void units_nobody_inspected_show_nothing() =>
        Should.Throw<ArgumentException>(() => SuccessRunTest.Evaluate(Window(0, 0), new SuccessRun(0.95, 0.95)));

    // At the limit itself the observed number of failures, or fewer, has just the probability 1 - confidence.
    [Property]
    public Property the_lower_limit_is_where_the_test_just_rejects() => Prop.ForAll(Cases(), input =>
    {
        var lower = SuccessRunTest.Evaluate(Window(input.Failures, input.Units), new SuccessRun(0.95, 0.9))
            .ReliabilityLower;
        var (term, sum) = (Math.Pow(lower, input.Units), 0.0);
        for (var k = 0; k <= input.Failures; k++)
        {
            sum += term;
            term *= (double)(input.Units - k) / (k + 1) * (1 - lower) / lower;
        }

        sum.ShouldBe(0.05, 1e-6);
    });

    private static Arbitrary<(int Failures, int Units)> Cases() => Arb.From(
        from failures in Gen.Choose(0, 8)
        from units in Gen.Choose(20, 300)
        select (failures, units));

    private static EvidenceCount Window(long failures, double units) =>
        new(Start, Start.AddDays(30), failures, units, 1, 0, "");
}
