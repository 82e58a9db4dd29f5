using CapaEngine.Nonconformities.Intake.Mapping;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>The facts in a message, or why it was not understood, or why nothing of it is recorded.</summary>
public sealed record Understood(
    IReadOnlyList<MachineEvent> Events, NotUnderstoodException? Why, string? Ignored = null);

/// <summary>Understands messages: native events as they are, others by the mappings in force at that moment.</summary>
public sealed class MessageReader(Func<MappingSet> mappings)
{
    /// <summary>Reads an item, of which <paramref name="types"/> alone are taken, or what is mapped to them.</summary>
    public Understood Read(
        IntakeItem item, Sender sender, IReadOnlyCollection<string> types, DateTimeOffset now)
    {
        try
        {
            if (item.Why is { } why) throw why;
            var message = item.Envelope!;
            return types.Contains(MachineEvent.DeviationType)
                && mappings().For(message.Type, message.Source) is { } mapping
                ? mapping.Apply(message, sender, now)
                : new Understood([MachineEvent.Read(message, sender, types, now)], null);
        }
        catch (NotUnderstoodException why)
        {
            return new Understood([], why);
        }
        catch (Exception why) when (why is NotCanonicalException or InvalidOperationException)
        {
            return new Understood([], new NotUnderstoodException("ambiguous-json", why.Message));
        }
    }
}
