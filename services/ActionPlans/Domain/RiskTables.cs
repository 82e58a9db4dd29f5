using CapaEngine.Contracts;

namespace CapaEngine.ActionPlans.Domain;

/// <summary>A severity of the matrix and the class for each likelihood from 1.</summary>
public sealed record RiskMatrixRow(int Severity, ValueList<string> Classes);

/// <summary>Severity × likelihood, both 1 to 5, each with its class.</summary>
public sealed record RiskMatrix(string Version, ValueList<RiskMatrixRow> Rows)
{
    private const int LevelMax = 5;

    /// <summary>Why the table cannot be used, or null.</summary>
    public string? WhyIncomplete() =>
        Rows.Select(row => row.Severity).Order().SequenceEqual(Enumerable.Range(1, LevelMax))
        && Rows.All(row => row.Classes.Count == LevelMax)
            ? null
            : $"The risk matrix needs the severities 1 to {LevelMax}, each with {LevelMax} classes.";

    /// <summary>The class of a rating.</summary>
    public TableAnswer ClassOf(RiskRating rating) =>
        new(Rows.First(row => row.Severity == rating.Severity).Classes[rating.Likelihood - 1], Version);
}

/// <summary>A row of the action-priority table; it holds for ratings that reach all three minima.</summary>
public sealed record PriorityRule(int SeverityMin, int OccurrenceMin, int DetectionMin, string Priority);

/// <summary>Severity, occurrence and detection, 1 to 10 each: the first rule reached gives the priority.</summary>
public sealed record ActionPriorityTable(string Version, ValueList<PriorityRule> Rules)
{
    /// <summary>Why the table cannot be used, or null.</summary>
    public string? WhyIncomplete() => Rules.Any(rule => Holds(rule, new FailureRating(1, 1, 1)))
        ? null
        : "The action-priority table needs a last rule that holds for every rating.";

    /// <summary>The priority of a rating.</summary>
    public TableAnswer PriorityOf(FailureRating rating) =>
        new(Rules.First(rule => Holds(rule, rating)).Priority, Version);

    private static bool Holds(PriorityRule rule, FailureRating rating) =>
        rating.Severity >= rule.SeverityMin && rating.Occurrence >= rule.OccurrenceMin
        && rating.Detection >= rule.DetectionMin;
}

/// <summary>The tables of an installation. They are data: the published ones belong to their publishers.</summary>
public sealed record RiskTables(RiskMatrix Matrix, ActionPriorityTable Priorities)
{
    /// <summary>The command with what the tables say of it.</summary>
    public ActionPlanCommand Complete(ActionPlanCommand command) => command switch
    {
        ActionPlanCommand.RateRisk c => c with
        {
            Class = Matrix.ClassOf(new RiskRating(c.Severity, c.Likelihood)),
        },
        ActionPlanCommand.RateResidualRisk c => c with
        {
            Class = Matrix.ClassOf(new RiskRating(c.Severity, c.Likelihood)),
        },
        ActionPlanCommand.RateFailureMode c => c with
        {
            Priority = Priorities.PriorityOf(new FailureRating(c.Severity, c.Occurrence, c.Detection)),
        },
        _ => command,
    };
}
