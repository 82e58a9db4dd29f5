using System.Globalization;

namespace CapaEngine.Specs.Pipeline;

/// <summary>One seed, lived through.</summary>
internal sealed record SimulatedRun(
    int Seed, int StepCount, PromiseBrokenException? Broken, IReadOnlyList<Fault> Faults, IReadOnlyList<string> Trace)
{
    public static SimulatedRun Of(int seed, Seams? seams = null, bool isTraced = false)
    {
        var world = new SimulatedWorld(seed, seams, isTraced);
        PromiseBrokenException? broken = null;
        try
        {
            world.Run();
        }
        catch (PromiseBrokenException failure)
        {
            broken = failure;
        }

        return new SimulatedRun(
            seed, world.Schedule.StepCount, broken, [.. world.Faults.Existing], world.Schedule.Trace);
    }

    /// <summary>What happened, at most the last lines of it, and which promise was broken.</summary>
    public string Tell(int linesMax = int.MaxValue) => string.Create(CultureInfo.InvariantCulture, $"""
        Seed {Seed}, {StepCount} steps: {Broken?.Message ?? "every promise holds"}
        Faults of this world: {string.Join(", ", Faults)}
        {string.Join('\n', Trace.TakeLast(linesMax))}
        CAPA_SIMULATION_SEED={Seed} tells all of it.
        """);
}
