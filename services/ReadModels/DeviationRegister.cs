using CapaEngine.Contracts;
using CapaEngine.Hosting;

namespace CapaEngine.ReadModels;

/// <summary>
/// What machines reported: deviations, production and what could not be understood. Thousands arrive each second, so
/// the first events of many streams go in one statement, column by column.
/// </summary>
public sealed class DeviationRegister : IReadModel
{
    /// <inheritdoc/>
    public string Name => "deviation-register";

    /// <inheritdoc/>
    public int Version => 1;

    /// <inheritdoc/>
    public IReadOnlyList<Family> Families { get; } =
        [Contracts.Families.Deviation, Contracts.Families.Production, Contracts.Families.Quarantine];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tables { get; } = ["deviation", "production", "quarantine"];

    /// <inheritdoc/>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events)
    {
        // A stream's later events can follow its first one only, so the first ones may all be written before them.
        var deviations = Of<DeviationEvent.Received>(events);
        if (deviations.Count > 0) yield return InsertDeviations(deviations);
        var production = Of<ProductionEvent.Recorded>(events);
        if (production.Count > 0) yield return InsertProduction(production);
        foreach (var e in events)
        {
            switch (e.Fact)
            {
                case DeviationEvent.Received or ProductionEvent.Recorded:
                    break;
                case DeviationEvent.ConflictReceived:
                    yield return Row.Update(e, "deviation", "conflict_count = conflict_count + 1");
                    break;
                case ProductionEvent.ConflictReceived:
                    yield return Row.Update(e, "production", "conflict_count = conflict_count + 1");
                    break;
                case DeviationEvent.Dismissed dismissed:
                    yield return Row.Update(
                        e, "deviation", "dismissed_at = $4, dismissed_by = $6, dismiss_reason = $7",
                        dismissed.DismissedBy, dismissed.Reason);
                    break;
                case QuarantineEvent.Replayed replayed:
                    yield return Row.Statement(e, """
                        update read_models.quarantine set replayed_at = $4, replayed_by = $6, replayed_as = $7::uuid,
                          replay_outcome = $8, revision = $2, position = $3, occurred_at = $4, recorded_at = $5,
                          updated_at = now()
                        where id = $1 and revision < $2
                        """, replayed.ReplayedBy,
                        replayed.DeviationId ?? replayed.ProductionId ?? replayed.NonconformityId, replayed.Outcome);
                    break;
                case QuarantineEvent.Received quarantined:
                    yield return InsertQuarantined(e, quarantined);
                    break;
                default:
                    yield return Row.Update(e, e.Family.Name);
                    break;
            }
        }
    }

    private static List<(IncomingEvent Event, TFact Fact)> Of<TFact>(IReadOnlyList<IncomingEvent> events)
    {
        var found = new List<(IncomingEvent, TFact)>();
        foreach (var e in events)
        {
            if (e.Fact is TFact fact) found.Add((e, fact));
        }

        return found;
    }

    private static SqlStatement InsertDeviations(List<(IncomingEvent Event, DeviationEvent.Received Fact)> rows) => new(
        """
        insert into read_models.deviation (id, revision, position, occurred_at, recorded_at, imported, source,
          source_event_id, site, product, lot, serial, process, station, supplier, characteristic, defect_code,
          measured, lower_limit, upper_limit, unit, quantity, severity, detected_at, description)
        select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[],
          $6::boolean[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
          $14::text[], $15::text[], $16::text[], $17::text[], $18::float8[], $19::float8[], $20::float8[],
          $21::text[], $22::float8[], $23::text[], $24::timestamptz[], $25::text[])
        on conflict (id) do nothing
        """,
        Ids(rows), Revisions(rows), Positions(rows), OccurredAt(rows), RecordedAt(rows), Imported(rows),
        Column(rows, f => f.Source), Column(rows, f => f.SourceEventId), Column(rows, f => f.Site),
        Column(rows, f => f.Product), Column(rows, f => f.Lot), Column(rows, f => f.Serial),
        Column(rows, f => f.Process), Column(rows, f => f.Station), Column(rows, f => f.Supplier),
        Column(rows, f => f.Characteristic), Column(rows, f => f.DefectCode), Column(rows, f => f.Measured),
        Column(rows, f => f.LowerLimit), Column(rows, f => f.UpperLimit), Column(rows, f => f.Unit),
        Column(rows, f => f.Quantity), Column(rows, f => Wire.Name(f.Severity)), Column(rows, f => f.DetectedAt),
        Column(rows, f => f.Description));

    private static SqlStatement InsertProduction(
        List<(IncomingEvent Event, ProductionEvent.Recorded Fact)> rows) => new(
        """
        insert into read_models.production (id, revision, position, occurred_at, recorded_at, imported, source,
          source_event_id, site, product, process, station, period_from, period_to, produced, inspected, rejected)
        select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[],
          $6::boolean[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
          $13::timestamptz[], $14::timestamptz[], $15::float8[], $16::float8[], $17::float8[])
        on conflict (id) do nothing
        """,
        Ids(rows), Revisions(rows), Positions(rows), OccurredAt(rows), RecordedAt(rows), Imported(rows),
        Column(rows, f => f.Source), Column(rows, f => f.SourceEventId), Column(rows, f => f.Site),
        Column(rows, f => f.Product), Column(rows, f => f.Process), Column(rows, f => f.Station),
        Column(rows, f => f.PeriodFrom), Column(rows, f => f.PeriodTo), Column(rows, f => f.Produced),
        Column(rows, f => f.Inspected), Column(rows, f => f.Rejected));

    // The bytes stay in the log; analysts need to know that something waits and why.
    private static SqlStatement InsertQuarantined(IncomingEvent e, QuarantineEvent.Received f) => Row.Statement(e, """
        insert into read_models.quarantine (id, revision, position, occurred_at, recorded_at, reason, detail, source,
          source_event_id, content_type, content_length_bytes)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (id) do nothing
        """, f.Reason, f.Detail, f.Source, f.SourceEventId, f.ContentType, LengthOfBase64(f.Content));

    private static int LengthOfBase64(string content) =>
        content.Length / 4 * 3 - content.AsSpan()[Math.Max(0, content.Length - 2)..].Count('=');

    private static Guid[] Ids<TFact>(List<(IncomingEvent Event, TFact Fact)> rows) =>
        [.. rows.Select(row => row.Event.StreamId)];

    private static long[] Revisions<TFact>(List<(IncomingEvent Event, TFact Fact)> rows) =>
        [.. rows.Select(row => row.Event.Revision)];

    private static long[] Positions<TFact>(List<(IncomingEvent Event, TFact Fact)> rows) =>
        [.. rows.Select(row => checked((long)row.Event.Position.Commit))];

    private static DateTimeOffset[] OccurredAt<TFact>(List<(IncomingEvent Event, TFact Fact)> rows) =>
        [.. rows.Select(row => row.Event.Metadata.OccurredAt)];

    private static DateTimeOffset[] RecordedAt<TFact>(List<(IncomingEvent Event, TFact Fact)> rows) =>
        [.. rows.Select(row => row.Event.Metadata.RecordedAt)];

    private static bool[] Imported<TFact>(List<(IncomingEvent Event, TFact Fact)> rows) =>
        [.. rows.Select(row => row.Event.Metadata.Imported)];

    private static TValue[] Column<TFact, TValue>(
        List<(IncomingEvent Event, TFact Fact)> rows, Func<TFact, TValue> select) =>
        [.. rows.Select(row => select(row.Fact))];
}
