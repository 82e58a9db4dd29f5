using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using CapaEngine.Demo.Api;
using CapaEngine.Demo.Cases;
using CapaEngine.Demo.Playing;
using Shouldly;

namespace CapaEngine.Specs.Demo;

public sealed class HistoryPlayerSpecs : IDisposable
{
    private static readonly DateTimeOffset Start = new(2008, 7, 19, 0, 0, 0, TimeSpan.Zero);

    private readonly RecordingApi server = new();
    private readonly HttpClient http;
    private readonly CapaApi api;

    public HistoryPlayerSpecs()
    {
        http = new HttpClient(server) { BaseAddress = new Uri("http://api.test") };
        api = new CapaApi(http, TimeProvider.System);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_go_in_the_order_of_their_times_in_batches_of_at_most_five_hundred()
    {
        var tally = await PlayAsync(Events(1_200).Reverse());

        server.Batches.Select(batch => batch.Count).ShouldBe([500, 500, 200]);
        server.Batches.SelectMany(batch => batch).ShouldBe(Events(1_200).Select(sent => sent.Id));
        tally.ShouldBe(new Tally(1_200, 1_200));
    }

    [Fact]
    public async Task A_second_play_counts_repeats()
    {
        await PlayAsync(Events(30));

        (await PlayAsync(Events(30))).ShouldBe(new Tally(30, Accepted: 0, Duplicates: 30));
    }

    [Fact]
    public async Task Nothing_later_than_a_pause_is_sent_before_it()
    {
        var sentAtPause = -1;

        await PlayAsync(Events(100), new Pause(Start.AddMinutes(49), (count, _) =>
        {
            count.ShouldBe(50);
            sentAtPause = server.Batches.Sum(batch => batch.Count);
            return Task.CompletedTask;
        }));

        sentAtPause.ShouldBe(50);
        server.Batches.Sum(batch => batch.Count).ShouldBe(100);
    }

    [Fact]
    public async Task A_command_states_its_time_its_key_and_the_revision_seen()
    {
        await api.CommandAsync(
            Cast.Simulated.Approver, new Command("action-plans/1/approve", new { }, "key", Start, "\"4\""), Ct);

        var request = server.Requests.Single(sent => sent.RequestUri!.AbsolutePath == "/api/v1/action-plans/1/approve");
        request.Headers.GetValues("Occurred-At").Single().ShouldBe("2008-07-19T00:00:00.0000000Z");
        request.Headers.GetValues("Idempotency-Key").Single().ShouldBe("key");
        request.Headers.GetValues("If-Match").Single().ShouldBe("\"4\"");
        request.Headers.Authorization!.Parameter.ShouldBe("token of simulated-quality-head: approver importer");
    }

    [Fact]
    public async Task What_is_unavailable_for_the_moment_is_asked_again()
    {
        server.UnavailableCount = 2;

        (await PlayAsync(Events(3))).Accepted.ShouldBe(3);
    }

    [Fact]
    public async Task A_refusal_is_told_with_its_code()
    {
        server.RefusalCode = "not-ascending";

        var refusal = await Should.ThrowAsync<ApiRefusalException>(() => api.CommandAsync(
            Cast.Simulated.Engineer, new Command("nonconformities/1/accept", new { }, "key", Start), Ct));

        refusal.Answer.Code.ShouldBe("not-ascending");
        refusal.Message.ShouldContain("409 not-ascending");
    }

    [Theory]
    [InlineData("SECOM", true)]
    [InlineData("SIMULATED", true)]
    [InlineData("SIMULATED-7", true)]
    [InlineData("SIMULATEDLY", false)]
    [InlineData("north", false)]
    public void A_case_is_the_demonstrations_own_by_its_site(string site, bool isOwn) =>
        UserCases.IsOfDemonstration(site).ShouldBe(isOwn);

    [Fact]
    public async Task A_case_of_a_user_is_found_on_any_page_of_the_register()
    {
        server.Registers["nonconformities"] =
            [Page("SECOM", "NC-2026-000001", next: "2"), Page("north", "NC-2026-000002", next: null)];

        (await UserCases.FindOneAsync(api, Ct)).ShouldBe("NC-2026-000002 'Title' at site 'north'");
    }

    [Fact]
    public async Task A_log_of_demonstrations_alone_holds_no_case_of_a_user()
    {
        server.Registers["nonconformities"] = [Page("SECOM", "NC-2026-000001", next: null)];
        server.Registers["action-plans"] = [Page("SIMULATED", "CAPA-2026-000001", next: null)];

        (await UserCases.FindOneAsync(api, Ct)).ShouldBeNull();
    }

    [Fact]
    public void A_table_has_its_columns_below_each_other() =>
        AnalystDesk.Align([["a", "number"], ["longer", "1"]]).ShouldBe(["a       number", "longer  1"]);

    public void Dispose()
    {
        http.Dispose();
        server.Dispose();
    }

    private static IEnumerable<CloudEvent> Events(int count) => Enumerable.Range(0, count).Select(n =>
        new CloudEvent("urn:spec", $"{n}", CloudEvent.ProductionType, Start.AddMinutes(n), new { }));

    private static JsonObject Page(string site, string number, string? next) => new()
    {
        ["items"] = new JsonArray(new JsonObject { ["site"] = site, ["number"] = number, ["title"] = "Title" }),
        ["nextCursor"] = next,
    };

    private Task<Tally> PlayAsync(IEnumerable<CloudEvent> events, params Pause[] pauses) =>
        new HistoryPlayer(api, new Report(TextWriter.Null, isTerminal: false, TimeProvider.System))
            .PlayAsync([.. events], pauses, Ct);

    /// <summary>An API that remembers what it was asked and takes each event once.</summary>
    private sealed class RecordingApi : HttpMessageHandler
    {
        private readonly HashSet<string> known = [];

        public List<HttpRequestMessage> Requests { get; } = [];
        public List<List<string>> Batches { get; } = [];
        public Dictionary<string, JsonObject[]> Registers { get; } = [];
        public int UnavailableCount { get; set; }
        public string? RefusalCode { get; set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken ct)
        {
            Requests.Add(request);
            var path = request.RequestUri!.AbsolutePath;
            if (path == "/dev/token")
            {
                var asked = JsonNode.Parse(await request.Content!.ReadAsStringAsync(ct))!;
                return Text($"token of {asked["person"]}: {string.Join(' ', asked["roles"]!.AsArray())}");
            }

            if (UnavailableCount-- > 0) return new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
            if (path == "/api/v1/deviations") return await TakeAsync(request, ct);
            if (request.Method == HttpMethod.Get) return Json(PageOf(request.RequestUri));
            return RefusalCode is null
                ? Json(new { revision = 1 })
                : Json(new { code = RefusalCode, detail = "No." }, HttpStatusCode.Conflict);
        }

        // The cursor is the number of the page.
        private JsonObject PageOf(Uri asked)
        {
            var number = asked.Query.Contains("cursor=2", StringComparison.Ordinal) ? 1 : 0;
            return Registers.GetValueOrDefault(asked.Segments[^1])?[number] ?? Page("SECOM", "", next: null);
        }

        private async Task<HttpResponseMessage> TakeAsync(HttpRequestMessage request, CancellationToken ct)
        {
            var sent = JsonNode.Parse(await request.Content!.ReadAsStringAsync(ct))!.AsArray();
            var ids = sent.Select(item => (string)item!["id"]!).ToList();
            Batches.Add(ids);
            return Json(ids.Select(id => new { id, outcome = known.Add(id) ? "accepted" : "duplicate" }));
        }

        private static HttpResponseMessage Text(string text) =>
            new(HttpStatusCode.OK) { Content = new StringContent(text, Encoding.UTF8, "text/plain") };

        private static HttpResponseMessage Json<T>(T body, HttpStatusCode status = HttpStatusCode.OK) =>
            new(status) { Content = JsonContent.Create(body) };
    }
}
