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
    public static readonly DateTimeOffset ActionVerifiedAt = new(2008, 10, 1, 6, 0, 0, TimeSpan.Zero);
}
