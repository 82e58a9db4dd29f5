using CapaEngine.Contracts;

namespace CapaEngine.Nonconformities.Domain;

/// <summary>Which guards a standard makes stricter than ISO 9001 does; comes in with the command.</summary>
/// <param name="ScrapIsProven">Whether scrap needs evidence that it was destroyed or marked for good (G08).</param>
/// <param name="Authorities">Whose leave a concession may be (G06).</param>
public sealed record Profile(string Name, bool ScrapIsProven, ValueList<ConcessionAuthority> Authorities)
{
    /// <summary>The profile of a site that names no other.</summary>
    public static readonly Profile Iso9001 = new(
        "iso9001", ScrapIsProven: false,
        [ConcessionAuthority.Organisation, ConcessionAuthority.Design, ConcessionAuthority.Customer]);

    /// <summary>Every profile there is.</summary>
    public static IReadOnlyList<Profile> All { get; } =
    [
        Iso9001,
        Iso9001 with { Name = "iso13485" },
        new("iatf16949", ScrapIsProven: true, [ConcessionAuthority.Customer]),
        new("as9100", ScrapIsProven: true, [ConcessionAuthority.Design, ConcessionAuthority.Customer]),
    ];

    /// <summary>Whether a nonconformity may close while its CAPAs are still worked on (G17).</summary>
    public bool CapasMayBeOpen { get; init; }
}
