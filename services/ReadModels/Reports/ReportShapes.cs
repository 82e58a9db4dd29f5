using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Reports;

/// <summary>A report as JSON: what it says, and of which state of the log it says it.</summary>
/// <param name="Kind">Which report it is, as in its address.</param>
/// <param name="ContentHash">SHA-256 of <paramref name="Content"/> as served, to compare prints by.</param>
public sealed record Report<T>(
    string Kind, DateTimeOffset GeneratedAt, ReportState AsOf, string ContentHash, T Content);

/// <summary>The state of the log that a report shows.</summary>
/// <param name="Position">The commit position of the latest event it shows.</param>
/// <param name="Streams">Every stream it shows, by name, with the revision shown.</param>
public sealed record ReportState(long Position, IReadOnlyList<ShownStream> Streams);

/// <summary>A stream and the revision of it that is shown.</summary>
public sealed record ShownStream(string Stream, long Revision);

/// <summary>An electronic signature as every rendering shows it (21 CFR 11.50), and whether it still holds.</summary>
/// <param name="Act">What was signed, as the stored event names it.</param>
/// <param name="Revision">The revision of the stream that the signer saw.</param>
/// <param name="Superseded">What ended its force; null while it holds.</param>
public sealed record ShownSignature(
    string Act, string PersonId, string PrintedName, SignatureMeaning Meaning, DateTimeOffset SignedAt, string Stream,
    long Revision, string ContentHash, Supersession? Superseded);

/// <summary>Why a signature no longer covers what the record says.</summary>
public sealed record Supersession(string Act, DateTimeOffset At, string By, string? Reason);

/// <summary>A nonconformity as all reports describe it.</summary>
/// <param name="BySource">What another system said of it; null where it was reported here.</param>
public sealed record CaseDescription(
    Guid Id, string? Number, string Site, string Stage, string? Severity, string Title, string Description,
    string? Source, string? DetectionStage, string? Product, string? Process, string? Station, string? Characteristic,
    string? DefectCode, IReadOnlyList<string> Lots, IReadOnlyList<string> Serials, double? AffectedQuantity,
    string? Unit, IReadOnlyList<RequirementRef> Requirements, string ReportedBy, DateTimeOffset DetectedAt,
    DateTimeOffset ReportedAt, string? AcceptedBy, DateTimeOffset? AcceptedAt, string? ClosedBy,
    DateTimeOffset? ClosedAt, long DeviationCount, DateTimeOffset? DeviationsFrom, DateTimeOffset? DeviationsTo,
    ToldBySource? BySource)
{
    /// <summary>What it is called where there is room for a word only.</summary>
    internal string Name => Number ?? Id.ToString("D");

    // An audit finding may touch further criteria beside the requirement of the report.
    internal static CaseDescription Of(NonconformitySummary row, AuditFinding? finding) => new(
        row.Id, row.Number, row.Site, row.Status, row.Severity, row.Title, row.Description, row.Source,
        row.DetectionStage, row.Product, row.Process, row.Station, row.Characteristic, row.DefectCode, row.Lots,
        row.Serials, row.AffectedQuantity, row.Unit,
        [.. RequirementOf(row), .. finding?.Criteria ?? []],
        row.ReportedBy, row.DetectedAt, row.OpenedAt,
        row.AcceptedBy, row.AcceptedAt, row.ClosedBy, row.ClosedAt, row.DeviationCount, row.DeviationsFrom,
        row.DeviationsTo, ToldBySource.Of(row));

    private static IEnumerable<RequirementRef> RequirementOf(NonconformitySummary row)
    {
        if (row is { RequirementStandard: { } standard, RequirementEdition: { } edition })
            yield return new RequirementRef(standard, edition, row.RequirementClause ?? "", row.RequirementText);
    }
}

/// <summary>What another system said of a case that was taken over from it; nothing of it was verified here.</summary>
/// <param name="ConflictCount">How often that system told of the case again, and otherwise.</param>
public sealed record ToldBySource(
    string SourceSystem, string SourceId, string? SourceStatus, string? Supplier, string? ProductCode, string? Cause,
    string? CauseCode, string? Action, string? Remarks, int ConflictCount)
{
    internal static ToldBySource? Of(NonconformitySummary row) =>
        row is { SourceSystem: { } system, SourceId: { } id }
            ? new ToldBySource(
                system, id, row.SourceStatus, row.Supplier, row.ProductCode, row.StatedCause, row.StatedCauseCode,
                row.StatedAction, row.Remarks, row.ConflictCount)
            : null;
}

/// <summary>A step of containment: planned, in-place, lifted, not-needed or taken-over from a duplicate.</summary>
/// <param name="Text">What was planned, the evidence, or the reason.</param>
/// <param name="CleanPoint">The lot or time from which output is known to be good.</param>
public sealed record ContainmentStep(
    string Step, string By, DateTimeOffset At, string? Text, string? CleanPoint = null, DateTimeOffset? DueAt = null);

/// <summary>What is done about the customer, or why nothing has to be.</summary>
/// <param name="State">Null for a case of another system, which decided there.</param>
public sealed record CustomerNotice(
    string? State, DateOnly? DueOn, string? DecidedBy, DateTimeOffset? DecidedAt, string? Justification,
    string? InformedBy, DateTimeOffset? InformedAt, string? Reference);
