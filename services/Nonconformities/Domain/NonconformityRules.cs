using System.Globalization;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.NonconformityEvent>;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;
using Fact = CapaEngine.Contracts.NonconformityEvent;
using Stage = CapaEngine.Nonconformities.Domain.NonconformityStage;

namespace CapaEngine.Nonconformities.Domain;

/// <summary>The rules of a nonconformity. Read the switch as the decision table that it is.</summary>
public static class NonconformityRules
{
    private const int DeviationsPerFactMax = 500;
    private static readonly TimeSpan ClockSkewMax = TimeSpan.FromMinutes(5);

    /// <summary>What follows from the command, or why it is refused.</summary>
    public static Decision<Fact> Decide(Command command, Nonconformity state, CommandContext context) =>
        (state.Stage, command) switch
        {
            (Stage.NotReported, Command.Report c) => Report(c, context),
            (Stage.NotReported, Command.OpenByPolicy c) => OpenByPolicy(c, context),
            (Stage.NotReported, _) => NotFound(),
            (_, Command.Report or Command.OpenByPolicy) => Accept(),
            _ when state.SourceSystem is { } source => DecideImported(command, state, source, context),

            // Facts of machines and of other services are taken whatever the stage. A deviation belongs to the case
            // that was open when it entered the log, even if the case closed before it could be attached.
            (_, Command.AttachDeviations c) => Accept(Attached(c.Deviations, state)),
            (_, Command.NoteCapaStage c) => NoteCapaStage(c, state),
            (_, Command.GiveUpDraw c) => Dispositions.GiveUp(c, state),

            (_, Command.GiveUpMerge c) => Merging.GiveUp(c, state),
            (_, Command.PrepareMerge c) => Merging.Prepare(c, state),
            (_, Command.AbsorbDuplicate c) => Merging.Absorb(c, state),
            (_, Command.AbandonMerge c) => Merging.Abandon(c, state),

            (Stage.Rejected, Command.Reject) or (Stage.Withdrawn, Command.Withdraw) => Accept(),
            (Stage.Closed, Command.Close c) => Closing.SignAgain(c, state, context),
            (Stage.Merged, Command.Merge c) when state.MergedInto!.IntoId == c.IntoId => Accept(),
            (_, Command.Reopen c) => Ending.Reopen(c, state, context),
            (Stage.Rejected or Stage.Withdrawn or Stage.Merged, _) => WrongStage(state),
            (_, Command.Correct c) => Ending.Correct(c, state, context),
            (Stage.Closed, _) => WrongStage(state),

            (_, Command.Reject or Command.Withdraw or Command.Merge or Command.Close)
                when !state.Incoming.IsEmpty => Merging.InProgress(),
            (_, Command.Withdraw c) => Ending.Withdraw(c, state, context),
            (_, Command.Merge c) => Merging.Merge(c, state, context),

            (_, Command.Accept c) => AcceptForReview(c, state, context),
            (_, Command.Reject c) => RejectAsUnfounded(c, state, context),
            (_, Command.PlanContainment c) => Containment.Plan(c, state),
            (_, Command.DecideContainmentNotNeeded c) => Containment.NotNeeded(c, state),
            (_, Command.ConfirmContainment c) => Containment.Confirm(c, state, context),
            (_, Command.LiftContainment c) => Containment.Lift(c, state, context),
            (_, Command.CompleteReview) => CompleteReview(state, context),

            (_, Command.DecideCustomerNoticeNotNeeded c) => NoticeNotNeeded(c, state, context),
            (_, Command.RequireCustomerNotice c) => RequireNotice(c, state, context),
            (_, Command.ConfirmCustomerInformed c) => ConfirmInformed(c, state, context),

            (_, Command.Close c) => Closing.Close(c, state, context),

            (Stage.Reported or Stage.UnderReview, _) => WrongStage(state),
            (_, Command.DecideDisposition c) => Dispositions.DecideLine(c, state, context),
            (_, Command.ExecuteDisposition c) => Dispositions.Execute(c, state, context),
            (_, Command.VerifyDisposition c) => Dispositions.Verify(c, state, context),
            (_, Command.RequireCorrectiveAction c) => CauseDecision.Require(c, state, context),
            (_, Command.DecideNoCorrectiveAction c) => CauseDecision.NotRequired(c, state, context),
            _ => WrongStage(state),
        };

    // What another system did is neither signed nor undone here: whoever has to act on it reports a case of their own.
    private static Decision<Fact> DecideImported(
        Command command, Nonconformity state, string source, CommandContext context) => command switch
    {
        Command.Correct c => Ending.Correct(c, state, context),
        Command.PrepareMerge =>
            Reject("target-imported", $"The other case was imported from {source} and takes in no duplicates."),
        _ => Reject("imported", $"The case was imported from {source}; it can be corrected, and nothing else."),
    };

    /// <summary>The answer where a command does not fit the stage of the case.</summary>
    internal static Decision<Fact> WrongStage(Nonconformity state) =>
        Reject("wrong-stage", $"This is not possible while the nonconformity is {Words(state.Stage)}.");

    // G01
    private static Decision<Fact> Report(Command.Report c, CommandContext context) => c switch
    {
        _ when !Requirements.IsNamed(c.Requirement) => Requirements.Missing<Fact>(),
        _ when c.DetectedAt > context.Now + ClockSkewMax =>
            Reject("detected-in-the-future", "It cannot have been detected in the future."),
        _ when c.Subject is { } subject && subject.Site != c.Site =>
            Reject("subject-elsewhere", $"The subject belongs to the site {subject.Site}."),
        _ when c.Subject is { Characteristic: null, DefectCode: null } =>
            Reject("subject-incomplete", "The subject names neither a characteristic nor a defect code."),
        { Source: NonconformitySource.Supplier } when string.IsNullOrWhiteSpace(c.Supplier) =>
            Reject("supplier-missing", "Name the supplier whose delivery it is about."),
        _ when Sources.RefuseFinding(c) is { } refusal => refusal,
        _ => Accept(new Fact.Reported(
            c.Site, c.Title, c.Description, c.Requirement, c.Source, c.DetectionStage, c.Product, c.Process,
            c.Lots ?? [], c.AffectedQuantity, c.Unit, c.Severity, c.DetectedAt, context.Person, c.Subject,
            c.SignatureCycle, PolicyVersion: null, CountWindowFrom: null)
        {
            Serials = c.Serials is { Count: > 0 } ? c.Serials : null, Finding = c.Finding, Supplier = c.Supplier,
        }),
    };

    private static Decision<Fact> OpenByPolicy(Command.OpenByPolicy c, CommandContext context)
    {
        var reported = new Fact.Reported(
            c.Subject.Site, c.Title, c.Description, c.Requirement, NonconformitySource.ProcessMonitoring,
            DetectionStage.InProcess, c.Subject.Product, c.Subject.Process, c.Lots, c.AffectedQuantity, c.Unit,
            c.Severity, c.Deviations.Max(deviation => deviation.DetectedAt), context.Person, c.Subject,
            c.SignatureCycle, c.PolicyVersion, c.WindowFrom);
        return Accept([reported, .. Attached(c.Deviations, Nonconformity.NotReported)]);
    }

    internal static Fact[] Attached(ValueList<CountedDeviation> deviations, Nonconformity state) =>
    [
        .. deviations.Where(deviation => !state.Deviations.ContainsKey(deviation.Id))
            .DistinctBy(deviation => deviation.Id)
            .Chunk(DeviationsPerFactMax).Select(chunk => new Fact.DeviationsAttached(
                chunk.Select(deviation => deviation.Id).ToValueList(),
                chunk.Min(deviation => deviation.DetectedAt), chunk.Max(deviation => deviation.DetectedAt))),
    ];

    // G02. A grave case needs a deadline for containment, unless containment was decided at once.
    private static Decision<Fact> AcceptForReview(Command.Accept c, Nonconformity state, CommandContext context)
    {
        if (state.Stage == Stage.UnderReview && state.Severity == c.Severity
            && state.ContainmentDueHours == c.ContainmentDueHours) return Accept();
        if (state.Stage != Stage.Reported) return WrongStage(state);
        if (c.Severity >= Severity.Major && c.ContainmentDueHours is null
            && state.Containment == ContainmentStage.Undecided)
            return Reject("containment-deadline-missing",
                $"A {Words(c.Severity)} nonconformity needs a deadline for containment, in hours.");
        return Accept(new Fact.Accepted(context.Person, c.Severity, c.ContainmentDueHours));
    }

    // G02. Nobody dismisses their own report, and a case with goods on hold is not unfounded.
    private static Decision<Fact> RejectAsUnfounded(Command.Reject c, Nonconformity state, CommandContext context) =>
        state switch
        {
            { Stage: Stage.Open } => WrongStage(state),
            _ when context.Person == state.ReportedBy =>
                Reject("self-rejection", "Whoever reported the nonconformity cannot reject it."),
            { Containment: ContainmentStage.InPlace } =>
                Reject("containment-in-place", "Containment is in place: lift it before rejecting the report."),
            _ => Accept(new Fact.Rejected(context.Person, c.Reason)),
        };

    // G03
    private static Decision<Fact> CompleteReview(Nonconformity state, CommandContext context) => state switch
    {
        { Stage: Stage.Open } => Accept(),
        { Stage: Stage.Reported } => WrongStage(state),
        { Containment: ContainmentStage.Undecided } =>
            Reject("containment-undecided", "Containment is neither planned nor decided not to be needed."),
        _ => Accept(new Fact.ReviewCompleted(context.Person)),
    };

    // What left the house concerns the customer (§8.7.1): whether to tell is a decision there, and not a small one.
    private static Decision<Fact> NoticeNotNeeded(
        Command.DecideCustomerNoticeNotNeeded c, Nonconformity state, CommandContext context) => state switch
        {
            { Notice: CustomerNotice.NotNeeded } => Accept(),
            { Notice: CustomerNotice.Sent } => Reject("customer-informed", "The customer has been told already."),
            { IsEscaped: true } when context.Profile.Rules.EscapeNoticeIsMandatory => Reject(
                "customer-notice-mandatory",
                $"It was detected {Words(state.DetectionStage)}: tell the customer ({context.Profile.Name})."),
            { IsEscaped: true } when !context.Actor.HoldsAny([Roles.Approver]) => Reject(
                "waiver-needs-approver",
                $"It was detected {Words(state.DetectionStage)}: only an approver may decide not to tell."),
            _ => Accept(new Fact.CustomerNoticeNotNeeded(c.Justification)
            {
                WaivedBy = state.IsEscaped ? context.Person : null,
            }),
        };

    private static Decision<Fact> RequireNotice(
        Command.RequireCustomerNotice c, Nonconformity state, CommandContext context) => state.Notice switch
        {
            CustomerNotice.Due => Accept(),
            CustomerNotice.Sent => Reject("customer-informed", "The customer has been told already."),
            _ when state.IsEscaped && context.Profile.Rules.EscapeNoticeDaysMax is { } days
                && c.DueOn > DateOnly.FromDateTime(context.Now.UtcDateTime).AddDays(days) => Reject(
                "notice-too-late", $"The customer is told within {days} days ({context.Profile.Name})."),
            _ => Accept(new Fact.CustomerNoticeRequired(c.DueOn)),
        };

    private static Decision<Fact> ConfirmInformed(
        Command.ConfirmCustomerInformed c, Nonconformity state, CommandContext context) => state.Notice switch
        {
            CustomerNotice.Sent => Accept(),
            CustomerNotice.Due => Accept(new Fact.CustomerInformed(context.Person, c.Reference)),
            _ => Reject("customer-notice-not-due", "It was not decided that the customer must be told."),
        };

    private static Decision<Fact> NoteCapaStage(Command.NoteCapaStage c, Nonconformity state) =>
        state.Capas.FirstOrDefault(capa => capa.CapaId == c.CapaId) switch
        {
            null => Reject("unknown-capa", $"The CAPA {c.CapaId} is not linked to this nonconformity."),
            var capa when capa.Stage == c.Stage && capa.Cycle == c.Cycle && capa.Verdict == c.Verdict => Accept(),
            _ => Accept(new Fact.CapaStageNoted(c.CapaId, c.Stage, c.Cycle, c.Verdict)),
        };

    /// <summary>An enumeration's value as words in a sentence.</summary>
    internal static string Words<TEnum>(TEnum value) where TEnum : struct, Enum => string.Concat(
        value.ToString().Select((letter, index) => char.IsUpper(letter)
            ? (index == 0 ? "" : " ") + char.ToLower(letter, CultureInfo.InvariantCulture) : letter.ToString()));
}
