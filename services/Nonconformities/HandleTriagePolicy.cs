using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using CapaEngine.Nonconformities.Triage;
using Mediator;

namespace CapaEngine.Nonconformities;

/// <summary>A command on its way to the triage policy.</summary>
public sealed record HandleTriagePolicy(Guid Id, TriagePolicyCommand Command, CommandContext Context)
    : IHandleCommand<TriagePolicyCommand>;

/// <summary>Carries commands to the decider; what no attribute can say of the rules is checked before.</summary>
public sealed class TriagePolicyHandler(DeciderHandler<TriagePolicy, TriagePolicyCommand, TriagePolicyEvent> policies)
    : ICommandHandler<HandleTriagePolicy, CommandOutcome>
{
    public async ValueTask<CommandOutcome> Handle(HandleTriagePolicy command, CancellationToken cancellationToken)
    {
        // The policy holds for all sites, so whoever belongs to one does not set it.
        if (command.Context.Actor.Site != "*")
            return new CommandOutcome.Forbidden("The triage policy concerns all sites.");
        if (command.Command is TriagePolicyCommand.Set set && PolicyEndpoints.Check(set.Rules) is { Count: > 0 } errors)
            return new CommandOutcome.Invalid(errors);
        return await policies.HandleAsync(command.Id, command.Command, command.Context, cancellationToken);
    }
}
