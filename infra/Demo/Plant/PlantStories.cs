using CapaEngine.Demo.Cases;

namespace CapaEngine.Demo.Plant;

/// <summary>What people do about the disturbances of the simulated plant; each story ends somewhere else.</summary>
public static class PlantStories
{
    /// <summary>The stories, oldest first.</summary>
    public static IReadOnlyList<CaseStory> Of(SimulatedPlant plant) =>
    [
        Story(plant, "porosity", StoryEnd.Decided, reviewDay: 75, verifiedDay: 86, windowDays: 40,
            cause: "machine.degassing", what: "the degassing of the melt is incomplete",
            action: "lengthen the degassing by two minutes"),
        Story(plant, "bore-diameter", StoryEnd.Decided, reviewDay: 85, verifiedDay: 96, windowDays: 45,
            cause: "machine.tool-wear", what: "the boring tool is used beyond its life",
            action: "change the boring tool by count of parts"),
        Story(plant, "surface-roughness", StoryEnd.Monitoring, reviewDay: 115, verifiedDay: 126, windowDays: 90,
            cause: "method.feed-rate", what: "the feed was raised without a trial",
            action: "set the feed back and lock it"),
        Storm(plant),
        Story(plant, "leak-rate", StoryEnd.Implementing, reviewDay: 145, verifiedDay: 175, windowDays: 60,
            cause: "material.seal", what: "the seal is harder than specified",
            action: "return the seals and inspect the hardness on receipt"),
        Story(plant, "torque", StoryEnd.Planning, reviewDay: 165, verifiedDay: 179, windowDays: 60,
            cause: "machine.wrench-drift", what: "the wrench drifts between calibrations",
            action: "calibrate the wrench weekly"),
        Story(plant, "run-out", StoryEnd.Reported, reviewDay: 178, verifiedDay: 179, windowDays: 30,
            cause: "machine.chuck", what: "the chuck is worn", action: "replace the chuck"),
    ];

    private static CaseStory Story(
        SimulatedPlant plant, string name, StoryEnd end, int reviewDay, int verifiedDay, int windowDays, string cause,
        string what, string action)
    {
        var of = SimulatedPlant.Characteristics.Single(known => known.Name == name);
        var disturbed = of.Phases.First(phase => phase.IsDisturbed).FromDay;
        return new CaseStory(
            $"{plant.Site}-{plant.Until:yyyyMMdd}-{name}", of.SubjectAt(plant.Site), "major", end,
            Times(plant, reviewDay, verifiedDay, windowDays),
            Containment: $"Simulated: every part is measured for {name} before it leaves {of.Station}.",
            WhyDecision: $"Simulated: ten deviations of {name} and more within a week.",
            new CapaStory(
                new StoryCause(cause, $"Simulated: {what}.", [$"{name} lies outside its limits.", $"{what}."],
                    "Simulated: measured at the machine and on retained parts."),
                new StoryCause("human-error", "Simulated: the operator set the machine wrongly.",
                    [$"{name} lies outside its limits.", "The setting differs."],
                    "Simulated: the settings agree with the sheet on every shift."),
                ExtentQuery: $"Other lines with {name} or the same machine type",
                ActionTitle: $"Simulated: {action}",
                ActionDescription: $"Simulated: {action}, on {of.Station} and wherever the machine type is used.",
                ActionEvidence: "Simulated: work order and protocol.",
                // Ten days before the disturbance, so that no count window reaches into the baseline.
                new StoryCriteria(plant.DayStart(0), plant.DayStart(disturbed - 10), 0.6, windowDays),
                Lessons: "Simulated: what wears is changed by count, not when somebody notices."));
    }

    private static CaseTimes Times(SimulatedPlant plant, int reviewDay, int verifiedDay, int windowDays) => new(
        Review: plant.DayStart(reviewDay), Analysis: plant.DayStart(reviewDay + 1).AddHours(8),
        AnalysisApproval: plant.DayStart(reviewDay + 3).AddHours(9),
        Planning: plant.DayStart(reviewDay + 4).AddHours(8),
        PlanApproval: plant.DayStart(reviewDay + 6).AddHours(9), ActionStart: plant.DayStart(reviewDay + 7).AddHours(7),
        ActionDone: plant.DayStart(verifiedDay).AddHours(-6), ActionVerified: plant.DayStart(verifiedDay),
        Evaluation: plant.DayStart(verifiedDay + windowDays).AddHours(8),
        Closing: plant.DayStart(verifiedDay + windowDays + 1).AddHours(9));

    private static CaseStory Storm(SimulatedPlant plant) => new(
        $"{plant.Site}-{plant.Until:yyyyMMdd}-{SimulatedPlant.StormCode}",
        new CaseSubject(plant.Site, "pump-housing", "machining", "line-1", null, SimulatedPlant.StormCode), "minor",
        StoryEnd.ClosedWithoutCapa, Times(plant, SimulatedPlant.StormDay + 1, SimulatedPlant.StormDay + 2, 1),
        Containment: "Simulated: the machine is stopped until the alarm is understood.",
        WhyDecision: "Simulated: a loose plug repeated one alarm for ten minutes; no part was affected.",
        Capa: null);
}
