using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using Mediator;

namespace CapaEngine.Nonconformities;

/// <summary>A command on its way to a concession or deviation permit.</summary>
public sealed record HandleConcession(Guid Id, ConcessionCommand Command, CommandContext Context)
    : IHandleCommand<ConcessionCommand>;

/// <summary>Carries commands to the decider.</summary>
public sealed class ConcessionHandler(DeciderHandler<Concession, ConcessionCommand, ConcessionEvent> decider)
    : ICommandHandler<HandleConcession, CommandOutcome>
{
    public async ValueTask<CommandOutcome> Handle(HandleConcession command, CancellationToken cancellationToken) =>
        await decider.HandleAsync(command.Id, command.Command, command.Context, cancellationToken);
}
