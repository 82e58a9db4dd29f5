using System.Collections.Immutable;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.ConcessionEvent>;
using Command = CapaEngine.Nonconformities.Domain.ConcessionCommand;
using Fact = CapaEngine.Contracts.ConcessionEvent;
using Stage = CapaEngine.Nonconformities.Domain.ConcessionStage;

namespace CapaEngine.Nonconformities.Domain;

/// <summary>Where a concession stands. Exhausted it can come back to granted, when a draw is given back.</summary>
public enum ConcessionStage { NotRequested, Requested, Granted, Refused, Exhausted, Expired, Revoked }

/// <summary>One concession or deviation permit as the rules see it.</summary>
public sealed record Concession
{
    /// <summary>Before the first event.</summary>
    public static readonly Concession NotRequested = new();

    public Stage Stage { get; private init; }
    public Fact.Requested? Request { get; private init; }
    public Fact.Granted? Grant { get; private init; }

    /// <summary>What has been drawn and not given back, by draw.</summary>
    public ImmutableDictionary<Guid, double> Draws { get; private init; } = ImmutableDictionary<Guid, double>.Empty;

    /// <summary>Draws that were given back; none of them is drawn again.</summary>
    public ImmutableHashSet<Guid> Released { get; private init; } = [];

    /// <summary>What may still be drawn; null where the quantity is not limited.</summary>
    public double? Remaining => Grant?.QuantityMax - Draws.Values.Sum();

    /// <summary>The rules of the family, wired together.</summary>
    public static Decider<Concession, Command, Fact> Decider { get; } = new(
        Families.Concession, NotRequested, ConcessionRules.Decide, Evolve, state => state.Request?.Site);

    /// <summary>The fold. A fact before the request is a damaged stream.</summary>
    public static Concession Evolve(Concession state, Fact fact) => fact switch
    {
        Fact.Requested e => state with { Stage = Stage.Requested, Request = e },
        _ when state.Stage == Stage.NotRequested =>
            throw new InvalidOperationException($"A {fact.GetType().Name} came before the request."),
        Fact.Granted e => state with { Stage = Stage.Granted, Grant = e },
        Fact.Refused => state with { Stage = Stage.Refused },
        Fact.Drawn e => state with { Draws = state.Draws.Add(e.DrawId, e.Quantity) },
        Fact.DrawReleased e => state with
        {
            Stage = state.Stage == Stage.Exhausted ? Stage.Granted : state.Stage,
            Draws = state.Draws.Remove(e.DrawId), Released = state.Released.Add(e.DrawId),
        },
        Fact.Exhausted => state with { Stage = Stage.Exhausted },
        Fact.Expired => state with { Stage = Stage.Expired },
        Fact.Revoked => state with { Stage = Stage.Revoked },
        _ => throw new InvalidOperationException($"A {fact.GetType().Name} is no fact of a concession."),
    };
}

/// <summary>The rules of a concession: who may grant it, and what may be drawn from it.</summary>
public static class ConcessionRules
{
    // Quantities may be weights: tenths that add up to the limit must not exceed it by a rounding error.
    private const double RoundingShare = 1e-9;

    /// <summary>What follows from the command, or why it is refused.</summary>
    public static Decision<Fact> Decide(Command command, Concession state, CommandContext context) =>
        (state.Stage, command) switch
        {
            (Stage.NotRequested, Command.Request c) => Request(c, context),
            (Stage.NotRequested, _) => NotFound(),
            (_, Command.Request) => Accept(),

            (_, Command.ReleaseDraw c) => Release(c, state),
            (_, Command.Draw c) when state.Draws.ContainsKey(c.DrawId) => Accept(),

            (Stage.Requested, Command.Grant c) => Grant(c, state, context),
            (not (Stage.Requested or Stage.Refused), Command.Grant c) when IsGrantedAs(c, state) => Accept(),
            (Stage.Requested, Command.Refuse c) => Accept(new Fact.Refused(context.Person, c.Reason)),
            (Stage.Granted, Command.Revoke c) => Accept(new Fact.Revoked(context.Person, c.Reason)),
            (Stage.Refused, Command.Refuse) or (Stage.Revoked, Command.Revoke) or (Stage.Expired, Command.Expire) =>
                Accept(),

            (Stage.Granted, Command.Draw c) => Draw(c, state, context),
            (Stage.Exhausted, Command.Draw) =>
                Reject("concession-exhausted", "All that this concession allows has been drawn."),
            (Stage.Expired, Command.Draw) => Expired(state),
            (Stage.Revoked, Command.Draw) => Reject("concession-revoked", "This concession was revoked."),
            (_, Command.Draw) => Reject("concession-not-granted", "This concession has not been granted."),

            (Stage.Granted or Stage.Exhausted, Command.Expire) => Expire(state, context),
            _ => Reject("wrong-stage", $"This is not possible while it is {NonconformityRules.Words(state.Stage)}."),
        };

    private static Decision<Fact> Request(Command.Request c, CommandContext context) => c switch
    {
        { Quantity: <= 0 } => Reject("quantity-not-positive", "A quantity asked for is above zero."),
        _ when !Requirements.IsNamed(c.Requirement) => Requirements.Missing<Fact>(),
        { Kind: ConcessionKind.DeviationPermit, NonconformityId: not null } => Reject(
            "permit-for-made-goods", "What was made already needs a concession and no deviation permit."),
        _ => Accept(new Fact.Requested(
            c.Site, c.Kind, c.Product, c.Requirement, c.Departure, c.Justification, c.NonconformityId, c.Lots ?? [],
            c.Quantity, c.Unit, context.Person)),
    };

    // The limits may be narrower than what was asked for, never wider: the request is what was examined.
    private static Decision<Fact> Grant(Command.Grant c, Concession state, CommandContext context)
    {
        var request = state.Request!;
        var lots = c.Lots is { Count: > 0 } narrower ? narrower : request.Lots;
        var quantity = c.QuantityMax ?? request.Quantity;
        return c switch
        {
            _ when context.Person == request.RequestedBy || context.Actor.PersonId == request.RequestedBy =>
                Reject("self-grant", "Whoever asked for a concession cannot grant it."),
            { QuantityMax: <= 0 } => Reject("quantity-not-positive", "The quantity granted is above zero."),
            _ when quantity is null && c.Until is null =>
                Reject("limit-missing", "A concession is limited in quantity, in time or in both."),
            { Until: { } until } when until <= context.Now =>
                Reject("limit-in-the-past", "A concession cannot end before it begins."),
            _ when c.QuantityMax > request.Quantity || (request.Lots.Count > 0 && lots.Except(request.Lots).Any()) =>
                Reject("beyond-request", "More was granted than was asked for."),
            _ => Accept(new Fact.Granted(
                context.Person, c.Authority, c.AuthorityReference, c.Conditions, lots, quantity, context.Now, c.Until,
                context.Sign(SignatureMeaning.Approved))),
        };
    }

    private static bool IsGrantedAs(Command.Grant c, Concession state) =>
        state.Grant is { } grant && grant.Authority == c.Authority && grant.AuthorityReference == c.AuthorityReference
        && grant.Conditions == c.Conditions && grant.Until == c.Until
        && grant.QuantityMax == (c.QuantityMax ?? state.Request!.Quantity);

    // G06: it must cover site, product, lot, unit, date and quantity.
    private static Decision<Fact> Draw(Command.Draw c, Concession state, CommandContext context)
    {
        var (request, grant) = (state.Request!, state.Grant!);
        var authorities = context.Profile.Rules.ConcessionAuthorities;
        return c switch
        {
            _ when state.Released.Contains(c.DrawId) =>
                Reject("draw-released", "This draw was given back; decide the disposition anew."),
            _ when c.Site != request.Site =>
                Reject("concession-elsewhere", $"The concession belongs to the site {request.Site}."),
            _ when c.Product is not null && c.Product != request.Product =>
                Reject("product-not-covered", $"The concession is for {request.Product}."),
            _ when request.NonconformityId is { } one && one != c.NonconformityId =>
                Reject("concession-for-another", $"The concession was granted for the nonconformity {one} alone."),
            _ when grant.Lots.Count > 0 && (c.Lot is null || !grant.Lots.Contains(c.Lot)) =>
                Reject("lot-not-covered", $"The concession covers the lots {string.Join(", ", grant.Lots)}."),
            _ when grant.QuantityMax is not null && c.Unit != request.Unit =>
                Reject("unit-not-covered", $"The concession is counted in {request.Unit ?? "no unit"}."),
            _ when request.Kind == ConcessionKind.DeviationPermit && c.DetectedAt < grant.ValidFrom => Reject(
                "permit-too-late", "The permit was granted after the goods were found: they need a concession."),
            _ when !authorities.Contains(grant.Authority) => Reject(
                "authority-insufficient",
                $"At this site it takes: {string.Join(" or ", authorities.Select(NonconformityRules.Words))}."),
            _ when context.Now > grant.Until => Expired(state),
            _ when c.Quantity > state.Remaining + Tolerance(grant) => Reject(
                "exceeds-concession", $"Of the concession {state.Remaining:R} are left."),
            _ => Accept(Drawn(c, state)),
        };
    }

    private static Fact[] Drawn(Command.Draw c, Concession state)
    {
        var drawn = new Fact.Drawn(c.DrawId, c.NonconformityId, c.Lot, c.Quantity);
        return state.Remaining - c.Quantity <= Tolerance(state.Grant!)
            ? [drawn, new Fact.Exhausted(state.Grant!.QuantityMax!.Value)]
            : [drawn];
    }

    private static double Tolerance(Fact.Granted grant) => (grant.QuantityMax ?? 0) * RoundingShare;

    private static Decision<Fact> Release(Command.ReleaseDraw c, Concession state) => state switch
    {
        _ when state.Draws.ContainsKey(c.DrawId) => Accept(new Fact.DrawReleased(c.DrawId, c.Reason)),
        _ when state.Released.Contains(c.DrawId) => Accept(),
        _ => Reject("unknown-draw", $"There is no draw {c.DrawId}."),
    };

    private static Decision<Fact> Expire(Concession state, CommandContext context) =>
        state.Grant!.Until is { } until && context.Now > until
            ? Accept(new Fact.Expired(until))
            : Reject("not-expired", "Its time is not over.");

    private static Decision<Fact> Expired(Concession state) =>
        Reject("concession-expired", $"The concession ended at {state.Grant!.Until:u}.");
}
