using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Reports;

/// <summary>
/// What is asked of a supplier. It leaves the house, so it holds what is listed here and nothing else: no reasons,
/// evidence or notes of persons, no customers, no other supplier's lots, no person but the contact.
/// </summary>
/// <param name="Lots">The lots concerned; of several suppliers' lots those of this supplier's deviations.</param>
/// <param name="AffectedQuantity">Null where several suppliers share the case, so that it is not theirs alone.</param>
/// <param name="ContactPersonId">Who answers questions: the owner of the CAPA, else who accepted.</param>
public sealed record SupplierRequest(
    string Supplier, Guid CaseId, string? CaseNumber, string Site, string Title, string Description, string? Severity,
    string? DetectionStage, DateTimeOffset DetectedAt, string? Product, string? Characteristic, string? DefectCode,
    IReadOnlyList<RequirementRef> Requirements, IReadOnlyList<string> Lots, IReadOnlyList<string> Serials,
    double? AffectedQuantity, string? Unit, IReadOnlyList<SuppliedDeviation> Deviations, long DeviationCount,
    IReadOnlyList<MeasureTaken> MeasuresTaken, IReadOnlyList<AskedOfSupplier> Asked, int AnswerDays,
    DateOnly? AnswerDueOn, string? ContactPersonId, IReadOnlyList<string> References, IReadOnlyList<string> Open);

/// <summary>A measured deviation of the supplied goods.</summary>
public sealed record SuppliedDeviation(
    DateTimeOffset DetectedAt, string? Lot, string? Serial, string? Characteristic, string? DefectCode,
    double? Measured, double? LowerLimit, double? UpperLimit, string? Unit);

/// <summary>What was done here with the goods.</summary>
public sealed record MeasureTaken(string What, string? Lot, double? Quantity, DateTimeOffset At);

/// <summary>Something the supplier is asked for.</summary>
public sealed record AskedOfSupplier(string Topic, string Question);
