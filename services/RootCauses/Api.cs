using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.RootCauses.Domain;
using Mediator;

namespace CapaEngine.RootCauses;

/// <summary>The commands on root cause analyses over HTTP, in the order of their life.</summary>
public static class Api
{
    /// <summary>Maps <c>/api/v1/root-cause-analyses</c>.</summary>
    public static void MapRootCauses(this IEndpointRouteBuilder app)
    {
        var analyses = app.MapGroup("/api/v1/root-cause-analyses").WithTags("Root cause analyses");
        analyses.MapCommand<RootCauseCommand.ProposeCause>("propose-cause", Handle);
        analyses.MapCommand<RootCauseCommand.VerifyCause>("verify-cause", Handle);
        analyses.MapCommand<RootCauseCommand.RefuteCause>("refute-cause", Handle);
        analyses.MapCommand<RootCauseCommand.DeclareCauseUnknown>("declare-cause-unknown", Handle);
        analyses.MapCommand<RootCauseCommand.CheckExtent>("check-extent", Handle);
        analyses.MapCommand<RootCauseCommand.Complete>("complete", Handle);
        analyses.MapCommand<RootCauseCommand.SendBack>("send-back", Handle);
        analyses.MapCommand<RootCauseCommand.Approve>("approve", Handle);
    }

    private static HandleRootCauseAnalysis Handle(Guid id, RootCauseCommand command, CommandContext context) =>
        new(id, command, context);
}

/// <summary>A command on its way to the decider.</summary>
public sealed record HandleRootCauseAnalysis(Guid Id, RootCauseCommand Command, CommandContext Context)
    : IHandleCommand<RootCauseCommand>;

/// <summary>The one handler of the family.</summary>
public sealed class RootCauseAnalysisHandler(
    DeciderHandler<RootCauseAnalysis, RootCauseCommand, RootCauseEvent> analyses)
    : ICommandHandler<HandleRootCauseAnalysis, CommandOutcome>
{
    public async ValueTask<CommandOutcome> Handle(HandleRootCauseAnalysis message, CancellationToken ct) =>
        await analyses.HandleAsync(message.Id, message.Command, message.Context, ct);
}
