using CapaEngine.Contracts;

namespace CapaEngine.Kernel;

/// <summary>A version of a profile: which guards a decision is made under.</summary>
/// <param name="Version">0 for what is built in, as long as no version was recorded.</param>
public sealed record Profile(string Name, int Version, ProfileRules Rules)
{
    private static readonly ValueList<RiskDemand> RiskDemands =
        [new("critical", 2, [CauseKind.System])];

    private static readonly ValueList<RiskDemand> StricterRiskDemands =
        [new("high", 2, []), new("critical", 2, [CauseKind.System])];

    private static readonly ValueList<DispositionKind> WhatStaysNonconforming =
        [DispositionKind.UseAsIs, DispositionKind.Repair];

    private static readonly ValueList<ConcessionAuthority> AnyAuthority =
        [ConcessionAuthority.Organisation, ConcessionAuthority.Design, ConcessionAuthority.Customer];

    /// <summary>The profile of a site that names no other.</summary>
    public static readonly Profile Iso9001 =
        new("iso9001", 0, new ProfileRules(WhatStaysNonconforming, AnyAuthority, RiskDemands));

    /// <summary>The profiles that every installation begins with.</summary>
    public static IReadOnlyList<Profile> BuiltIn { get; } =
    [
        Iso9001,
        new("iso13485", 0, new ProfileRules(
            WhatStaysNonconforming, AnyAuthority, StricterRiskDemands, ReworkIsAssessed: true,
            AdverseEffectsAreChecked: true, RationaleIsGiven: true)),
        new("iatf16949", 0, new ProfileRules(
            [.. WhatStaysNonconforming, DispositionKind.Rework], [ConcessionAuthority.Customer], StricterRiskDemands,
            ScrapIsProven: true, ReworkIsAssessed: true, EscapeNoticeIsMandatory: true, EscapeNoticeDaysMax: 1,
            ControlPlanIsReviewed: true)),
        new("as9100", 0, new ProfileRules(
            WhatStaysNonconforming, [ConcessionAuthority.Design, ConcessionAuthority.Customer], StricterRiskDemands,
            ScrapIsProven: true, EscapeNoticeIsMandatory: true, HumanFactorsAreConsidered: true,
            FlowDownIsAnswered: true)),
    ];

    /// <summary>What plans of a class of risk need.</summary>
    public RiskDemand DemandOf(string? riskClass) =>
        Rules.RiskDemands.FirstOrDefault(demand => demand.Class == riskClass) ?? new RiskDemand(riskClass ?? "", 1, []);

    /// <summary>Name and version, as events name the profile they were decided under.</summary>
    public override string ToString() => $"{Name}/{Version}";
}

/// <summary>Tells which profile holds where.</summary>
public interface IProfiles
{
    /// <summary>
    /// The profile of a site; that of the installation where the site has chosen none, or is null. Throws, as the store
    /// does where it is out of reach, while nobody knows.
    /// </summary>
    ValueTask<Profile> AtAsync(string? site, CancellationToken ct);
}
