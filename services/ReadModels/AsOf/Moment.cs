using System.Globalization;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Npgsql;

namespace CapaEngine.ReadModels.AsOf;

/// <summary>The past that is asked about.</summary>
/// <param name="AsOf">What was true by this instant (valid time).</param>
/// <param name="KnownAt">By what was recorded up to this one.</param>
/// <param name="Revision">
/// The record through this revision of its stream, whatever the times of its events; what it says of other streams is
/// of the instants.
/// </param>
public sealed record Moment(DateTimeOffset AsOf, DateTimeOffset KnownAt, long? Revision = null);

/// <summary>Finds what past a caller asks for.</summary>
public sealed class Moments(NpgsqlDataSource database, TimeProvider clock)
{
    /// <summary>The present, behind which every moment lies.</summary>
    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Answers for the past that the parameters name, or the present; or refuses them.</summary>
    internal async Task<IResult> AnswerAsync(string? asOf, string? knownAt, Func<Moment?, Task<IResult>> answer)
    {
        var check = new ParameterCheck();
        var moment = check.Moment(asOf, knownAt, Now);
        return check.Refusal ?? await answer(moment);
    }

    /// <summary>As the other one; a revision may be named instead, which is what somebody saw who signed it.</summary>
    internal async Task<IResult> AnswerAsync(
        Family family, Guid id, (string? AsOf, string? KnownAt, string? Revision) asked,
        Func<Moment?, Task<IResult>> answer, CancellationToken ct)
    {
        if (asked.Revision is not { } text) return await AnswerAsync(asked.AsOf, asked.KnownAt, answer);
        if (asked is not (null, null, _))
            return HttpResults.Invalid([new FieldError("revision", "leaves no choice of asOf or knownAt")]);
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var revision))
            return HttpResults.Invalid([new FieldError("revision", "must be a revision, from 0")]);
        return await RecordedAtAsync(family, id, revision, ct) is { } recordedAt
            ? await answer(new Moment(recordedAt, recordedAt, revision))
            : HttpResults.NotFound();
    }

    // When an event was recorded is when its writer knew what there was to know of other streams.
    private async Task<DateTimeOffset?> RecordedAtAsync(Family family, Guid id, long revision, CancellationToken ct)
    {
        await using var command = database.CreateCommand($"""
            select event_recorded_at from read_models.{RevisionWait.TableOf(family)}_history
            where id = $1 and event_revision = $2 limit 1
            """);
        command.Parameters.Add(Rows.ToParameter(id));
        command.Parameters.Add(Rows.ToParameter(revision));
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? await reader.GetFieldValueAsync<DateTimeOffset>(0, ct) : null;
    }
}

/// <summary>Where rows of the present or of a past are found.</summary>
internal static class Sources
{
    /// <summary>What a query selects from to see a view of <c>reporting</c> as it is, or was.</summary>
    public static string Source(this Conditions conditions, string view, Moment? moment)
    {
        if (moment is null) return $"reporting.{view}";
        var (asOf, knownAt) = (conditions.Parameter(moment.AsOf), conditions.Parameter(moment.KnownAt));
        return moment.Revision is { } revision
            ? $"read_models.{view}_as_of({asOf}, {knownAt}, {conditions.Parameter(revision)})"
            : $"read_models.{view}_as_of({asOf}, {knownAt})";
    }

    /// <summary>As <see cref="Source"/>, of a table in <c>read_models</c> whose history is kept.</summary>
    public static string TableSource(this Conditions conditions, string table, Moment? moment) => moment is null
        ? $"read_models.{table}"
        : $"read_models.{table}_at({conditions.Parameter(moment.AsOf)}, {conditions.Parameter(moment.KnownAt)}, "
            + $"{long.MaxValue})";
}
