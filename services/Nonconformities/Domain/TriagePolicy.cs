using System.ComponentModel.DataAnnotations;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Contracts.TriagePolicyEvent;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.TriagePolicyEvent>;

namespace CapaEngine.Nonconformities.Domain;

/// <summary>
/// The triage policy of the installation. Every version stays in the stream, and in force for the deviations that came
/// while it was the last.
/// </summary>
public sealed record TriagePolicy
{
    /// <summary>Before the first event.</summary>
    public static readonly TriagePolicy NotSet = new();

    /// <summary>The rules of the family; the policy concerns all sites.</summary>
    public static Decider<TriagePolicy, TriagePolicyCommand, TriagePolicyEvent> Decider { get; } = new(
        Families.TriagePolicy, NotSet, Decide, Evolve, _ => "*");

    /// <summary>The version in force; null before the first.</summary>
    public Set? InForce { get; private init; }

    /// <summary>The state after one more fact.</summary>
    public static TriagePolicy Evolve(TriagePolicy policy, TriagePolicyEvent fact) => fact switch
    {
        Set e => new TriagePolicy { InForce = e },
        _ => throw new InvalidOperationException($"{fact.GetType().Name} is no fact of the triage policy."),
    };

    /// <summary>A version that says what is in force already is none.</summary>
    public static Decision<TriagePolicyEvent> Decide(
        TriagePolicyCommand command, TriagePolicy policy, CommandContext context)
    {
        if (command is not TriagePolicyCommand.Set c)
            throw new InvalidOperationException($"{command.GetType().Name} is no command on the triage policy.");
        var isInForce = policy.InForce is { } last && last.Rules.Equals(c.Rules)
            && (last.GroupsByStation ?? true) == c.GroupsByStation;
        return isInForce
            ? Accept()
            : Accept(new Set((policy.InForce?.Version ?? 0) + 1, c.Rules, c.Reason)
            {
                GroupsByStation = c.GroupsByStation,
            });
    }
}

/// <summary>What may be asked of the triage policy.</summary>
public abstract record TriagePolicyCommand
{
    private TriagePolicyCommand() { }

    /// <summary>Puts another version into force.</summary>
    /// <param name="GroupsByStation">Whether deviations of different stations are different subjects.</param>
    [Allow(Roles.Administrator, Roles.Approver)]
    public sealed record Set(
        [property: MinLength(1), MaxLength(3)] ValueList<TriageRule> Rules, bool GroupsByStation,
        [property: Required, StringLength(4_000)] string Reason) : TriagePolicyCommand;
}
