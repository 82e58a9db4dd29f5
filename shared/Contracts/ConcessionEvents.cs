namespace CapaEngine.Contracts;

/// <summary>Leave to depart from a requirement: a permit before making, a concession after it (ISO 9000).</summary>
public enum ConcessionKind { DeviationPermit, Concession }

/// <summary>Whose leave it is: the organisation's own, the design authority's or the customer's.</summary>
public enum ConcessionAuthority { Organisation, Design, Customer }

/// <summary>The life of a concession or deviation permit: what it allows burns down with every draw.</summary>
public abstract record ConcessionEvent
{
    private ConcessionEvent() { }

    /// <summary>Somebody asked for leave to use what does not conform.</summary>
    /// <param name="NonconformityId">The one case it is for; null where it may serve several.</param>
    /// <param name="Lots">The lots it is asked for; empty for any lot of the product.</param>
    /// <param name="Quantity">The quantity asked for; null where only time is to limit it.</param>
    [EventType("concession.requested.v1")]
    public sealed record Requested(
        string Site, ConcessionKind Kind, string Product, RequirementRef Requirement, string Departure,
        string Justification, Guid? NonconformityId, ValueList<string> Lots, double? Quantity, string? Unit,
        string RequestedBy) : ConcessionEvent;

    /// <summary>An authority granted it, within limits in quantity, in time or in both; signed.</summary>
    /// <param name="AuthorityReference">The document or message by which the authority gave its leave.</param>
    /// <param name="QuantityMax">What may be drawn in all; null where only time limits it.</param>
    /// <param name="Until">The last instant at which it may be drawn; null where only the quantity limits it.</param>
    [EventType("concession.granted.v1")]
    public sealed record Granted(
        string GrantedBy, ConcessionAuthority Authority, string AuthorityReference, string Conditions,
        ValueList<string> Lots, double? QuantityMax, DateTimeOffset ValidFrom, DateTimeOffset? Until,
        Signature Signature) : ConcessionEvent;

    /// <summary>It was refused.</summary>
    [EventType("concession.refused.v1")]
    public sealed record Refused(string RefusedBy, string Reason) : ConcessionEvent;

    /// <summary>A disposition took its part, before it was decided.</summary>
    /// <param name="DrawId">The id of the disposition line that the draw is for.</param>
    [EventType("concession.drawn.v1")]
    public sealed record Drawn(Guid DrawId, Guid NonconformityId, string? Lot, double Quantity) : ConcessionEvent;

    /// <summary>A draw was given back, because its disposition was never decided.</summary>
    [EventType("concession.draw-released.v1")]
    public sealed record DrawReleased(Guid DrawId, string Reason) : ConcessionEvent;

    /// <summary>All that may be drawn has been drawn. A draw given back makes room again.</summary>
    [EventType("concession.exhausted.v1")]
    public sealed record Exhausted(double QuantityMax) : ConcessionEvent;

    /// <summary>Its time is over.</summary>
    [EventType("concession.expired.v1")]
    public sealed record Expired(DateTimeOffset Until) : ConcessionEvent;

    /// <summary>It was withdrawn before its limits were reached; what was drawn stays drawn.</summary>
    [EventType("concession.revoked.v1")]
    public sealed record Revoked(string RevokedBy, string Reason) : ConcessionEvent;
}
