using CapaEngine.Demo.Cases;

namespace CapaEngine.Demo.Wafers;

/// <summary>
/// The case of sensor s129, driven at the real times of the data and with hindsight: the data show when its readings
/// came back, the persons and the action that are told to have brought them back are simulated.
/// </summary>
public static class WaferCase
{
    public const string Sensor = "s129";

    /// <summary>Days over which the action is monitored; the data end sixteen days after its verification.</summary>
    public const int WindowDays = 15;

    /// <summary>
    /// Between run 1211 (05:56, reading -1.94) and run 1212 (07:19, reading -0.24): the readings step back here.
    /// </summary>
    public static readonly DateTimeOffset ActionVerifiedAt = At(10, 1, 6);

    /// <summary>The story. The tenth deviation since the evening before opens its case on 20 September.</summary>
    public static CaseStory Story { get; } = new(
        "secom-s129",
        new CaseSubject(WaferLine.Site, WaferLine.Product, WaferLine.Process, null, Sensor, null),
        "major", StoryEnd.Decided,
        new CaseTimes(
            Review: At(9, 20, 5), Analysis: At(9, 24, 8), AnalysisApproval: At(9, 27, 9), Planning: At(9, 30, 7),
            PlanApproval: At(9, 30, 15), ActionStart: At(9, 30, 16), ActionDone: At(10, 1, 4),
            ActionVerified: ActionVerifiedAt, Evaluation: At(10, 16, 8), Closing: At(10, 16, 13)),
        Containment: "Simulated: wafers of runs with s129 outside its limits are held for re-inspection.",
        WhyDecision: "Ten readings of s129 outside their control limits within eight hours, none in the two months "
            + "before. Simulated decision, taken with hindsight on public data.",
        Capa: new CapaStory(
            new StoryCause(
                "machine.sensor-offset", "Simulated: the sensor lost its zero point on the evening of 19 September.",
                ["Readings fall below -3.", "The zero point is off.", "It is not checked between two services."],
                "Simulated: a reference measurement. Real: readings of -1.8 and above all day reach -3.5 at run 920."),
            new StoryCause(
                "material.lot", "Simulated: a lot of wafers differs.",
                ["Readings fall below -3.", "The wafers differ."],
                "Simulated: the shift lasts over more runs than one lot has."),
            ExtentQuery: "Sensors of the wafer line whose readings step on 19 September 2008",
            ActionTitle: "Simulated: set the zero point of s129 and check it at every change of shift",
            ActionDescription: "Simulated: what was done on this line in 2008 is not public. The data show that the "
                + "readings step back between runs 1211 and 1212 on the morning of 1 October 2008.",
            ActionEvidence: "Simulated: calibration protocol.",
            new StoryCriteria(
                At(9, 21, 0), At(9, 30, 0), ExpectedReduction: 0.8, WindowDays,
                "Hindsight on public data: before the count window that opened the case s129 had no deviation at "
                + "all, so there was no rate that could fall. The baseline is moved to whole days of the disturbed "
                + "process: after the count window, so that the cluster which opened the case does not inflate it, "
                + "and before the action."),
            Lessons: "Simulated: a lost zero point shows within hours when every reading is held against limits of its "
                + "own history. The persons and the action of this case are simulated, the readings are real."));

    private static DateTimeOffset At(int month, int day, int hour) => new(2008, month, day, hour, 0, 0, TimeSpan.Zero);
}
