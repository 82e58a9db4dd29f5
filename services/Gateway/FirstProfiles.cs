using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Gateway.Domain;
using CapaEngine.Kernel;

namespace CapaEngine.Gateway;

/// <summary>
/// Records the profiles of a new installation, and what <c>Profiles:Default</c> and <c>Profiles:Sites:{site}</c> say
/// of sites for which nobody has chosen. What a person decided is not undone by the configuration at the next start.
/// </summary>
public sealed class FirstProfiles(
    DeciderHandler<ProfileVersions, ProfileCommand, ProfileEvent> profiles,
    DeciderHandler<SiteChoice, SiteCommand, SiteEvent> sites, IConfiguration configuration, TimeProvider clock,
    ILogger<FirstProfiles> logger) : BackgroundService
{
    private const int RetryMsMax = 10_000;

    /// <summary>Site and profile as configured. Throws where a profile is named that is not built in.</summary>
    public static IReadOnlyList<SiteCommand.Begin> Configured(IConfiguration configuration)
    {
        var section = configuration.GetSection("Profiles");
        var choices = section.GetSection("Sites").GetChildren()
            .Select(site => new SiteCommand.Begin(site.Key, site.Value ?? "")).ToList();
        if (section["Default"] is { } standard) choices.Add(new SiteCommand.Begin("*", standard));
        return choices.FirstOrDefault(choice => Profile.BuiltIn.All(known => known.Name != choice.Profile)) is { } wrong
            ? throw new InvalidOperationException(
                $"Profiles: '{wrong.Profile}' is none of {string.Join(", ", Profile.BuiltIn.Select(p => p.Name))}.")
            : choices;
    }

    /// <summary>Records what is missing.</summary>
    public async Task RecordAsync(CancellationToken ct)
    {
        foreach (var profile in Profile.BuiltIn)
            Expect(await profiles.HandleAsync(
                ProfileVersions.IdOf(profile.Name), new ProfileCommand.Begin(profile), Context(profile.Name), ct));
        foreach (var choice in Configured(configuration))
            Expect(await sites.HandleAsync(SiteChoice.IdOf(choice.Site), choice, Context(choice.Site), ct));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var delays = new RetryDelays(RetryMsMax);
        while (true)
        {
            try
            {
                await RecordAsync(stoppingToken);
                return;
            }
            catch (EventStoreUnavailableException unavailable)
            {
                logger.LogWarning(unavailable, "The first profiles could not be recorded yet.");
                await delays.WaitAsync(clock, stoppingToken);
            }
        }
    }

    private static CommandContext Context(string name) =>
        new(Actor.Service(ServiceNames.Gateway), $"begin/{name}", IsReaction: true);

    private static void Expect(CommandOutcome outcome)
    {
        if (outcome is not CommandOutcome.Done)
            throw new EventStoreUnavailableException($"The first profiles were not recorded: {outcome}.");
    }
}
