using System.Globalization;
using System.Security.Claims;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.ReadModels.AsOf;

namespace CapaEngine.ReadModels;

/// <summary>What all queries have in common on the side of HTTP.</summary>
internal static class Answers
{
    /// <summary>The site a caller is bound to, null for those who see all.</summary>
    public static string? SiteLimit(this ClaimsPrincipal caller) =>
        caller.ToActor().Site is var site && site == "*" ? null : site;

    /// <summary>Describes the answer of a route.</summary>
    public static RouteHandlerBuilder Gives<T>(this RouteHandlerBuilder route) => route
        .Produces<T>()
        .Produces<Problem>(StatusCodes.Status400BadRequest, "application/problem+json")
        .Produces<Problem>(StatusCodes.Status401Unauthorized, "application/problem+json")
        .Produces<Problem>(StatusCodes.Status422UnprocessableEntity, "application/problem+json")
        .Produces<Problem>(StatusCodes.Status503ServiceUnavailable, "application/problem+json");

    /// <summary>A misspelt filter would silently ask for everything, so a parameter nobody reads is refused.</summary>
    public static RouteGroupBuilder RefuseUnknownParameters(this RouteGroupBuilder group)
    {
        group.AddEndpointFilterFactory((route, next) =>
        {
            var known = route.MethodInfo.GetParameters().Select(parameter => parameter.Name!).ToHashSet();
            return invocation => Refuse(invocation.HttpContext.Request.Query, known) is { } error
                ? ValueTask.FromResult<object?>(HttpResults.Invalid([error]))
                : next(invocation);
        });
        return group;
    }

    /// <summary>One record with its revision as entity tag, once it has the revision the caller knows of.</summary>
    public static async Task<IResult> SingleAsync<T>(
        RevisionWait wait, Family family, Guid id, string? minRevision, Func<Task<T?>> find, Func<T, long> revisionOf,
        CancellationToken ct)
        where T : class
    {
        if (minRevision is not null)
        {
            if (!long.TryParse(minRevision, NumberStyles.None, CultureInfo.InvariantCulture, out var revision))
                return HttpResults.Invalid([new FieldError("minRevision", "must be a revision, from 0")]);
            if (!await wait.ReachedAsync(family, id, revision, ct)) return NotYet();
        }

        return await find() is { } found ? new Tagged(Results.Ok(found), revisionOf(found)) : HttpResults.NotFound();
    }

    /// <summary>The answer where the rows have not reached what the caller has seen elsewhere.</summary>
    public static IResult NotYet() => HttpResults.Unavailable(
        "not-yet", "The read models have not reached that revision yet; ask again.");

    /// <summary>Waits for what a list must hold, if anything was named.</summary>
    public static async Task<bool> ReachedAsync(
        this RevisionWait wait, (Family Family, Guid Id, long Revision)? seen, CancellationToken ct) =>
        seen is not { } stream || await wait.ReachedAsync(stream.Family, stream.Id, stream.Revision, ct);

    private static FieldError? Refuse(IQueryCollection query, HashSet<string> known)
    {
        foreach (var (name, values) in query)
        {
            if (!known.Contains(name)) return new FieldError(name, "is no parameter here");
            if (values.Count > 1) return new FieldError(name, "may be given once");
            // PostgreSQL has no such character in a text, so no record can hold it.
            if (values.ToString().Contains('\0', StringComparison.Ordinal))
                return new FieldError(name, "must not contain the character NUL");
        }

        return null;
    }

    private sealed class Tagged(IResult inner, long revision) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.ETag = HttpResults.ETag(revision);
            return inner.ExecuteAsync(httpContext);
        }
    }
}

/// <summary>Reads the parameters of a query and collects every rule they break.</summary>
internal sealed class ParameterCheck
{
    private readonly List<FieldError> errors = [];
    private IResult? malformed;

    /// <summary>The refusal, or null where all parameters are good.</summary>
    public IResult? Refusal => malformed ?? (errors.Count == 0 ? null : HttpResults.Invalid(errors.ToValueList()));

    public void Required(string name, string? value)
    {
        if (string.IsNullOrEmpty(value)) Broken(name, "is required");
    }

    public void OneOf(string name, string? value, string[] allowed)
    {
        if (value is not null && !allowed.Contains(value)) Broken(name, $"must be one of {string.Join(", ", allowed)}");
    }

    public void Length(string name, string? value, int lengthMax)
    {
        if (value?.Length > lengthMax) Broken(name, $"must have at most {lengthMax} characters");
    }

    public Guid? Id(string name, string? value)
    {
        if (value is null) return null;
        if (Guid.TryParse(value, out var id)) return id;
        Broken(name, "must be an id");
        return null;
    }

    /// <summary>A stream and the revision that the answer must hold.</summary>
    public (Family Family, Guid Id, long Revision)? Min(string? value)
    {
        if (value is null) return null;
        var seen = RevisionWait.Parse(value);
        if (seen is null) Broken("min", "must be stream@revision");
        return seen;
    }

    /// <summary>The past that is asked about; null for the present.</summary>
    public Moment? Moment(string? asOf, string? knownAt, DateTimeOffset now)
    {
        if (asOf is null && knownAt is null) return null;
        var known = knownAt is null ? now : Past("knownAt", knownAt, now);
        return new Moment(asOf is null ? known : Past("asOf", asOf, now), known);
    }

    /// <summary>A page of a list of the present, or of the past that its first page showed.</summary>
    public PageRequest Page(
        string? sort, string? cursor, string? limit, Moment? moment = null, bool knownAtIsGiven = false)
    {
        OneOf("sort", sort, [PageRequest.NewestFirst, PageRequest.OldestFirst]);
        var order = sort ?? PageRequest.NewestFirst;
        var count = Cursor.LimitDefault;
        if (limit is not null && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out count)
            || count is < 1 or > Cursor.LimitMax))
            Broken("limit", $"must be a number from 1 to {Cursor.LimitMax}");
        Cursor? after = null;
        if (cursor is not null
            && (!Cursor.TryParse(cursor, order, out after) || !Continues(after!.Moment, moment, knownAtIsGiven)))
            malformed = HttpResults.Problem(
                StatusCodes.Status400BadRequest, "invalid-cursor",
                "The cursor is not one that this list gave for this order; begin without one.");
        return new PageRequest(order, count, after, after?.Moment ?? moment);
    }

    public Period Period(string? from, string? to)
    {
        var period = new Period(Instant("from", from), Instant("to", to));
        if (errors.Count == 0 && period.From >= period.To) Broken("to", "must be after from");
        return period;
    }

    // What is known grows from page to page, so that the first page decides unless the caller did.
    private static bool Continues(Moment? begun, Moment? asked, bool knownAtIsGiven) =>
        begun?.AsOf == asked?.AsOf && (!knownAtIsGiven || begun?.KnownAt == asked?.KnownAt);

    private DateTimeOffset Past(string name, string value, DateTimeOffset now)
    {
        var instant = Instant(name, value);
        if (instant > now) Broken(name, "must not lie in the future");
        return instant;
    }

    private DateTimeOffset Instant(string name, string? value)
    {
        if (Rfc3339.TryParse(value, out var instant)) return instant;
        Broken(name, "must be an RFC 3339 time with its offset");
        return default;
    }

    private void Broken(string name, string rule) => errors.Add(new FieldError(name, rule));
}
