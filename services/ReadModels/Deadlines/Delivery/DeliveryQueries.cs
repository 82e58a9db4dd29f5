using CapaEngine.Contracts;
using Npgsql;

namespace CapaEngine.ReadModels.Deadlines.Delivery;

/// <summary>What has to be told to whom, from the rows. They may lag; the log decides what was told.</summary>
public sealed class DeliveryQueries(NpgsqlDataSource database)
{
    // From the deadlines, and not from all that was ever raised: those that are open are few.
    private const string Open = """
        reporting.deadline d
            join read_models.escalation e on e.subject_id = d.subject_id and e.kind = d.kind and e.due_at = d.due_at
        """;

    private const string Finished = "n.status in ('delivered', 'given-up', 'dropped')";

    /// <summary>Escalations and the persons to be told of them at once by mail.</summary>
    public async Task<IReadOnlyList<(string Recipient, Guid EscalationId)>> MailsAsync(CancellationToken ct) => Pairs(
        await database.QueryAsync<Row>(new SqlStatement($"""
            select r.recipient, e.id as escalation_id from {Open}
            cross join unnest(e.recipients) as r (recipient)
            where d.status = 'open' and e.urgency = 'now' and not exists (
              select from read_models.notification n where n.channel = 'mail' and n.recipient = r.recipient
                and n.day is null and n.escalations @> array[e.id] and {Finished})
            order by e.raised_at, e.id, r.recipient
            """), ct));

    /// <summary>What goes with a day's digest: of each deadline the highest level the person is told of.</summary>
    public async Task<IReadOnlyList<(string Recipient, Guid EscalationId)>> DigestsAsync(
        DateOnly day, CancellationToken ct) => Pairs(await database.QueryAsync<Row>(new SqlStatement($"""
            select recipient, escalation_id from (
              select distinct on (r.recipient, e.kind, e.subject_id) r.recipient, e.id as escalation_id, e.due_at
              from {Open} cross join unnest(e.recipients) as r (recipient)
              where d.status = 'open' and e.urgency = 'digest' and not exists (
                select from read_models.notification n where n.channel = 'mail' and n.recipient = r.recipient
                  and n.day = $1 and {Finished})
              order by r.recipient, e.kind, e.subject_id, e.level desc) told
            order by recipient, due_at, escalation_id
            """, day), ct));

    /// <summary>Escalations that a webhook has not been told of.</summary>
    public async Task<IReadOnlyList<Guid>> WebhookAsync(WebhookSettings webhook, CancellationToken ct) =>
    [
        .. (await database.QueryAsync<Row>(new SqlStatement($"""
            select $1::text as recipient, e.id as escalation_id from {Open}
            where d.status = 'open' and e.superseded_by is null and e.kind = any($2) and not exists (
              select from read_models.notification n where n.channel = 'webhook' and n.recipient = $1
                and n.escalations @> array[e.id] and {Finished})
            order by e.raised_at, e.id
            """, webhook.Name, webhook.Kinds.Select(Wire.Name).ToArray()), ct)).Select(row => row.EscalationId),
    ];

    /// <summary>Notifications that were composed and have not come to an end.</summary>
    public async Task<IReadOnlyList<Guid>> UnfinishedAsync(CancellationToken ct) =>
    [
        .. (await database.QueryAsync<Row>(new SqlStatement("""
            select recipient, id as escalation_id from read_models.notification n
            where n.status in ('composed', 'failing') order by n.composed_at, n.id
            """), ct)).Select(row => row.EscalationId),
    ];

    /// <summary>The escalations of these ids that the rows know, in their order.</summary>
    public async Task<List<EscalationView>> EscalationsAsync(IReadOnlyCollection<Guid> ids, CancellationToken ct) =>
        await database.QueryAsync<EscalationView>(new SqlStatement($"""
            select {Rows.ColumnsOf<EscalationView>()} from reporting.escalation where escalation_id = any($1)
            order by array_position($1, escalation_id)
            """, ids.ToArray()), ct);

    /// <summary>How many notifications were given up since an instant.</summary>
    public async Task<long> GivenUpSinceAsync(DateTimeOffset since, CancellationToken ct)
    {
        await using var command = database.CreateCommand(
            "select count(*) from read_models.notification where status = 'given-up' and ended_at >= $1");
        command.Parameters.Add(Rows.ToParameter(since.UtcDateTime));
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    private static IReadOnlyList<(string, Guid)> Pairs(List<Row> rows) =>
        [.. rows.Select(row => (row.Recipient, row.EscalationId))];

    private sealed record Row(string Recipient, Guid EscalationId);
}
