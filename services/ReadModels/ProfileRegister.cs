using CapaEngine.Contracts;
using CapaEngine.Hosting;

namespace CapaEngine.ReadModels;

/// <summary>The versions of the profiles, and which site follows which.</summary>
public sealed class ProfileRegister : IReadModel
{
    /// <inheritdoc/>
    public string Name => "profiles";

    /// <inheritdoc/>
    public int Version => 1;

    /// <inheritdoc/>
    public IReadOnlyList<Family> Families { get; } = [Contracts.Families.Profile, Contracts.Families.Site];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tables { get; } = ["profile_version", "site_profile"];

    /// <inheritdoc/>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => events.SelectMany(Project);

    /// <summary>The statement of one event.</summary>
    public static IEnumerable<SqlStatement> Project(IncomingEvent e) => e.Fact switch
    {
        ProfileEvent.Set f => [Row.Keyed(e, f.Name, """
            insert into read_models.profile_version (name, revision, position, occurred_at, recorded_at, version, rules,
              reason, set_by)
            values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9)
            on conflict do nothing
            """, f.Version, Wire.Json(f.Rules), f.Reason, f.SetBy)],
        SiteEvent.ProfileChosen f => [Row.Keyed(e, f.Site, """
            insert into read_models.site_profile (site, revision, position, occurred_at, recorded_at, profile, reason,
              chosen_by)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict do nothing
            """, f.Profile, f.Reason, f.ChosenBy)],
        _ => [],
    };
}
