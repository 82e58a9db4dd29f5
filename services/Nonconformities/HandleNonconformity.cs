using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Concessions;
using CapaEngine.Nonconformities.Domain;
using CapaEngine.Nonconformities.Merges;
using Mediator;

namespace CapaEngine.Nonconformities;

/// <summary>A command on its way to a nonconformity.</summary>
public sealed record HandleNonconformity(Guid Id, NonconformityCommand Command, CommandContext Context)
    : IHandleCommand<NonconformityCommand>;

/// <summary>
/// Carries commands to the decider; a report on a subject reserves the subject first, and a disposition that accepts
/// what does not conform draws its concession first.
/// </summary>
public sealed class NonconformityHandler(
    DeciderHandler<Nonconformity, NonconformityCommand, NonconformityEvent> decider, Signatures signatures,
    ConcessionDraws draws, CaseMerges merges)
    : ICommandHandler<HandleNonconformity, CommandOutcome>
{
    public async ValueTask<CommandOutcome> Handle(HandleNonconformity command, CancellationToken cancellationToken)
    {
        var (id, asked, context) = (command.Id, command.Command, command.Context);
        if (asked is NonconformityCommand.DecideDisposition disposition)
            return await draws.DecideAsync(id, disposition, context, cancellationToken);
        if (asked is NonconformityCommand.Merge merge)
            return await merges.MergeAsync(id, merge, context, cancellationToken);
        if (asked is not NonconformityCommand.Report { Subject: { } subject } report)
            return await decider.HandleAsync(id, asked, context, cancellationToken);
        // A report that will be refused, or was given before, must not reserve anything.
        if (await decider.PreviewAsync(id, report, context, cancellationToken) is { Outcome: null })
        {
            var (cycle, instead) = await signatures.ReserveAsync(subject, id, context, cancellationToken);
            if (instead is not null) return instead;
            report = report with { SignatureCycle = cycle };
        }

        return await decider.HandleAsync(id, report, context, cancellationToken);
    }
}
