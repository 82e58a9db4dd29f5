using CapaEngine.Demo.Cases;
using CapaEngine.Demo.Plant;
using CapaEngine.Demo.Playing;
using CapaEngine.Demo.Wafers;

namespace CapaEngine.Demo;

/// <summary>The two things that can be played.</summary>
public static class Scripts
{
    /// <summary>The real wafer line.</summary>
    public static Script OfWafers(WaferFile file) => new(
        WaferLine.Source, WaferLine.EventsOf(file), [WaferCase.Story], results =>
        [
            new SqlQuestion($"Sensor {WaferCase.Sensor} before and after its action was verified:", $"""
                select d.detected_at >= c.monitoring_from as after_action, count(*) as deviations,
                  min(d.detected_at) as first, max(d.detected_at) as last
                from reporting.deviation d join reporting.capa c on c.capa_id = '{CapaOf(results)}'
                where d.site = c.site and d.characteristic = c.characteristic group by 1 order by 1
                """),
            Effectiveness(WaferLine.Site),
            new SqlQuestion("The cases that triage opened, those with most deviations first:", $"""
                select number, status, severity, coalesce(characteristic, defect_code) as subject, deviation_count
                from reporting.nonconformity where site = '{WaferLine.Site}'
                order by deviation_count desc, subject limit 6
                """),
        ]);

    /// <summary>The simulated plant.</summary>
    public static Script OfPlant(SimulatedPlant plant) => new(
        SimulatedPlant.Source, plant.Events(), PlantStories.Of(plant), _ =>
        [
            new SqlQuestion("The CAPAs by stage of plan, do, check, act:", $"""
                select pdca, stage, cycle, number, characteristic as subject, verdict
                from reporting.capa where site = '{plant.Site}' order by opened_at
                """),
            Effectiveness(plant.Site),
            new SqlQuestion("An alarm storm is one case with a count:", $"""
                select number, status, coalesce(characteristic, defect_code) as subject, deviation_count, containment
                from reporting.nonconformity where site = '{plant.Site}' order by deviation_count desc limit 7
                """),
        ]);

    private static SqlQuestion Effectiveness(string site) => new(
        "What the data said of the actions (deviations per inspected, conditional Poisson test):", $"""
        select capa_number, cycle, characteristic as subject, baseline_deviations as x1, baseline_exposure as t1,
          window_deviations as x2, window_exposure as t2, rate_ratio, p_value, verdict
        from reporting.effectiveness_cycle where site = '{site}' order by locked_at
        """);

    private static Guid CapaOf(IReadOnlyList<CaseResult> results) => results[0].CapaId
        ?? throw new NotAsExpectedException("The case has no CAPA.");
}
