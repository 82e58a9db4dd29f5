using CapaEngine.Contracts;
using CapaEngine.Hosting;

namespace CapaEngine.ReadModels.Deadlines;

/// <summary>What was raised, by which version of the policy, and what became of the messages.</summary>
public sealed class EscalationRegister : IReadModel
{
    /// <inheritdoc/>
    public string Name => "escalation-register";

    /// <inheritdoc/>
    public int Version => 1;

    /// <inheritdoc/>
    public IReadOnlyList<Family> Families { get; } =
        [Contracts.Families.Escalation, Contracts.Families.EscalationPolicy, Contracts.Families.Notification];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tables { get; } = ["escalation", "escalation_policy", "notification"];

    /// <inheritdoc/>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => events.SelectMany(Project);

    /// <summary>The statement of one event.</summary>
    public static IEnumerable<SqlStatement> Project(IncomingEvent e) => e.Fact switch
    {
        EscalationEvent.Raised f => [Insert(e, f)],
        EscalationPolicyEvent.Set f => [Row.Keyed(e, f.Version, """
            insert into read_models.escalation_policy (version, revision, position, occurred_at, recorded_at, rules,
              responsibilities, reason, set_by)
            values ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9)
            on conflict do nothing
            """, Wire.Json(f.Rules), Wire.Json(f.Responsibilities), f.Reason, f.SetBy)],
        NotificationEvent.Composed f => [Row.Statement(e, """
            insert into read_models.notification (id, revision, position, occurred_at, recorded_at, composed_at,
              channel, recipient, escalations, day, status)
            values ($1, $2, $3, $4, $5, $4, $6, $7, $8, $9, 'composed')
            on conflict (id) do nothing
            """, Wire.Name(f.Channel), f.Recipient, f.Escalations.ToArray(), f.Day)],
        NotificationEvent.Delivered f => [Update(e, """
            status = 'delivered', attempt_count = $6, last_reason = null, ended_at = $4
            """, f.Attempt)],
        NotificationEvent.AttemptFailed f => [Update(e, """
            status = 'failing', attempt_count = $6, last_reason = $7
            """, f.Attempt, f.Reason)],
        NotificationEvent.GivenUp f => [Update(e, """
            status = 'given-up', attempt_count = $6, last_reason = $7, ended_at = $4
            """, f.Attempts, f.Reason)],
        NotificationEvent.Dropped f => [Update(e, "status = 'dropped', last_reason = $6, ended_at = $4", f.Reason)],
        _ => [],
    };

    private static RowChange Update(IncomingEvent e, string set, params object?[] more) =>
        Row.Update(e, "notification", set, more);

    private static SqlStatement Insert(IncomingEvent e, EscalationEvent.Raised f) => Row.Statement(e, """
        insert into read_models.escalation (id, revision, position, occurred_at, recorded_at, raised_at, kind,
          subject_id, stream, case_id, site, severity, level, due_at, recipients, unresolved, urgency, policy_version,
          superseded_by)
        values ($1, $2, $3, $4, $5, $4, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        on conflict (id) do nothing
        """,
        Wire.Name(f.Kind), f.SubjectId, f.Stream, f.CaseId, f.Site, Wire.Name(f.Severity), f.Level, f.DueAt,
        f.Recipients.ToArray(), f.Unresolved.ToArray(), Wire.Name(f.Urgency), f.PolicyVersion, f.SupersededBy);
}
