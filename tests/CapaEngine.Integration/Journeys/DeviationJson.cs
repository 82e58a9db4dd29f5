using System.Text.Json;

namespace CapaEngine.Integration.Journeys;

/// <summary>CloudEvents as a machine sends them.</summary>
public static class DeviationJson
{
    /// <summary>A deviation of characteristic <c>width</c> of <paramref name="product"/>.</summary>
    public static string Event(
        string source, string id, string product, string severity, DateTimeOffset detectedAt, string site = "north",
        string? lot = null) => JsonSerializer.Serialize(new
        {
            specversion = "1.0", type = "capa.deviation.v1", source, id,
            data = new
            {
                site, product, lot, process = "milling", station = "m-1", characteristic = "width",
                measured = 12.7, lowerLimit = 11.9, upperLimit = 12.5, unit = "mm", severity, detectedAt,
            },
        });

    /// <summary>What was produced and inspected on one day.</summary>
    public static string Production(
        string source, string id, string product, DateTimeOffset day, int inspected, string site = "north") =>
        JsonSerializer.Serialize(new
        {
            specversion = "1.0", type = "capa.production.v1", source, id,
            data = new
            {
                site, product, process = "milling", station = "m-1",
                period = new { from = day, to = day.AddDays(1) }, produced = inspected, inspected, rejected = 0,
            },
        });
}
