using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Shouldly;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>The conditional test of two Poisson rates against worked values and against its own definition.</summary>
public sealed class RateComparisonSpecs
{
    private static readonly DateTimeOffset Start = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly EffectivenessCriteria Criteria = new(
        new DeviationSubject("berlin", "bracket", "milling", null, "bore", null), Start, Start.AddDays(180), 0.5, 0.05,
        90, ExposureUnit.Days);

    [Theory]
    [InlineData(12, 180, 1, 90, 0.038537, Verdict.Effective)]
    [InlineData(12, 180, 3, 90, 0.209240, Verdict.Inconclusive)]
    [InlineData(6, 180, 0, 90, 0.087791, Verdict.Inconclusive)]
    [InlineData(6, 180, 3, 90, 0.650307, Verdict.Ineffective)]
    public void worked_values(long x1, double t1, long x2, double t2, double p, Verdict verdict)
    {
        var numbers = RateComparison.Compare(Count(x1, t1), Count(x2, t2), 0.05);
        numbers.PValue.ShouldBe(p, 5e-7);
        RateComparison.Judge(numbers, Criteria).ShouldBe(verdict);
    }

    [Fact]
    public void a_lower_rate_that_excludes_the_expected_reduction_is_ineffective()
    {
        var numbers = RateComparison.Compare(Count(20, 365), Count(4, 90), 0.05);
        numbers.PValue.ShouldBe(0.470691, 5e-7);
        numbers.RateRatio.ShouldBe(0.811, 5e-4);
        numbers.RateRatioLower.ShouldBe(0.254, 5e-4);
        RateComparison.Judge(numbers, Criteria with { ExpectedReduction = 0.8 }).ShouldBe(Verdict.Ineffective);
        RateComparison.Judge(numbers, Criteria with { ExpectedReduction = 0.7 }).ShouldBe(Verdict.Inconclusive);
    }

    [Fact]
    public void significance_without_the_expected_reduction_is_not_effective()
    {
        var numbers = RateComparison.Compare(Count(400, 180), Count(150, 90), 0.05);
        numbers.PValue.ShouldBeLessThan(0.05);
        RateComparison.Judge(numbers, Criteria with { ExpectedReduction = 0.8 }).ShouldBe(Verdict.Ineffective);
    }

    [Theory]
    [InlineData(0.05, 51.04)]
    [InlineData(0.10, 38.07)]
    public void the_shortest_useful_window(double significance, double days) =>
        RateComparison.ShortestWindowDays(Count(12, 180), significance).ShouldBe(days, 0.005);

    [Fact]
    public void a_rate_without_exposure_is_refused()
    {
        Should.Throw<ArgumentException>(() => RateComparison.Compare(Count(0, 180), Count(1, 90), 0.05));
        Should.Throw<ArgumentException>(() => RateComparison.Compare(Count(1, 180), Count(1, 0), 0.05));
    }

    [Property]
    public Property the_shortest_window_is_the_one_in_which_no_recurrence_just_passes() => Prop.ForAll(
        Cases(), input =>
        {
            var baseline = Count(input.X1, input.Days);
            var days = RateComparison.ShortestWindowDays(baseline, input.Alpha);
            RateComparison.Compare(baseline, Count(0, days * 1.001), input.Alpha).PValue.ShouldBeLessThan(input.Alpha);
            RateComparison.Compare(baseline, Count(0, days * 0.999), input.Alpha).PValue
                .ShouldBeGreaterThan(input.Alpha);
        });

    // P(X <= x2) summed term by term from the definition, with the exposure in another unit than days.
    [Property]
    public Property the_p_value_is_the_binomial_sum() => Prop.ForAll(
        Cases(), input =>
        {
            var numbers = RateComparison.Compare(
                Count(input.X1, input.Days * 70), Count(input.X2, 45.0 * 70), input.Alpha);
            var (n, share) = (input.X1 + input.X2, 45.0 / (input.Days + 45));
            var (term, sum) = (Math.Pow(1 - share, n), 0.0);
            for (var k = 0L; k <= input.X2; k++)
            {
                sum += term;
                term *= (double)(n - k) / (k + 1) * share / (1 - share);
            }

            numbers.PValue.ShouldBe(sum, 1e-9);
        });

    // The limits are where the two one-sided tests just reject: the definition of a confidence limit.
    [Property]
    public Property the_limits_enclose_the_ratio() => Prop.ForAll(
        Cases(), input =>
        {
            var numbers = RateComparison.Compare(Count(input.X1, input.Days), Count(input.X2, 45), input.Alpha);
            numbers.RateRatioLower.ShouldBeLessThanOrEqualTo(numbers.RateRatio);
            numbers.RateRatioUpper!.Value.ShouldBeGreaterThan(numbers.RateRatio);
            (numbers.RateRatioUpper < 1).ShouldBe(numbers.PValue < input.Alpha);
        });

    private static Arbitrary<(long X1, long X2, int Days, double Alpha)> Cases() => Arb.From(
        from x1 in Gen.Choose(1, 60)
        from x2 in Gen.Choose(0, 60)
        from days in Gen.Choose(10, 400)
        from alpha in Gen.Elements(0.01, 0.05, 0.1, 0.2)
        select ((long)x1, (long)x2, days, alpha));

    private static EvidenceCount Count(long deviations, double exposure) =>
        new(Start, Start.AddDays(exposure), deviations, exposure, 1, 0, "");
}
