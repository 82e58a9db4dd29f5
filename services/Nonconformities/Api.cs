using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using CapaEngine.Nonconformities.Intake;
using CapaEngine.Nonconformities.Triage;
using Mediator;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;

namespace CapaEngine.Nonconformities;

/// <summary>HTTP in: routes in the order of a case's life. The command record is the request's body.</summary>
public static class Api
{
    public static void MapApi(this IEndpointRouteBuilder app)
    {
        var api = app.MapGroup("/api/v1");
        api.MapIntake();
        api.MapGroup("deviations").MapCommand<DeviationCommand.Dismiss>(
            "dismiss", (id, command, context) => new HandleDeviation(id, command, context));
        api.MapGroup("quarantine").MapCommand<QuarantineCommand.Replay>(
            "replay", (id, command, context) => new HandleQuarantined(id, command, context));
        api.MapTriagePolicy();

        var cases = api.MapGroup("nonconformities");
        cases.MapCreate<Command.Report>(Message);
        cases.MapCommand<Command.PlanContainment>("plan-containment", Message);
        cases.MapCommand<Command.DecideContainmentNotNeeded>("decide-containment-not-needed", Message);
        cases.MapCommand<Command.ConfirmContainment>("confirm-containment", Message);
        cases.MapCommand<Command.LiftContainment>("lift-containment", Message);
        cases.MapCommand<Command.Accept>("accept", Message);
        cases.MapCommand<Command.Reject>("reject", Message);
        cases.MapCommand<Command.Withdraw>("withdraw", Message);
        cases.MapCommand<Command.Merge>("merge", Message);
        cases.MapCommand<Command.CompleteReview>("complete-review", Message);
        cases.MapCommand<Command.DecideDisposition>("decide-disposition", Message);
        cases.MapCommand<Command.ExecuteDisposition>("execute-disposition", Message);
        cases.MapCommand<Command.VerifyDisposition>("verify-disposition", Message);
        cases.MapCommand<Command.DecideCustomerNoticeNotNeeded>("decide-customer-notice-not-needed", Message);
        cases.MapCommand<Command.RequireCustomerNotice>("require-customer-notice", Message);
        cases.MapCommand<Command.ConfirmCustomerInformed>("confirm-customer-informed", Message);
        cases.MapCommand<Command.RequireCorrectiveAction>("require-corrective-action", Message);
        cases.MapCommand<Command.DecideNoCorrectiveAction>("decide-no-corrective-action", Message);
        cases.MapCommand<Command.Close>("close", Message);
        cases.MapCommand<Command.Reopen>("reopen", Message);
        cases.MapCommand<Command.Correct>("correct", Message);

        var concessions = api.MapGroup("concessions");
        concessions.MapCreate<ConcessionCommand.Request>(Message, isNumbered: false);
        concessions.MapCommand<ConcessionCommand.Grant>("grant", Message);
        concessions.MapCommand<ConcessionCommand.Refuse>("refuse", Message);
        concessions.MapCommand<ConcessionCommand.Revoke>("revoke", Message);
    }

    private static ICommand<CommandOutcome> Message(Guid id, ConcessionCommand command, CommandContext context) =>
        new HandleConcession(id, command, context);

    private static ICommand<CommandOutcome> Message(Guid id, Command command, CommandContext context) =>
        new HandleNonconformity(id, command, context);
}
