using CapaEngine.Contracts;
using CapaEngine.Gateway;
using CapaEngine.Gateway.Domain;
using CapaEngine.Kernel;
using Microsoft.Extensions.Configuration;
using Shouldly;
using static CapaEngine.Contracts.ProfileEvent;
using static CapaEngine.Contracts.SiteEvent;

namespace CapaEngine.Specs.Gateway;

/// <summary>Profiles have versions, and sites follow them.</summary>
public sealed class ProfileVersionsSpecs
{
    private static readonly Profile Aerospace = FixedProfiles.Named("as9100");
    private static readonly Set First = new("as9100", 1, Aerospace.Rules, "ada", "The profile of a new installation.");
    private static readonly ProfileRules Stricter = Aerospace.Rules with { RationaleIsGiven = true };

    [Fact]
    public void a_new_installation_records_what_is_built_in() =>
        Given().When(new ProfileCommand.Begin(Aerospace)).Then(First);

    [Fact]
    public void what_was_set_is_not_begun_again() =>
        Given(First, new Set("as9100", 2, Stricter, "adam", "Asked by a customer."))
            .When(new ProfileCommand.Begin(Aerospace)).ThenNothing();

    [Fact]
    public void another_version_has_the_next_number() =>
        Given(First).When(new ProfileCommand.Set("as9100", Stricter, "Asked by a customer."))
            .Then(new Set("as9100", 2, Stricter, "ada", "Asked by a customer."));

    [Fact]
    public void an_installation_may_have_profiles_of_its_own() =>
        Given().When(new ProfileCommand.Set("toys", Stricter, "For toys."))
            .Then(new Set("toys", 1, Stricter, "ada", "For toys."));

    [Fact]
    public void a_concession_needs_an_authority() => Refused(
        Stricter with { ConcessionAuthorities = [] }, "authority-missing");

    [Fact]
    public void nobody_does_without_the_concession_that_iso_9001_asks_for() => Refused(
        Stricter with { ConcessionKinds = [DispositionKind.UseAsIs] }, "concession-mandatory");

    [Fact]
    public void a_demand_names_its_class_and_a_possible_number()
    {
        Refused(Stricter with { RiskDemands = [new(" ", 1, [])] }, "demand-invalid");
        Refused(Stricter with { RiskDemands = [new("high", 0, [])] }, "demand-invalid");
        Refused(Stricter with { RiskDemands = [new("high", 6, [])] }, "demand-invalid");
    }

    [Fact]
    public void a_class_has_one_demand() => Refused(
        Stricter with { RiskDemands = [new("high", 1, []), new("high", 2, [])] }, "class-twice");

    [Fact]
    public void a_site_follows_a_profile_that_exists()
    {
        var choice = new SiteCommand.ChooseProfile("plant-1", "as9100", "It makes wings.") { IsKnown = true };
        Site().When(choice).Then(new ProfileChosen("plant-1", "as9100", "ada", "It makes wings."));
        Site().When(choice with { IsKnown = false }).ThenRejected("unknown-profile");
    }

    [Fact]
    public void the_configuration_does_not_undo_what_a_person_chose()
    {
        Site().When(new SiteCommand.Begin("plant-1", "as9100"))
            .Then(new ProfileChosen("plant-1", "as9100", "ada", "The configuration of the installation."));
        Site(new ProfileChosen("plant-1", "iso9001", "adam", "No wings any more."))
            .When(new SiteCommand.Begin("plant-1", "as9100")).ThenNothing();
    }

    [Fact]
    public void the_configuration_names_profiles_that_exist()
    {
        FirstProfiles.Configured(Settings("Sites:plant-1", "as9100"))
            .ShouldBe([new SiteCommand.Begin("plant-1", "as9100")]);
        FirstProfiles.Configured(Settings("Default", "iso13485")).ShouldBe([new SiteCommand.Begin("*", "iso13485")]);
        Should.Throw<InvalidOperationException>(() => FirstProfiles.Configured(Settings("Default", "iso9000")))
            .Message.ShouldContain("iso9000");
    }

    private static IConfiguration Settings(string name, string profile) => new ConfigurationBuilder()
        .AddInMemoryCollection([new($"Profiles:{name}", profile)]).Build();

    private static void Refused(ProfileRules rules, string code) =>
        Given(First).When(new ProfileCommand.Set("as9100", rules, "Simpler.")).ThenRejected(code);

    private static DeciderSpec<ProfileVersions, ProfileCommand, ProfileEvent> Given(params ProfileEvent[] facts) =>
        new DeciderSpec<ProfileVersions, ProfileCommand, ProfileEvent>(ProfileVersions.Decider).Given(facts);

    private static DeciderSpec<SiteChoice, SiteCommand, SiteEvent> Site(params SiteEvent[] facts) =>
        new DeciderSpec<SiteChoice, SiteCommand, SiteEvent>(SiteChoice.Decider).Given(facts);
}
