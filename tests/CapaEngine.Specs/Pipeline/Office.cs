using CapaEngine.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace CapaEngine.Specs.Pipeline;

/// <summary>
/// A role that one candidate at a time should hold. The election only saves effort: here the old leader may go on for
/// seconds, or be paused and wake up in office.
/// </summary>
internal sealed class Office(
    Schedule schedule, string role, PipelineOptions options,
    Func<SimulatedProcess, Func<CancellationToken, Task>> workOf)
{
    private static readonly TimeSpan OverlapMax = TimeSpan.FromSeconds(20);
    private readonly List<SimulatedProcess> candidates = [];
    private readonly Dictionary<SimulatedProcess, CancellationTokenSource> terms = [];

    public void Join(SimulatedProcess process)
    {
        candidates.Add(process);
        if (terms.Count == 0) Begin(process);
    }

    public void Leave(SimulatedProcess process)
    {
        candidates.Remove(process);
        if (terms.Remove(process) && terms.Count == 0 && candidates.Count > 0) Begin(candidates[0]);
    }

    /// <summary>The next candidate takes over; the old leader learns of it now or, overlapping, later.</summary>
    public void Move(bool overlaps)
    {
        if (candidates.Find(candidate => !terms.ContainsKey(candidate)) is not { } next) return;
        var old = terms.Keys.ToList();
        Begin(next);
        foreach (var leader in old)
        {
            if (overlaps)
                schedule.After(OverlapMax * schedule.Choice.NextDouble(), $"{role} ends", () => End(leader));
            else End(leader);
        }
    }

    private static void End(CancellationTokenSource term) => term.Cancel();

    private void Begin(SimulatedProcess process)
    {
        var term = new CancellationTokenSource();
        terms[process] = term;
        var work = new LeadersWork(
            role, workOf(process), options, process.Clock, NullLogger.Instance);
        process.Start($"leads as {role}", () => work.RunAsync(term.Token));
    }

    private void End(SimulatedProcess process)
    {
        if (terms.Count < 2 || !terms.Remove(process, out var term)) return;
        process.Start($"leaves office as {role}", () =>
        {
            End(term);
            return Task.CompletedTask;
        });
    }
}
