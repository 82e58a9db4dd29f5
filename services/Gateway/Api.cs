using CapaEngine.Contracts;
using CapaEngine.Gateway.Domain;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Mediator;

namespace CapaEngine.Gateway;

/// <summary>The gateway's own commands over HTTP: profiles, and which site follows which.</summary>
internal static class Api
{
    /// <summary>Maps <c>/api/v1/profiles</c> and <c>/api/v1/site-profiles</c>.</summary>
    public static void MapProfiles(this IEndpointRouteBuilder app)
    {
        app.MapGroup("/api/v1/profiles").WithTags("Profiles").MapCreate<ProfileCommand.Set>(
            (id, command, context) => new HandleProfile(id, command, context), isNumbered: false,
            idOf: command => ProfileVersions.IdOf(command.Name),
            locationOf: (command, done) => $"/{command.Name}?version={done.Revision + 1}");
        app.MapGroup("/api/v1/site-profiles").WithTags("Profiles").MapCreate<SiteCommand.ChooseProfile>(
            (id, command, context) => new HandleSite(id, command, context), isNumbered: false,
            idOf: command => SiteChoice.IdOf(command.Site),
            locationOf: (command, _) => $"?site={Uri.EscapeDataString(command.Site)}");
    }
}

/// <summary>A command on its way to a profile.</summary>
public sealed record HandleProfile(Guid Id, ProfileCommand Command, CommandContext Context)
    : IHandleCommand<ProfileCommand>;

/// <summary>A command on its way to a site.</summary>
public sealed record HandleSite(Guid Id, SiteCommand Command, CommandContext Context) : IHandleCommand<SiteCommand>;

/// <summary>The one handler of profiles.</summary>
public sealed class ProfileHandler(DeciderHandler<ProfileVersions, ProfileCommand, ProfileEvent> profiles)
    : ICommandHandler<HandleProfile, CommandOutcome>
{
    public async ValueTask<CommandOutcome> Handle(HandleProfile message, CancellationToken ct) =>
        await profiles.HandleAsync(message.Id, message.Command, message.Context, ct);
}

/// <summary>The one handler of sites. A site follows a profile that exists, looked up first.</summary>
public sealed class SiteHandler(
    DeciderHandler<SiteChoice, SiteCommand, SiteEvent> sites,
    DeciderHandler<ProfileVersions, ProfileCommand, ProfileEvent> profiles)
    : ICommandHandler<HandleSite, CommandOutcome>
{
    public async ValueTask<CommandOutcome> Handle(HandleSite message, CancellationToken ct)
    {
        var command = message.Command;
        if (command is SiteCommand.ChooseProfile choice)
        {
            // Whoever is bound to a site speaks for that site alone.
            if (!message.Context.Actor.IsAt(choice.Site))
                return new CommandOutcome.Forbidden($"You may not act at the site {choice.Site}.");
            var (profile, _) = await profiles.LoadAsync(ProfileVersions.IdOf(choice.Profile), ct);
            command = choice with { IsKnown = profile.InForce is not null };
        }

        return await sites.HandleAsync(message.Id, command, message.Context, ct);
    }
}
