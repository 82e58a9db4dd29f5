using System.Diagnostics.Metrics;
using System.Text.Json;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>What the intake tells of itself.</summary>
internal static class IntakeTelemetry
{
    private static readonly Meter Meter = new("CapaEngine.Intake");

    private static readonly Counter<long> Messages = Meter.CreateCounter<long>(
        "capa.intake.messages", description: "Messages of machines that were answered, by outcome.");

    private static readonly Counter<long> TooLarge = Meter.CreateCounter<long>(
        "capa.intake.too_large", description: "AMQP messages set aside because they are too large.");

    private static readonly KeyValuePair<string, object?>[] Outcomes =
        [.. Enum.GetNames<IntakeOutcome>().Select(name => KeyValuePair.Create<string, object?>(
            "outcome", JsonNamingPolicy.KebabCaseLower.ConvertName(name)))];

    public static void Count(IntakeOutcome outcome) => Messages.Add(1, Outcomes[(int)outcome]);

    public static void CountTooLarge() => TooLarge.Add(1);
}
