using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Contracts.SiteEvent;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.SiteEvent>;

namespace CapaEngine.Gateway.Domain;

/// <summary>Which profile a site follows.</summary>
public sealed record SiteChoice
{
    /// <summary>Before the first event.</summary>
    public static readonly SiteChoice None = new();

    /// <summary>The rules of the family.</summary>
    public static readonly Decider<SiteChoice, SiteCommand, SiteEvent> Decider = new(
        Families.Site, None, Decide, Evolve, site => site.Chosen?.Site);

    /// <summary>What was chosen last; null before the first choice.</summary>
    public ProfileChosen? Chosen { get; init; }

    /// <summary>The id of the stream of a site.</summary>
    public static Guid IdOf(string site) => NameBasedId.From($"site\n{site}");

    /// <summary>The state after one more fact.</summary>
    public static SiteChoice Evolve(SiteChoice site, SiteEvent fact) => fact switch
    {
        ProfileChosen e => new SiteChoice { Chosen = e },
        _ => throw new InvalidOperationException($"{fact.GetType().Name} is no fact of a site."),
    };

    /// <summary>The rules, read as a decision table.</summary>
    public static Decision<SiteEvent> Decide(SiteCommand command, SiteChoice site, CommandContext context) =>
        command switch
        {
            SiteCommand.Begin when site.Chosen is not null => Accept(),
            SiteCommand.Begin c => Accept(
                new ProfileChosen(c.Site, c.Profile, context.Person, "The configuration of the installation.")),
            SiteCommand.ChooseProfile c when site.Chosen?.Profile == c.Profile => Accept(),
            SiteCommand.ChooseProfile { IsKnown: false } c =>
                Reject("unknown-profile", $"There is no profile '{c.Profile}'."),
            SiteCommand.ChooseProfile c => Accept(new ProfileChosen(c.Site, c.Profile, context.Person, c.Reason)),
            _ => throw new InvalidOperationException($"{command.GetType().Name} is no command on a site."),
        };
}

/// <summary>What may be asked of a site.</summary>
public abstract record SiteCommand
{
    private SiteCommand() { }

    /// <summary>Records what the configuration says, where nobody has chosen yet.</summary>
    [Allow(Roles.Service)]
    public sealed record Begin(string Site, string Profile) : SiteCommand;

    /// <summary>Lets a site follow a profile; <c>*</c> is every site that has chosen none.</summary>
    [Allow(Roles.Administrator)]
    public sealed record ChooseProfile(
        [property: Required, StringLength(100)] string Site, [property: Required, StringLength(40)] string Profile,
        [property: Required, StringLength(4000)] string Reason) : SiteCommand
    {
        /// <summary>Whether the profile has a version, looked up by the service.</summary>
        [JsonIgnore]
        public bool IsKnown { get; init; }
    }
}
