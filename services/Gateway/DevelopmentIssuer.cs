using System.Security.Cryptography;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CapaEngine.Gateway;

/// <summary>
/// Issues tokens to whoever asks, so that a laptop and the tests need no identity provider. It exists in Development
/// only: everywhere else the tokens come from the organisation's own issuer.
/// </summary>
internal sealed class DevelopmentIssuer(string issuer, string audience, ECDsa key)
{
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromHours(12);
    private readonly JsonWebTokenHandler handler = new() { SetDefaultTimesOnTokenCreation = false };
    private readonly ECDsaSecurityKey signingKey = Named(new ECDsaSecurityKey(key));

    /// <summary>The discovery document, as far as services read it.</summary>
    public object Discovery => new
    {
        issuer,
        jwks_uri = $"{issuer}/.well-known/jwks.json",
        token_endpoint = $"{issuer}/dev/token",
        id_token_signing_alg_values_supported = new[] { SecurityAlgorithms.EcdsaSha256 },
        response_types_supported = new[] { "token" },
        subject_types_supported = new[] { "public" },
    };

    /// <summary>The public half of the signing key.</summary>
    public object Keys
    {
        get
        {
            var point = key.ExportParameters(includePrivateParameters: false).Q;
            return new
            {
                keys = new[]
                {
                    new
                    {
                        kty = "EC", crv = "P-256", use = "sig", alg = SecurityAlgorithms.EcdsaSha256,
                        kid = signingKey.KeyId,
                        x = Base64UrlEncoder.Encode(point.X), y = Base64UrlEncoder.Encode(point.Y),
                    },
                },
            };
        }
    }

    /// <summary>A token for <paramref name="request"/>, valid from <paramref name="now"/>.</summary>
    public string Issue(TokenRequest request, DateTimeOffset now)
    {
        var claims = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            [CapaClaims.Subject] = request.Person,
            [CapaClaims.Name] = request.Name ?? request.Person,
            [CapaClaims.Roles] = request.Roles.ToArray(),
            [CapaClaims.Site] = request.Site ?? "*",
        };
        if (request.Dispositions is { } kinds)
            claims[CapaClaims.Dispositions] = JsonSerializer.SerializeToElement(kinds, StrictJson.Requests);
        if (request.Source is { } source) claims[CapaClaims.Source] = source;
        return handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = audience,
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = (now + TokenLifetime).UtcDateTime,
            Claims = claims,
            SigningCredentials = new SigningCredentials(signingKey, SecurityAlgorithms.EcdsaSha256),
        });
    }

    private static ECDsaSecurityKey Named(ECDsaSecurityKey key)
    {
        key.KeyId = Base64UrlEncoder.Encode(key.ComputeJwkThumbprint());
        return key;
    }
}
