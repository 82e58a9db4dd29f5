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
        analyses.MapCommand<RootCauseCommand.AnswerWhy>("answer-why", Handle);
        analyses.MapCommand<RootCauseCommand.ChooseCategories>("choose-categories", Handle);
        analyses.MapCommand<RootCauseCommand.NoteFactor>("note-factor", Handle);
        analyses.MapCommand<RootCauseCommand.NoteContrast>("note-contrast", Handle);
        analyses.MapCommand<RootCauseCommand.ProposeCause>("propose-cause", Handle);
        analyses.MapCommand<RootCauseCommand.VerifyCause>("verify-cause", Handle);
        analyses.MapCommand<RootCauseCommand.RefuteCause>("refute-cause", Handle);
        analyses.MapCommand<RootCauseCommand.DeclareCauseUnknown>("declare-cause-unknown", Handle);
        analyses.MapCommand<RootCauseCommand.CheckExtent>("check-extent", Handle);
        analyses.MapCommand<RootCauseCommand.Complete>("complete", Handle);
        analyses.MapCommand<RootCauseCommand.SendBack>("send-back", Handle);
        analyses.MapCommand<RootCauseCommand.Approve>("approve", Handle);
    }

    /// <summary>Maps <c>/api/v1/cause-codes</c>: there is one tree, and a caller creates a version of it.</summary>
    public static void MapCauseCodes(this IEndpointRouteBuilder app) =>
        app.MapGroup("/api/v1/cause-codes").WithTags("Cause codes")
            .MapCreate<CauseCodesCommand.Set>(
                (id, command, context) => new HandleCauseCodes(id, command, context), isNumbered: false,
                locationOf: (_, done) => $"?version={done.Revision + 1}");

    private static HandleRootCauseAnalysis Handle(Guid id, RootCauseCommand command, CommandContext context) =>
        new(id, command, context);
}

/// <summary>A command on its way to the decider.</summary>
public sealed record HandleRootCauseAnalysis(Guid Id, RootCauseCommand Command, CommandContext Context)
    : IHandleCommand<RootCauseCommand>;

/// <summary>A command on its way to the decider of the cause codes.</summary>
public sealed record HandleCauseCodes(Guid Id, CauseCodesCommand Command, CommandContext Context)
    : IHandleCommand<CauseCodesCommand>;

/// <summary>The one handler of analyses. A cause is proposed under the codes in force, looked up first.</summary>
public sealed class RootCauseAnalysisHandler(
    DeciderHandler<RootCauseAnalysis, RootCauseCommand, RootCauseEvent> analyses,
    DeciderHandler<CauseCodeTree, CauseCodesCommand, CauseCodesEvent> codes)
    : ICommandHandler<HandleRootCauseAnalysis, CommandOutcome>
{
    public async ValueTask<CommandOutcome> Handle(HandleRootCauseAnalysis message, CancellationToken ct)
    {
        var command = message.Command;
        if (command is RootCauseCommand.ProposeCause propose)
            command = propose with { Codes = (await codes.LoadAsync(Guid.Empty, ct)).State };
        return await analyses.HandleAsync(message.Id, command, message.Context, ct);
    }
}

/// <summary>The one handler of the cause codes.</summary>
public sealed class CauseCodesHandler(DeciderHandler<CauseCodeTree, CauseCodesCommand, CauseCodesEvent> codes)
    : ICommandHandler<HandleCauseCodes, CommandOutcome>
{
    public async ValueTask<CommandOutcome> Handle(HandleCauseCodes message, CancellationToken ct) =>
        await codes.HandleAsync(message.Id, message.Command, message.Context, ct);
}
