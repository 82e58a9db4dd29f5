using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Deadlines.Delivery;

/// <summary>A message that goes out now.</summary>
/// <param name="Id">The same at every attempt, so that a receiver can tell a repeat.</param>
/// <param name="Items">What it tells, at least one; all of it is still open.</param>
public sealed record OutgoingMessage(
    Guid Id, string Recipient, DateOnly? Day, DateTimeOffset ComposedAt, IReadOnlyList<EscalationView> Items);

/// <summary>How an attempt ended.</summary>
public abstract record SendResult
{
    private SendResult() { }

    /// <summary>The receiving server took it.</summary>
    public sealed record Delivered : SendResult;

    /// <summary>It did not.</summary>
    /// <param name="Reason">A code; never an address, a secret or the words of the other side.</param>
    /// <param name="IsFinal">Whether another attempt would end the same way.</param>
    /// <param name="IsDown">Whether the other side did not answer at all, so that nothing else gets there now.</param>
    public sealed record Failed(string Reason, bool IsFinal, bool IsDown = false) : SendResult;
}

/// <summary>A way to reach somebody. It never throws for what the other side does.</summary>
public interface INotificationChannel
{
    /// <summary>Which way it is.</summary>
    DeliveryChannel Kind { get; }

    /// <summary>The server that a recipient's messages go to; one that is down is not asked for each of them.</summary>
    string ServerOf(string recipient);

    /// <summary>Sends the message once.</summary>
    Task<SendResult> SendAsync(OutgoingMessage message, CancellationToken ct);
}
