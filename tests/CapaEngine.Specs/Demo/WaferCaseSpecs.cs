using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using CapaEngine.Demo.Api;
using CapaEngine.Demo.Cases;
using CapaEngine.Demo.Wafers;
using Shouldly;

namespace CapaEngine.Specs.Demo;

public sealed class WaferCaseSpecs
{
    private static readonly IReadOnlyList<CloudEvent> Events =
        WaferLine.EventsOf(WaferFile.Read(PublicData.File(PublicData.Wafers)));

    private static readonly CaseStory Story = WaferCase.Story;
    private static readonly StoryCriteria Criteria = Story.Capa!.Criteria;

    private static IEnumerable<DateTimeOffset> Deviations =>
        Events.Where(sent => sent.IsDeviationOf(WaferCase.Sensor)).Select(sent => sent.Time);

    [Fact]
    public void The_tenth_deviation_comes_the_night_before_the_case_is_taken_up()
    {
        var tenth = Deviations.ElementAt(9);

        (tenth - Deviations.First()).ShouldBeLessThan(TimeSpan.FromHours(9));
        tenth.ShouldBeInRange(Story.Times.Review.AddHours(-2), Story.Times.Review);
    }

    [Fact]
    public void The_baseline_begins_after_the_count_and_ends_before_it_is_defined()
    {
        Criteria.BaselineFrom.ShouldBeGreaterThan(Deviations.ElementAt(9));
        Criteria.BaselineTo.ShouldBeLessThan(Story.Times.Planning);
        Criteria.BaselineReason.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void The_numbers_show_the_effect_that_was_expected()
    {
        var baseline = Count(Criteria.BaselineFrom, Criteria.BaselineTo);
        var window = Count(WaferCase.ActionVerifiedAt, WaferCase.ActionVerifiedAt.AddDays(WaferCase.WindowDays));
        (baseline.Deviations, baseline.Exposure).ShouldBe((170, 218));
        window.Deviations.ShouldBe(7);

        var numbers = RateComparison.Compare(baseline, window, StoryCriteria.Significance);

        RateComparison.Judge(numbers, new EffectivenessCriteria(
            new DeviationSubject(WaferLine.Site, WaferLine.Product, WaferLine.Process, null, WaferCase.Sensor, null),
            Criteria.BaselineFrom, Criteria.BaselineTo, Criteria.ExpectedReduction, StoryCriteria.Significance,
            Criteria.WindowDays, ExposureUnit.Inspected, Criteria.BaselineReason)).ShouldBe(Verdict.Effective);
    }

    [Fact]
    public void The_window_is_over_before_it_is_judged() => Story.Times.Evaluation.ShouldBeGreaterThan(
        WaferCase.ActionVerifiedAt.AddDays(WaferCase.WindowDays));

    [Fact]
    public void Every_person_and_every_action_says_that_it_is_simulated()
    {
        var cast = Story.Cast;
        Person[] persons =
            [cast.Engineer, cast.Metrologist, cast.Owner, cast.Verifier, cast.Auditor, cast.Approver];

        persons.ShouldAllBe(person => person.Id.StartsWith("simulated-", StringComparison.Ordinal));
        Story.Capa!.ActionTitle.ShouldStartWith("Simulated: ");
    }

    private static EvidenceCount Count(DateTimeOffset from, DateTimeOffset to) => new(
        from, to, Deviations.Count(at => at >= from && at < to),
        Events.Count(sent => sent.Data is ProductionData && sent.Time >= from && sent.Time < to), 1, 0, "");
}
