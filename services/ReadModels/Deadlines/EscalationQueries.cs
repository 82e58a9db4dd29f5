using System.ComponentModel.DataAnnotations.Schema;
using System.Text.Json;
using Npgsql;

namespace CapaEngine.ReadModels.Deadlines;

/// <summary>A step of a deadline that was raised, and how the deadline stands now.</summary>
public sealed record EscalationView(
    [property: Column("escalation_id")] Guid Id, string Kind, Guid SubjectId, Guid CaseId, string? Number, string Site,
    string? Severity, string? Title, int Level, DateTimeOffset DueAt, DateTimeOffset RaisedAt, string[] Recipients,
    string[] Unresolved, string Urgency, int PolicyVersion, int? SupersededBy, string Status, DateTimeOffset? MetAt,
    string Stream, long Revision, long Position);

/// <summary>A message to one recipient and what became of it.</summary>
public sealed record NotificationView(
    [property: Column("notification_id")] Guid Id, string Channel, string Recipient, Guid[] Escalations, DateOnly? Day,
    string Status, int AttemptCount, string? LastReason, DateTimeOffset ComposedAt, DateTimeOffset? EndedAt,
    long Revision, long Position);

/// <summary>A version of the escalation policy.</summary>
public sealed record EscalationPolicyView(
    int Version, JsonElement Rules, JsonElement Responsibilities, string Reason, string SetBy, DateTimeOffset SetAt,
    long RaisedCount, long Revision, long Position);

/// <summary>Which escalations are asked for; null asks for any.</summary>
public sealed record EscalationFilter(
    string? Kind, string? Severity, string? Site, string? Recipient, string? Status, Guid? CaseId);

/// <summary>Queries on escalations, the policy they follow and the messages they led to.</summary>
public sealed class EscalationQueries(NpgsqlDataSource database)
{
    private static readonly string Escalations =
        $"select {Rows.ColumnsOf<EscalationView>()} from reporting.escalation";

    private static readonly string Notifications =
        $"select {Rows.ColumnsOf<NotificationView>()} from reporting.notification";

    /// <summary>One page of the escalations that the caller may see.</summary>
    /// <param name="callerSite">The caller's site; null where the caller sees all.</param>
    public async Task<Page<EscalationView>> ListAsync(
        EscalationFilter filter, string? callerSite, PageRequest page, CancellationToken ct)
    {
        var conditions = new Conditions()
            .And("site = {0}", callerSite)
            .And("site = {0}", filter.Site)
            .And("kind = {0}", filter.Kind)
            .And("severity = {0}", filter.Severity)
            .And("status = {0}", filter.Status)
            .And("case_id = {0}", filter.CaseId)
            .And("{0} = any(recipients)", filter.Recipient);
        var rows = await database.QueryAsync<EscalationView>(
            page.Complete(Escalations, ("raised_at", "escalation_id"), conditions), ct);
        return page.PageOf(rows, row => (row.RaisedAt, row.Id));
    }

    /// <summary>One page of the messages.</summary>
    public async Task<Page<NotificationView>> NotificationsAsync(
        string? status, string? recipient, PageRequest page, CancellationToken ct)
    {
        var conditions = new Conditions().And("status = {0}", status).And("recipient = {0}", recipient);
        var rows = await database.QueryAsync<NotificationView>(
            page.Complete(Notifications, ("composed_at", "notification_id"), conditions), ct);
        return page.PageOf(rows, row => (row.ComposedAt, row.Id));
    }

    /// <summary>A version of the policy, the one in force where none is named; null where there is none.</summary>
    public async Task<EscalationPolicyView?> PolicyAsync(int? version, CancellationToken ct) =>
        await database.FindAsync<EscalationPolicyView>(new SqlStatement($"""
            select {Rows.ColumnsOf<EscalationPolicyView>()} from reporting.escalation_policy
            where version = coalesce($1::integer, version) order by version desc limit 1
            """, version), ct);
}
