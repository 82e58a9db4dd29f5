using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;

namespace CapaEngine.Nonconformities.Triage;

/// <summary>A policy to try on a period of the past.</summary>
public sealed record WhatIfRequest(
    [property: MinLength(1), MaxLength(3)] ValueList<TriageRule> Rules, bool GroupsByStation, DateTimeOffset From,
    DateTimeOffset To);

/// <summary>Changing the triage policy while everything runs, and trying another one on the past.</summary>
public static class PolicyEndpoints
{
    private const double WindowDaysMax = 366;
    private static readonly string[] Askers =
        [Roles.Administrator, Roles.Approver, Roles.QualityEngineer, Roles.Analyst];

    /// <summary>Maps <c>/triage-policy</c>.</summary>
    public static void MapTriagePolicy(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("triage-policy");
        group.MapCreate<TriagePolicyCommand.Set>(
            (id, command, context) => new HandleTriagePolicy(id, command, context), isNumbered: false,
            locationOf: (_, done) => $"?version={done.Revision + 1}");
        group.MapPost("what-if", TryAsync).WithName("try-triage-policy")
            .Accepts<WhatIfRequest>("application/json").Produces<WhatIfAnswer>()
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireRole(Askers));
    }

    /// <summary>What is wrong with the rules of a policy.</summary>
    public static ValueList<FieldError> Check(ValueList<TriageRule> rules)
    {
        var errors = new List<FieldError>();
        foreach (var (rule, index) in rules.Select((rule, index) => (rule, index)))
        {
            if (rule.CountMin < 1) errors.Add(new($"rules[{index}].countMin", "must be 1 or more"));
            if (rule.WindowDays is not (> 0 and <= WindowDaysMax))
                errors.Add(new($"rules[{index}].windowDays", $"must lie above 0 and up to {WindowDaysMax}"));
            if (rules.Take(index).Any(other => other.Severity == rule.Severity))
                errors.Add(new($"rules[{index}].severity", "has a rule already"));
        }

        return errors.ToValueList();
    }

    private static async Task<IResult> TryAsync(
        HttpContext http, ClaimsPrincipal user, TriageWhatIf whatIf, CancellationToken ct)
    {
        var body = await StrictBody.ReadAsync<WhatIfRequest>(http.Request, ct);
        if (body.Value is not { } asked) return body.Refusal!;
        if (Refuse(asked, user) is { } refusal) return refusal;
        if (asked.From >= asked.To) return HttpResults.Invalid([new FieldError("to", "must be after from")]);
        return Results.Json(
            await whatIf.ReplayAsync(asked.Rules, asked.GroupsByStation, asked.From, asked.To, ct),
            StrictJson.Requests);
    }

    // The policy holds for all sites, so whoever belongs to one does not see what it does elsewhere.
    private static IResult? Refuse(WhatIfRequest asked, ClaimsPrincipal user)
    {
        if (user.ToActor().Site != "*")
            return HttpResults.Problem(
                StatusCodes.Status403Forbidden, "forbidden", "The triage policy concerns all sites.");
        ValueList<FieldError> errors = [.. ValueRules.Check(asked), .. Check(asked.Rules)];
        return errors.Count > 0 ? HttpResults.Invalid(errors) : null;
    }
}
