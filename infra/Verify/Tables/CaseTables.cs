using CapaEngine.Contracts;
using static CapaEngine.Contracts.NonconformityEvent;

namespace CapaEngine.Verify.Tables;

/// <summary>Nonconformities: where each track stands, what it counts, its disposition lines and CAPAs.</summary>
internal sealed class NonconformityFold() : TableFold(
    Families.Nonconformity, "read_models.nonconformity",
    ["site", "imported", "signature_id", "signature_cycle", "policy_version", "source_system", "source_id"],
    [
        "title", "severity", "status", "containment", "customer_notice", "cause_decision", "affected_quantity",
        "reopen_count", "correction_count", "conflict_count", "merged_into", "closed_by", "deviation_count",
        Column.Parts("lines", "disposition_line", "nonconformity_id"),
        new Column(
            "capas", "(select count(*) from read_models.nonconformity_capa c where c.nonconformity_id = t.id)"),
    ])
{
    private readonly HashSet<(Guid, Guid)> _attached = [];

    /// <inheritdoc/>
    protected override object?[]? Begin(in Happening e) => e.Fact switch
    {
        Reported f =>
        [
            f.Site, e.Metadata.Imported, f.Subject?.SignatureId(), f.SignatureCycle, f.PolicyVersion, null, null,
        ],
        Imported f => [f.Site, true, null, null, null, f.SourceSystem, f.SourceId],
        _ => null,
    };

    /// <inheritdoc/>
    protected override void Change(RowDraft row, in Happening e)
    {
        if (e.Revision == 0) BeginTracks(row);
        switch (e.Fact)
        {
            case Reported f:
                Describe(row, f.Title, f.Severity, f.AffectedQuantity);
                row.Set("status", "reported");
                break;
            case Imported f:
                Describe(row, f.Title, f.Severity, f.Quantity);
                row.Set("status", f.IsClosed ? "closed" : "imported");
                row.Set("closed_by", f.IsClosed ? "by-source" : null);
                break;
            case Corrected f:
                row.Add("correction_count", 1);
                if (f.Title is not null) row.Set("title", f.Title);
                break;
            case DeviationsAttached f:
                foreach (var deviation in f.Deviations)
                    if (_attached.Add((e.StreamId, deviation))) row.Add("deviation_count", 1);
                break;
            case ImportConflictReceived:
                row.Add("conflict_count", 1);
                break;
            default:
                ChangeStatus(row, (NonconformityEvent)e.Fact);
                ChangeMaterial(row, (NonconformityEvent)e.Fact);
                break;
        }
    }

    private static void BeginTracks(RowDraft row)
    {
        foreach (var track in (string[])["containment", "customer_notice", "cause_decision"])
            row.Set(track, "undecided");
        foreach (var count in (string[])
                 ["reopen_count", "correction_count", "conflict_count", "deviation_count", "capas"])
            row.Set(count, 0);
    }

    private static void Describe(RowDraft row, string title, Severity? severity, double? quantity)
    {
        row.Set("title", title);
        row.Set("severity", severity);
        row.Set("affected_quantity", quantity);
    }

    private static void ChangeStatus(RowDraft row, NonconformityEvent fact)
    {
        switch (fact)
        {
            case Accepted f:
                row.Set("status", "under-review");
                row.Set("severity", f.Severity);
                break;
            case Rejected:
                row.Set("status", "rejected");
                break;
            case Withdrawn:
                row.Set("status", "withdrawn");
                break;
            case Merged f:
                row.Set("status", "merged");
                row.Set("merged_into", f.IntoId);
                break;
            case ReviewCompleted:
                row.Set("status", "open");
                break;
            case Reopened:
                row.Set("status", "open");
                row.Set("closed_by", null);
                row.Add("reopen_count", 1);
                break;
            case Closed f:
                row.Set("status", "closed");
                row.Set("closed_by", f.ClosedBy);
                break;
            case CorrectiveActionRequired:
                row.Set("cause_decision", "corrective-action");
                row.Add("capas", 1);
                break;
            case CorrectiveActionNotRequired:
                row.Set("cause_decision", "no-corrective-action");
                break;
            case CustomerNoticeNotNeeded:
                row.Set("customer_notice", "not-needed");
                break;
            case CustomerNoticeRequired:
                row.Set("customer_notice", "due");
                break;
            case CustomerInformed:
                row.Set("customer_notice", "sent");
                break;
        }
    }

    private static void ChangeMaterial(RowDraft row, NonconformityEvent fact)
    {
        switch (fact)
        {
            case ContainmentPlanned:
                row.Set("containment", "planned");
                break;
            case ContainmentNotNeeded:
                row.Set("containment", "not-needed");
                break;
            case ContainmentConfirmed:
                row.Set("containment", "in-place");
                break;
            case ContainmentLifted:
                row.Set("containment", "lifted");
                break;
            case DuplicateAbsorbed f:
                row.Add("affected_quantity", f.AdditionalQuantity);
                // The stricter hold of the two.
                if (f.HoldIsInPlace) row.Set("containment", "in-place");
                else if (f.Hold is not null && row["containment"] != "in-place") row.Set("containment", "planned");
                break;
            case DispositionDecided f:
                row.SetPart("lines", f.LineId, "decided");
                break;
            case DispositionExecuted f:
                row.SetPart("lines", f.LineId, "executed");
                break;
            case DispositionVerified f:
                row.SetPart("lines", f.LineId, "verified");
                break;
            case DispositionFailedVerification f:
                row.SetPart("lines", f.LineId, "decided");
                break;
        }
    }
}

/// <summary>Concessions: what was granted, how it stands, and the draws.</summary>
internal sealed class ConcessionFold() : TableFold(
    Families.Concession, "read_models.concession",
    ["site", "kind", "product", "departure", "justification", "nonconformity_id", "quantity_requested", "requested_by"],
    [
        "status", "decided_by", "authority", "quantity_max", "valid_until",
        Column.Parts(
            "draws", "concession_draw", "concession_id",
            "case when released_at is null then 'drawn' else 'released' end"),
    ])
{
    /// <inheritdoc/>
    protected override object?[]? Begin(in Happening e) => e.Fact is ConcessionEvent.Requested f
        ?
        [
            f.Site, f.Kind, f.Product, f.Departure, f.Justification, f.NonconformityId, f.Quantity, f.RequestedBy,
        ]
        : null;

    /// <inheritdoc/>
    protected override void Change(RowDraft row, in Happening e)
    {
        switch (e.Fact)
        {
            case ConcessionEvent.Requested:
                row.Set("status", "requested");
                break;
            case ConcessionEvent.Granted f:
                row.Set("status", "granted");
                row.Set("decided_by", f.GrantedBy);
                row.Set("authority", f.Authority);
                row.Set("quantity_max", f.QuantityMax);
                row.Set("valid_until", f.Until);
                break;
            case ConcessionEvent.Refused f:
                row.Set("status", "refused");
                row.Set("decided_by", f.RefusedBy);
                break;
            case ConcessionEvent.Drawn f:
                row.SetPart("draws", f.DrawId, "drawn");
                break;
            case ConcessionEvent.DrawReleased f:
                row.SetPart("draws", f.DrawId, "released");
                if (row["status"] == "exhausted") row.Set("status", "granted");
                break;
            case ConcessionEvent.Exhausted:
                row.Set("status", "exhausted");
                break;
            case ConcessionEvent.Expired:
                row.Set("status", "expired");
                break;
            case ConcessionEvent.Revoked:
                row.Set("status", "revoked");
                break;
        }
    }
}
