using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;

namespace CapaEngine.Specs.Edge;

/// <summary>A service knows the profiles from the log, and says so while it does not.</summary>
public sealed class SiteProfilesSpecs
{
    private static readonly DateTimeOffset Now = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
    private static readonly ProfileRules Own = Profile.Iso9001.Rules with { RationaleIsGiven = true };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task a_site_follows_its_choice_then_that_of_every_site_then_iso_9001()
    {
        var store = new MemoryEventStore(TimeProvider.System);
        await AppendAsync(store, Families.Profile, new ProfileEvent.Set("own", 3, Own, "ada", "Ours."));
        await AppendAsync(store, Families.Profile, new ProfileEvent.Set(
            "iso9001", 1, Profile.Iso9001.Rules, "ada", "The profile of a new installation."));
        await AppendAsync(store, Families.Site, new SiteEvent.ProfileChosen("plant-1", "own", "ada", "Ours."));
        using var profiles = new SiteProfiles(store, TimeProvider.System, NullLogger<SiteProfiles>.Instance);
        await profiles.StartAsync(Ct);

        (await profiles.AtAsync("plant-1", Ct)).ShouldBe(new Profile("own", 3, Own));
        (await profiles.AtAsync("plant-2", Ct)).ToString().ShouldBe("iso9001/1");
        (await profiles.AtAsync(null, Ct)).ToString().ShouldBe("iso9001/1");
        profiles.Trouble.ShouldBeNull();
        await profiles.StopAsync(Ct);
    }

    [Fact]
    public async Task the_choice_for_every_site_holds_where_none_was_made()
    {
        var store = new MemoryEventStore(TimeProvider.System);
        await AppendAsync(store, Families.Site, new SiteEvent.ProfileChosen("*", "as9100", "ada", "We make wings."));
        await AppendAsync(store, Families.Site, new SiteEvent.ProfileChosen("toys", "iso9001", "ada", "And toys."));
        using var profiles = new SiteProfiles(store, TimeProvider.System, NullLogger<SiteProfiles>.Instance);
        await profiles.StartAsync(Ct);

        (await profiles.AtAsync("plant-1", Ct)).Name.ShouldBe("as9100");
        (await profiles.AtAsync("toys", Ct)).Name.ShouldBe("iso9001");
        await profiles.StopAsync(Ct);
    }

    [Fact]
    public async Task nobody_decides_while_the_profiles_are_not_known()
    {
        using var profiles = new SiteProfiles(
            new MemoryEventStore(TimeProvider.System), new HastyClock(), NullLogger<SiteProfiles>.Instance);
        profiles.Trouble.ShouldNotBeNull();
        await Should.ThrowAsync<EventStoreUnavailableException>(
            async () => await profiles.AtAsync("plant-1", Ct));
    }

    /// <summary>Every wait is over at once.</summary>
    private sealed class HastyClock : TimeProvider
    {
        public override ITimer CreateTimer(
            TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }

    private static async Task AppendAsync(MemoryEventStore store, Family family, object fact)
    {
        var metadata = new EventMetadata(new EventActor("ada", [], "*"), Now, Now, "hash");
        var written = new NewEvent(Guid.NewGuid(), EventCatalog.NameOf(fact), EventCatalog.Serialize(fact),
            EventCatalog.Serialize(metadata));
        await store.AppendAsync(family.Stream(Guid.NewGuid()), ExpectedRevision.NoStream, [written], Ct);
    }
}
