using System.Diagnostics;
using System.Globalization;
using Shouldly;

namespace CapaEngine.Specs.Pipeline;

/// <summary>
/// Thousands of schedules of the pipeline. <c>CAPA_SIMULATION_SEED=n</c> runs one and prints its trace,
/// <c>CAPA_SIMULATION_SEEDS=n</c> runs that many.
/// </summary>
public sealed class SimulationSpecs(ITestOutputHelper output)
{
    private const int SeedCountDefault = 2_000;
    private const int LinesMax = 120;

    [Fact]
    public void every_promise_holds_under_every_seed()
    {
        if (Environment.GetEnvironmentVariable("CAPA_SIMULATION_SEED") is { Length: > 0 } one)
        {
            output.WriteLine(SimulatedRun.Of(int.Parse(one, CultureInfo.InvariantCulture), isTraced: true).Tell());
            return;
        }

        var count = Environment.GetEnvironmentVariable("CAPA_SIMULATION_SEEDS") is { Length: > 0 } seeds
            ? int.Parse(seeds, CultureInfo.InvariantCulture) : SeedCountDefault;
        var (clock, steps) = (Stopwatch.StartNew(), 0L);
        for (var seed = 1; seed <= count; seed++)
        {
            var run = SimulatedRun.Of(seed);
            steps += run.StepCount;
            if (run.Broken is not null) Assert.Fail(SimulatedRun.Of(seed, isTraced: true).Tell(LinesMax));
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{count} seeds, {steps} steps, {clock.Elapsed.TotalSeconds:F1} s"));
    }

    [Fact]
    public void one_seed_is_one_schedule()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var (first, second) = (SimulatedRun.Of(seed, isTraced: true), SimulatedRun.Of(seed, isTraced: true));
            first.Broken.ShouldBeNull();
            first.Trace.Count.ShouldBeGreaterThan(300);
            var same = first.Trace.Zip(second.Trace).TakeWhile(lines => lines.First == lines.Second).Count();
            second.Trace.Skip(same).Take(3).ShouldBe(first.Trace.Skip(same).Take(3), $"seed {seed}, line {same}");
            second.Trace.Count.ShouldBe(first.Trace.Count);
        }
    }
}
