namespace CapaEngine.Contracts;

/// <summary>The analysis of why: hypotheses, verification, extent, approval (§10.2.1 b2, b3).</summary>
public abstract record RootCauseEvent
{
    private RootCauseEvent() { }

    /// <summary>The analysis of a CAPA began.</summary>
    [EventType("rootcause.started.v1")]
    public sealed record Started(
        Guid CapaId, Guid? NonconformityId, string Site, string Owner, string Problem, DeviationSubject? Subject,
        bool Escaped)
        : RootCauseEvent;

    /// <summary>The CAPA went to another owner, and with it its analysis.</summary>
    [EventType("rootcause.owner-changed.v1")]
    public sealed record OwnerChanged(string Owner) : RootCauseEvent;

    /// <summary>The categories of the cause-and-effect diagram were chosen instead of the usual six.</summary>
    [EventType("rootcause.categories-chosen.v1")]
    public sealed record CategoriesChosen(ValueList<string> Categories, string ChosenBy) : RootCauseEvent;

    /// <summary>A possible influence was noted under its category (Ishikawa).</summary>
    [EventType("rootcause.factor-noted.v1")]
    public sealed record FactorNoted(Guid FactorId, string Category, string Statement, string NotedBy)
        : RootCauseEvent;

    /// <summary>Somebody asked "why?" and answered.</summary>
    /// <param name="AsksAfter">The answer that was asked after; null asks after the problem itself.</param>
    [EventType("rootcause.why-answered.v1")]
    public sealed record WhyAnswered(Guid WhyId, Guid? AsksAfter, string Answer, string AnsweredBy) : RootCauseEvent;

    /// <summary>Where the problem is and where it could be but is not, and what sets the two apart.</summary>
    [EventType("rootcause.contrast-noted.v1")]
    public sealed record ContrastNoted(
        ContrastAspect Aspect, string Is, string IsNot, string Distinction, string NotedBy) : RootCauseEvent;

    /// <summary>A cause was proposed; a hypothesis until verified.</summary>
    /// <param name="Code">A cause code such as <c>machine.wear</c> or <c>human-error</c>.</param>
    /// <param name="WhyChain">The answers to "why?", from the effect towards the cause.</param>
    [EventType("rootcause.cause-proposed.v1")]
    public sealed record CauseProposed(
        Guid CauseId, CauseKind Kind, string Code, string Statement, ValueList<string> WhyChain, string ProposedBy)
        : RootCauseEvent
    {
        /// <summary>The answer it follows from, where it came out of a structured chain.</summary>
        public Guid? WhyId { get; init; }

        /// <summary>The influence it follows from, where it came out of a diagram.</summary>
        public Guid? FactorId { get; init; }
    }

    /// <summary>A hypothesis was verified.</summary>
    [EventType("rootcause.cause-verified.v1")]
    public sealed record CauseVerified(Guid CauseId, VerificationMethod Method, string Evidence, string VerifiedBy)
        : RootCauseEvent;

    /// <summary>A hypothesis was refuted; it stays readable.</summary>
    [EventType("rootcause.cause-refuted.v1")]
    public sealed record CauseRefuted(Guid CauseId, VerificationMethod Method, string Evidence, string RefutedBy)
        : RootCauseEvent;

    /// <summary>The cause could not be determined, with its justification.</summary>
    [EventType("rootcause.cause-declared-unknown.v1")]
    public sealed record CauseDeclaredUnknown(string Justification, string DeclaredBy) : RootCauseEvent;

    /// <summary>Whether similar nonconformities exist or could occur was checked.</summary>
    [EventType("rootcause.extent-checked.v1")]
    public sealed record ExtentChecked(string Query, ValueList<ExtentHit> Hits, string CheckedBy) : RootCauseEvent;

    /// <summary>The analysis is complete and awaits approval (G10).</summary>
    /// <param name="HumanErrorReason">Why human error alone is accepted as the cause, if it is.</param>
    [EventType("rootcause.completed.v1")]
    public sealed record Completed(string CompletedBy, string? HumanErrorReason) : RootCauseEvent
    {
        /// <summary>What part human factors had; null where nobody asked (AS9100 §10.2.1).</summary>
        public string? HumanFactors { get; init; }
    }

    /// <summary>The analysis was sent back.</summary>
    [EventType("rootcause.sent-back.v1")]
    public sealed record SentBack(string SentBackBy, string Reason) : RootCauseEvent;

    /// <summary>Another person approved the analysis. Carries what the action plan needs of it.</summary>
    [EventType("rootcause.approved.v1")]
    public sealed record Approved(
        Guid CapaId, int Cycle, string ApprovedBy, ValueList<VerifiedCause> Causes, bool ExtentIsChecked,
        Signature Signature) : RootCauseEvent;

    /// <summary>The action was ineffective, so the analysis is open again for the next cycle.</summary>
    [EventType("rootcause.reopened.v1")]
    public sealed record Reopened(int Cycle, string Reason) : RootCauseEvent;
}

/// <summary>One similar case found by an extent check, and what was decided on it.</summary>
public sealed record ExtentHit(string Reference, ExtentDecision Decision, string Reason);

/// <summary>A cause that was verified, as action plans refer to it.</summary>
public sealed record VerifiedCause(Guid CauseId, CauseKind Kind, string Code, string Statement);
