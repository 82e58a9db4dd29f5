using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace CapaEngine.Hosting;

/// <summary>What an endpoint says that is no command and yet takes a key.</summary>
internal sealed record RepeatableMetadata;

/// <summary>Requests that a caller may repeat under a key of their own.</summary>
public static class Repetition
{
    internal const string HeaderName = "Idempotency-Key";

    /// <summary>Reads the caller's key, null where there is none; false where it is malformed.</summary>
    public static bool TryReadKey(
        HttpRequest request, out string? key, [NotNullWhen(false)] out IResult? refusal)
    {
        refusal = CommandHeaders.TryText(request.Headers[HeaderName], out key)
            ? null
            : HttpResults.Problem(
                StatusCodes.Status400BadRequest, "malformed-header",
                $"The header {HeaderName} is not in the documented form.");
        return refusal is null;
    }

    /// <summary>Describes that the endpoint, which is no command, takes a key.</summary>
    public static RouteHandlerBuilder TakesIdempotencyKey(this RouteHandlerBuilder endpoint) =>
        endpoint.WithMetadata(new RepeatableMetadata());
}
