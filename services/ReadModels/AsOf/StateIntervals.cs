using CapaEngine.Contracts;
using CapaEngine.Hosting;

namespace CapaEngine.ReadModels.AsOf;

/// <summary>
/// What the rows of cases said at any past instant, valid and recorded, and from when to when they were in which state.
/// It follows the changes that the registers make to their rows, so that what an event means is said once.
/// </summary>
public sealed class StateIntervals : IReadModel
{
    /// <summary>The deviations attached to a nonconformity by the events that a past state reflects.</summary>
    internal const string AttachedCount = """
        (select count(distinct deviation_id)
          from read_models.nonconformity_attachment a cross join unnest(a.deviations) as deviation_id
          where a.nonconformity_id = $1 and a.revision <= $2 and a.occurred_at <= s.true_from
            and a.recorded_at <= s.known_from)
        """;

    /// <inheritdoc/>
    public string Name => "state-intervals";

    /// <inheritdoc/>
    public int Version => 1;

    /// <inheritdoc/>
    public IReadOnlyList<Family> Families { get; } =
    [
        Contracts.Families.Nonconformity, Contracts.Families.Concession, Contracts.Families.RootCause,
        Contracts.Families.ActionPlan, Contracts.Families.Effectiveness,
    ];

    /// <summary>The tables of the schema <c>read_models</c> that its statements write.</summary>
    public IReadOnlyList<string> Tables { get; } =
    [
        "nonconformity_history", "disposition_line_history", "nonconformity_capa_history", "nonconformity_attachment",
        "concession_history", "concession_draw_history", "root_cause_analysis_history", "cause_history",
        "cause_why_history", "cause_factor_history", "cause_contrast_history", "capa_history",
        "capa_nonconformity_history", "action_history", "capa_failure_mode_history", "capa_deployment_history",
        "effectiveness_review_history", "state_interval",
    ];

    /// <inheritdoc/>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => events.SelectMany(Project);

    /// <summary>The statements of one event.</summary>
    public static IEnumerable<SqlStatement> Project(IncomingEvent e)
    {
        if (e.Fact is NonconformityEvent.DeviationsAttached attached) yield return Attach(e, attached);
        RowChange[] changes = [.. Changes(e).OfType<RowChange>()];
        foreach (var statement in changes.SelectMany(RowHistory.Follow)) yield return statement;
        foreach (var statement in Intervals.Follow(changes)) yield return statement;
    }

    private static IEnumerable<SqlStatement> Changes(IncomingEvent e) => e.Fact switch
    {
        NonconformityEvent => NonconformityRegister.Project(e),
        ConcessionEvent => ConcessionRegister.Project(e),
        RootCauseEvent => RootCauseRegister.Project(e),
        ActionPlanEvent => ActionBoard.Project(e),
        EffectivenessEvent => EffectivenessReviews.Project(e),
        _ => [],
    };

    private static SqlStatement Attach(IncomingEvent e, NonconformityEvent.DeviationsAttached f) => Row.Statement(e, """
        insert into read_models.nonconformity_attachment (nonconformity_id, revision, position, occurred_at,
          recorded_at, deviations)
        values ($1, $2, $3, $4, $5, $6)
        on conflict do nothing
        """, (object)f.Deviations.ToArray());
}
