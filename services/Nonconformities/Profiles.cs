using CapaEngine.Nonconformities.Domain;

namespace CapaEngine.Nonconformities;

/// <summary>
/// Which profile holds at which site, as the section <c>Profiles</c> of the configuration says: <c>Default</c>,
/// <c>Sites:{site}</c>, and <c>CapasMayBeOpen</c> for closing before the CAPA does.
/// </summary>
public sealed class Profiles
{
    private readonly Dictionary<string, Profile> bySite;
    private readonly Profile standard;

    /// <summary>Reads them. Throws where a profile is named that does not exist.</summary>
    public Profiles(IConfiguration configuration)
    {
        var section = configuration.GetSection("Profiles");
        var capasMayBeOpen = section.GetValue<bool>("CapasMayBeOpen");
        standard = Named(section["Default"] ?? Profile.Iso9001.Name) with { CapasMayBeOpen = capasMayBeOpen };
        bySite = section.GetSection("Sites").GetChildren().ToDictionary(
            site => site.Key, site => Named(site.Value ?? "") with { CapasMayBeOpen = capasMayBeOpen },
            StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>The profile of a site; that of the installation where the site has none of its own.</summary>
    public Profile At(string? site) => site is not null && bySite.TryGetValue(site, out var own) ? own : standard;

    private static Profile Named(string name) =>
        Profile.All.SingleOrDefault(profile => profile.Name == name)
        ?? throw new InvalidOperationException(
            $"Profiles: '{name}' is none of {string.Join(", ", Profile.All.Select(profile => profile.Name))}.");
}
