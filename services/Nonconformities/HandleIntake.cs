using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using CapaEngine.Nonconformities.Intake;
using Mediator;

namespace CapaEngine.Nonconformities;

/// <summary>A command on its way to a deviation.</summary>
public sealed record HandleDeviation(Guid Id, DeviationCommand Command, CommandContext Context)
    : IHandleCommand<DeviationCommand>;

/// <summary>A command on its way to what is in quarantine.</summary>
public sealed record HandleQuarantined(Guid Id, QuarantineCommand Command, CommandContext Context)
    : IHandleCommand<QuarantineCommand>;

/// <summary>Carries commands to the decider.</summary>
public sealed class DeviationHandler(DeciderHandler<SentDeviation, DeviationCommand, DeviationEvent> decider)
    : ICommandHandler<HandleDeviation, CommandOutcome>
{
    public async ValueTask<CommandOutcome> Handle(HandleDeviation command, CancellationToken cancellationToken) =>
        await decider.HandleAsync(command.Id, command.Command, command.Context, cancellationToken);
}

/// <summary>Carries commands to the decider; what is replayed goes to its own stream first.</summary>
public sealed class QuarantineHandler(Replays replays, Senders senders)
    : ICommandHandler<HandleQuarantined, CommandOutcome>
{
    public async ValueTask<CommandOutcome> Handle(HandleQuarantined command, CancellationToken cancellationToken) =>
        await replays.ReplayAsync(
            command.Id, senders.Of(command.Context.Actor), command.Context, cancellationToken);
}
