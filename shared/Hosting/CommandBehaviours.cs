using System.Diagnostics;
using System.Reflection;
using CapaEngine.Kernel;
using Mediator;

namespace CapaEngine.Hosting;

/// <summary>One span per command, named after it, with its outcome.</summary>
public sealed class CommandTracing<TMessage, TResponse> : IPipelineBehavior<TMessage, TResponse>
    where TMessage : IHandleCommand
    where TResponse : CommandOutcome
{
    public async ValueTask<TResponse> Handle(
        TMessage message, MessageHandlerDelegate<TMessage, TResponse> next, CancellationToken ct)
    {
        var command = CommandNames.Of(message.Command.GetType());
        using var span = CommandNames.Source.StartActivity($"command {command}");
        span?.SetTag("capa.command", command);
        var outcome = await next(message, ct);
        span?.SetTag("capa.outcome", outcome switch
        {
            CommandOutcome.Rejected no => no.Code,
            CommandOutcome.Unavailable busy => busy.Code,
            _ => CommandNames.Kebab(outcome.GetType().Name),
        });
        if (outcome is CommandOutcome.Unavailable) span?.SetStatus(ActivityStatusCode.Error);
        return outcome;
    }
}

/// <summary>
/// Refuses whoever holds none of the command's roles, also where no endpoint did. A command that names no role is
/// open to nobody; a service's reactions pass, because they follow from what was allowed before.
/// </summary>
public sealed class CommandAuthorisation<TMessage, TResponse> : IPipelineBehavior<TMessage, TResponse>
    where TMessage : IHandleCommand
    where TResponse : CommandOutcome
{
    public ValueTask<TResponse> Handle(
        TMessage message, MessageHandlerDelegate<TMessage, TResponse> next, CancellationToken ct)
    {
        var actor = message.Context.Actor;
        var allow = message.Command.GetType().GetCustomAttribute<AllowAttribute>();
        if (actor.Roles.Contains(Roles.Service) || (allow is not null && actor.HoldsAny(allow.Roles)))
            return next(message, ct);
        return ValueTask.FromResult((TResponse)(CommandOutcome)new CommandOutcome.Forbidden(
            "None of your roles may give this command."));
    }
}

/// <summary>Checks the rules that a command's values carry as attributes, before anything is read or decided.</summary>
public sealed class CommandValidation<TMessage, TResponse> : IPipelineBehavior<TMessage, TResponse>
    where TMessage : IHandleCommand
    where TResponse : CommandOutcome
{
    public ValueTask<TResponse> Handle(
        TMessage message, MessageHandlerDelegate<TMessage, TResponse> next, CancellationToken ct)
    {
        var errors = ValueRules.Check(message.Command);
        return errors.Count == 0
            ? next(message, ct)
            : ValueTask.FromResult((TResponse)(CommandOutcome)new CommandOutcome.Invalid(errors));
    }
}
