using System.Text.Json.Serialization;

namespace CapaEngine.Demo.Api;

/// <summary>A CloudEvent 1.0 as a machine sends it; source and id together are unique for ever.</summary>
/// <param name="Time">When it happened; a play sends its events in this order.</param>
public sealed record CloudEvent(string Source, string Id, string Type, DateTimeOffset Time, object Data)
{
    public const string DeviationType = "capa.deviation.v1";
    public const string ProductionType = "capa.production.v1";

    /// <summary>The version of the CloudEvents specification.</summary>
    [JsonPropertyName("specversion")]
    public string SpecVersion => "1.0";

    /// <summary>Whether it reports a deviation rather than production.</summary>
    [JsonIgnore]
    public bool IsDeviation => Type == DeviationType;
}

/// <summary>The data of a deviation, the members of the published intake format that the demonstration uses.</summary>
public sealed record DeviationData(
    string Site, string Product, string Process, string? Station, string? Characteristic, string? DefectCode,
    string Severity, DateTimeOffset DetectedAt, string Description, string? Lot = null, string? Serial = null,
    double? Measured = null, double? LowerLimit = null, double? UpperLimit = null, string? Unit = null,
    double? Quantity = null);

/// <summary>The data of a production report: the exposure against which deviations are counted.</summary>
public sealed record ProductionData(
    string Site, string Product, string Process, string? Station, ProductionPeriod Period,
    double Produced, double Inspected, double Rejected);

/// <summary>A period of production, its end exclusive.</summary>
public sealed record ProductionPeriod(DateTimeOffset From, DateTimeOffset To);
