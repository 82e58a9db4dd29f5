using System.Security.Claims;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.IdentityModel.Tokens;

namespace CapaEngine.Hosting;

/// <summary>The claims a token carries, under the names in which the issuer writes them.</summary>
public static class CapaClaims
{
    public const string Subject = "sub";
    public const string Name = "name";
    public const string Roles = "roles";
    public const string Site = "site";

    /// <summary>The disposition kinds a person is qualified to decide.</summary>
    public const string Dispositions = "dispositions";

    /// <summary>The CloudEvents source a machine speaks for.</summary>
    public const string Source = "source";
}

/// <summary>Who calls: bearer tokens of one issuer, for one audience, signed by a known algorithm.</summary>
public static class Authentication
{
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan KeysTimeout = TimeSpan.FromSeconds(10);
    private static readonly object MissingKeys = new();

    /// <summary>
    /// Every endpoint demands an authenticated caller unless it says otherwise. The issuer's keys are fetched with the
    /// first token, so that services start in any order.
    /// </summary>
    internal static void AddCapaAuthentication(this WebApplicationBuilder builder)
    {
        var authority = builder.Configuration["Auth:Authority"]
            ?? throw new InvalidOperationException("Auth:Authority is not configured.");
        var audience = builder.Configuration["Auth:Audience"]
            ?? throw new InvalidOperationException("Auth:Audience is not configured.");
        builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(options =>
        {
            options.Authority = authority;
            options.Audience = audience;
            options.RequireHttpsMetadata = !builder.Environment.IsDevelopment();
            options.MapInboundClaims = false;
            options.TokenValidationParameters = new TokenValidationParameters
            {
                ValidAlgorithms =
                    [SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSsaPssSha256],
                ClockSkew = ClockSkew,
                NameClaimType = CapaClaims.Name,
                RoleClaimType = CapaClaims.Roles,
            };
            options.BackchannelTimeout = KeysTimeout;
            options.Events = new JwtBearerEvents
            {
                OnMessageReceived = RequireKeysAsync,
                OnTokenValidated = RequirePersonOrMachine,
                OnChallenge = AnswerMissingKeysAsync,
            };
        });
        builder.Services.AddAuthorizationBuilder().SetFallbackPolicy(
            new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
    }

    /// <summary>The caller as the domain knows it.</summary>
    public static Actor ToActor(this ClaimsPrincipal principal)
    {
        var personId = principal.FindFirstValue(CapaClaims.Subject)
            ?? throw new InvalidOperationException("The caller is not authenticated.");
        return new Actor(
            personId,
            principal.FindFirstValue(CapaClaims.Name) ?? personId,
            principal.FindAll(CapaClaims.Roles).Select(claim => claim.Value).ToValueList(),
            principal.FindFirstValue(CapaClaims.Site) ?? "",
            principal.FindAll(CapaClaims.Dispositions).Select(claim => DispositionNamed(claim.Value))
                .OfType<DispositionKind>().ToValueList())
        {
            Source = principal.FindFirstValue(CapaClaims.Source),
        };
    }

    // A kind this version does not know qualifies its bearer for nothing here.
    private static DispositionKind? DispositionNamed(string name) =>
        Enum.GetValues<DispositionKind>().Cast<DispositionKind?>()
            .FirstOrDefault(kind => CommandNames.Kebab(kind!.Value.ToString()) == name);

    // Without the issuer's keys nobody can say whether the token is good: that is our trouble, not the caller's.
    private static async Task RequireKeysAsync(MessageReceivedContext context)
    {
        var ct = context.HttpContext.RequestAborted;
        if (context.Request.Headers.Authorization.Count == 0) return;
        try
        {
            await context.Options.ConfigurationManager!.GetConfigurationAsync(ct);
        }
        catch (Exception silent) when (silent is InvalidOperationException or IOException
            || (silent is OperationCanceledException && !ct.IsCancellationRequested))
        {
            context.HttpContext.Items[MissingKeys] = true;
            context.Fail(silent);
        }
    }

    private static async Task AnswerMissingKeysAsync(JwtBearerChallengeContext context)
    {
        if (!context.HttpContext.Items.ContainsKey(MissingKeys)) return;
        context.HandleResponse();
        await HttpResults.Unavailable("issuer-unavailable", "The token's issuer does not answer; repeat it later.")
            .ExecuteAsync(context.HttpContext);
    }

    private static Task RequirePersonOrMachine(TokenValidatedContext context)
    {
        var subject = context.Principal?.FindFirstValue(CapaClaims.Subject);
        if (string.IsNullOrWhiteSpace(subject) || subject.StartsWith("service:", StringComparison.Ordinal))
            context.Fail("The token names no person or machine.");
        else if (context.Principal!.HasClaim(CapaClaims.Roles, Roles.Service))
            context.Fail("No token makes its bearer a service.");
        return Task.CompletedTask;
    }
}
