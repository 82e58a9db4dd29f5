using System.Collections.Concurrent;
using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CapaEngine.Hosting;

/// <summary>
/// The profiles in force and which site follows which, followed from the log. It stores nothing; a change holds in
/// every service as soon as its event has arrived there.
/// </summary>
public sealed class SiteProfiles(IEventStore store, TimeProvider clock, ILogger<SiteProfiles> logger)
    : BackgroundService, IProfiles
{
    /// <summary>The site whose choice holds for every site that has made none.</summary>
    public const string EverySite = "*";

    private const int RetryMsMax = 10_000;
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Profile> profiles = new(
        Profile.BuiltIn.Select(profile => KeyValuePair.Create(profile.Name, profile)));
    private readonly ConcurrentDictionary<string, string> choices = [];
    private readonly TaskCompletionSource caughtUp = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Why the profiles may be out of date; null where they are not.</summary>
    public string? Trouble { get; private set; } = "The profiles have not been read yet.";

    /// <inheritdoc/>
    public async ValueTask<Profile> AtAsync(string? site, CancellationToken ct)
    {
        try
        {
            if (!caughtUp.Task.IsCompleted) await caughtUp.Task.WaitAsync(WaitMax, clock, ct);
        }
        catch (TimeoutException late)
        {
            throw new EventStoreUnavailableException("The profiles could not be read yet.", late);
        }

        var chosen = choices.GetValueOrDefault(site ?? EverySite) ?? choices.GetValueOrDefault(EverySite);
        return profiles[chosen ?? Profile.Iso9001.Name];
    }

    /// <summary>Takes note of a version or a choice.</summary>
    public void Note(RecordedEvent recorded)
    {
        switch (EventCatalog.Deserialize(recorded.Type, recorded.Data.Span))
        {
            case ProfileEvent.Set e: profiles[e.Name] = new Profile(e.Name, e.Version, e.Rules); break;
            case SiteEvent.ProfileChosen e: choices[e.Site] = e.Profile; break;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var after = LogPosition.Start;
        var delays = new RetryDelays(RetryMsMax);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await foreach (var message in store.SubscribeToAllAsync(
                    after, [Families.Profile.Prefix, Families.Site.Prefix], stoppingToken))
                {
                    switch (message)
                    {
                        case LogMessage.Event read:
                            Note(read.Recorded);
                            after = read.Recorded.Position;
                            break;
                        case LogMessage.CaughtUp:
                            Trouble = null;
                            caughtUp.TrySetResult();
                            break;
                    }

                    delays.Reset();
                }
            }
            catch (Exception broken) when (broken is not OperationCanceledException)
            {
                Trouble = broken.Message;
                logger.LogWarning(broken, "The profiles could not be followed; they are read again.");
            }

            if (!stoppingToken.IsCancellationRequested) await delays.WaitAsync(clock, stoppingToken);
        }
    }
}

/// <summary>Adds them to a service that decides.</summary>
public static class SiteProfilesRegistration
{
    /// <summary>Decisions follow the profile of their site; without knowing it the service is not ready.</summary>
    public static void AddProfiles(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SiteProfiles>();
        builder.Services.AddSingleton<IProfiles>(services => services.GetRequiredService<SiteProfiles>());
        builder.Services.AddHostedService(services => services.GetRequiredService<SiteProfiles>());
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            "profiles",
            services => new HealthFunction(() => services.GetRequiredService<SiteProfiles>().Trouble is { } trouble
                ? HealthCheckResult.Unhealthy(trouble) : HealthCheckResult.Healthy()),
            HealthStatus.Unhealthy, [Health.ReadyTag]));
    }
}
