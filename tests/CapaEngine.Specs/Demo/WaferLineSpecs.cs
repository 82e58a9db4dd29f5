using CapaEngine.Demo;
using CapaEngine.Demo.Api;
using CapaEngine.Demo.Wafers;
using Shouldly;

namespace CapaEngine.Specs.Demo;

public sealed class WaferLineSpecs
{
    private static readonly Lazy<IReadOnlyList<CloudEvent>> Events =
        new(() => WaferLine.EventsOf(WaferFile.Read(PublicData.File(PublicData.Wafers))));

    [Fact]
    public void Every_reading_outside_its_limits_is_a_minor_deviation()
    {
        var readings = Deviations().Where(deviation => deviation.Characteristic is not null).ToList();

        readings.Count.ShouldBe(2_571);
        readings.ShouldAllBe(deviation => deviation.Severity == "minor" && deviation.DefectCode == null
            && (deviation.Measured < deviation.LowerLimit || deviation.Measured > deviation.UpperLimit));
    }

    [Fact]
    public void Every_failed_run_is_a_major_deviation()
    {
        var failures = Deviations().Where(deviation => deviation.DefectCode == WaferLine.RunFailed).ToList();

        failures.Count.ShouldBe(104);
        failures.ShouldAllBe(deviation => deviation.Severity == "major" && deviation.Characteristic == null);
    }

    [Fact]
    public void Every_run_is_inspected_production()
    {
        var production = Events.Value.Select(sent => sent.Data).OfType<ProductionData>().ToList();

        production.Count.ShouldBe(1_567);
        production.Sum(run => run.Inspected).ShouldBe(1_567);
        production.Sum(run => run.Rejected).ShouldBe(104);
    }

    [Fact]
    public void Sensor_s129_falls_from_229_deviations_to_7_when_its_case_has_its_action_verified()
    {
        var times = Events.Value.Where(sent => sent.IsDeviationOf("s129")).Select(sent => sent.Time).ToList();

        times.Count(time => time < WaferCase.ActionVerifiedAt).ShouldBe(229);
        times.Count(time => time >= WaferCase.ActionVerifiedAt).ShouldBe(7);
    }

    [Fact]
    public void Each_tenth_of_the_monitoring_window_has_inspected_runs()
    {
        var from = WaferCase.ActionVerifiedAt;
        var part = TimeSpan.FromDays(WaferCase.WindowDays) / 10;
        var runs = Events.Value.Where(sent => sent.Data is ProductionData).Select(sent => sent.Time).ToList();

        Enumerable.Range(0, 10).ShouldAllBe(
            n => runs.Any(time => time >= from + part * n && time < from + part * (n + 1)));
    }

    [Fact]
    public void Ids_are_unique_and_times_ascend()
    {
        Events.Value.Select(sent => sent.Id).ShouldBeUnique();
        Events.Value.Select(sent => sent.Time).ShouldBeInOrder();
        Events.Value.Count.ShouldBe(1_567 + 2_571 + 104);
    }

    [Fact]
    public void A_second_reading_of_the_file_gives_the_same_events() =>
        WaferLine.EventsOf(WaferFile.Read(PublicData.File(PublicData.Wafers))).ShouldBe(Events.Value);

    [Fact]
    public void Another_file_is_refused_with_the_column_it_lacks() =>
        Should.Throw<UnplayableFileException>(() => WaferFile.Read(PublicData.File(PublicData.Recalls)))
            .Message.ShouldContain("The column 'row' is missing");

    [Theory]
    [InlineData("row,timestamp,label\n0,2008-07-19 11:55:00,pass\n", "'s000'")]
    [InlineData("row,label,s000\n0,pass,1\n", "'timestamp'")]
    [InlineData("row,timestamp,label,s000\n0,2008-07-19 11:55:00,maybe,1\n", "'label'")]
    [InlineData("row,timestamp,label,s000\n0,yesterday,pass,1\n", "'timestamp'")]
    [InlineData("row,timestamp,label,s000\n0,2008-07-19 11:55:00,pass,high\n", "'high'")]
    [InlineData("row,timestamp,label,s000\n0,2008-07-19 11:55:00,pass\n", "Line 2 has 3 cells")]
    [InlineData("row,timestamp,label,s000\n\"0,2008-07-19 11:55:00,pass,1\n", "cannot be read")]
    [InlineData("row,timestamp,label,s000\n", "no runs")]
    [InlineData("", "empty")]
    public void A_broken_file_is_refused_by_name_of_what_is_wrong(string text, string named) =>
        Should.Throw<UnplayableFileException>(() => WaferFile.Read(CsvTable.Read(new StringReader(text))))
            .Message.ShouldContain(named);

    [Fact]
    public void Limits_are_the_mean_and_four_sample_standard_deviations()
    {
        // 1, 2, 3, 4: mean 2.5, sum of squares 5, divided by three.
        var limits = ControlLimits.Of([1, 2, 3, 4]).ShouldNotBeNull();

        limits.Lower.ShouldBe(2.5 - 4 * Math.Sqrt(5.0 / 3), 1e-12);
        limits.Upper.ShouldBe(2.5 + 4 * Math.Sqrt(5.0 / 3), 1e-12);
    }

    [Fact]
    public void A_sensor_that_never_moves_is_in_control_at_its_value_alone()
    {
        var limits = ControlLimits.Of([.. Enumerable.Repeat(0.1, 499)]).ShouldNotBeNull();

        limits.AreBrokenBy(0.1).ShouldBeFalse();
        limits.AreBrokenBy(0.1000001).ShouldBeTrue();
    }

    [Fact]
    public void A_sensor_with_fewer_than_two_readings_has_no_limits() => ControlLimits.Of([1]).ShouldBeNull();

    private static IEnumerable<DeviationData> Deviations() =>
        Events.Value.Select(sent => sent.Data).OfType<DeviationData>();
}
