using CapaEngine.Kernel;
using Microsoft.Extensions.Options;

namespace CapaEngine.Nonconformities.Intake.Amqp;

/// <summary>Who sent a message: the user whom the broker verified, as far as the message names one.</summary>
public sealed class AmqpSenders(IOptions<IntakeOptions> options, IHostEnvironment environment)
{
    private const string Unnamed = "amqp";

    private readonly bool isRequired = options.Value.Amqp.RequiresUserId ?? !environment.IsDevelopment();

    /// <summary>The sender, and why nothing of theirs is taken.</summary>
    /// <param name="userId">The property <c>user-id</c>, which the broker compares with the connection's user.</param>
    public (Sender Sender, NotUnderstoodException? Why) Of(string? userId)
    {
        if (string.IsNullOrEmpty(userId))
            return (SenderOf(Unnamed, null, "*"), isRequired
                ? new NotUnderstoodException("sender-unknown", "user-id: the message must name its verified user")
                : null);
        var user = options.Value.Amqp.Users.GetValueOrDefault(userId) ?? new AmqpUser();
        var source = user.Source ?? userId;
        return (SenderOf(userId, source == "*" ? null : source, user.Site), null);
    }

    private static Sender SenderOf(string name, string? source, string site) =>
        new(new Actor(name, name, [Roles.SourceSystem], site, []), source, StatesHistory: false);
}
