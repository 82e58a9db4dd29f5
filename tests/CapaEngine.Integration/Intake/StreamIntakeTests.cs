using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Integration.Journeys;
using Shouldly;

namespace CapaEngine.Integration.Intake;

/// <summary>Events as lines of a stream without end, answered line by line, and requests that find no room.</summary>
[Collection(nameof(SystemFixture))]
public sealed class StreamIntakeTests(SystemFixture system) : IAsyncLifetime
{
    private const string Lines = "application/x-ndjson";
    private static readonly DateTimeOffset Detected = new(2026, 1, 5, 6, 0, 0, TimeSpan.Zero);

    private readonly RunningSystem running = system.Running;
    private readonly string source = $"urn:test:{Guid.NewGuid():N}";
    private readonly string product = $"P-{Guid.NewGuid():N}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    // Tests before this one may have ended a part of the system and begun it again.
    public async ValueTask InitializeAsync() => await running.ReadyAsync(Ct);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task a_stream_longer_than_any_body_is_answered_line_by_line_in_its_order()
    {
        // 18 MB and more events than a request may hold otherwise, each tenth a repeat.
        const int count = 12_000;
        var filler = new string('x', 1_200);
        using var http = await ClientAsync();
        using var request = Request(new LinesContent(async (body, ct) =>
        {
            for (var n = 0; n < count; n++)
                await body.WriteAsync(Encoding.UTF8.GetBytes(
                    Event($"{(n % 10 == 9 ? n - 1 : n)}")
                        .Replace("\"data\":{", $"\"data\":{{\"description\":\"{filler}\",", StringComparison.Ordinal)
                    + "\n"), ct);
        }));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe(Lines);
        var receipts = await ReceiptsAsync(response);
        receipts.Count.ShouldBe(count);
        receipts.Select((receipt, n) => ((string?)receipt["id"], (string?)receipt["outcome"])
                == (n % 10 == 9 ? ($"{n - 1}", "duplicate") : ($"{n}", "accepted")))
            .ShouldAllBe(isExpected => isExpected);
    }

    [Fact]
    public async Task a_line_that_is_too_long_ends_the_stream_and_the_last_line_says_so()
    {
        using var http = await ClientAsync();
        using var request = Request(new StringContent($"{Event("1")}\n{new string('x', 300_000)}\n{Event("2")}\n"));
        request.Content!.Headers.ContentType = MediaTypeHeaderValue.Parse(Lines);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        var lines = await ReceiptsAsync(response);
        ((string?)lines[0]["outcome"], (string?)lines[^1]["code"]).ShouldBe(("accepted", "event-too-large"));
        lines.Count.ShouldBe(2);

        // The gateway sends the next request on the same connection to the service.
        using var next = new ApiClient(running.Api, "line-4", "source-system");
        await next.PostRawAsync("deviations", $"{Event("3")}\n", Lines, ct: Ct);
    }

    [Fact]
    public async Task without_asking_for_lines_the_receipts_are_one_array()
    {
        using var client = new ApiClient(running.Api, "line-4", "source-system");
        var answered = await client.PostRawAsync("deviations", $"{Event("1")}\n{Event("2")}\n", Lines, ct: Ct);
        answered.Body!.AsArray().Count.ShouldBe(2);
    }

    [Fact]
    public async Task messages_of_equipment_become_deviations_by_the_mappings_of_the_product()
    {
        using var client = new ApiClient(running.Api, "line-4", "source-system");
        var alarm = JsonNode.Parse($$"""
            {"specversion":"1.0","type":"org.opcfoundation.alarm","source":"{{source}}","id":"1","data":{
             "SourceName":"oven-1","Time":"2026-03-01T07:30:00Z","Message":{"Text":"Too hot"},"Severity":700,
             "ConditionName":"{{product}}","ActiveState":{"Id":true} } }
            """)!;
        // The message names no site and the token is for all of them: kept whole, until somebody knows the site.
        var kept = await client.PostRawAsync(
            "deviations", alarm.ToJsonString(), "application/cloudevents+json", HttpStatusCode.Accepted, ct: Ct);
        ((string?)kept.Body!["detail"]).ShouldBe("opcua-alarm/1, produces[0]: site: is required");
    }

    private string Event(string id) => DeviationJson.Event(source, id, product, "minor", Detected);

    private async Task<HttpClient> ClientAsync()
    {
        var http = new HttpClient { BaseAddress = running.Api, Timeout = TimeSpan.FromMinutes(2) };
        using var token = await http.PostAsync("/dev/token", new StringContent(
            """{"person":"line-4","roles":["source-system"],"site":"*"}""", Encoding.UTF8, "application/json"), Ct);
        http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", (await token.Content.ReadAsStringAsync(Ct)).Trim());
        return http;
    }

    private static HttpRequestMessage Request(HttpContent content)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/deviations") { Content = content };
        request.Headers.Accept.ParseAdd(Lines);
        return request;
    }

    private static async Task<List<JsonNode>> ReceiptsAsync(HttpResponseMessage response)
    {
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Ct));
        var receipts = new List<JsonNode>();
        while (await reader.ReadLineAsync(Ct) is { } line) receipts.Add(JsonNode.Parse(line)!);
        return receipts;
    }

    /// <summary>A body of unknown length, written while the answer is read.</summary>
    private sealed class LinesContent : HttpContent
    {
        private readonly Func<Stream, CancellationToken, Task> write;

        public LinesContent(Func<Stream, CancellationToken, Task> write)
        {
            this.write = write;
            Headers.ContentType = MediaTypeHeaderValue.Parse(Lines);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            write(stream, Ct);

        protected override Task SerializeToStreamAsync(
            Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            write(stream, cancellationToken);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
