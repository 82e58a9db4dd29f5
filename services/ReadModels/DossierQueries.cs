using System.Text.Json;
using System.Text.Json.Serialization;
using CapaEngine.ReadModels.AsOf;
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
    /// numbers; of a past moment, what was true and known by then.
    /// </summary>
    public async Task<Dossier?> FindAsync(
        Guid nonconformityId, string? callerSite, Moment? moment, CancellationToken ct)
    {
        if (await nonconformities.FindAsync(nonconformityId, callerSite, moment, ct) is not { } nonconformity)
            return null;
        var linked = await capas.OfNonconformityAsync(nonconformityId, moment, ct);
        var capaIds = linked.Select(capa => capa.Id).ToArray();
        var values = new Conditions();
        var (all, served, id) = (
            values.Parameter(new[] { nonconformityId }.Concat(capaIds).ToArray()), values.Parameter(capaIds),
            values.Parameter(nonconformityId));
        var events = await EventsAsync($"""
            select unnest({all}::uuid[])
            union all select id from {values.TableSource("root_cause_analysis", moment)} r where capa_id = any({served})
            union all select id from {values.TableSource("effectiveness_review", moment)} e
              where capa_id = any({served})
            union all select id from {values.TableSource("concession", moment)} c where nonconformity_id = {id}
            union all select concession_id from {values.TableSource("concession_draw", moment)} d
              where nonconformity_id = {id}
            """, values, moment, ct);
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
        Guid capaId, IReadOnlyCollection<Guid> nonconformityIds, CancellationToken ct)
    {
        var values = new Conditions();
        var (all, id) = (values.Parameter(nonconformityIds.Append(capaId).ToArray()), values.Parameter(capaId));
        return EventsAsync($"""
            select unnest({all}::uuid[])
            union all select id from read_models.root_cause_analysis where capa_id = {id}
            union all select id from read_models.effectiveness_review where capa_id = {id}
            """, values, null, ct);
    }

    private Task<List<DossierEvent>> EventsAsync(
        string concerned, Conditions conditions, Moment? moment, CancellationToken ct)
    {
        conditions.And($"concerns = any(array({concerned}))")
            .And("occurred_at <= {0}", moment?.AsOf).And("recorded_at <= {0}", moment?.KnownAt);
        return database.QueryAsync<DossierEvent>(new SqlStatement($"""
            select {Rows.ColumnsOf<DossierEvent>()} from reporting.case_event {conditions.Where}
            order by position, revision
            """, conditions.Values), ct);
    }
}
