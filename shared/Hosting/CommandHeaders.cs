using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Primitives;

namespace CapaEngine.Hosting;

/// <summary>What the headers of a command say beside its body: repetition, concurrency and stated history.</summary>
internal sealed record CommandHeaders(
    string? IdempotencyKey, long? IfMatch, DateTimeOffset? OccurredAt, string? OnBehalfOf)
{
    public const string OccurredAtName = "Occurred-At";
    public const string OnBehalfOfName = "On-Behalf-Of";
    private const int TextLengthMax = 200;

    /// <summary>Reads the headers of a <paramref name="command"/>, or says why they are refused.</summary>
    public static (CommandHeaders? Headers, IResult? Refusal) Read(HttpContext http, Type command)
    {
        var request = http.Request.Headers;
        if (!Repetition.TryReadKey(http.Request, out var key, out var malformedKey)) return (null, malformedKey);
        if (!TryText(request[OnBehalfOfName], out var person)) return Malformed(OnBehalfOfName);
        if (!TryRevision(request.IfMatch, out var revision)) return Malformed("If-Match");
        if (!TryTime(request[OccurredAtName], out var occurredAt)) return Malformed(OccurredAtName);
        var headers = new CommandHeaders(key, revision, occurredAt, person);
        var refusal = headers.RefuseHistory(http) ?? headers.RefuseSigning(command);
        return refusal is null ? (headers, null) : (null, refusal);
    }

    /// <summary>The command's context; a repetition under the same key by the same caller has its id.</summary>
    public CommandContext ToContext(Actor actor, string commandName, ReadOnlyMemory<byte> canonicalBody) => new(
        actor,
        IdempotencyKey is null ? Guid.NewGuid().ToString("D") : $"{actor.PersonId}\n{IdempotencyKey}",
        IdempotencyKey, Hash(commandName, canonicalBody.Span), IfMatch, OccurredAt, OnBehalfOf);

    /// <summary>The id of what a create creates: derived from caller and key, else random.</summary>
    public Guid NewId(Actor actor) => IdempotencyKey is null
        ? Guid.NewGuid()
        : NameBasedId.From(NameBasedId.From($"caller\n{actor.PersonId}"), IdempotencyKey);

    // Stated history is part of what was asked for: the same body at another time is another request.
    private string Hash(string commandName, ReadOnlySpan<byte> canonicalBody)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(Encoding.UTF8.GetBytes($"{commandName}\n{OccurredAt:O}\n{OnBehalfOf}\n"));
        sha.AppendData(canonicalBody);
        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }

    private IResult? RefuseHistory(HttpContext http)
    {
        if (OccurredAt is null && OnBehalfOf is null) return null;
        if (!http.User.HasClaim(CapaClaims.Roles, Roles.Importer))
            return Forbidden("importer-only", "Only an importer states times and persons.");
        if (!History.IsTaken(http.RequestServices))
            return Forbidden("history-disabled", "This installation takes no history.");
        return OccurredAt is null
            ? Unprocessable("occurred-at-required", "On-Behalf-Of needs Occurred-At.")
            : null;
    }

    private IResult? RefuseSigning(Type command)
    {
        if (command.GetCustomAttribute<SignsAttribute>() is null) return null;
        if (OnBehalfOf is not null)
            return Unprocessable("signs-for-self", "Nobody signs on behalf of another.");
        return IfMatch is null
            ? Unprocessable("if-match-required", "State with If-Match the revision that you saw and sign.")
            : null;
    }

    internal static bool TryText(StringValues values, out string? text)
    {
        text = values.Count == 0 ? null : values[0];
        return values.Count == 0
            || (values.Count == 1 && text is { Length: > 0 and <= TextLengthMax }
                && text.All(character => character is > ' ' and < '\x7f'));
    }

    private static bool TryRevision(StringValues values, out long? revision)
    {
        revision = null;
        if (values.Count == 0) return true;
        if (values.Count != 1 || values[0] is not ['"', .. var digits, '"']) return false;
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        revision = number;
        return true;
    }

    private static bool TryTime(StringValues values, out DateTimeOffset? time)
    {
        time = null;
        if (values.Count == 0) return true;
        if (values.Count != 1 || !Rfc3339.TryParse(values[0], out var parsed)) return false;
        time = parsed;
        return true;
    }

    private static (CommandHeaders?, IResult?) Malformed(string header) => (null, HttpResults.Problem(
        StatusCodes.Status400BadRequest, "malformed-header", $"The header {header} is not in the documented form."));

    private static IResult Forbidden(string code, string detail) =>
        HttpResults.Problem(StatusCodes.Status403Forbidden, code, detail);

    private static IResult Unprocessable(string code, string detail) =>
        HttpResults.Problem(StatusCodes.Status422UnprocessableEntity, code, detail);
}
