using System.Reflection;
using CapaEngine.Kernel;
using Mediator;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace CapaEngine.Hosting;

/// <summary>What an endpoint says about its command, for the API description.</summary>
internal sealed record CommandMetadata(Type Command);

/// <summary>
/// Commands over HTTP. The order is that of trust: who calls (401), whether they may (403), the headers, the body, its
/// shape, its values, and only then the rules of the record.
/// </summary>
public static class CommandEndpoints
{
    private static readonly TimeSpan NumberWaitMax = TimeSpan.FromSeconds(1);

    private static readonly int[] Refusals =
    [
        StatusCodes.Status400BadRequest, StatusCodes.Status401Unauthorized, StatusCodes.Status403Forbidden,
        StatusCodes.Status404NotFound, StatusCodes.Status409Conflict, StatusCodes.Status412PreconditionFailed,
        StatusCodes.Status413PayloadTooLarge, StatusCodes.Status415UnsupportedMediaType,
        StatusCodes.Status422UnprocessableEntity, StatusCodes.Status429TooManyRequests,
        StatusCodes.Status503ServiceUnavailable,
    ];

    /// <summary>
    /// <c>POST {group}</c> begins a record. Its id follows from the caller and the <c>Idempotency-Key</c>, so that a
    /// repeated request finds what the first one made.
    /// </summary>
    /// <param name="isNumbered">Whether the record gets a number, for which the answer waits a little.</param>
    /// <param name="idOf">The id where it follows from what is asked; the record may exist then.</param>
    /// <param name="locationOf">What follows the address in <c>Location</c> where that is not the id.</param>
    public static RouteHandlerBuilder MapCreate<TCommand>(
        this IEndpointRouteBuilder routes, Func<Guid, TCommand, CommandContext, ICommand<CommandOutcome>> message,
        bool isNumbered = true, Func<TCommand, Guid>? idOf = null,
        Func<TCommand, CommandOutcome.Done, string>? locationOf = null)
        where TCommand : class =>
        Describe<TCommand>(
            routes.MapPost("", (HttpContext http, [FromServices] ISender sender, CancellationToken ct) =>
                HandleAsync(null, message, http, sender, ct, isNumbered, idOf, locationOf)),
            creates: true);

    /// <summary><c>POST {group}/{id}/{name}</c> changes the record.</summary>
    public static RouteHandlerBuilder MapCommand<TCommand>(
        this IEndpointRouteBuilder routes, string name,
        Func<Guid, TCommand, CommandContext, ICommand<CommandOutcome>> message)
        where TCommand : class =>
        Describe<TCommand>(
            routes.MapPost(
                $"{{id:guid}}/{name}",
                (Guid id, HttpContext http, [FromServices] ISender sender, CancellationToken ct) =>
                    HandleAsync(id, message, http, sender, ct)),
            creates: false);

    private static RouteHandlerBuilder Describe<TCommand>(RouteHandlerBuilder endpoint, bool creates)
        where TCommand : class
    {
        var allow = typeof(TCommand).GetCustomAttribute<AllowAttribute>();
        if (allow is not { Roles.Count: > 0 })
            throw new InvalidOperationException($"{typeof(TCommand)} names no role that may give it.");
        foreach (var status in Refusals) endpoint.Produces<Problem>(status, HttpResults.ProblemMediaType);
        return endpoint
            .Accepts<TCommand>(isOptional: true, "application/json")
            .Produces<CommandAnswer>(creates ? StatusCodes.Status201Created : StatusCodes.Status200OK)
            .WithMetadata(new CommandMetadata(typeof(TCommand)))
            .WithName(CommandNames.Of(typeof(TCommand)))
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().RequireRole(allow.Roles));
    }

    // The number is assigned after the record exists; a caller waits a little for it, and else sees the id.
    private static async Task<string?> NumberOfAsync(CommandOutcome outcome, HttpContext http, CancellationToken ct) =>
        outcome is CommandOutcome.Done done && http.RequestServices.GetService<NumberReader>() is { } numbers
            ? await numbers.WaitAsync(done.Id, NumberWaitMax, ct)
            : null;

    private static async Task<IResult> HandleAsync<TCommand>(
        Guid? id, Func<Guid, TCommand, CommandContext, ICommand<CommandOutcome>> message, HttpContext http,
        ISender sender, CancellationToken ct, bool isNumbered = false, Func<TCommand, Guid>? idOf = null,
        Func<TCommand, CommandOutcome.Done, string>? locationOf = null)
        where TCommand : class
    {
        var (headers, refusal) = CommandHeaders.Read(http, typeof(TCommand));
        if (headers is null) return refusal!;
        var body = await StrictBody.ReadAsync<TCommand>(http.Request, ct);
        if (body.Value is null) return body.Refusal!;
        var actor = http.User.ToActor();
        var context = headers.ToContext(actor, CommandNames.Of(typeof(TCommand)), body.Canonical);
        var streamId = id ?? idOf?.Invoke(body.Value) ?? headers.NewId(actor);
        var outcome = await sender.Send(message(streamId, body.Value, context), ct);
        if (id is not null) return HttpResults.Of(outcome);
        var where = locationOf is not null && outcome is CommandOutcome.Done done
            ? locationOf(body.Value, done) : $"/{streamId:D}";
        var location = http.Request.Path.Value!.TrimEnd('/') + where;
        return HttpResults.Of(outcome, location, isNumbered ? await NumberOfAsync(outcome, http, ct) : null);
    }
}
