using System.Net;
using System.Net.Sockets;
using System.Text;
using Shouldly;

namespace CapaEngine.Integration.Edge;

/// <summary>
/// Whoever is refused learns as little as their trust allows: first who they are, then their roles, the size, the
/// form, the values, and last what the record says. Every refusal is a problem with a code and says nothing else.
/// </summary>
public sealed class RefusalsComeInOrder(EdgeService edge) : IClassFixture<EdgeService>
{
    private static readonly string TooLarge = new(' ', (1 << 20) + 1);

    // The client sends the body only when the server asks for it: an answer without that means it was never read.
    private static readonly (string, string) Announced = ("Expect", "100-continue");

    private static readonly string Unknown = $"{EdgeService.Cases}/{Guid.NewGuid()}";

    [Fact]
    public async Task nobody_learns_anything_without_a_token()
    {
        var put = await edge.SendAsync(HttpMethod.Put, EdgeService.Cases, "", null);
        EdgeAnswer[] answers =
        [
            put,
            await edge.PostAsync(EdgeService.Cases, "{not json", ""),
            await edge.PostAsync(EdgeService.Cases, "{}", ""),
            await edge.PostAsync(EdgeService.Cases, "x", "", "text/plain"),
            await edge.PostAsync($"{Unknown}/rate", """{"severity":1,"likelihood":1}""", ""),
            await edge.PostAsync("/no/such/address", "{}", ""),
            await edge.PostAsync(EdgeService.Cases, TooLarge, "", headers: Announced),
            await edge.PostAsync(EdgeService.Cases, "{}", "", "application/json", ("If-Match", "nonsense")),
        ];
        answers.Select(answer => answer.Status).ShouldAllBe(status => status == HttpStatusCode.Unauthorized);
        answers.Select(answer => answer.Code).Distinct().ShouldBe(["unauthenticated"]);
    }

    [Fact]
    public async Task a_missing_role_is_refused_before_the_body_is_read()
    {
        var reader = edge.Issuer.Token(roles: ["analyst"]);
        foreach (var body in new[] { EdgeService.OpenBody(), "{not json", "{}", TooLarge })
            (await edge.PostAsync(EdgeService.Cases, body, reader, headers: Announced))
                .ShouldBeProblem(HttpStatusCode.Forbidden, "forbidden");
        (await edge.PostAsync($"{Unknown}/sign", "{}")).ShouldBeProblem(HttpStatusCode.Forbidden, "forbidden");
        var nothing = edge.Issuer.Token(roles: []);
        (await edge.PostAsync($"{Unknown}/rate", "{}", nothing)).ShouldBeProblem(HttpStatusCode.Forbidden, "forbidden");
    }

    [Fact]
    public async Task the_mediator_refuses_what_an_endpoint_let_through()
    {
        var answer = await edge.PostAsync($"{Unknown}/rate-as-service", """{"severity":1,"likelihood":1}""");
        answer.ShouldBeProblem(HttpStatusCode.Forbidden, "forbidden");
    }

    [Fact]
    public async Task what_is_no_json_is_unsupported_or_malformed()
    {
        foreach (var type in new[] { "text/plain", "application/xml", "application/json; charset=utf-16", "" })
            (await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody(), contentType: type))
                .ShouldBeProblem(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
        string[] malformed =
        [
            "{", "[1,]", """{"title":"a",}""", "{} {}", "// note\n{}", """{"title":'a'}""", "\ufeff{}",
            new string('[', 33) + new string(']', 33),
        ];
        foreach (var body in malformed)
            (await edge.PostAsync(EdgeService.Cases, body))
                .ShouldBeProblem(HttpStatusCode.BadRequest, "malformed-json");
    }

    [Fact]
    public async Task a_body_is_taken_up_to_a_mebibyte()
    {
        var padding = new string(' ', (1 << 20) - EdgeService.OpenBody().Length);
        var whole = await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody() + padding);
        whole.Status.ShouldBe(HttpStatusCode.Created, whole.Text);
        (await edge.PostAsync(EdgeService.Cases, EdgeService.OpenBody() + padding + " ", headers: Announced))
            .ShouldBeProblem(HttpStatusCode.RequestEntityTooLarge, "too-large");
    }

    [Fact]
    public async Task addresses_and_methods_that_do_not_exist_are_problems_too()
    {
        var token = edge.Issuer.Token();
        (await edge.SendAsync(HttpMethod.Get, "/api/v1/nothing", token, null))
            .ShouldBeProblem(HttpStatusCode.NotFound, "not-found");
        (await edge.PostAsync($"{EdgeService.Cases}/not-an-id/rate", "{}"))
            .ShouldBeProblem(HttpStatusCode.NotFound, "not-found");
        var put = await edge.SendAsync(HttpMethod.Put, EdgeService.Cases, token, null);
        put.ShouldBeProblem(HttpStatusCode.MethodNotAllowed, "method-not-allowed");
        put.Message.Content.Headers.Allow.ShouldContain("POST");
    }

    [Fact]
    public async Task failures_below_say_nothing_of_the_inside()
    {
        var broken = await edge.PostAsync($"{Unknown}/break", """{"storeIsGone":false}""");
        broken.ShouldBeProblem(HttpStatusCode.InternalServerError, "internal-error");
        var gone = await edge.PostAsync($"{Unknown}/break", """{"storeIsGone":true}""");
        gone.ShouldBeProblem(HttpStatusCode.ServiceUnavailable, "event-store-unavailable");
        gone.Message.Headers.RetryAfter.ShouldNotBeNull();
        foreach (var answer in new[] { broken, gone })
        {
            answer.Text.ShouldNotContain("hunter2");
            answer.Text.ShouldNotContain("Exception");
            answer.Text.ShouldNotContain("   at ");
        }
    }

    [Fact]
    public async Task no_answer_names_the_server_or_may_be_kept_or_sniffed()
    {
        foreach (var path in new[] { "/health/live", EdgeService.Cases, "/nothing" })
        {
            var headers = (await edge.SendAsync(HttpMethod.Get, path, edge.Issuer.Token(), null)).Message.Headers;
            headers.Contains("Server").ShouldBeFalse(path);
            headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"], path);
            headers.CacheControl!.NoStore.ShouldBeTrue(path);
            headers.GetValues("Content-Security-Policy").Single().ShouldContain("default-src 'none'");
        }
    }

    [Fact]
    public async Task a_line_break_in_a_header_makes_no_second_header()
    {
        foreach (var key in new[] { "a\rX-Smuggled: 1", "a\n X-Smuggled: 1", "a\r\n X-Smuggled: 1", "a\0b", "\u00e4" })
        {
            var answer = await RawAsync($"Idempotency-Key: {key}");
            answer.ShouldStartWith("HTTP/1.1 400", Case.Sensitive, key);
            answer.ShouldNotContain("Smuggled");
        }
    }

    private async Task<string> RawAsync(string header)
    {
        var ct = TestContext.Current.CancellationToken;
        var body = EdgeService.OpenBody();
        using var socket = new TcpClient();
        await socket.ConnectAsync(edge.Address.Host, edge.Address.Port, ct);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(
            $"POST {EdgeService.Cases} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {edge.Issuer.Token()}\r\n"
            + $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n{header}\r\n"
            + $"Connection: close\r\n\r\n{body}"), ct);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync(ct);
    }
}
