using CapaEngine.Contracts;
using CapaEngine.Hosting;

namespace CapaEngine.ReadModels;

/// <summary>Which cases triage opened on a signature, and the policy's versions.</summary>
public sealed class TriageRecord : IReadModel
{
    /// <inheritdoc/>
    public string Name => "triage-record";

    /// <inheritdoc/>
    public int Version => 1;

    /// <inheritdoc/>
    public IReadOnlyList<Family> Families { get; } = [Contracts.Families.Signature, Contracts.Families.TriagePolicy];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tables { get; } = ["signature_case", "triage_policy"];

    /// <inheritdoc/>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => events.SelectMany(Project);

    /// <summary>The statement of one event.</summary>
    public static IEnumerable<SqlStatement> Project(IncomingEvent e) => e.Fact switch
    {
        SignatureEvent.Opened f => [Row.Statement(e, """
            insert into read_models.signature_case (signature_id, revision, position, occurred_at, recorded_at, cycle,
              nonconformity_id, policy_version, count_window_from, counted_deviations)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            on conflict do nothing
            """, f.Cycle, f.NonconformityId, f.PolicyVersion, f.WindowFrom, f.Deviations.Count)],
        TriagePolicyEvent.Set f => [Row.Keyed(e, f.Version, """
            insert into read_models.triage_policy (version, revision, position, occurred_at, recorded_at, rules, reason,
              set_by, groups_by_station)
            values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9)
            on conflict do nothing
            """, Wire.Json(f.Rules), f.Reason, e.Metadata.Actor.PersonId,
            f.GroupsByStation ?? true)],
        _ => [],
    };
}
