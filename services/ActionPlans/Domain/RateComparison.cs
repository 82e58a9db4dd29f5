using CapaEngine.Contracts;
using MathNet.Numerics.Distributions;

namespace CapaEngine.ActionPlans.Domain;

/// <summary>
/// The conditional test of two Poisson rates. Given n recurrences in both periods together, how many of them fall into
/// the window is binomial: x2 | n ~ Bin(n, t2 / (t1 + t2)) if the rate has not changed.
/// </summary>
public static class RateComparison
{
    /// <summary>The numbers of a baseline and a window; both need exposure, the baseline a deviation.</summary>
    public static EffectivenessNumbers Compare(EvidenceCount baseline, EvidenceCount window, double significance)
    {
        var (x1, t1, x2, t2) = (baseline.Deviations, baseline.Exposure, window.Deviations, window.Exposure);
        if (x1 <= 0 || !(t1 > 0)) throw new ArgumentException("The baseline has no rate.", nameof(baseline));
        if (!(t2 > 0)) throw new ArgumentException("The window has no exposure.", nameof(window));

        // Clopper-Pearson limits of the share of recurrences in the window, turned into limits of the rate ratio.
        var shareLower = x2 == 0 ? 0 : Beta.InvCDF(x2, x1 + 1, significance);
        var shareUpper = Beta.InvCDF(x2 + 1, x1, 1 - significance);
        return new EffectivenessNumbers(
            x1 / t1, x2 / t2, x2 / t2 / (x1 / t1), RatioOf(shareLower), shareUpper < 1 ? RatioOf(shareUpper) : null,
            Binomial.CDF(t2 / (t1 + t2), checked((int)(x1 + x2)), x2));

        double RatioOf(double share) => share / (1 - share) * t1 / t2;
    }

    /// <summary>What the numbers say of the action.</summary>
    public static Verdict Judge(EffectivenessNumbers numbers, EffectivenessCriteria criteria)
    {
        var ratioExpected = 1 - criteria.ExpectedReduction;
        if (numbers.PValue <= criteria.Significance && numbers.RateRatio <= ratioExpected) return Verdict.Effective;
        return numbers.RateRatio >= 1 || numbers.RateRatioLower > ratioExpected
            ? Verdict.Ineffective
            : Verdict.Inconclusive;
    }

    /// <summary>
    /// The shortest window, in days, in which no recurrence at all would pass the same test: t1·(α^(−1/x1) − 1). The
    /// exposure per day of the baseline is carried forward, so the unit of the exposure cancels out.
    /// </summary>
    public static double ShortestWindowDays(EvidenceCount baseline, double significance) =>
        (baseline.To - baseline.From).TotalDays * (Math.Pow(significance, -1.0 / baseline.Deviations) - 1);
}
