using CapaEngine.Contracts;
using Plan = CapaEngine.Contracts.ActionPlanEvent;

namespace CapaEngine.Verify.Effects;

/// <summary>A CAPA as far as others are told of it.</summary>
internal sealed class PlanSeen(string stream)
{
    /// <summary>Its stream.</summary>
    public string Stream { get; } = stream;

    /// <summary>Who owns it.</summary>
    public string? Owner { get; private set; }

    /// <summary>The nonconformities it serves.</summary>
    public HashSet<Guid> Serves { get; } = [];

    /// <summary>Where it stands.</summary>
    public PlanStage Stage { get; private set; }

    /// <summary>Which attempt it is, from 1.</summary>
    public int Cycle { get; private set; } = 1;

    /// <summary>The last verdict.</summary>
    public Verdict? Verdict { get; private set; }

    /// <summary>Takes the next event of its stream.</summary>
    public void Take(Plan fact)
    {
        switch (fact)
        {
            case Plan.Opened opened:
                Owner = opened.Owner;
                if (opened.NonconformityId is { } first) Serves.Add(first);
                break;
            case Plan.NonconformityJoined joined:
                Serves.Add(joined.NonconformityId);
                break;
            case Plan.OwnerChanged changed:
                Owner = changed.Owner;
                break;
            case Plan.CycleStarted started:
                Cycle = started.Cycle;
                break;
            case Plan.VerdictReceived received:
                Verdict = received.Verdict;
                break;
            case Plan.Closed:
                Verdict = Contracts.Verdict.Effective;
                break;
        }

        Stage = StageAfter(fact);
    }

    private PlanStage StageAfter(Plan fact) => fact switch
    {
        Plan.Opened or Plan.CycleStarted => PlanStage.AwaitingCause,
        Plan.CausesReceived or Plan.SentBack => PlanStage.Planning,
        Plan.Submitted => PlanStage.PlanInApproval,
        Plan.Approved => PlanStage.Implementing,
        Plan.MonitoringStarted or Plan.VerdictReceived { Verdict: Contracts.Verdict.Inconclusive } =>
            PlanStage.Monitoring,
        Plan.EffectivenessReviewStarted => PlanStage.InEffectivenessReview,
        Plan.Closed => PlanStage.Closed,
        Plan.Cancelled => PlanStage.Cancelled,
        _ => Stage,
    };
}
