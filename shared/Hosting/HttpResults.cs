using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Serialization;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace CapaEngine.Hosting;

/// <summary>What every refusal looks like (RFC 9457), with the machine-readable <c>code</c>.</summary>
/// <param name="TraceId">The trace to ask the operator about.</param>
public sealed record Problem(
    string Type, string Title, int Status, string Code, string Detail,
    ValueList<FieldError>? Errors = null, string? TraceId = null);

/// <summary>The answer to a command that was carried out, now or before.</summary>
/// <param name="Revision">The stream's revision after it; the <c>ETag</c>.</param>
/// <param name="Position">Commit position of its last event in the log.</param>
/// <param name="Number">The number a person reads, where it is known by now.</param>
public sealed record CommandAnswer(
    Guid Id, long Revision, ulong Position,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Number = null);

/// <summary>The one place where outcomes become HTTP answers.</summary>
public static class HttpResults
{
    internal const string ProblemMediaType = "application/problem+json";
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>A refusal.</summary>
    public static IResult Problem(int status, string code, string detail, ValueList<FieldError>? errors = null) =>
        Results.Json(
            new Problem(
                $"urn:capaengine:problem:{code}", ReasonPhrases.GetReasonPhrase(status), status, code, detail,
                errors is { Count: > 0 } ? errors : null, Activity.Current?.TraceId.ToHexString()),
            StrictJson.Requests, ProblemMediaType, status);

    /// <summary>A refusal because members break rules.</summary>
    public static IResult Invalid(ValueList<FieldError> errors) => Problem(
        StatusCodes.Status422UnprocessableEntity, "invalid", "The request is well-formed, but members break rules.",
        errors);

    /// <summary>A refusal for now; the caller may repeat the same request.</summary>
    public static IResult Unavailable(string code, string detail) =>
        new WithHeader(
            Problem(StatusCodes.Status503ServiceUnavailable, code, detail), "Retry-After",
            RetryAfter.TotalSeconds.ToString(CultureInfo.InvariantCulture));

    /// <summary>A refusal because too much is under way.</summary>
    public static IResult TooManyRequests(string code, string detail) =>
        new WithHeader(
            Problem(StatusCodes.Status429TooManyRequests, code, detail), "Retry-After",
            RetryAfter.TotalSeconds.ToString(CultureInfo.InvariantCulture));

    /// <summary>The answer to <paramref name="outcome"/>; 201 where it created <paramref name="location"/>.</summary>
    public static IResult Of(CommandOutcome outcome, string? location = null, string? number = null) => outcome switch
    {
        CommandOutcome.Done done => Answer(done, location, number),
        CommandOutcome.Rejected no => Problem(StatusCodes.Status409Conflict, no.Code, no.Reason),
        CommandOutcome.Invalid invalid => Invalid(invalid.Errors),
        CommandOutcome.Forbidden no => Problem(StatusCodes.Status403Forbidden, "forbidden", no.Reason),
        CommandOutcome.NotFound => NotFound(),
        CommandOutcome.Stale stale => Problem(
            StatusCodes.Status412PreconditionFailed, "stale",
            $"The record has moved on to revision {stale.ActualRevision}; read it again."),
        CommandOutcome.KeyReused => Problem(
            StatusCodes.Status422UnprocessableEntity, "idempotency-key-reused",
            "This Idempotency-Key was used with another request."),
        CommandOutcome.Unavailable busy => Unavailable(busy.Code, busy.Reason),
        _ => throw new UnreachableException($"No answer is defined for {outcome.GetType().Name}."),
    };

    /// <summary>The refusal that also hides what belongs to another site.</summary>
    public static IResult NotFound() => Problem(
        StatusCodes.Status404NotFound, "not-found", "There is no such record among those you may see.");

    /// <summary>The strong entity tag of a revision.</summary>
    public static string ETag(long revision) => $"\"{revision.ToString(CultureInfo.InvariantCulture)}\"";

    private static WithHeader Answer(CommandOutcome.Done done, string? location, string? number)
    {
        var answer = new CommandAnswer(done.Id, done.Revision, done.Position.Commit, number);
        var body = Results.Json(
            answer, StrictJson.Requests, "application/json",
            location is null ? StatusCodes.Status200OK : StatusCodes.Status201Created);
        var tagged = new WithHeader(body, "ETag", ETag(done.Revision));
        return location is null ? tagged : new WithHeader(tagged, "Location", location);
    }

    private sealed class WithHeader(IResult inner, string name, string value) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers[name] = value;
            return inner.ExecuteAsync(httpContext);
        }
    }
}
