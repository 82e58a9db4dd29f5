using CapaEngine.Kernel;
using Mediator;

namespace CapaEngine.Hosting;

/// <summary>
/// A command on its way to the one handler of its decider. The behaviours (tracing, authorisation, validation) see it
/// through this port, whatever the decider.
/// </summary>
public interface IHandleCommand : ICommand<CommandOutcome>
{
    /// <summary>The id in the stream's name.</summary>
    Guid Id { get; }

    /// <summary>The command record.</summary>
    object Command { get; }

    /// <summary>Who, when, under which key.</summary>
    CommandContext Context { get; }
}

/// <summary>
/// What a service declares: <c>record HandleX(Guid Id, XCommand Command, CommandContext Context) :
/// IHandleCommand&lt;XCommand&gt;</c>.
/// </summary>
public interface IHandleCommand<out TCommand> : IHandleCommand
    where TCommand : class
{
    /// <summary>The command as the decider knows it.</summary>
    new TCommand Command { get; }

    object IHandleCommand.Command => Command;
}
