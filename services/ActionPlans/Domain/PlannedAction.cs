using CapaEngine.Contracts;

namespace CapaEngine.ActionPlans.Domain;

/// <summary>How far an action is.</summary>
public enum ActionStatus { Planned, InProgress, Done, Verified, Cancelled }

/// <summary>An action of the plan.</summary>
/// <param name="People">Everybody who has owned it or worked on it: none of them judges it.</param>
/// <param name="DueOn">The due date in force; the one first planned stays in the log and in the reports.</param>
/// <param name="LastFact">The last fact on it, by which a resend is told from a second attempt.</param>
public sealed record PlannedAction(
    Guid Id, int Cycle, string Owner, ValueList<string> People, ValueList<Guid> Causes, DateOnly DueOn,
    ActionStatus Status, ActionPlanEvent LastFact)
{
    /// <summary>The last request for a later due date, or what became of it; null where nobody asked.</summary>
    public ActionPlanEvent? Extension { get; init; }

    /// <summary>The action as it was planned.</summary>
    public static PlannedAction From(ActionPlanEvent.ActionPlanned fact, int cycle) => new(
        fact.ActionId, cycle, fact.Owner, [fact.Owner], fact.Causes, fact.DueOn, ActionStatus.Planned, fact);
}
