using CapaEngine.Contracts;
using Npgsql;

namespace CapaEngine.ReadModels.Deadlines;

/// <summary>A deadline that is open, with the levels that the rows know to be raised.</summary>
/// <param name="Stream">The stream that tells whether it was done.</param>
/// <param name="CaseStream">The stream that tells whether the case still asks for it; often the same.</param>
public sealed record OpenDeadline(
    string Kind, Guid SubjectId, Guid CaseId, string Stream, string CaseStream, string Site, string? Severity,
    string? Owner, DateTimeOffset DueAt, int[] RaisedLevels);

/// <summary>Queries on the deadlines.</summary>
public sealed class DeadlineQueries(NpgsqlDataSource database)
{
    private static readonly string Select = $"select {Rows.ColumnsOf<OpenDeadline>()} from reporting.deadline";

    /// <summary>The open deadlines that lie before the instant of their kind, the earliest first.</summary>
    public Task<List<OpenDeadline>> DueAsync(
        IReadOnlyList<(DeadlineKind Kind, DateTimeOffset Before)> kinds, CancellationToken ct) =>
        database.QueryAsync<OpenDeadline>(new SqlStatement($"""
            {Select} d
            join unnest($1::text[], $2::timestamptz[]) as asked (asked_kind, before)
              on d.kind = asked_kind and d.due_at <= before
            where d.status = 'open'
            order by d.due_at, d.kind, d.subject_id
            """,
            kinds.Select(entry => Wire.Name(entry.Kind)).ToArray(),
            kinds.Select(entry => entry.Before.UtcDateTime).ToArray()), ct);
}
