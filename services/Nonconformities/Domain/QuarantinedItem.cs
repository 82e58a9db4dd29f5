using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.QuarantineEvent>;

namespace CapaEngine.Nonconformities.Domain;

/// <summary>Something that was not understood when it came.</summary>
public sealed record QuarantinedItem
{
    /// <summary>Before the first event.</summary>
    public static readonly QuarantinedItem NotReceived = new();

    /// <summary>The rules of the family; what cannot be understood belongs to no site.</summary>
    public static Decider<QuarantinedItem, QuarantineCommand, QuarantineEvent> Decider { get; } = new(
        Families.Quarantine, NotReceived, Decide, Evolve, _ => null);

    /// <summary>It as it came; null before.</summary>
    public QuarantineEvent.Received? Kept { get; private init; }

    public bool IsReplayed { get; private init; }

    /// <summary>The state after one more fact.</summary>
    public static QuarantinedItem Evolve(QuarantinedItem item, QuarantineEvent fact) => fact switch
    {
        QuarantineEvent.Received e => new QuarantinedItem { Kept = e },
        QuarantineEvent.Replayed => item with { IsReplayed = true },
        _ => throw new InvalidOperationException($"{fact.GetType().Name} is no fact of a quarantine."),
    };

    /// <summary>The rules: it leaves the quarantine once, as what was made of it.</summary>
    public static Decision<QuarantineEvent> Decide(
        QuarantineCommand command, QuarantinedItem item, CommandContext context) => command switch
    {
        QuarantineCommand.Replay when item.Kept is null => NotFound(),
        QuarantineCommand.Replay when item.IsReplayed => Accept(),
        QuarantineCommand.Replay { Result: { } made } => Accept(
            new QuarantineEvent.Replayed(context.Person, made.DeviationId, made.ProductionId, made.Outcome)
            {
                NonconformityId = made.NonconformityId,
            }),
        QuarantineCommand.Replay c => Reject("still-not-understood", $"It is still not understood: {c.Why}."),
        _ => throw new InvalidOperationException($"{command.GetType().Name} is no command on a quarantine."),
    };
}

/// <summary>What a person may ask of what was not understood.</summary>
public abstract record QuarantineCommand
{
    private QuarantineCommand() { }

    /// <summary>Reads it again, by what the service understands today and by the rights of the caller.</summary>
    [Allow(Roles.QualityEngineer)]
    public sealed record Replay : QuarantineCommand
    {
        /// <summary>What was made of it; null where it is still not understood. Never requested.</summary>
        [JsonIgnore]
        public ReplayResult? Result { get; init; }

        /// <summary>Why it is still not understood; never requested.</summary>
        [JsonIgnore, StringLength(4_000)]
        public string? Why { get; init; }
    }
}

/// <summary>The stream that a replayed item went to, and whether it was new there.</summary>
public sealed record ReplayResult(Guid? DeviationId, Guid? ProductionId, Guid? NonconformityId, string Outcome);
