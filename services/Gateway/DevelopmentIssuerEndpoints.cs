using System.ComponentModel.DataAnnotations;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;

namespace CapaEngine.Gateway;

/// <summary>Whom a development token is for.</summary>
/// <param name="Site">One site, or <c>*</c> (also the default) for all.</param>
/// <param name="Name">The printed name; the person's id by default.</param>
/// <param name="Dispositions">The kinds the person is qualified to decide.</param>
/// <param name="Source">The source a machine speaks for.</param>
internal sealed record TokenRequest(
    [property: Required, StringLength(200, MinimumLength = 1)] string Person,
    ValueList<string> Roles,
    [property: StringLength(100, MinimumLength = 1)] string? Site = null,
    [property: StringLength(200, MinimumLength = 1)] string? Name = null,
    ValueList<DispositionKind>? Dispositions = null,
    [property: StringLength(400, MinimumLength = 1)] string? Source = null);

/// <summary>The development issuer over HTTP.</summary>
internal static class DevelopmentIssuerEndpoints
{
    // Not the role of services: no token carries it.
    private static readonly string[] KnownRoles =
    [
        Roles.Reporter, Roles.SourceSystem, Roles.QualityEngineer, Roles.ActionOwner, Roles.Verifier,
        Roles.DispositionAuthority, Roles.Approver, Roles.Auditor, Roles.Analyst, Roles.Administrator, Roles.Importer,
    ];

    /// <summary>The issuer, if <c>Auth:DevIssuerKeyFile</c> asks for one, which it may in Development.</summary>
    public static DevelopmentIssuer? AddDevelopmentIssuer(this WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        if (string.IsNullOrEmpty(configuration["Auth:DevIssuerKeyFile"])) return null;
        if (!builder.Environment.IsDevelopment())
            throw new InvalidOperationException(
                "Auth:DevIssuerKeyFile enables an issuer that trusts everybody; it runs in Development only.");
        return new DevelopmentIssuer(
            configuration["Auth:Authority"]!.TrimEnd('/'), configuration["Auth:Audience"]!,
            IssuerKeyFile.ReadOrCreate(configuration["Auth:DevIssuerKeyFile"]!));
    }

    public static void MapDevelopmentIssuer(this WebApplication app, DevelopmentIssuer issuer)
    {
        app.MapGet("/.well-known/openid-configuration", () => Results.Json(issuer.Discovery)).AllowAnonymous();
        app.MapGet("/.well-known/jwks.json", () => Results.Json(issuer.Keys)).AllowAnonymous();
        app.MapPost("/dev/token", async (HttpRequest request, TimeProvider clock, CancellationToken ct) =>
        {
            var body = await StrictBody.ReadAsync<TokenRequest>(request, ct);
            if (body.Value is not { } asked) return body.Refusal!;
            var errors = Check(asked);
            return errors.Count > 0
                ? HttpResults.Invalid(errors)
                : Results.Text(issuer.Issue(asked, clock.GetUtcNow()), "text/plain");
        }).AllowAnonymous();
    }

    private static ValueList<FieldError> Check(TokenRequest asked)
    {
        var errors = ValueRules.Check(asked);
        if (asked.Person.StartsWith("service:", StringComparison.Ordinal))
            errors = errors.Add(new FieldError("person", "must not be a service"));
        return errors.AddRange(asked.Roles.Select((role, index) => (role, index))
            .Where(asked => !KnownRoles.Contains(asked.role))
            .Select(asked => new FieldError(
                $"roles[{asked.index}]", $"must be one of {string.Join(", ", KnownRoles)}")));
    }
}
