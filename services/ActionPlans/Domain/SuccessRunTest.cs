using CapaEngine.Contracts;
using MathNet.Numerics.Distributions;

namespace CapaEngine.ActionPlans.Domain;

/// <summary>
/// What a run of inspected units shows of the share that conforms. Without a failure, n units show the reliability R
/// with the confidence C if Rⁿ ≤ 1 − C; with failures the exact binomial limits (Clopper-Pearson) say the same.
/// </summary>
public static class SuccessRunTest
{
    /// <summary>The least number of units that suffice without a failure: ln(1 − C) / ln(R), rounded up.</summary>
    public static long UnitsNeeded(SuccessRun run) =>
        (long)Math.Ceiling(Math.Log(1 - run.Confidence) / Math.Log(run.Reliability));

    /// <summary>The numbers of a window; it needs exposure. More deviations than units are as many as units.</summary>
    public static SuccessRunNumbers Evaluate(EvidenceCount window, SuccessRun run)
    {
        if (!(window.Exposure > 0)) throw new ArgumentException("The window has no exposure.", nameof(window));
        var units = window.Exposure;
        var failures = Math.Min(window.Deviations, units);
        var good = units - failures;
        return new SuccessRunNumbers(
            UnitsNeeded(run), units, window.Deviations,
            good > 0 ? Beta.InvCDF(good, failures + 1, 1 - run.Confidence) : 0,
            failures > 0 ? Beta.InvCDF(good + 1, failures, run.Confidence) : 1);
    }

    /// <summary>What the numbers say of the action.</summary>
    public static Verdict Judge(SuccessRunNumbers numbers, SuccessRun run)
    {
        // The whole number of units decides where no failure occurred; the limit is the same test, but rounded.
        if (numbers.Failures == 0 ? numbers.UnitsInspected >= numbers.UnitsNeeded
            : numbers.ReliabilityLower >= run.Reliability)
            return Verdict.Effective;
        return numbers.ReliabilityUpper < run.Reliability ? Verdict.Ineffective : Verdict.Inconclusive;
    }
}
