using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Reports;

/// <summary>Composes D1: the persons the events name, and in which part.</summary>
internal static partial class EightDReports
{
    // Services act too, but are on no team.
    private const string ServicePrefix = "service:";

    private static Team TeamOf(CapaFacts facts)
    {
        var members = facts.History.All.SelectMany(one => PartsIn(one.Fact))
            .Where(part => !part.Person.StartsWith(ServicePrefix, StringComparison.Ordinal))
            .GroupBy(part => part.Person, StringComparer.Ordinal)
            .Select(parts => new TeamMember(
                parts.Key, [.. parts.Select(part => part.Part).Distinct(StringComparer.Ordinal)]))
            .OrderByDescending(member => member.PersonId == facts.Row.Owner)
            .ThenBy(member => member.PersonId, StringComparer.Ordinal)
            .ToList();
        return new Team(facts.Row.Owner, members, []);
    }

    private static (string Person, string Part)[] PartsIn(object fact) => fact switch
    {
        NonconformityEvent f => PartsIn(f),
        RootCauseEvent f => PartsIn(f),
        ActionPlanEvent f => PartsIn(f),
        EffectivenessEvent.Evaluated f => [(f.EvaluatedBy, "evaluated the effectiveness")],
        EffectivenessEvent.SuccessRunEvaluated f => [(f.EvaluatedBy, "evaluated the effectiveness")],
        EffectivenessEvent.Approved f => [(f.ApprovedBy, "decided the verdict")],
        _ => [],
    };

    private static (string Person, string Part)[] PartsIn(NonconformityEvent fact) => fact switch
    {
        NonconformityEvent.Reported f => [(f.ReportedBy, "reported")],
        NonconformityEvent.Accepted f => [(f.AcceptedBy, "accepted the nonconformity")],
        NonconformityEvent.ReviewCompleted f => [(f.ReviewedBy, "reviewed the nonconformity")],
        NonconformityEvent.ContainmentConfirmed f => [(f.ConfirmedBy, "verified the containment")],
        NonconformityEvent.ContainmentLifted f => [(f.LiftedBy, "lifted the containment")],
        NonconformityEvent.DispositionDecided f => [(f.AuthorityId, "decided on material")],
        NonconformityEvent.DispositionExecuted f => [(f.ExecutedBy, "carried out dispositions")],
        NonconformityEvent.DispositionVerified f => [(f.VerifiedBy, "verified dispositions")],
        NonconformityEvent.CustomerInformed f => [(f.InformedBy, "informed the customer")],
        NonconformityEvent.Closed f => [(f.ClosedBy, "closed the nonconformity")],
        _ => [],
    };

    private static (string Person, string Part)[] PartsIn(RootCauseEvent fact) => fact switch
    {
        RootCauseEvent.Started f => [(f.Owner, "owned the analysis")],
        RootCauseEvent.OwnerChanged f => [(f.Owner, "owned the analysis")],
        RootCauseEvent.FactorNoted f => [(f.NotedBy, "worked on the analysis")],
        RootCauseEvent.WhyAnswered f => [(f.AnsweredBy, "worked on the analysis")],
        RootCauseEvent.ContrastNoted f => [(f.NotedBy, "worked on the analysis")],
        RootCauseEvent.CauseProposed f => [(f.ProposedBy, "worked on the analysis")],
        RootCauseEvent.CauseVerified f => [(f.VerifiedBy, "verified causes")],
        RootCauseEvent.CauseRefuted f => [(f.RefutedBy, "refuted causes")],
        RootCauseEvent.ExtentChecked f => [(f.CheckedBy, "checked the extent")],
        RootCauseEvent.Approved f => [(f.ApprovedBy, "approved the analysis")],
        _ => [],
    };

    private static (string Person, string Part)[] PartsIn(ActionPlanEvent fact) => fact switch
    {
        ActionPlanEvent.Opened f => [(f.Owner, "owned the CAPA")],
        ActionPlanEvent.OwnerChanged f => [(f.Owner, "owned the CAPA")],
        ActionPlanEvent.ActionPlanned f => [(f.Owner, "owned actions")],
        ActionPlanEvent.ActionOwnerChanged f => [(f.Owner, "owned actions")],
        ActionPlanEvent.AdverseEffectsChecked f => [(f.CheckedBy, "checked for adverse effects")],
        ActionPlanEvent.ActionCompleted f => [(f.CompletedBy, "carried out actions")],
        ActionPlanEvent.ActionVerified f => [(f.VerifiedBy, "verified actions")],
        ActionPlanEvent.DeploymentAnswered f => [(f.AnsweredBy, "carried it over")],
        ActionPlanEvent.Approved f => [(f.ApprovedBy, "approved the plan")],
        ActionPlanEvent.CriteriaChanged f => [(f.ApprovedBy, "approved the criteria")],
        ActionPlanEvent.Closed f => [(f.ClosedBy, "closed the CAPA")],
        _ => [],
    };
}
