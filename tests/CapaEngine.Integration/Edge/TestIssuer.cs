using System.Net;
using System.Security.Cryptography;
using CapaEngine.Integration.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CapaEngine.Integration.Edge;

/// <summary>An issuer whose tokens the tests can get wrong in every way.</summary>
public sealed class TestIssuer : IAsyncDisposable
{
    public const string Audience = "capaengine";
    private readonly JsonWebTokenHandler handler = new() { SetDefaultTimesOnTokenCreation = false };
    private WebApplication? server;

    /// <summary>The key whose public half is published.</summary>
    public SigningCredentials Key { get; } = Elliptic("known");

    /// <summary>A second published key, of the other kind.</summary>
    public RsaSecurityKey RsaKey { get; } = new(RSA.Create(2048)) { KeyId = "known-rsa" };

    /// <summary>The issuer's address, which is also its name.</summary>
    public string Authority { get; } = $"http://127.0.0.1:{ServiceProcess.FreePort()}";

    /// <summary>A key that nobody published, under whatever name.</summary>
    public static SigningCredentials Elliptic(string keyId) => new(
        new ECDsaSecurityKey(ECDsa.Create(ECCurve.NamedCurves.nistP256)) { KeyId = keyId },
        SecurityAlgorithms.EcdsaSha256);

    /// <summary>Begins to answer for its keys.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(Authority);
        server = builder.Build();
        server.MapGet("/.well-known/openid-configuration", () => Results.Json(
            new { issuer = Authority, jwks_uri = $"{Authority}/keys" }));
        server.MapGet("/keys", () => Results.Json(new { keys = new[] { Published(Key.Key), Published(RsaKey) } }));
        await server.StartAsync(ct);
    }

    /// <summary>A token; every argument left out is what it should be.</summary>
    public string Token(
        string? person = "p-1", string[]? roles = null, string? site = "*", string? audience = Audience,
        string? issuer = null, TimeSpan? notBefore = null, TimeSpan? expires = null,
        SigningCredentials? signedWith = null)
    {
        var now = DateTime.UtcNow;
        var claims = new Dictionary<string, object> { ["roles"] = roles ?? ["quality-engineer"] };
        if (person is not null) claims["sub"] = person;
        if (site is not null) claims["site"] = site;
        return handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer ?? Authority,
            Audience = audience,
            NotBefore = now + (notBefore ?? TimeSpan.FromMinutes(-1)),
            Expires = now + (expires ?? TimeSpan.FromHours(1)),
            Claims = claims,
            SigningCredentials = signedWith ?? Key,
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
    }

    private static object Published(SecurityKey key)
    {
        var jwk = key is ECDsaSecurityKey elliptic
            ? JsonWebKeyConverter.ConvertFromECDsaSecurityKey(elliptic)
            : JsonWebKeyConverter.ConvertFromRSASecurityKey((RsaSecurityKey)key);
        return new
        {
            kty = jwk.Kty, kid = key.KeyId, use = "sig", crv = jwk.Crv, x = jwk.X, y = jwk.Y, n = jwk.N, e = jwk.E,
        };
    }
}
