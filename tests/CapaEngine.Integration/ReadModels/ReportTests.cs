using System.Net;
using System.Net.Http.Headers;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.ReadModels;
using CapaEngine.ReadModels.Reports;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shouldly;
using UglyToad.PdfPig;
using static CapaEngine.Integration.ReadModels.ReadModelDatabase;

namespace CapaEngine.Integration.ReadModels;

/// <summary>The reports over HTTP, of histories as the services record them.</summary>
public sealed class ReportTests : IAsyncLifetime
{
    private static readonly string CaseReport = $"nonconformity/{WholeCase.CaseId}";
    private static readonly string EightD = $"8d/{WholeCase.CapaId}";
    private static readonly string Request = $"supplier-corrective-action-request/{WholeCase.CaseId}";

    private ReadModelDatabase database = null!;
    private WebApplication app = null!;
    private HttpClient http = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        database = await CreateAsync(Ct);
        app = await ReadModelHost.StartAsync(database, Add, started => started.MapReports(), Ct);
        http = new HttpClient { BaseAddress = new Uri($"{app.Urls.Single()}/api/v1/reports/") };
    }

    private static void Add(WebApplicationBuilder builder)
    {
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?> { ["Reports:SupplierAnswerDays"] = "10" });
        builder.Services
            .AddSingleton<NonconformityQueries>().AddSingleton<ActionBoardQueries>().AddSingleton<RootCauseQueries>()
            .AddSingleton<EffectivenessQueries>().AddSingleton<ConcessionQueries>().AddSingleton<DossierQueries>()
            .AddSingleton<RevisionWait>().AddReports();
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await app.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task the_nonconformity_report_holds_what_must_be_retained()
    {
        await TellAsync(WholeCase.Tell());
        var report = await JsonAsync(CaseReport);
        var content = report["content"]!;
        ((string)content["case"]!["number"]!).ShouldBe("NC-2026-000001");
        ((string)content["case"]!["requirements"]![0]!["clause"]!).ShouldBe("4.2");
        var confirmed = content["containment"]!["steps"]!.AsArray()
            .Single(step => (string?)step!["step"] == "in-place")!;
        ((string)confirmed["cleanPoint"]!).ShouldBe("L-2");
        var line = content["dispositions"]!.AsArray().Single()!;
        ((string)line["authorityId"]!).ShouldBe("dora");
        line["steps"]!.AsArray().Select(step => (string)step!["step"]!)
            .ShouldBe(["executed", "failed-verification", "executed", "verified"]);
        var concession = content["concessions"]!.AsArray().Single()!;
        ((string)concession["authorityReference"]!).ShouldBe("Mail 7");
        ((double)concession["drawnHere"]!).ShouldBe(4);
        ((string)content["customerNotice"]!["justification"]!).ShouldBe("Nothing was shipped.");
        ((string)content["capas"]![0]!["verdict"]!).ShouldBe("effective");
        content["signatures"]!.AsArray().Select(signature => (string)signature!["act"]!)
            .ShouldBe(["concession.granted.v1", "nonconformity.closed.v1"]);
        content["open"]!.AsArray().ShouldBeEmpty();
        var streams = report["asOf"]!["streams"]!.AsArray().ToDictionary(
            stream => (string)stream!["stream"]!, stream => (long)stream!["revision"]!);
        streams[Families.Nonconformity.Stream(WholeCase.CaseId)].ShouldBe(16);
        streams.ShouldContainKey(Families.Concession.Stream(WholeCase.ConcessionId));
    }

    [Fact]
    public async Task a_closed_case_fills_all_eight_disciplines()
    {
        await TellAsync(WholeCase.Tell());
        var content = (await JsonAsync(EightD))["content"]!;
        for (var n = 0; n <= 8; n++)
            content[$"d{n}"]!["open"]!.AsArray().ShouldBeEmpty($"D{n}");
        content["d1"]!["members"]!.AsArray().Select(member => (string)member!["personId"]!)
            .ShouldBe(["quinn", "amira", "dora", "oscar", "otto", "paul", "vera"]);
        ((string)content["d2"]!["questions"]![0]!["why"]!).ShouldContain("drawing, C, 4.2");
        ((string)content["d4"]!["causes"]![0]!["evidence"]!).ShouldBe("0.4 mm play");
        ((string)content["d5"]!["actions"]![0]!["covers"]![0]!).ShouldBe("Worn rail");
        ((string)content["d6"]!["containmentRemovals"]![0]!["reason"]!).ShouldBe("Done.");
        var cycle = content["d6"]!["cycles"]!.AsArray().Single()!;
        ((double)cycle["numbers"]!["pValue"]!).ShouldBe(0.0077);
        ((long)cycle["baseline"]!["deviations"]!).ShouldBe(12);
        ((double)cycle["criteria"]![0]!["criteria"]!["expectedReduction"]!).ShouldBe(0.8);
        ((string)cycle["decisions"]![0]!["printedName"]!).ShouldBe("Amira");
        ((string)content["d7"]!["extent"]!["hits"]![0]!["reason"]!).ShouldBe("New rail.");
        ((string)content["d7"]!["answers"]!["riskUpdate"]!["reference"]!).ShouldBe("RISK-1");
        ((string)content["d8"]!["closings"]![0]!["meaning"]!).ShouldBe("approved");
        content["d8"]!["recognised"]!.AsArray().Count.ShouldBe(7);

        var pages = await PdfAsync(EightD);
        var print = string.Concat(pages);
        var places = Enumerable.Range(0, 9).Select(n => print.IndexOf($"D{n} ", StringComparison.Ordinal)).ToList();
        places.ShouldAllBe(place => place > 0);
        places.SequenceEqual(places.Order()).ShouldBeTrue("The disciplines stand in their order.");
        for (var n = 0; n < pages.Count; n++) pages[n].ShouldContain($"page {n + 1} of {pages.Count}");
    }

    [Fact]
    public async Task what_has_not_happened_yet_is_open_at_every_step_of_the_way()
    {
        var log = WholeCase.Tell();
        var opened = log.Events.ToList().FindIndex(e => e.Fact is ActionPlanEvent.Opened);
        await ApplyAsync(database.Projector(), [.. log.Events.Take(opened + 1)], 50, Ct);
        var content = (await JsonAsync(EightD))["content"]!;
        content["d0"]!["open"]!.AsArray().ShouldBeEmpty();
        foreach (var n in new[] { 2, 4, 5, 6, 7, 8 })
            content[$"d{n}"]!["open"]!.AsArray().ShouldNotBeEmpty($"D{n}");
        content["d4"]!["analysisId"].ShouldBeNull();
        (await TextAsync($"{EightD}?format=html")).ShouldContain("Open: The analysis is not yet started.");
        (await JsonAsync(CaseReport))["content"]!["open"]!.AsArray().Select(open => (string)open!)
            .ShouldContain("The case is not yet closed.");
    }

    [Fact]
    public async Task a_correction_shows_both_values_and_supersedes_the_signature_of_closing()
    {
        var log = WholeCase.Tell().Add(Families.Nonconformity, WholeCase.CaseId,
            new NonconformityEvent.Corrected(
                "quinn", "Misread.", "Bores too narrow", null, new RequirementRef("drawing", "D", "4.3"), null, null,
                SupersedesSignature: true),
            new NonconformityEvent.Corrected(
                "quinn", "Again.", "Bores oval", null, null, null, null, SupersedesSignature: true));
        await TellAsync(log);
        var content = (await JsonAsync(CaseReport))["content"]!;
        content["corrections"]!.AsArray().Select(change =>
                $"{change!["member"]}: {change["oldValue"]} -> {change["newValue"]} ({change["reason"]})")
            .ShouldBe([
                "title: Bores too wide -> Bores too narrow (Misread.)",
                "requirement: drawing, C, 4.2 -> drawing, D, 4.3 (Misread.)",
                "title: Bores too narrow -> Bores oval (Again.)"]);
        var closing = content["signatures"]!.AsArray()
            .Single(signature => (string?)signature!["act"] == "nonconformity.closed.v1")!;
        ((string)closing["superseded"]!["reason"]!).ShouldBe("Misread.");
        (await TextAsync($"{CaseReport}?format=html")).ShouldContain("SUPERSEDED by nonconformity: corrected, quinn");
    }

    [Fact]
    public async Task formats_are_negotiated_and_each_says_its_name()
    {
        await TellAsync(WholeCase.Tell());
        foreach (var (accept, mediaType, file) in new[]
        {
            ("application/json", "application/json", "CAPA-2026-000001-8D.json"),
            ("text/html", "text/html", "CAPA-2026-000001-8D.html"),
            ("application/pdf", "application/pdf", "CAPA-2026-000001-8D.pdf"),
        })
        {
            using var answer = await SendAsync(EightD, request => request.Headers.Add("Accept", accept));
            answer.Content.Headers.ContentType!.MediaType.ShouldBe(mediaType);
            answer.Content.Headers.ContentDisposition!.FileName.ShouldBe(file);
            answer.Headers.Vary.ShouldContain("Accept");
        }

        using var page = await SendAsync($"{EightD}?format=html", _ => { });
        page.Headers.GetValues("Content-Security-Policy").Single().ShouldStartWith("default-src 'none'");
        await RefusedAsync(EightD, HttpStatusCode.NotAcceptable, "not-acceptable", "image/png");
        await RefusedAsync($"{EightD}?format=docx", HttpStatusCode.UnprocessableEntity, "invalid");
        await RefusedAsync($"{EightD}?minRevision=x", HttpStatusCode.UnprocessableEntity, "invalid");
        await RefusedAsync($"{EightD}?formt=pdf", HttpStatusCode.UnprocessableEntity, "invalid");
    }

    [Fact]
    public async Task a_report_is_not_modified_until_a_stream_it_shows_moves()
    {
        var log = WholeCase.Tell();
        await TellAsync(log);
        foreach (var format in new[] { "json", "html", "pdf" })
        {
            using var first = await SendAsync($"{CaseReport}?format={format}", _ => { });
            var tag = first.Headers.ETag!;
            using var again = await SendAsync(
                $"{CaseReport}?format={format}", request => request.Headers.IfNoneMatch.Add(tag));
            again.StatusCode.ShouldBe(HttpStatusCode.NotModified, format);
            (await again.Content.ReadAsByteArrayAsync(Ct)).ShouldBeEmpty();
            using var other = await SendAsync(
                $"{CaseReport}?format={(format == "json" ? "html" : "json")}",
                request => request.Headers.IfNoneMatch.Add(tag));
            other.StatusCode.ShouldBe(HttpStatusCode.OK, "Another format is another representation.");
        }

        using var before = await SendAsync(CaseReport, _ => { });
        var hash = (string)(await JsonAsync(CaseReport))["contentHash"]!;
        log.Add(Families.Nonconformity, WholeCase.CaseId, new NonconformityEvent.Reopened("amira", "It came back."));
        await TellAsync(log);
        using var after = await SendAsync(CaseReport, request => request.Headers.IfNoneMatch.Add(before.Headers.ETag!));
        after.StatusCode.ShouldBe(HttpStatusCode.OK);
        ((string)(await JsonAsync(CaseReport))["contentHash"]!).ShouldNotBe(hash);
    }

    [Fact]
    public async Task the_hash_can_be_computed_from_what_was_served()
    {
        await TellAsync(WholeCase.Tell());
        var served = await TextAsync(CaseReport);
        var content = served[(served.IndexOf("\"content\":", StringComparison.Ordinal) + 10)..^1];
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)))
            .ShouldBe((string)JsonNode.Parse(served)!["contentHash"]!);
        string.Concat(await PdfAsync(CaseReport)).ShouldContain((string)JsonNode.Parse(served)!["contentHash"]!);
    }

    [Fact]
    public async Task another_sites_case_is_not_there_and_not_on_the_report_of_a_shared_capa()
    {
        var elsewhere = NameBasedId.From("case elsewhere");
        var log = WholeCase.Tell();
        log.Add(Families.Nonconformity, elsewhere, WholeCase.Report(log.Now, "plant-2", "Secret elsewhere"))
            .Add(Families.ActionPlan, WholeCase.CapaId, new ActionPlanEvent.NonconformityJoined(elsewhere));
        await TellAsync(log);
        foreach (var path in new[] { CaseReport, EightD, Request, $"8d?nonconformityId={WholeCase.CaseId}" })
            await RefusedAsync(path, HttpStatusCode.NotFound, "not-found", site: "plant-2");

        using var own = await SendAsync(EightD, request => Site(request, "plant-1"));
        var text = await own.Content.ReadAsStringAsync(Ct);
        text.ShouldNotContain("Secret elsewhere");
        ((int)JsonNode.Parse(text)!["content"]!["nonconformitiesElsewhere"]!).ShouldBe(1);
        var all = (await JsonAsync(EightD))["content"]!;
        all["nonconformities"]!.AsArray().Count.ShouldBe(2);
        all["d2"]!["questions"]!.AsArray().Count.ShouldBe(2);
    }

    [Fact]
    public async Task the_report_of_a_case_is_that_of_its_only_capa()
    {
        var log = WholeCase.Tell();
        var bare = NameBasedId.From("case without capa");
        log.Add(Families.Nonconformity, bare, WholeCase.Report(log.Now));
        await TellAsync(log);
        var found = await JsonAsync($"8d?nonconformityId={WholeCase.CaseId}");
        ((string)found["content"]!["capa"]!["number"]!).ShouldBe("CAPA-2026-000001");
        await RefusedAsync($"8d?nonconformityId={bare}", HttpStatusCode.Conflict, "no-capa");
        await RefusedAsync("8d", HttpStatusCode.UnprocessableEntity, "invalid");
        await RefusedAsync($"8d/{Guid.NewGuid()}", HttpStatusCode.NotFound, "not-found");

        log.Add(Families.ActionPlan, NameBasedId.From("capa 2"), new ActionPlanEvent.Opened(
            "plant-1", "Another one", "quinn", WholeCase.CaseId, "More.", WholeCase.Subject, null, false));
        await TellAsync(log);
        await RefusedAsync($"8d?nonconformityId={WholeCase.CaseId}", HttpStatusCode.Conflict, "several-capas");
    }

    [Fact]
    public async Task a_supplier_is_told_what_is_wrong_with_its_goods_and_nothing_else()
    {
        await TellAsync(WholeCase.Tell());
        await RefusedAsync(Request, HttpStatusCode.Conflict, "no-supplier");
        await SupplyAsync("Forge Ltd", "L-1", 0, 1);
        var request = (await JsonAsync(Request))["content"]!;
        ((string)request["supplier"]!).ShouldBe("Forge Ltd");
        ((long)request["deviationCount"]!).ShouldBe(2);
        ((double)request["affectedQuantity"]!).ShouldBe(10);
        request["lots"]!.AsArray().Select(lot => (string)lot!).ShouldBe(["L-1"]);
        request["measuresTaken"]!.AsArray().Select(measure => (string)measure!["what"]!)
            .ShouldContain("rework, verified");
        ((string)request["contactPersonId"]!).ShouldBe("quinn");
        ((int)request["answerDays"]!).ShouldBe(10);
        ((string)request["answerDueOn"]!).ShouldBe("2026-03-12");

        // What was said among colleagues stays there, in every format.
        string[] inside =
            ["Can be honed.", "Log 7", "Sort all", "dora", "Order 2", "Mail 7", "Worn rail", "It recurs."];
        var print = string.Concat(await PdfAsync(Request));
        foreach (var text in new[] { await TextAsync(Request), await TextAsync($"{Request}?format=html"), print })
            inside.Where(text.Contains).ShouldBeEmpty();

        await SupplyAsync("Other & Sons", "L-9", 2);
        await RefusedAsync(Request, HttpStatusCode.Conflict, "several-suppliers");
        await RefusedAsync($"{Request}?supplier=Nobody", HttpStatusCode.Conflict, "no-supplier");
        var theirs = await TextAsync($"{Request}?supplier=Other%20%26%20Sons");
        theirs.ShouldNotContain("Forge");
        theirs.ShouldNotContain("L-1\"");
        JsonNode.Parse(theirs)!["content"]!["affectedQuantity"].ShouldBeNull();
    }

    private Task SupplyAsync(string supplier, string lot, params int[] deviations) => database.ExecuteAsync(
        $"update read_models.deviation set supplier = '{supplier}', lot = '{lot}' where id in ("
        + $"{string.Join(',', deviations.Select(n => $"'{WholeCase.DeviationId(n)}'"))})", Ct);

    private Task TellAsync(History log) => ApplyAsync(database.Projector(), log.Events, 50, Ct);

    private async Task<JsonNode> JsonAsync(string path) => JsonNode.Parse(await TextAsync(path))!;

    private async Task<string> TextAsync(string path)
    {
        using var answer = await SendAsync(path, _ => { });
        var text = await answer.Content.ReadAsStringAsync(Ct);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return WebUtility.HtmlDecode(text);
    }

    private async Task<IReadOnlyList<string>> PdfAsync(string path)
    {
        using var answer = await SendAsync($"{path}?format=pdf", _ => { });
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync(Ct));
        using var pdf = PdfDocument.Open(await answer.Content.ReadAsByteArrayAsync(Ct));
        return [.. pdf.GetPages().Select(page => page.Text)];
    }

    private Task<HttpResponseMessage> SendAsync(string path, Action<HttpRequestMessage> prepare)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        prepare(request);
        if (!request.Headers.Contains(ReadModelHost.SiteHeader)) Site(request, "*");
        return http.SendAsync(request, Ct);
    }

    private static void Site(HttpRequestMessage request, string site) =>
        request.Headers.Add(ReadModelHost.SiteHeader, site);

    private async Task RefusedAsync(
        string path, HttpStatusCode status, string code, string accept = "*/*", string? site = null)
    {
        using var answer = await SendAsync(path, request =>
        {
            request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accept));
            if (site is not null) Site(request, site);
        });
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!;
        (answer.StatusCode, (string?)problem["code"]).ShouldBe((status, code), path);
    }
}
