using System.ComponentModel.DataAnnotations;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.DeviationEvent>;

namespace CapaEngine.Nonconformities.Domain;

/// <summary>A deviation that a machine sent, as far as a person decides on it.</summary>
public sealed record SentDeviation
{
    /// <summary>Before the first event.</summary>
    public static readonly SentDeviation NotReceived = new();

    /// <summary>The rules of the family; machines begin its streams.</summary>
    public static Decider<SentDeviation, DeviationCommand, DeviationEvent> Decider { get; } = new(
        Families.Deviation, NotReceived, Decide, Evolve, deviation => deviation.Site);

    public string? Site { get; private init; }
    public bool IsDismissed { get; private init; }

    /// <summary>The state after one more fact.</summary>
    public static SentDeviation Evolve(SentDeviation deviation, DeviationEvent fact) => fact switch
    {
        DeviationEvent.Received e => new SentDeviation { Site = e.Site },
        DeviationEvent.ConflictReceived => deviation,
        DeviationEvent.Dismissed => deviation with { IsDismissed = true },
        _ => throw new InvalidOperationException($"{fact.GetType().Name} is no fact of a deviation."),
    };

    /// <summary>The rules: it stays in the log and counts no further, whoever found first that it is none.</summary>
    public static Decision<DeviationEvent> Decide(
        DeviationCommand command, SentDeviation deviation, CommandContext context) => command switch
    {
        DeviationCommand.Dismiss when deviation.Site is null => NotFound(),
        DeviationCommand.Dismiss when deviation.IsDismissed => Accept(),
        DeviationCommand.Dismiss c => Accept(new DeviationEvent.Dismissed(context.Person, c.Reason)),
        _ => throw new InvalidOperationException($"{command.GetType().Name} is no command on a deviation."),
    };
}

/// <summary>What a person may ask of a deviation.</summary>
public abstract record DeviationCommand
{
    private DeviationCommand() { }

    /// <summary>Says that it is none, with the reason.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record Dismiss([property: Required, StringLength(4_000)] string Reason) : DeviationCommand;
}
