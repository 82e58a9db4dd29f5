using System.Buffers.Text;
using System.Net;
using System.Text;
using Microsoft.IdentityModel.Tokens;
using Shouldly;

namespace CapaEngine.Integration.Edge;

/// <summary>Only the issuer's timely tokens for this audience, signed by a known algorithm, are believed.</summary>
public sealed class TokensAreChecked(EdgeService edge) : IClassFixture<EdgeService>
{
    private TestIssuer Issuer => edge.Issuer;

    [Fact]
    public async Task good_tokens_of_each_algorithm_are_believed()
    {
        string[] good =
        [
            Issuer.Token(),
            Issuer.Token(signedWith: new SigningCredentials(Issuer.RsaKey, SecurityAlgorithms.RsaSha256)),
            Issuer.Token(signedWith: new SigningCredentials(Issuer.RsaKey, SecurityAlgorithms.RsaSsaPssSha256)),
            Issuer.Token(expires: TimeSpan.FromSeconds(-30)),
        ];
        foreach (var token in good)
            (await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody(), token)).Status
                .ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task bad_tokens_are_refused()
    {
        var publicKey = ((ECDsaSecurityKey)Issuer.Key.Key).ECDsa.ExportSubjectPublicKeyInfo();
        var confused = new SigningCredentials(
            new SymmetricSecurityKey(publicKey) { KeyId = Issuer.Key.Kid }, SecurityAlgorithms.HmacSha256);
        var bad = new Dictionary<string, string>
        {
            ["unsigned"] = Unsigned(Issuer.Token()),
            ["signature cut off"] = Issuer.Token()[..^3] + "AAA",
            ["public key as secret"] = Issuer.Token(signedWith: confused),
            ["unpublished key"] = Issuer.Token(signedWith: TestIssuer.Elliptic("unknown")),
            ["unpublished key under a published name"] = Issuer.Token(signedWith: TestIssuer.Elliptic(Issuer.Key.Kid)),
            ["algorithm not pinned"] = Issuer.Token(
                signedWith: new SigningCredentials(Issuer.RsaKey, SecurityAlgorithms.RsaSha512)),
            ["other audience"] = Issuer.Token(audience: "another-product"),
            ["no audience"] = Issuer.Token(audience: null),
            ["other issuer"] = Issuer.Token(issuer: "http://127.0.0.1:1"),
            ["expired"] = Issuer.Token(notBefore: TimeSpan.FromHours(-3), expires: TimeSpan.FromMinutes(-2)),
            ["not yet valid"] = Issuer.Token(notBefore: TimeSpan.FromMinutes(5)),
            ["nobody's"] = Issuer.Token(person: null),
            ["a service's name"] = Issuer.Token(person: "service:nonconformities"),
            ["a service's role"] = Issuer.Token(roles: ["quality-engineer", "service"]),
            ["not a token"] = "abc",
        };
        foreach (var (what, token) in bad)
        {
            var answer = await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody(), token);
            answer.Status.ShouldBe(HttpStatusCode.Unauthorized, what);
            answer.ShouldBeProblem(HttpStatusCode.Unauthorized, "unauthenticated");
            answer.Message.Headers.WwwAuthenticate.ToString().ShouldStartWith("Bearer", Case.Sensitive, what);
        }
    }

    [Fact]
    public async Task a_silent_issuer_is_not_the_callers_fault_and_heals()
    {
        await using var lonely = new EdgeService();
        await lonely.StartAsync();
        var ready = await lonely.SendAsync(HttpMethod.Get, "/health/ready", "", null);
        ready.Status.ShouldBe(HttpStatusCode.OK);

        var answer = await lonely.PostAsync(EdgeService.Cases, EdgeService.OpenBody());
        answer.ShouldBeProblem(HttpStatusCode.ServiceUnavailable, "issuer-unavailable");
        answer.Message.Headers.RetryAfter.ShouldNotBeNull();

        await lonely.Issuer.StartAsync(TestContext.Current.CancellationToken);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while ((await lonely.PostAsync(EdgeService.Cases, EdgeService.OpenBody())).Status != HttpStatusCode.Created)
            await poll.WaitForNextTickAsync(deadline.Token);
    }

    private static string Unsigned(string token)
    {
        var header = Base64Url.EncodeToString(Encoding.UTF8.GetBytes("""{"alg":"none","typ":"JWT"}"""));
        return $"{header}.{token.Split('.')[1]}.";
    }
}
