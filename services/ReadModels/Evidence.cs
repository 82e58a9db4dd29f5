using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Microsoft.Extensions.Options;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>A period, its start included and its end not.</summary>
public sealed record Period(DateTimeOffset From, DateTimeOffset To);

/// <summary>What was counted in a period, and what is needed to count it again.</summary>
/// <param name="MissingParts">Parts of the period without inspected production: silence is not success.</param>
public sealed record EvidenceAnswer(
    DateTimeOffset From, DateTimeOffset To, long Deviations, double Exposure, int DefinitionVersion,
    long LogPosition, string DeviationIdsHash, IReadOnlyList<Period> MissingParts);

/// <summary>
/// The counts that baselines and verdicts rest on, definition version 2 (docs/read-models.md says it in words). All
/// numbers of an answer come from one snapshot of the database.
/// </summary>
public sealed class Evidence(NpgsqlDataSource database, IEventStore store, IOptions<PipelineOptions> pipeline)
{
    /// <summary>Raised with any change of what is counted.</summary>
    public const int DefinitionVersion = 2;

    private const int PartCountMax = 10;

    private const string Subject = """
        site = $1 and product = $2 and process = $3 and station is not distinct from $4
          and characteristic is not distinct from $5
          and ($5::text is not null or defect_code is not distinct from $6)
        """;

    // An exposure belongs to the process, and to the station only where the subject names one.
    private const string Exposed = "site = $1 and product = $2 and process = $3 and ($4::text is null or station = $4)";

    /// <summary>Counts the subject's deviations and its exposure in a period.</summary>
    /// <param name="wanted">
    /// The log position the caller needs covered. Where the log holds nothing to count between what is projected and
    /// that position, the answer covers it without waiting for the next sign of life from the relay.
    /// </param>
    public async Task<EvidenceAnswer> CountAsync(
        DeviationSubject subject, Period period, ExposureUnit unit, ulong wanted, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var snapshot = await connection.BeginTransactionAsync(
            System.Data.IsolationLevel.RepeatableRead, ct);
        var deviations = (await connection.QueryAsync<Counted>(new SqlStatement($"""
            select count(*), encode(sha256(convert_to(
              coalesce(string_agg(id::text || E'\n', '' order by id), ''), 'UTF8')), 'hex')
            from read_models.deviation
            where {Subject} and detected_at >= $7 and detected_at < $8 and dismissed_at is null
            """,
            subject.Site, subject.Product, subject.Process, subject.Station, subject.Characteristic,
            subject.DefectCode, period.From, period.To), ct)).Single();
        var inspected = unit == ExposureUnit.Inspected;
        var exposure = inspected
            ? await InspectedAsync(connection, subject, period, ct)
            : (period.To - period.From).TotalDays;
        var missing = inspected ? await MissingAsync(connection, subject, period, ct) : [];
        var position = await PositionAsync(connection, ct);
        await snapshot.CommitAsync(ct);
        return new EvidenceAnswer(
            period.From, period.To, deviations.Count, exposure, DefinitionVersion,
            await CoveredAsync(position, wanted, ct), deviations.IdsHash, missing);
    }

    private async Task<long> CoveredAsync(long projected, ulong wanted, CancellationToken ct)
    {
        if ((ulong)projected >= wanted) return projected;
        await foreach (var next in store.ReadAllAsync(
            LogPosition.At((ulong)projected), [Families.Deviation.Prefix, Families.Production.Prefix], ct))
            return next.Position.Commit > wanted ? (long)wanted : projected;
        return (long)wanted;
    }

    /// <summary>The ten equal parts of a period, or as many as whole days fit in it, but at least one.</summary>
    public static IReadOnlyList<Period> PartsOf(Period period)
    {
        var length = period.To - period.From;
        var count = Math.Clamp((int)Math.Min(length.TotalDays, PartCountMax), 1, PartCountMax);
        return [.. Enumerable.Range(0, count).Select(
            n => new Period(period.From + length * n / count, period.From + length * (n + 1) / count))];
    }

    // A record counts whole in the period in which it ends, so that adjacent periods never count it twice.
    private static async Task<double> InspectedAsync(
        NpgsqlConnection connection, DeviationSubject subject, Period period, CancellationToken ct) =>
        (await connection.QueryAsync<Sum>(new SqlStatement($"""
            select coalesce(sum(inspected), 0)::double precision
            from read_models.production where {Exposed} and period_to > $5 and period_to <= $6
            """, subject.Site, subject.Product, subject.Process, subject.Station, period.From, period.To), ct))
        .Single().Inspected;

    private static Task<List<Period>> MissingAsync(
        NpgsqlConnection connection, DeviationSubject subject, Period period, CancellationToken ct)
    {
        var parts = PartsOf(period);
        return connection.QueryAsync<Period>(new SqlStatement($"""
            select part_from, part_to from unnest($5::timestamptz[], $6::timestamptz[]) as part (part_from, part_to)
            where not exists (
              select from read_models.production
              where {Exposed} and inspected > 0 and period_from < part_to and period_to > part_from)
            order by part_from
            """,
            subject.Site, subject.Product, subject.Process, subject.Station,
            parts.Select(part => part.From).ToArray(), parts.Select(part => part.To).ToArray()), ct);
    }

    // Every routing key of both families must have reached it; one that was never heard of has reached nothing.
    private async Task<long> PositionAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var keys = Enumerable.Range(0, pipeline.Value.PartitionCount).SelectMany(partition => new[]
        {
            Partitions.RoutingKey(Families.Deviation.Name, partition),
            Partitions.RoutingKey(Families.Production.Name, partition),
        }).ToArray();
        return (await connection.QueryAsync<Reached>(new SqlStatement("""
            select min(coalesce(f.position, 0)) from unnest($1::text[]) as key (routing_key)
            left join read_models.follower_position f using (routing_key)
            """, (object)keys), ct)).Single().Position;
    }

    private sealed record Counted(long Count, string IdsHash);

    private sealed record Sum(double Inspected);

    private sealed record Reached(long Position);
}
