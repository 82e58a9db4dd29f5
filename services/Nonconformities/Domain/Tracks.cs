using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.NonconformityEvent>;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;
using Fact = CapaEngine.Contracts.NonconformityEvent;

namespace CapaEngine.Nonconformities.Domain;

/// <summary>The containment track (§10.2.1 a): possible from the report on, before anybody analysed.</summary>
internal static class Containment
{
    public static Decision<Fact> Plan(Command.PlanContainment c, Nonconformity state)
    {
        var planned = new Fact.ContainmentPlanned(c.Description, c.DueHours);
        return state.Containment switch
        {
            ContainmentStage.Planned when state.ContainmentPlan == planned => Accept(),
            ContainmentStage.Planned or ContainmentStage.InPlace =>
                Reject("containment-decided", "Containment is planned or in place already."),
            _ when c.DueHours > state.ContainmentDueHours => Reject(
                "beyond-deadline", $"Containment is due within {state.ContainmentDueHours} hours of the acceptance."),
            _ => Accept(planned),
        };
    }

    public static Decision<Fact> NotNeeded(Command.DecideContainmentNotNeeded c, Nonconformity state) =>
        state.Containment switch
        {
            ContainmentStage.NotNeeded => Accept(),
            ContainmentStage.Undecided or ContainmentStage.Planned =>
                Accept(new Fact.ContainmentNotNeeded(c.Justification)),
            _ => Reject("containment-decided", "Containment has been in place already."),
        };

    // G04
    public static Decision<Fact> Confirm(Command.ConfirmContainment c, Nonconformity state, CommandContext context) =>
        state.Containment switch
        {
            ContainmentStage.InPlace => Accept(),
            ContainmentStage.Planned => Accept(new Fact.ContainmentConfirmed(context.Person, c.Evidence, c.CleanPoint)),
            _ => Reject("containment-not-planned", "No containment is planned that could be confirmed."),
        };

    public static Decision<Fact> Lift(Command.LiftContainment c, Nonconformity state, CommandContext context) =>
        state.Containment switch
        {
            ContainmentStage.Lifted => Accept(),
            ContainmentStage.InPlace => Accept(new Fact.ContainmentLifted(context.Person, c.Reason)),
            _ => Reject("containment-not-in-place", "No containment is in place that could be lifted."),
        };
}

/// <summary>The disposition track (§8.7.1): each quantity has its own line, its authority and its proof.</summary>
public static class Dispositions
{
    // Quantities may be weights: a sum of tenths must not exceed its whole by a rounding error.
    private const double RoundingShare = 1e-9;

    /// <summary>The id of the line that a command decides, the same at every retry.</summary>
    public static Guid LineIdOf(CommandContext context) => context.DeriveId("line");

    // G05, G06
    public static Decision<Fact> DecideLine(Command.DecideDisposition c, Nonconformity state, CommandContext context)
    {
        var lineId = LineIdOf(context);
        if (state.Lines.Any(line => line.LineId == lineId)) return Accept();
        var rules = context.Profile.Rules;
        var needsConcession = rules.ConcessionKinds.Contains(c.Kind);
        return c switch
        {
            { Quantity: <= 0 } => Reject("quantity-not-positive", "A disposition needs a quantity above zero."),
            _ when needsConcession && (c.ConcessionId is null || !c.IsDrawn) => Reject("concession-required",
                $"To {Verb(c.Kind)} it needs a concession for the lot and the quantity (G06, {context.Profile.Name})."),
            { ConcessionId: not null } when !needsConcession =>
                Reject("concession-not-applicable", "What conforms in the end needs no concession."),
            { Kind: DispositionKind.Rework or DispositionKind.Repair, Assessment: null } when rules.ReworkIsAssessed =>
                Reject("rework-not-assessed",
                    $"Name the instruction and the harm that the work could do ({context.Profile.Name})."),
            _ when state.LapsedLines.Contains(lineId) =>
                Reject("draw-lapsed", "The draw for this line was given back; decide it anew."),
            _ when !context.Actor.DispositionKinds.Contains(c.Kind) => Reject(
                "not-qualified", $"You are not qualified to decide {NonconformityRules.Words(c.Kind)}."),
            { Lot: { } lot } when state.Lots.Count > 0 && !state.Lots.Contains(lot) =>
                Reject("unknown-lot", $"The lot {lot} is not among the lots of this nonconformity."),
            _ when Exceeds(state, c.Quantity) => Reject("exceeds-affected-quantity",
                $"{state.AffectedQuantity:R} are affected and {Decided(state):R} of them are decided already."),
            _ => Accept(new Fact.DispositionDecided(lineId, c.Kind, c.Quantity, c.Lot, context.Person, c.Reason)
            {
                ConcessionId = c.ConcessionId, Assessment = c.Assessment,
            }),
        };
    }

    // Whichever of the two comes first on this stream, the decision or its giving up, the other is refused for ever.
    public static Decision<Fact> GiveUp(Command.GiveUpDraw c, Nonconformity state) => state switch
    {
        _ when state.LapsedLines.Contains(c.LineId) => Accept(),
        _ when Line(state, c.LineId) is not null => Reject("disposition-decided", "The line has been decided."),
        _ => Accept(new Fact.ConcessionDrawLapsed(c.LineId, c.ConcessionId)),
    };

    public static Decision<Fact> Execute(Command.ExecuteDisposition c, Nonconformity state, CommandContext context) =>
        Line(state, c.LineId) switch
        {
            null => UnknownLine(c.LineId),
            { Stage: DispositionStage.Decided, Kind: DispositionKind.Scrap }
                when context.Profile.Rules.ScrapIsProven && string.IsNullOrWhiteSpace(c.Destruction) => Reject(
                "scrap-not-proven", "Say how the scrap was destroyed or marked so that nobody can use it (G08)."),
            { Stage: DispositionStage.Decided } =>
                Accept(new Fact.DispositionExecuted(c.LineId, context.Person, c.Evidence)
                {
                    Destruction = c.Destruction,
                }),
            { Stage: DispositionStage.Executed } line when line.ExecutedBy == context.Person => Accept(),
            _ => Reject("already-executed", "This line has been carried out already."),
        };

    // G07. Whoever reworked does not judge whether the rework was good.
    public static Decision<Fact> Verify(Command.VerifyDisposition c, Nonconformity state, CommandContext context)
    {
        var failed = new Fact.DispositionFailedVerification(c.LineId, context.Person, c.Method, c.Result);
        return Line(state, c.LineId) switch
        {
            null => UnknownLine(c.LineId),
            { Stage: DispositionStage.Verified } when c.Passed => Accept(),
            { Stage: DispositionStage.Decided } line when !c.Passed && line.Failure == failed => Accept(),
            { Stage: DispositionStage.Executed } line when line.Executors.Contains(context.Person) =>
                Reject("self-verification", "Whoever carried out a line, now or before, cannot verify it."),
            { Stage: DispositionStage.Executed } when c.Passed =>
                Accept(new Fact.DispositionVerified(c.LineId, context.Person, c.Method, c.Result)),
            { Stage: DispositionStage.Executed } => Accept(failed),
            _ => Reject("not-executed", "Only a line that has been carried out can be verified."),
        };
    }

    public static bool AreTerminal(Nonconformity state) =>
        state.Lines.All(line => line.IsTerminal)
        && Decided(state) >= state.AffectedQuantity * (1 - RoundingShare);

    private static bool Exceeds(Nonconformity state, double quantity) =>
        Decided(state) + quantity > state.AffectedQuantity * (1 + RoundingShare);

    private static double Decided(Nonconformity state) => state.Lines.Sum(line => line.Quantity);

    private static DispositionLine? Line(Nonconformity state, Guid lineId) =>
        state.Lines.FirstOrDefault(line => line.LineId == lineId);

    private static Decision<Fact> UnknownLine(Guid lineId) =>
        Reject("unknown-line", $"There is no disposition line {lineId}.");

    private static string Verb(DispositionKind kind) =>
        kind == DispositionKind.UseAsIs ? "use as is" : NonconformityRules.Words(kind);
}

/// <summary>The cause decision (§10.2.1 b): whether corrective action is needed is itself recorded.</summary>
internal static class CauseDecision
{
    public static Decision<Fact> Require(Command.RequireCorrectiveAction c, Nonconformity state, CommandContext context)
    {
        if (state.Capas.Any(capa => c.CapaId is { } join
                ? capa.CapaId == join
                : capa.Link == CapaLink.Open && capa.Owner == c.CapaOwner && capa.Reason == c.Reason))
            return Accept();
        var number = state.Capas.Count + 1;
        return Accept(new Fact.CorrectiveActionRequired(
            c.CapaId ?? NewCapaId(context, number), c.CapaId is null ? CapaLink.Open : CapaLink.Join, number,
            c.CapaOwner, c.Reason, state.Site!, state.Title, state.Subject, state.CountWindowFrom, state.IsEscaped));
    }

    // G09. Too many CAPAs are a disease of the field, but a critical or a recurring fault is never too small for one.
    public static Decision<Fact> NotRequired(
        Command.DecideNoCorrectiveAction c, Nonconformity state, CommandContext context)
    {
        var isRecurring = state.SignatureCycle > 1;
        return state switch
        {
            { NoCorrectiveAction: not null } => Accept(),
            { Severity: Severity.Critical } =>
                Reject("corrective-action-mandatory", "A critical nonconformity needs corrective action."),
            _ when state.ActiveCapas.Any() =>
                Reject("corrective-action-decided", "Corrective action has been required already."),
            _ when isRecurring && string.IsNullOrWhiteSpace(c.OverrideReason) => Reject(
                "recurrence", $"This is case {state.SignatureCycle} of its subject: an approver must override that."),
            _ when isRecurring && !context.Actor.HoldsAny([Roles.Approver]) => Reject(
                "recurrence-needs-approver", "Only an approver may override the recurrence rule."),
            _ => Accept(new Fact.CorrectiveActionNotRequired(
                context.Person, c.Justification, isRecurring ? context.Person : null,
                isRecurring ? c.OverrideReason : null)),
        };
    }

    // The id is fixed by convention (nonconformity, n), so that whoever reacts computes the same.
    private static Guid NewCapaId(CommandContext context, int number)
    {
        var id = context.Seen.Stream.Replace(Families.Nonconformity.Prefix, "", StringComparison.Ordinal);
        return NameBasedId.From($"capa\n{id}\n{number}");
    }
}

/// <summary>Closing (G17): every track must be at its end, and the refusal names the first that is not.</summary>
internal static class Closing
{
    // G19. A correction left the signature behind; the corrected case is signed anew.
    public static Decision<Fact> SignAgain(Command.Close c, Nonconformity state, CommandContext context) =>
        state.SignatureIsSuperseded ? Close(c, state, context) : Accept();

    public static Decision<Fact> Close(Command.Close c, Nonconformity state, CommandContext context) => state switch
    {
        { Containment: not (ContainmentStage.NotNeeded or ContainmentStage.Lifted) } =>
            Reject("containment-open", "Containment is neither lifted nor decided not to be needed."),
        _ when !Dispositions.AreTerminal(state) => Reject("dispositions-open",
            "Part of the affected quantity has no disposition that was carried out, and verified where it was rework."),
        { Notice: CustomerNotice.Due } =>
            Reject("customer-notice-open", "The customer must be told and it is not confirmed that they were."),
        { Notice: CustomerNotice.Undecided } =>
            Reject("customer-notice-undecided", "It is not decided whether the customer must be told."),
        _ when state.NoCorrectiveAction is null && !state.ActiveCapas.Any() =>
            Reject("corrective-action-undecided", "It is not decided whether corrective action is needed."),
        _ when !context.Profile.Rules.CapasMayBeOpen
            && state.ActiveCapas.FirstOrDefault(capa => !capa.IsClosedEffective) is { } open => Reject(
            "capa-open", $"The CAPA {open.CapaId} is {NonconformityRules.Words(open.Stage)}, not closed as effective."),
        { Stage: not (NonconformityStage.Open or NonconformityStage.Closed) } => NonconformityRules.WrongStage(state),
        _ => Accept(new Fact.Closed(context.Person, context.Sign(SignatureMeaning.Approved))),
    };
}
