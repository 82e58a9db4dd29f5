using System.Text;
using CapaEngine.Contracts;
using CapaEngine.Hosting;

namespace CapaEngine.ReadModels;

/// <summary>The journal of cases: every event of the families that tell a case, as it was recorded.</summary>
public sealed class CaseDossier : IReadModel
{
    /// <inheritdoc/>
    public string Name => "case-dossier";

    /// <inheritdoc/>
    public int Version => 1;

    /// <inheritdoc/>
    public IReadOnlyList<Family> Families { get; } =
    [
        Contracts.Families.Nonconformity, Contracts.Families.Signature, Contracts.Families.NonconformityNumbers,
        Contracts.Families.Concession,
        Contracts.Families.RootCause, Contracts.Families.ActionPlan, Contracts.Families.Effectiveness,
        Contracts.Families.CapaNumbers,
    ];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tables { get; } = ["case_event"];

    /// <inheritdoc/>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => events.Select(Project);

    /// <summary>The statement of one event. The reason is what the person gave for it, by whatever name.</summary>
    public static SqlStatement Project(IncomingEvent e) => Row.Keyed(e, Concerns(e), """
        insert into read_models.case_event (concerns, revision, position, occurred_at, recorded_at, family, stream,
          event_id, event_type, actor, actor_roles, on_behalf_of, imported, data, reason, signature)
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, data,
          coalesce(data->>'reasonAgainstNumbers', data->>'overrideReason', data->>'reason', data->>'justification',
            data->>'humanErrorReason'),
          data->'signature'
        from (select $14::jsonb as data) event
        on conflict do nothing
        """,
        e.Family.Name, e.Stream, e.EventId, e.Type, e.Metadata.Actor.PersonId, e.Metadata.Actor.Roles.ToArray(),
        e.Metadata.OnBehalfOf, e.Metadata.Imported, Encoding.UTF8.GetString(EventCatalog.Serialize(e.Fact)));

    // Numbers and signatures are kept in streams of their own but tell of a case.
    private static Guid Concerns(IncomingEvent e) => e.Fact switch
    {
        NumberingEvent.Assigned numbered => numbered.Id,
        SignatureEvent.Opened opened => opened.NonconformityId,
        _ => e.StreamId,
    };
}
