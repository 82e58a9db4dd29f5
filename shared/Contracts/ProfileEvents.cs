namespace CapaEngine.Contracts;

/// <summary>The versions of a profile: which guards hold beyond those of ISO 9001.</summary>
public abstract record ProfileEvent
{
    private ProfileEvent() { }

    /// <summary>A version came into force; every version stays readable.</summary>
    /// <param name="Version">From 1, one more with each event of the stream.</param>
    [EventType("profile.set.v1")]
    public sealed record Set(string Name, int Version, ProfileRules Rules, string SetBy, string Reason) : ProfileEvent;
}

/// <summary>Which profile a site follows.</summary>
public abstract record SiteEvent
{
    private SiteEvent() { }

    /// <summary>The site follows another profile from now on.</summary>
    /// <param name="Site">The site; <c>*</c> for every site that has chosen none.</param>
    [EventType("site.profile-chosen.v1")]
    public sealed record ProfileChosen(string Site, string Profile, string ChosenBy, string Reason) : SiteEvent;
}

/// <summary>
/// The guards that a standard or an installation makes stricter than ISO 9001. Each member is the switch of one guard;
/// a member that is added later is optional and defaults to what held before.
/// </summary>
/// <param name="ConcessionKinds">
/// The dispositions that need a concession (G06): use-as-is and repair, by IATF 16949 §8.7.1.1 rework, too.
/// </param>
/// <param name="ConcessionAuthorities">Whose leave a concession may be (G06).</param>
/// <param name="RiskDemands">
/// What a class of risk demands of a plan (G11; §10.2.1, proportionate); a class not named demands one approval.
/// </param>
/// <param name="ScrapIsProven">Scrap is proven destroyed or marked (G08; IATF 16949 §8.7.1.7, AS9100 §8.7.1).</param>
/// <param name="ReworkIsAssessed">
/// Rework and repair name their instruction and the harm they could do (G05; ISO 13485 §8.3.4, IATF 16949 §8.7.1.4).
/// </param>
/// <param name="EscapeNoticeIsMandatory">
/// The customer is always told of what left the house (IATF 16949 §8.7.1.6); else an approver may waive it.
/// </param>
/// <param name="EscapeNoticeDaysMax">Within how many days of the decision; null where nothing says.</param>
/// <param name="HumanFactorsAreConsidered">The analysis says what part human factors had (G10; AS9100 §10.2.1).</param>
/// <param name="AdverseEffectsAreChecked">A plan is checked for harm elsewhere (G11; ISO 13485 §8.5.2).</param>
/// <param name="RationaleIsGiven">The approval of a plan says why it is right (G11; ISO 13485 §8.5.2).</param>
/// <param name="ControlPlanIsReviewed">
/// Closing answers for the control plan, and each failure mode is rated again (G16; IATF 16949 §10.2.3).
/// </param>
/// <param name="FlowDownIsAnswered">Closing answers what suppliers were told to change (G16; AS9100 §10.2.1).</param>
/// <param name="CapasMayBeOpen">A nonconformity may close while its CAPAs are still worked on (G17).</param>
public sealed record ProfileRules(
    ValueList<DispositionKind> ConcessionKinds,
    ValueList<ConcessionAuthority> ConcessionAuthorities,
    ValueList<RiskDemand> RiskDemands,
    bool ScrapIsProven = false,
    bool ReworkIsAssessed = false,
    bool EscapeNoticeIsMandatory = false,
    int? EscapeNoticeDaysMax = null,
    bool HumanFactorsAreConsidered = false,
    bool AdverseEffectsAreChecked = false,
    bool RationaleIsGiven = false,
    bool ControlPlanIsReviewed = false,
    bool FlowDownIsAnswered = false,
    bool CapasMayBeOpen = false);

/// <summary>What a plan of a class of risk needs before it is approved.</summary>
/// <param name="Class">The class as the risk matrix names it.</param>
/// <param name="ApprovalCount">How many different persons approve, from 1 to 5.</param>
/// <param name="CauseKinds">Which kinds of causes must be verified.</param>
public sealed record RiskDemand(string Class, int ApprovalCount, ValueList<CauseKind> CauseKinds);
