using System.Globalization;
using CapaEngine.Demo.Api;
using MathNet.Numerics.Distributions;

namespace CapaEngine.Demo.Plant;

/// <summary>
/// A plant that does not exist: two lines, their characteristics, half a year of production that ends today. The same
/// seed and end give the same events under the same ids. Nothing of it is claimed to be measured anywhere.
/// </summary>
/// <param name="Seed">Of the random numbers.</param>
/// <param name="Until">The end of the history, a midnight.</param>
public sealed record SimulatedPlant(int Seed, DateTimeOffset Until)
{
    public const string Source = "urn:capaengine:demo:simulated-plant";
    public const string SiteOfDefaultSeed = "SIMULATED";
    public const int DefaultSeed = 9001;
    public const int DayCount = 180;
    public const int StormDay = 130;
    public const int StormCount = 300;
    public const string StormCode = "spindle-alarm";

    private const int InspectedPerDay = 200;
    private const int ShiftHours = 16;
    private const double RepeatedShare = 0.03;

    /// <summary>What is inspected, and how it goes; <see cref="PlantStories"/> tells what people do about it.</summary>
    public static readonly IReadOnlyList<Characteristic> Characteristics =
    [
        new("pump-housing", "machining", "line-1", "bore-diameter", "mm", 42, 0.05,
            new(0, 0.35), new(80, 5, true), new(96, 0.03)),
        new("valve-body", "casting", "line-2", "porosity", "%", 1, 0.5, new(0, 0.35), new(70, 5, true), new(86, 0.8)),
        new("valve-body", "machining", "line-2", "surface-roughness", "µm", 1.6, 0.4,
            new(0, 0.3), new(110, 4, true), new(126, 0.1)),
        new("valve-body", "assembly", "line-2", "leak-rate", "ml/min", 2, 1, new(0, 0.3), new(140, 4, true)),
        new("pump-housing", "assembly", "line-1", "torque", "N·m", 25, 2, new(0, 0.3), new(160, 3, true)),
        new("pump-housing", "machining", "line-1", "run-out", "mm", 0.02, 0.01, new(0, 0.25), new(172, 3, true)),
        new("pump-housing", "casting", "line-1", "wall-thickness", "mm", 6, 0.4, new Phase(0, 0.2)),
    ];

    /// <summary>The site, which tells a second plant of another seed apart.</summary>
    public string Site => Seed == DefaultSeed
        ? SiteOfDefaultSeed : string.Create(CultureInfo.InvariantCulture, $"{SiteOfDefaultSeed}-{Seed}");

    /// <summary>The midnight with which a day of the history begins.</summary>
    public DateTimeOffset DayStart(int day) => Until.AddDays(day - DayCount);

    /// <summary>All events in the order sent, repeats included: some machines send twice.</summary>
    public IReadOnlyList<CloudEvent> Events()
    {
        var deviations = Characteristics.SelectMany(Deviations).Concat(Storm()).ToList();
        var production = Enumerable.Range(0, DayCount).Where(IsWorked).SelectMany(day => Production(day, deviations));
        var repeating = new Random(Seed);
        var repeats = deviations.Where(_ => repeating.NextDouble() < RepeatedShare)
            .Select(sent => sent with { Time = sent.Time.AddMinutes(5) });
        return [.. production.Concat(deviations).Concat(repeats).OrderBy(sent => sent.Time)];
    }

    /// <summary>Every seventh day the machines are maintained and nothing is made.</summary>
    private static bool IsWorked(int day) => day % 7 != 6;

    private IEnumerable<CloudEvent> Deviations(Characteristic characteristic, int index)
    {
        var random = new Random(Seed + 1 + index);
        foreach (var day in Enumerable.Range(0, DayCount).Where(IsWorked))
        {
            var phase = characteristic.On(day);
            var count = Poisson.Sample(random, phase.PerDay);
            if (phase.IsDisturbed) count = Math.Max(3, count);
            for (var n = 0; n < count; n++)
            {
                var at = DayStart(day).AddSeconds(random.Next(ShiftHours * 3600));
                var beyond = characteristic.Tolerance * (1.05 + random.NextDouble());
                yield return Deviation(characteristic, $"{characteristic.Name}:{day:D3}:{n:D2}", at, beyond);
            }
        }
    }

    private CloudEvent Deviation(Characteristic of, string id, DateTimeOffset at, double beyond) => new(
        Source, Named(id), CloudEvent.DeviationType, at, new DeviationData(
            Site, of.Product, of.Process, of.Station, of.Name, null, "minor", at, "Simulated deviation.",
            Measured: Math.Round(of.Target + beyond, 4), LowerLimit: of.Target - of.Tolerance,
            UpperLimit: of.Target + of.Tolerance, Unit: of.Unit));

    /// <summary>One alarm that a machine repeats for ten minutes: one case with a count, not three hundred.</summary>
    private IEnumerable<CloudEvent> Storm() => Enumerable.Range(0, StormCount).Select(n =>
    {
        var at = DayStart(StormDay).AddHours(10).AddSeconds(2 * n);
        return new CloudEvent(Source, Named($"{StormCode}:{n:D3}"), CloudEvent.DeviationType, at, new DeviationData(
            Site, "pump-housing", "machining", "line-1", null, StormCode, "minor", at, "Simulated alarm."));
    });

    private IEnumerable<CloudEvent> Production(int day, List<CloudEvent> deviations)
    {
        var (from, to) = (DayStart(day), DayStart(day).AddHours(ShiftHours));
        foreach (var line in Characteristics.DistinctBy(of => (of.Product, of.Process, of.Station)))
        {
            var rejected = deviations.Count(sent => sent.Time >= from && sent.Time < to
                && sent.Data is DeviationData { Characteristic: not null } deviation
                && (deviation.Product, deviation.Process) == (line.Product, line.Process));
            yield return new CloudEvent(
                Source, Named($"production:{line.Product}:{line.Process}:{day:D3}"), CloudEvent.ProductionType, to,
                new ProductionData(Site, line.Product, line.Process, line.Station, new ProductionPeriod(from, to),
                    InspectedPerDay, InspectedPerDay, rejected));
        }
    }

    private string Named(string id) => string.Create(CultureInfo.InvariantCulture, $"{Seed}:{id}");
}
