using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using CapaEngine.Demo.Api;
using CapaEngine.Demo.Cases;
using CapaEngine.Demo.Plant;
using Shouldly;

namespace CapaEngine.Specs.Demo;

public sealed class SimulatedPlantSpecs
{
    private static readonly SimulatedPlant Plant =
        new(SimulatedPlant.DefaultSeed, new DateTimeOffset(2026, 11, 23, 0, 0, 0, TimeSpan.Zero));

    private static readonly IReadOnlyList<CloudEvent> Sent = Plant.Events();

    private static IEnumerable<DeviationData> Different => Sent.DistinctBy(sent => sent.Id)
        .Select(sent => sent.Data).OfType<DeviationData>();

    [Fact]
    public void The_same_seed_and_end_give_the_same_events() => Plant.Events().ShouldBe(Sent);

    [Fact]
    public void Another_seed_is_another_plant_at_another_site()
    {
        var other = (Plant with { Seed = 7 }).Events();

        other.Select(sent => sent.Id).Intersect(Sent.Select(sent => sent.Id)).ShouldBeEmpty();
        (Plant with { Seed = 7 }).Site.ShouldBe("SIMULATED-7");
    }

    [Fact]
    public void The_history_ends_before_the_day_it_is_played_on()
    {
        Sent.ShouldAllBe(sent => sent.Time <= Plant.Until);
        Sent.Select(sent => sent.Time).ShouldBeInOrder();
    }

    [Fact]
    public void Some_machines_send_twice_and_a_repeat_says_the_same()
    {
        var repeated = Sent.GroupBy(sent => sent.Id).Where(same => same.Count() > 1).ToList();

        repeated.Count.ShouldBeInRange(10, 100);
        repeated.ShouldAllBe(same => same.Select(sent => sent.Data).Distinct().Count() == 1);
    }

    [Fact]
    public void A_storm_is_one_alarm_repeated_within_ten_minutes()
    {
        var alarms = Different.Where(sent => sent.DefectCode == SimulatedPlant.StormCode).ToList();

        alarms.Count.ShouldBe(SimulatedPlant.StormCount);
        (alarms.Max(alarm => alarm.DetectedAt) - alarms.Min(alarm => alarm.DetectedAt))
            .ShouldBeLessThan(TimeSpan.FromMinutes(10));
    }

    // The default triage policy for minor deviations.
    [Fact]
    public void Ten_deviations_within_a_week_come_for_the_stories_alone_and_before_somebody_acts_on_them()
    {
        var stories = PlantStories.Of(Plant).ToDictionary(story => story.Subject);

        var opened = Different.GroupBy(Subject).Select(of => (Subject: of.Key, At: OpenedAt(of)))
            .Where(of => of.At is not null).ToDictionary(of => of.Subject, of => of.At!.Value);

        opened.Keys.ShouldBe(stories.Keys, ignoreOrder: true);
        stories.ShouldAllBe(story => opened[story.Key] < story.Value.Times.Review);
    }

    [Theory]
    [InlineData("bore-diameter", Verdict.Effective)]
    [InlineData("porosity", Verdict.Ineffective)]
    public void The_data_decide_the_two_stories_that_are_judged(string characteristic, Verdict expected)
    {
        var story = PlantStories.Of(Plant).Single(told => told.Subject.Characteristic == characteristic);
        var criteria = story.Capa.ShouldNotBeNull().Criteria;
        var baseline = Count(story, criteria.BaselineFrom, criteria.BaselineTo);
        var window = Count(
            story, story.Times.ActionVerified, story.Times.ActionVerified.AddDays(criteria.WindowDays));

        var numbers = RateComparison.Compare(baseline, window, StoryCriteria.Significance);

        RateComparison.Judge(numbers, Locked(story, criteria)).ShouldBe(expected);
    }

    [Fact]
    public void No_baseline_reaches_into_a_count_window() => PlantStories.Of(Plant)
        .Where(story => story.Capa is not null)
        .ShouldAllBe(story => story.Capa!.Criteria.BaselineTo < CountWindowFrom(story));

    [Fact]
    public void The_steps_of_a_story_ascend() => PlantStories.Of(Plant).Select(it => it.Times).ShouldAllBe(times =>
        times.Review < times.Analysis && times.Analysis < times.AnalysisApproval
        && times.AnalysisApproval < times.Planning && times.Planning < times.PlanApproval
        && times.PlanApproval < times.ActionStart && times.ActionDone < times.ActionVerified
        && times.ActionVerified < times.Evaluation && times.Evaluation < times.Closing);

    private static CaseSubject Subject(DeviationData of) =>
        new(of.Site, of.Product, of.Process, of.Station, of.Characteristic, of.DefectCode);

    private static DateTimeOffset? OpenedAt(IEnumerable<DeviationData> deviations)
    {
        var times = deviations.Select(deviation => deviation.DetectedAt).Order().ToList();
        var tenth = Enumerable.Range(9, Math.Max(0, times.Count - 9))
            .FirstOrDefault(n => times[n] - times[n - 9] <= TimeSpan.FromDays(7), -1);
        return tenth < 0 ? null : times[tenth];
    }

    private static DateTimeOffset CountWindowFrom(CaseStory story) =>
        OpenedAt(Different.Where(sent => Subject(sent) == story.Subject))!.Value.AddDays(-7);

    private static EvidenceCount Count(CaseStory story, DateTimeOffset from, DateTimeOffset to) => new(
        from, to,
        Different.Count(sent =>
            Subject(sent) == story.Subject && sent.DetectedAt >= from && sent.DetectedAt < to),
        Sent.Select(sent => sent.Data).OfType<ProductionData>()
            .Where(made => made.Product == story.Subject.Product && made.Process == story.Subject.Process
                && made.Period.From >= from && made.Period.From < to)
            .Sum(made => made.Inspected),
        1, 0, "");

    private static EffectivenessCriteria Locked(CaseStory story, StoryCriteria criteria) => new(
        new DeviationSubject(story.Subject.Site, story.Subject.Product, story.Subject.Process, story.Subject.Station,
            story.Subject.Characteristic, null),
        criteria.BaselineFrom, criteria.BaselineTo, criteria.ExpectedReduction, StoryCriteria.Significance,
        criteria.WindowDays, ExposureUnit.Inspected);
}
