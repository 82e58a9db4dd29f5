using CapaEngine.EventStore;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace CapaEngine.Hosting;

/// <summary>Turns what went wrong below the endpoints into problems that say what the caller can do about it.</summary>
internal static class Failures
{
    public static void UseProblems(this WebApplication app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = http =>
            {
                var error = http.Features.Get<IExceptionHandlerFeature>()!.Error;
                // The rest of a body that cannot be read stays on the connection, so nobody may send on it again.
                if (error is BadHttpRequestException) http.Response.Headers.Connection = "close";
                return ToResult(error).ExecuteAsync(http);
            },
            AllowStatusCode404Response = true,
            SuppressDiagnosticsCallback = context => context.Exception is BadHttpRequestException,
        });
        app.UseStatusCodePages(pages =>
            OfStatus(pages.HttpContext.Response.StatusCode).ExecuteAsync(pages.HttpContext));
    }

    private static IResult ToResult(Exception error) => error switch
    {
        BadHttpRequestException bad => OfStatus(bad.StatusCode),
        EventStoreUnavailableException => HttpResults.Unavailable(
            "event-store-unavailable", "The event store does not answer; repeat the request later."),
        OperationCanceledException => OfStatus(StatusCodes.Status499ClientClosedRequest),
        _ => OfStatus(StatusCodes.Status500InternalServerError),
    };

    private static IResult OfStatus(int status)
    {
        var (code, detail) = status switch
        {
            StatusCodes.Status400BadRequest => ("malformed-request", "The request cannot be read."),
            StatusCodes.Status401Unauthorized => ("unauthenticated", "A valid bearer token is needed."),
            StatusCodes.Status403Forbidden => ("forbidden", "None of your roles allows this."),
            StatusCodes.Status404NotFound => ("not-found", "There is nothing at this address."),
            StatusCodes.Status405MethodNotAllowed => ("method-not-allowed", "Another method is needed; see Allow."),
            StatusCodes.Status408RequestTimeout => ("too-slow", "The request did not arrive in time."),
            StatusCodes.Status413PayloadTooLarge => ("too-large", "The body exceeds the size that is accepted here."),
            StatusCodes.Status415UnsupportedMediaType =>
                ("unsupported-media-type", "This media type is not accepted here."),
            StatusCodes.Status429TooManyRequests => ("too-many-requests", "Slow down; see Retry-After."),
            StatusCodes.Status499ClientClosedRequest => ("cancelled", "The caller went away."),
            StatusCodes.Status503ServiceUnavailable => ("service-unavailable", "Not available now; repeat it later."),
            _ => ("internal-error", "Something went wrong here. The operator finds it under the trace id."),
        };
        return HttpResults.Problem(status, code, detail);
    }
}
