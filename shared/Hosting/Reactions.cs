using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Hosting;

/// <summary>An event as a follower delivers it: read, upcast, in stream order, at least once.</summary>
/// <param name="Fact">The event record of <c>CapaEngine.Contracts</c>, in today's shape.</param>
public sealed record IncomingEvent(
    string Stream, Family Family, long Revision, LogPosition Position, Guid EventId, string Type, object Fact,
    EventMetadata Metadata)
{
    /// <summary>The id in the stream's name.</summary>
    public Guid StreamId => Family.IdOf(Stream);

    /// <summary>
    /// The context of a command that follows from this event. Its command id derives from the event and
    /// <paramref name="reaction"/>, so that reacting twice appends once; in a history it inherits the event's time.
    /// </summary>
    public CommandContext ToContext(string service, string reaction) => new(
        Actor.Service(service), $"{EventId:D}/{reaction}",
        StatedTime: Metadata.Imported ? Metadata.OccurredAt : null,
        CorrelationId: Metadata.CorrelationId, CausationId: EventId.ToString("D"), IsReaction: true);
}

/// <summary>How a reaction ended.</summary>
public abstract record ReactionOutcome
{
    private ReactionOutcome() { }

    /// <summary>Its effects are durable.</summary>
    public sealed record Done : ReactionOutcome;

    /// <summary>Its effects were there already, or the event concerns this service no further.</summary>
    public sealed record AlreadyDone : ReactionOutcome;

    /// <summary>What it builds on is not there yet; it is tried again with back-off, then parked.</summary>
    public sealed record NotYet(string Reason) : ReactionOutcome;

    /// <summary>A rule refuses it; it is parked with the code.</summary>
    public sealed record Refused(string Code, string Reason) : ReactionOutcome;

    /// <summary>The reaction's outcome by the outcome of the command it gave.</summary>
    public static ReactionOutcome Of(CommandOutcome outcome) => outcome switch
    {
        CommandOutcome.Done { EventCount: 0 } => new AlreadyDone(),
        CommandOutcome.Done => new Done(),
        CommandOutcome.NotFound => new NotYet("not-found"),
        CommandOutcome.Unavailable busy => new NotYet(busy.Code),
        CommandOutcome.Rejected no => new Refused(no.Code, no.Reason),
        _ => new Refused("not-acceptable", outcome.ToString()),
    };
}

/// <summary>What a service does when events happen, its own or others'. One class in each service.</summary>
public interface IReactions
{
    /// <summary>The stream families it follows.</summary>
    IReadOnlyList<Family> Families { get; }

    /// <summary>
    /// Reacts to one event. Idempotent by derived stream and event ids; an event it has no use for ends
    /// <see cref="ReactionOutcome.AlreadyDone"/>. Throwing counts as <see cref="ReactionOutcome.NotYet"/>.
    /// </summary>
    Task<ReactionOutcome> ReactAsync(IncomingEvent incoming, CancellationToken ct);
}
