using System.Text;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CapaEngine.Specs.Edge;

/// <summary>Each way a command can end has one answer over HTTP, and none is forgotten.</summary>
public sealed class OutcomeSpecs
{
    private static readonly Dictionary<CommandOutcome, (int Status, string? Code)> Answers = new()
    {
        [new CommandOutcome.Done(Guid.Empty, 4, LogPosition.At(9), 1)] = (200, null),
        [new CommandOutcome.Rejected("self-review", "No.")] = (409, "self-review"),
        [new CommandOutcome.Invalid([new FieldError("title", "must not be empty")])] = (422, "invalid"),
        [new CommandOutcome.Forbidden("No.")] = (403, "forbidden"),
        [new CommandOutcome.NotFound()] = (404, "not-found"),
        [new CommandOutcome.Stale(7)] = (412, "stale"),
        [new CommandOutcome.KeyReused()] = (422, "idempotency-key-reused"),
        [new CommandOutcome.Unavailable("too-busy", "Later.")] = (503, "too-busy"),
    };

    [Fact]
    public async Task every_outcome_has_its_answer()
    {
        Answers.Keys.Select(outcome => outcome.GetType()).ShouldBe(
            typeof(CommandOutcome).GetNestedTypes().Where(type => type.IsSubclassOf(typeof(CommandOutcome))),
            ignoreOrder: true);
        foreach (var (outcome, (status, code)) in Answers)
        {
            var (http, body) = await ExecuteAsync(HttpResults.Of(outcome));
            http.Response.StatusCode.ShouldBe(status, outcome.ToString());
            if (code is null) http.Response.Headers.ETag.ToString().ShouldBe("\"4\"");
            else body.ShouldContain($"\"code\":\"{code}\"");
        }
    }

    [Fact]
    public async Task a_creation_says_where_and_what_number()
    {
        var done = new CommandOutcome.Done(Guid.Empty, 0, LogPosition.At(9), 1);
        var (http, body) = await ExecuteAsync(HttpResults.Of(done, "/api/v1/cases/1", "NC-2026-000001"));
        http.Response.StatusCode.ShouldBe(201);
        http.Response.Headers.Location.ToString().ShouldBe("/api/v1/cases/1");
        body.ShouldBe("""
            {"id":"00000000-0000-0000-0000-000000000000","revision":0,"position":9,"number":"NC-2026-000001"}
            """.Trim());
    }

    private static async Task<(HttpContext Http, string Body)> ExecuteAsync(IResult result)
    {
        using var written = new MemoryStream();
        await using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        var http = new DefaultHttpContext { RequestServices = services };
        http.Response.Body = written;
        await result.ExecuteAsync(http);
        return (http, Encoding.UTF8.GetString(written.ToArray()));
    }
}
