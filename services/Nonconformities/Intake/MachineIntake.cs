namespace CapaEngine.Nonconformities.Intake;

/// <summary>The one way in for machine events, whether they come over HTTP or AMQP.</summary>
public sealed class MachineIntake(MessageReader reader, IntakeLog log, TimeProvider clock)
{
    /// <summary>The types that machines send; importers send others.</summary>
    public static readonly IReadOnlyCollection<string> MachineTypes =
        [MachineEvent.DeviationType, MachineEvent.ProductionType];

    /// <summary>
    /// A window for the events of one request or queue. Without <paramref name="recording"/> what the store does not
    /// take fails.
    /// </summary>
    public IntakeWindow OpenWindow(Recording? recording = null) =>
        new(reader, log, recording ?? ((record, _) => record()), clock);

    /// <summary>Why the sender may not send this event at all; null where they may.</summary>
    public NotUnderstoodException? Refusal(IntakeItem item, IntakeOrigin origin) =>
        reader.Read(item, origin.Sender, origin.Types, clock.GetUtcNow()).Why is
            { Reason: "site-not-yours" or "source-not-yours" } why ? why : null;
}
