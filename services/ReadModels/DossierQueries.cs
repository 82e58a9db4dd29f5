using System.Text.Json;
using System.Text.Json.Serialization;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>An event of a case, with who, when and why.</summary>
/// <param name="Position">The place in the log of all events.</param>
/// <param name="Actor">Who gave the command: a person, a machine or a service.</param>
/// <param name="OnBehalfOf">The person of the source whose deed an import states.</param>
/// <param name="Reason">The reason the person gave, where the event has one.</param>
/// <param name="Signature">The electronic signature, where the event has one.</param>
/// <param name="Data">The event as stored, in today's shape.</param>
public sealed record DossierEvent(
    long Position, string Stream, long Revision, Guid EventId, [property: JsonPropertyName("type")] string EventType,
    DateTimeOffset OccurredAt, DateTimeOffset RecordedAt, string Actor, string[] ActorRoles, string? OnBehalfOf,
    bool Imported, string? Reason,
    JsonElement? Signature, JsonElement Data);

/// <summary>How many deviations a case has, and the question that lists them.</summary>
public sealed record DossierDeviations(long Count, DateTimeOffset? From, DateTimeOffset? To, string Sql);

/// <summary>One case across all services, in log order: what an auditor reads.</summary>
public sealed record Dossier(
    NonconformitySummary Nonconformity, IReadOnlyList<CapaSummary> Capas, DossierDeviations Deviations,
    IReadOnlyList<DossierEvent> Events);

/// <summary>Queries on the journal of cases.</summary>
public sealed class DossierQueries(
    NpgsqlDataSource database, NonconformityQueries nonconformities, ActionBoardQueries capas)
{
    /// <summary>
    /// The dossier, or null where the caller may see no case of this id. It holds every event of the case's own
    /// stream and signature, of the concessions it draws on, of its CAPAs, their analyses and reviews, and of all their
    /// numbers.
    /// </summary>
    public async Task<Dossier?> FindAsync(Guid nonconformityId, string? callerSite, CancellationToken ct)
    {
        if (await nonconformities.FindAsync(nonconformityId, callerSite, ct) is not { } nonconformity) return null;
        var linked = await capas.OfNonconformityAsync(nonconformityId, ct);
        var capaIds = linked.Select(capa => capa.Id).ToArray();
        var events = await EventsAsync("""
            select unnest($1::uuid[])
            union all select id from read_models.root_cause_analysis where capa_id = any($2)
            union all select id from read_models.effectiveness_review where capa_id = any($2)
            union all select id from read_models.concession where nonconformity_id = $3
            union all select concession_id from read_models.concession_draw where nonconformity_id = $3
            """, [new[] { nonconformityId }.Concat(capaIds).ToArray(), capaIds, nonconformityId], ct);
        return new Dossier(
            nonconformity, linked, new DossierDeviations(
                nonconformity.DeviationCount, nonconformity.DeviationsFrom, nonconformity.DeviationsTo,
                $"select * from reporting.deviation where nonconformity_id = '{nonconformityId:D}'"), events);
    }

    /// <summary>
    /// Every event of a CAPA, its analysis and its reviews, of their numbers and of the nonconformities given. What
    /// the caller may see of these is the caller's to know.
    /// </summary>
    public Task<List<DossierEvent>> EventsOfCapaAsync(
        Guid capaId, IReadOnlyCollection<Guid> nonconformityIds, CancellationToken ct) => EventsAsync("""
            select unnest($1::uuid[])
            union all select id from read_models.root_cause_analysis where capa_id = $2
            union all select id from read_models.effectiveness_review where capa_id = $2
            """, [nonconformityIds.Append(capaId).ToArray(), capaId], ct);

    private Task<List<DossierEvent>> EventsAsync(string concerned, object?[] values, CancellationToken ct) =>
        database.QueryAsync<DossierEvent>(new SqlStatement($"""
            select {Rows.ColumnsOf<DossierEvent>()} from reporting.case_event
            where concerns = any(array({concerned}))
            order by position, revision
            """, values), ct);
}
