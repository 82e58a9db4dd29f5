using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Contracts.RootCauseEvent;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.RootCauseEvent>;

namespace CapaEngine.RootCauses.Domain;

/// <summary>Where an analysis stands.</summary>
public enum AnalysisStage { NotStarted, Open, InApproval, Approved }

/// <summary>Who judged a hypothesis, how, and on what evidence.</summary>
public sealed record Judgement(bool Holds, VerificationMethod Method, string Evidence, string Person);

/// <summary>A possible cause. It stays a hypothesis until somebody verifies or refutes it.</summary>
public sealed record Hypothesis(Guid Id, CauseKind Kind, string Code, string Statement, Judgement? Judgement = null)
{
    private const string HumanErrorCode = "human-error";

    public bool IsVerified => Judgement is { Holds: true };

    public bool IsHumanError =>
        Code == HumanErrorCode || Code.StartsWith(HumanErrorCode + ".", StringComparison.Ordinal);
}

/// <summary>The analysis of why a nonconformity happened, escaped and could happen (§10.2.1 b).</summary>
public sealed record RootCauseAnalysis
{
    /// <summary>Before the first event.</summary>
    public static readonly RootCauseAnalysis NotStarted = new();

    /// <summary>The rules of the family.</summary>
    public static readonly Decider<RootCauseAnalysis, RootCauseCommand, RootCauseEvent> Decider = new(
        Families.RootCause, NotStarted, Decide, Evolve, analysis => analysis.IsStarted ? analysis.Site : null);

    public AnalysisStage Stage { get; init; }
    public Guid CapaId { get; init; }
    public string Site { get; init; } = "";

    /// <summary>Everybody who has owned the CAPA; the last one owns it, none of them approves.</summary>
    public ValueList<string> Owners { get; init; } = [];

    public bool Escaped { get; init; }
    public int Cycle { get; init; } = 1;
    public Groundwork Groundwork { get; init; } = Groundwork.Empty;
    public ValueList<Hypothesis> Hypotheses { get; init; } = [];
    public CauseDeclaredUnknown? Unknown { get; init; }
    public ExtentChecked? Extent { get; init; }
    public Completed? Completion { get; init; }
    public SentBack? LastSendBack { get; init; }
    public string? ApprovedBy { get; init; }

    private bool IsStarted => Stage != AnalysisStage.NotStarted;

    private IEnumerable<Hypothesis> Verified => Hypotheses.Where(cause => cause.IsVerified);

    /// <summary>The id of the analysis that belongs to a CAPA; every cycle continues the same one.</summary>
    public static Guid IdFor(Guid capaId) => NameBasedId.From($"rootcause\n{capaId:D}");

    /// <summary>The state after one more fact.</summary>
    public static RootCauseAnalysis Evolve(RootCauseAnalysis analysis, RootCauseEvent fact) => fact switch
    {
        Started e => NotStarted with
        {
            Stage = AnalysisStage.Open, CapaId = e.CapaId, Site = e.Site, Owners = [e.Owner], Escaped = e.Escaped,
        },
        OwnerChanged e => analysis with { Owners = analysis.Owners.Add(e.Owner) },
        CauseProposed e => analysis with
        {
            Hypotheses = analysis.Hypotheses.Add(new Hypothesis(e.CauseId, e.Kind, e.Code, e.Statement)),
        },
        CauseVerified e => analysis.Judge(e.CauseId, new Judgement(true, e.Method, e.Evidence, e.VerifiedBy)),
        CauseRefuted e => analysis.Judge(e.CauseId, new Judgement(false, e.Method, e.Evidence, e.RefutedBy)),
        CauseDeclaredUnknown e => analysis with { Unknown = e },
        ExtentChecked e => analysis with { Extent = e },
        Completed e => analysis with { Stage = AnalysisStage.InApproval, Completion = e },
        SentBack e => analysis with { Stage = AnalysisStage.Open, Completion = null, LastSendBack = e },
        Approved e => analysis with { Stage = AnalysisStage.Approved, ApprovedBy = e.ApprovedBy },
        Reopened e => analysis.BeginCycle(e.Cycle),
        _ => analysis with { Groundwork = Groundwork.Evolve(analysis.Groundwork, fact) },
    };

    /// <summary>The rules, read as a decision table.</summary>
    public static Decision<RootCauseEvent> Decide(
        RootCauseCommand command, RootCauseAnalysis analysis, CommandContext context) =>
        (analysis.Stage, command) switch
        {
            (AnalysisStage.NotStarted, RootCauseCommand.Start c) => Accept(new Started(
                c.CapaId, c.NonconformityId, c.Site, c.Owner, c.Problem, c.Subject, c.Escaped)),
            (AnalysisStage.NotStarted, _) => NotFound(),
            (_, RootCauseCommand.Start c) when c.CapaId == analysis.CapaId => Accept(),

            (_, RootCauseCommand.ChangeOwner c) => analysis.Owners[^1] == c.Owner
                ? Accept()
                : Accept(new OwnerChanged(c.Owner)),

            (AnalysisStage.Open, RootCauseCommand.ProposeCause c) => Propose(c, analysis, context),
            (AnalysisStage.Open, RootCauseCommand.VerifyCause c) =>
                Judge(c.CauseId, new Judgement(true, c.Method, c.Evidence, context.Person), analysis),
            (AnalysisStage.Open, RootCauseCommand.RefuteCause c) =>
                Judge(c.CauseId, new Judgement(false, c.Method, c.Evidence, context.Person), analysis),
            (AnalysisStage.Open, RootCauseCommand.DeclareCauseUnknown c) => DeclareUnknown(c, analysis, context),
            // Also after the approval: planning waits for it, and what was signed does not change by it.
            (AnalysisStage.Open or AnalysisStage.Approved, RootCauseCommand.CheckExtent c) =>
                CheckExtent(c, analysis, context),
            (AnalysisStage.Open, RootCauseCommand.Complete c) => Complete(c, analysis, context),
            (AnalysisStage.InApproval, RootCauseCommand.Complete c)
                when analysis.Completion == CompletedBy(c, context) => Accept(),

            (AnalysisStage.InApproval, RootCauseCommand.SendBack c) => Accept(new SentBack(context.Person, c.Reason)),
            (AnalysisStage.Open, RootCauseCommand.SendBack c)
                when analysis.LastSendBack == new SentBack(context.Person, c.Reason) => Accept(),
            (AnalysisStage.InApproval, RootCauseCommand.Approve) => Approve(analysis, context),
            (AnalysisStage.Approved, RootCauseCommand.Approve) when analysis.ApprovedBy == context.Person => Accept(),

            (_, RootCauseCommand.Reopen c) when c.Cycle <= analysis.Cycle => Accept(),
            (AnalysisStage.Approved, RootCauseCommand.Reopen c) when c.Cycle == analysis.Cycle + 1 =>
                Accept(new Reopened(c.Cycle, c.Reason)),

            (AnalysisStage.Open, _) when Groundwork.Decide(command, analysis.Groundwork, context) is { } decided =>
                decided,
            _ => Reject("wrong-stage", $"Not possible while the analysis is {Words(analysis.Stage)}."),
        };

    private static Decision<RootCauseEvent> Propose(
        RootCauseCommand.ProposeCause c, RootCauseAnalysis analysis, CommandContext context)
    {
        var id = context.DeriveId("cause");
        if (analysis.Find(id) is not null) return Accept();
        if (analysis.Hypotheses.Any(cause => cause.Kind == c.Kind && cause.Statement == c.Statement))
            return Reject("already-proposed", "The same cause has been proposed before.");
        if (c.Codes is { } codes && !codes.Allows(c.Code))
            return Reject("unknown-cause-code", $"The cause codes of version {codes.Version} hold no '{c.Code}'.");
        if (analysis.Groundwork.WhyGroundless(c) is { } groundless) return groundless;
        var chain = c.WhyId is { } whyId ? analysis.Groundwork.ChainTo(whyId)! : c.WhyChain;
        return Accept(new CauseProposed(id, c.Kind, c.Code, c.Statement, chain, context.Person)
        {
            WhyId = c.WhyId, FactorId = c.FactorId,
        });
    }

    private static Decision<RootCauseEvent> Judge(Guid causeId, Judgement judgement, RootCauseAnalysis analysis)
    {
        if (analysis.Find(causeId) is not { } cause)
            return Reject("unknown-cause", "This analysis has no such cause.");
        if (cause.Judgement == judgement) return Accept();
        // A refuted hypothesis stays refuted: whoever finds new evidence proposes it anew, and both stay readable.
        if (cause.Judgement is not null)
            return Reject("already-judged", "The cause has been verified or refuted before.");
        return Accept(judgement.Holds
            ? new CauseVerified(causeId, judgement.Method, judgement.Evidence, judgement.Person)
            : new CauseRefuted(causeId, judgement.Method, judgement.Evidence, judgement.Person));
    }

    private static Decision<RootCauseEvent> DeclareUnknown(
        RootCauseCommand.DeclareCauseUnknown c, RootCauseAnalysis analysis, CommandContext context)
    {
        var declared = new CauseDeclaredUnknown(c.Justification, context.Person);
        if (analysis.Unknown == declared) return Accept();
        return analysis.HasVerified(CauseKind.Occurrence)
            ? Reject("cause-is-verified", "A cause of the occurrence is verified; it is not unknown.")
            : Accept(declared);
    }

    private static Decision<RootCauseEvent> CheckExtent(
        RootCauseCommand.CheckExtent c, RootCauseAnalysis analysis, CommandContext context)
    {
        if (c.Hits.Any(hit => string.IsNullOrWhiteSpace(hit.Reference) || string.IsNullOrWhiteSpace(hit.Reason)))
            return Reject("hit-incomplete", "Each similar case needs its reference and the reason of the decision.");
        var extent = new ExtentChecked(c.Query, c.Hits, context.Person);
        return analysis.Extent == extent ? Accept() : Accept(extent);
    }

    // G10.
    private static Decision<RootCauseEvent> Complete(
        RootCauseCommand.Complete c, RootCauseAnalysis analysis, CommandContext context)
    {
        if (context.Person != analysis.Owners[^1])
            return Reject("not-the-owner", "Only the owner of the CAPA completes its analysis.");
        if (!analysis.HasVerified(CauseKind.Occurrence) && analysis.Unknown is null)
            return Reject("no-verified-cause", "A verified cause of the occurrence or a justified unknown is due.");
        if (analysis.Escaped && !analysis.HasVerified(CauseKind.Escape))
            return Reject("no-escape-cause", "It reached the customer: why it escaped must be verified, too.");
        if (analysis.HumanErrorAlone && string.IsNullOrWhiteSpace(c.HumanErrorReason))
            return Reject("human-error-alone", "Human error alone is accepted as the cause only with a reason.");
        if (context.Profile.Rules.HumanFactorsAreConsidered && string.IsNullOrWhiteSpace(c.HumanFactors))
            return Reject(
                "human-factors-missing", $"What part human factors had is to be said ({context.Profile.Name}).");
        return Accept(CompletedBy(c, context));
    }

    private static Completed CompletedBy(RootCauseCommand.Complete c, CommandContext context) =>
        new(context.Person, c.HumanErrorReason) { HumanFactors = c.HumanFactors };

    private static Decision<RootCauseEvent> Approve(RootCauseAnalysis analysis, CommandContext context)
    {
        if (analysis.Owners.Contains(context.Person) || context.Person == analysis.Completion?.CompletedBy
            || analysis.Verified.Any(cause => cause.Judgement?.Person == context.Person))
            return Reject("self-approval", "Whoever owned, completed or verified the analysis cannot approve it.");
        return Accept(new Approved(
            analysis.CapaId, analysis.Cycle, context.Person,
            analysis.Verified.Select(cause => new VerifiedCause(cause.Id, cause.Kind, cause.Code, cause.Statement))
                .ToValueList(),
            analysis.Extent is not null, context.Sign(SignatureMeaning.Approved)));
    }

    private Hypothesis? Find(Guid causeId) => Hypotheses.FirstOrDefault(cause => cause.Id == causeId);

    private bool HasVerified(CauseKind kind) => Verified.Any(cause => cause.Kind == kind);

    // An escape cause explains why it got out, not why it happened, so it does not lift this.
    private bool HumanErrorAlone =>
        HasVerified(CauseKind.Occurrence)
        && Verified.Where(cause => cause.Kind != CauseKind.Escape).All(cause => cause.IsHumanError);

    private RootCauseAnalysis Judge(Guid causeId, Judgement judgement)
    {
        var judged = this with
        {
            Hypotheses = Hypotheses.Replace(
                cause => cause.Id == causeId, cause => cause with { Judgement = judgement }),
        };
        return judged.HasVerified(CauseKind.Occurrence) ? judged with { Unknown = null } : judged;
    }

    // Action on the verified causes did not help, so they are hypotheses again; what was refuted stays refuted.
    private RootCauseAnalysis BeginCycle(int cycle) => this with
    {
        Stage = AnalysisStage.Open, Cycle = cycle, Unknown = null, Extent = null, Completion = null,
        LastSendBack = null, ApprovedBy = null,
        Hypotheses = Hypotheses.Replace(cause => cause.IsVerified, cause => cause with { Judgement = null }),
    };

    private static string Words(AnalysisStage stage) => stage switch
    {
        AnalysisStage.Open => "open",
        AnalysisStage.InApproval => "in approval",
        AnalysisStage.Approved => "approved",
        _ => "not started",
    };
}
