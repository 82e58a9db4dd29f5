using System.ComponentModel.DataAnnotations;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Contracts.ProfileEvent;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.ProfileEvent>;

namespace CapaEngine.Gateway.Domain;

/// <summary>A profile: the version in force, after all that came before it.</summary>
public sealed record ProfileVersions
{
    private const int ApprovalCountMax = 5;

    /// <summary>Before the first event.</summary>
    public static readonly ProfileVersions NotSet = new();

    /// <summary>The rules of the family. Profiles belong to the installation: nobody of one site sets them.</summary>
    public static readonly Decider<ProfileVersions, ProfileCommand, ProfileEvent> Decider = new(
        Families.Profile, NotSet, Decide, Evolve, _ => "*");

    /// <summary>The version in force; null before the first.</summary>
    public Set? InForce { get; init; }

    /// <summary>The id of the stream of a profile.</summary>
    public static Guid IdOf(string name) => NameBasedId.From($"profile\n{name}");

    /// <summary>The state after one more fact.</summary>
    public static ProfileVersions Evolve(ProfileVersions profile, ProfileEvent fact) => fact switch
    {
        Set e => new ProfileVersions { InForce = e },
        _ => throw new InvalidOperationException($"{fact.GetType().Name} is no fact of a profile."),
    };

    /// <summary>The rules, read as a decision table.</summary>
    public static Decision<ProfileEvent> Decide(
        ProfileCommand command, ProfileVersions profile, CommandContext context) => command switch
    {
        ProfileCommand.Begin when profile.InForce is not null => Accept(),
        ProfileCommand.Begin c => Accept(
            new Set(c.Profile.Name, 1, c.Profile.Rules, context.Person, "The profile of a new installation.")),
        ProfileCommand.Set c when profile.InForce?.Rules == c.Rules => Accept(),
        ProfileCommand.Set c => WhyContradictory(c.Rules) ?? Accept(
            new Set(c.Name, (profile.InForce?.Version ?? 0) + 1, c.Rules, context.Person, c.Reason)),
        _ => throw new InvalidOperationException($"{command.GetType().Name} is no command on a profile."),
    };

    private static Decision<ProfileEvent>? WhyContradictory(ProfileRules rules)
    {
        if (rules.ConcessionAuthorities.Count == 0)
            return Reject("authority-missing", "A concession needs somebody whose leave it may be.");
        if (!rules.ConcessionKinds.Contains(DispositionKind.UseAsIs)
            || !rules.ConcessionKinds.Contains(DispositionKind.Repair))
            return Reject("concession-mandatory", "What stays nonconforming needs a concession (ISO 9001 §8.7.1 d).");
        if (rules.RiskDemands.Any(demand => string.IsNullOrWhiteSpace(demand.Class)
            || demand.ApprovalCount is < 1 or > ApprovalCountMax))
            return Reject("demand-invalid", $"A demand names a class of risk and 1 to {ApprovalCountMax} approvals.");
        return rules.RiskDemands.Select(demand => demand.Class).Distinct().Count() < rules.RiskDemands.Count
            ? Reject("class-twice", "A class of risk stands twice.")
            : null;
    }
}

/// <summary>What may be asked of a profile.</summary>
public abstract record ProfileCommand
{
    private ProfileCommand() { }

    /// <summary>Records a built-in profile where no version was recorded yet.</summary>
    [Allow(Roles.Service)]
    public sealed record Begin(Profile Profile) : ProfileCommand;

    /// <summary>Puts another version into force, or begins a profile of the installation's own.</summary>
    [Allow(Roles.Administrator)]
    public sealed record Set(
        [property: Required, StringLength(40), RegularExpression("^[a-z0-9]+(-[a-z0-9]+)*$")] string Name,
        ProfileRules Rules, [property: Required, StringLength(4000)] string Reason) : ProfileCommand;
}
