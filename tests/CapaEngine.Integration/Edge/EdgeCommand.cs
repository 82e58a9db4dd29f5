using System.ComponentModel.DataAnnotations;
using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Hosting;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Mediator;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.ActionPlanEvent>;

namespace CapaEngine.Integration.Edge;

/// <summary>The commands of a service small enough to show nothing but its edge.</summary>
public abstract record EdgeCommand
{
    private EdgeCommand() { }

    /// <summary>Begins a record.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record Open(
        [property: Required, StringLength(50)] string Site,
        [property: Required, StringLength(20, MinimumLength = 2)] string Title,
        Severity Severity, DateTimeOffset DetectedAt, EdgePart? Part = null, ValueList<EdgePart>? Parts = null)
        : EdgeCommand;

    /// <summary>Changes it as often as anybody likes until it is signed.</summary>
    [Allow(Roles.QualityEngineer, Roles.ActionOwner)]
    public sealed record Rate([property: Range(1, 5)] int Severity, [property: Range(1, 5)] int Likelihood)
        : EdgeCommand;

    /// <summary>Signs it; it has no members, so an empty body will do.</summary>
    [Allow(Roles.Approver), Signs]
    public sealed record Sign : EdgeCommand;

    /// <summary>Fails below the edge.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record Break(bool StoreIsGone) : EdgeCommand;

    /// <summary>Reaches the mediator although its roles are a service's alone.</summary>
    [Allow(Roles.Service)]
    public sealed record Internal : EdgeCommand;
}

/// <summary>A record within a command.</summary>
public sealed record EdgePart(
    [property: Required, StringLength(5)] string Code, [property: Range(1, 9)] int Count);

/// <summary>What the decider knows.</summary>
public sealed record EdgeState(string? Site = null, RiskRating? Rating = null, bool IsSigned = false);

/// <summary>A command on its way.</summary>
public sealed record HandleEdge(Guid Id, EdgeCommand Command, CommandContext Context) : IHandleCommand<EdgeCommand>;

/// <summary>Decides with the real handler on a real stream.</summary>
public sealed class EdgeHandler(IEventStore store, TimeProvider clock) : ICommandHandler<HandleEdge, CommandOutcome>
{
    /// <summary>What must never reach a caller.</summary>
    public const string Secret = "Host=10.0.0.7;Password=hunter2";

    private readonly DeciderHandler<EdgeState, EdgeCommand, ActionPlanEvent> handler = new(
        store, new(Families.ActionPlan, new EdgeState(), Decide, Evolve, state => state.Site), clock,
        new BuiltInProfiles());

    /// <inheritdoc/>
    public async ValueTask<CommandOutcome> Handle(HandleEdge message, CancellationToken ct) => message.Command switch
    {
        EdgeCommand.Break { StoreIsGone: true } => throw new EventStoreUnavailableException(Secret),
        EdgeCommand.Break => throw new InvalidOperationException(Secret),
        _ => await handler.HandleAsync(message.Id, message.Command, message.Context, ct),
    };

    private static Decision<ActionPlanEvent> Decide(EdgeCommand command, EdgeState state, CommandContext context) =>
        (command, state) switch
        {
            (EdgeCommand.Open open, { Site: null }) => Accept(new ActionPlanEvent.Opened(
                open.Site, open.Title, context.Person, null, open.Severity.ToString(), null, open.DetectedAt, false)),
            (EdgeCommand.Open, _) => Accept(),
            (_, { Site: null }) => NotFound(),
            (EdgeCommand.Rate, { IsSigned: true }) => Reject("signed", "It is signed."),
            (EdgeCommand.Rate rate, _) => Accept(new ActionPlanEvent.RiskRated(
                new RiskRating(rate.Severity, rate.Likelihood), context.Person)),
            (EdgeCommand.Sign, { IsSigned: false }) => Accept(new ActionPlanEvent.Submitted(context.Person)),
            _ => Accept(),
        };

    private static EdgeState Evolve(EdgeState state, ActionPlanEvent fact) => fact switch
    {
        ActionPlanEvent.Opened opened => new EdgeState(opened.Site),
        ActionPlanEvent.RiskRated rated => state with { Rating = rated.Rating },
        ActionPlanEvent.Submitted => state with { IsSigned = true },
        _ => throw new InvalidOperationException($"Not of this test: {fact}."),
    };
}
