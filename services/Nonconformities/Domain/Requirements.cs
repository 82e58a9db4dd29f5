using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Nonconformities.Domain;

/// <summary>What a reference to a requirement must say: the standard, and where or in which words (G01).</summary>
internal static class Requirements
{
    public static bool IsNamed(RequirementRef requirement) =>
        !string.IsNullOrWhiteSpace(requirement.Standard)
        && !(string.IsNullOrWhiteSpace(requirement.Clause) && string.IsNullOrWhiteSpace(requirement.Text));

    public static Decision<TEvent> Missing<TEvent>() => Decision<TEvent>.Reject(
        "requirement-missing", "Name the requirement that was not met: standard, and clause or text.");
}
