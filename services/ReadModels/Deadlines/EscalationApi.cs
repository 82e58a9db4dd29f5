using System.Security.Claims;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Mediator;

namespace CapaEngine.ReadModels.Deadlines;

/// <summary>Escalations and their policy over HTTP.</summary>
public static class EscalationApi
{
    private static readonly string[] Kinds = [.. Enum.GetValues<DeadlineKind>().Select(Wire.Name)];
    private static readonly string[] Severities = [.. Enum.GetValues<Severity>().Select(Wire.Name)];
    private static readonly string[] DeadlineStatuses = ["open", "met", "lapsed"];
    private static readonly string[] NotificationStatuses = ["composed", "failing", "delivered", "given-up", "dropped"];

    /// <summary>The routes. There is one policy, and a caller creates a version of it.</summary>
    public static void MapEscalations(this WebApplication app)
    {
        app.MapGroup("/api/v1/escalation-policy").WithTags("Escalation policy")
            .MapCreate<EscalationPolicyCommand.Set>(
                (id, command, context) => new HandleEscalationPolicy(id, command, context), isNumbered: false,
                locationOf: (_, done) => $"?version={done.Revision + 1}");
        var api = app.MapGroup("/api/v1").RefuseUnknownParameters();
        api.MapGet("/escalations", ListAsync).Gives<Page<EscalationView>>();
        api.MapGet("/escalation-policy", GetPolicyAsync).Gives<EscalationPolicyView>();
        api.MapGet("/notifications", ListNotificationsAsync).Gives<Page<NotificationView>>()
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireRole(Roles.Administrator));
    }

    private static async Task<IResult> ListAsync(
        string? kind, string? severity, string? site, string? recipient, string? status, string? caseId, string? sort,
        string? cursor, string? limit, string? min, ClaimsPrincipal caller, EscalationQueries queries,
        RevisionWait wait, CancellationToken ct)
    {
        var check = new ParameterCheck();
        check.OneOf("kind", kind, Kinds);
        check.OneOf("severity", severity, Severities);
        check.OneOf("status", status, DeadlineStatuses);
        var subject = check.Id("caseId", caseId);
        var page = check.Page(sort, cursor, limit);
        var seen = check.Min(min);
        if (check.Refusal is { } refusal) return refusal;
        if (!await wait.ReachedAsync(seen, ct)) return Answers.NotYet();
        return Results.Ok(await queries.ListAsync(
            new EscalationFilter(kind, severity, site, recipient, status, subject), caller.SiteLimit(), page, ct));
    }

    private static async Task<IResult> GetPolicyAsync(
        int? version, EscalationQueries queries, HttpContext http, CancellationToken ct)
    {
        if (await queries.PolicyAsync(version, ct) is not { } policy) return HttpResults.NotFound();
        http.Response.Headers.ETag = HttpResults.ETag(policy.Revision);
        return Results.Ok(policy);
    }

    // Who was told what concerns persons of all sites.
    private static async Task<IResult> ListNotificationsAsync(
        string? status, string? recipient, string? sort, string? cursor, string? limit, ClaimsPrincipal caller,
        EscalationQueries queries, CancellationToken ct)
    {
        var check = new ParameterCheck();
        check.OneOf("status", status, NotificationStatuses);
        var page = check.Page(sort, cursor, limit);
        if (check.Refusal is { } refusal) return refusal;
        if (caller.SiteLimit() is not null)
            return HttpResults.Problem(
                StatusCodes.Status403Forbidden, "forbidden", "Notifications concern persons of all sites.");
        return Results.Ok(await queries.NotificationsAsync(status, recipient, page, ct));
    }
}

/// <summary>A command on its way to the decider of the escalation policy.</summary>
public sealed record HandleEscalationPolicy(Guid Id, EscalationPolicyCommand Command, CommandContext Context)
    : IHandleCommand<EscalationPolicyCommand>;

/// <summary>The one handler of the policy: what no attribute can say is checked before it is decided.</summary>
public sealed class EscalationPolicyHandler(
    DeciderHandler<EscalationPolicy, EscalationPolicyCommand, EscalationPolicyEvent> policies)
    : ICommandHandler<HandleEscalationPolicy, CommandOutcome>
{
    public async ValueTask<CommandOutcome> Handle(HandleEscalationPolicy message, CancellationToken ct)
    {
        if (message.Command is EscalationPolicyCommand.Set set
            && PolicyRules.Check(set.Rules, set.Responsibilities) is { Count: > 0 } errors)
            return new CommandOutcome.Invalid(errors);
        return await policies.HandleAsync(message.Id, message.Command, message.Context, ct);
    }
}
