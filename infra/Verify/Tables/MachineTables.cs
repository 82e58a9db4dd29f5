using CapaEngine.Contracts;

namespace CapaEngine.Verify.Tables;

/// <summary>Deviations: every member of what the machine reported.</summary>
internal sealed class DeviationFold() : TableFold(
    Families.Deviation, "read_models.deviation",
    [
        "source", "source_event_id", "site", "product", "lot", "serial", "process", "station", "supplier",
        "characteristic", "defect_code", "measured", "lower_limit", "upper_limit", "unit", "quantity", "severity",
        "detected_at", "description", "imported",
    ],
    ["conflict_count", "dismissed_by", "dismiss_reason"])
{
    /// <inheritdoc/>
    protected override object?[]? Begin(in Happening e) => e.Fact is DeviationEvent.Received f
        ?
        [
            f.Source, f.SourceEventId, f.Site, f.Product, f.Lot, f.Serial, f.Process, f.Station, f.Supplier,
            f.Characteristic, f.DefectCode, f.Measured, f.LowerLimit, f.UpperLimit, f.Unit, f.Quantity, f.Severity,
            f.DetectedAt, f.Description, e.Metadata.Imported,
        ]
        : null;

    /// <inheritdoc/>
    protected override void Change(RowDraft row, in Happening e)
    {
        switch (e.Fact)
        {
            case DeviationEvent.Received when e.Revision == 0:
                row.Set("conflict_count", 0);
                break;
            case DeviationEvent.ConflictReceived:
                row.Add("conflict_count", 1);
                break;
            case DeviationEvent.Dismissed f:
                row.Set("dismissed_by", f.DismissedBy);
                row.Set("dismiss_reason", f.Reason);
                break;
        }
    }
}

/// <summary>Production: every member of what the machine reported.</summary>
internal sealed class ProductionFold() : TableFold(
    Families.Production, "read_models.production",
    [
        "source", "source_event_id", "site", "product", "process", "station", "period_from", "period_to", "produced",
        "inspected", "rejected", "imported",
    ],
    ["conflict_count"])
{
    /// <inheritdoc/>
    protected override object?[]? Begin(in Happening e) => e.Fact is ProductionEvent.Recorded f
        ?
        [
            f.Source, f.SourceEventId, f.Site, f.Product, f.Process, f.Station, f.PeriodFrom, f.PeriodTo, f.Produced,
            f.Inspected, f.Rejected, e.Metadata.Imported,
        ]
        : null;

    /// <inheritdoc/>
    protected override void Change(RowDraft row, in Happening e)
    {
        if (e.Revision == 0) row.Set("conflict_count", 0);
        if (e.Fact is ProductionEvent.ConflictReceived) row.Add("conflict_count", 1);
    }
}

/// <summary>What could not be understood, and what became of it.</summary>
internal sealed class QuarantineFold() : TableFold(
    Families.Quarantine, "read_models.quarantine",
    ["reason", "detail", "source", "source_event_id", "content_type", "content_length_bytes"],
    ["replayed_by", "replayed_as", "replay_outcome"])
{
    /// <inheritdoc/>
    protected override object?[]? Begin(in Happening e) => e.Fact is QuarantineEvent.Received f
        ?
        [
            f.Reason, f.Detail, f.Source, f.SourceEventId, f.ContentType, Convert.FromBase64String(f.Content).Length,
        ]
        : null;

    /// <inheritdoc/>
    protected override void Change(RowDraft row, in Happening e)
    {
        if (e.Fact is not QuarantineEvent.Replayed f) return;
        row.Set("replayed_by", f.ReplayedBy);
        row.Set("replayed_as", f.DeviationId ?? f.ProductionId ?? f.NonconformityId);
        row.Set("replay_outcome", f.Outcome);
    }
}

/// <summary>The cases that a signature opened, one row for each.</summary>
internal sealed class SignatureFold() : TableFold(
    Families.Signature,
    """
    (select signature_id as id, max(revision) as revision, max(position) as position, count(*) as cases,
      sum(counted_deviations) as counted from read_models.signature_case group by signature_id)
    """,
    [], ["cases", "counted"])
{
    /// <inheritdoc/>
    protected override object?[]? Begin(in Happening e) => [];

    /// <inheritdoc/>
    protected override void Change(RowDraft row, in Happening e)
    {
        if (e.Fact is not SignatureEvent.Opened f) return;
        row.Add("cases", 1);
        row.Add("counted", f.Deviations.Count);
    }
}

/// <summary>The numbers that people read: the n-th event of a year is number n.</summary>
internal sealed class NumberFold(Family numbers, string table, string prefix) : TableFold(
    numbers, $"read_models.{table}", [], ["number", "stream"])
{
    /// <inheritdoc/>
    protected override Guid KeyOf(in Happening e) =>
        e.Fact is NumberingEvent.Assigned assigned ? assigned.Id : Guid.Empty;

    /// <inheritdoc/>
    protected override object?[]? Begin(in Happening e) => e.Fact is NumberingEvent.Assigned ? [] : null;

    /// <inheritdoc/>
    protected override void Change(RowDraft row, in Happening e)
    {
        var year = e.Stream[Family.Prefix.Length..];
        row.Set("number", FormattableString.Invariant($"{prefix}-{year}-{e.Revision + 1:D6}"));
        row.Set("stream", e.Stream);
    }
}

/// <summary>The journal of a family's cases, which holds every event once.</summary>
internal sealed class JournalFold(Family family) : TableFold(
    family,
    $"""
    (select substr(stream, {family.Prefix.Length + 1})::uuid as id, max(revision) as revision,
      max(position) as position, count(*) as events
      from read_models.case_event where family = '{family.Name}' group by stream)
    """,
    [], ["events"])
{
    /// <inheritdoc/>
    protected override object?[]? Begin(in Happening e) => [];

    /// <inheritdoc/>
    protected override void Change(RowDraft row, in Happening e) => row.Set("events", e.Revision + 1);
}
