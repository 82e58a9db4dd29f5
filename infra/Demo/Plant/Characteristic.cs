using CapaEngine.Demo.Cases;

namespace CapaEngine.Demo.Plant;

/// <summary>The rate of deviations of a characteristic from a day of the history on.</summary>
/// <param name="IsDisturbed">A disturbed day has three deviations at least, so that every seed opens the case.</param>
public sealed record Phase(int FromDay, double PerDay, bool IsDisturbed = false);

/// <summary>A characteristic that is inspected on a line, and how it behaves over the history.</summary>
public sealed record Characteristic(
    string Product, string Process, string Station, string Name, string Unit, double Target, double Tolerance,
    params IReadOnlyList<Phase> Phases)
{
    /// <summary>What its deviations are grouped by.</summary>
    public CaseSubject SubjectAt(string site) => new(site, Product, Process, Station, Name, null);

    /// <summary>How it behaves on a day.</summary>
    public Phase On(int day) => Phases.Last(phase => phase.FromDay <= day);
}
