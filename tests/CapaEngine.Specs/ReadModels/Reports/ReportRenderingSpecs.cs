using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.ReadModels.Reports;
using Shouldly;

namespace CapaEngine.Specs.ReadModels.Reports;

/// <summary>The two renderings of every report: complete, safe, the same each time.</summary>
public sealed class ReportRenderingSpecs
{
    // These say the same as what is shown beside them, or what only a machine needs; the JSON holds them.
    private static readonly string[] InJsonOnly =
    [
        ".Roles", ".Pdca", ".ProposedBy", ".Criteria.Subject", ".FirstStep.CleanPoint", ".D3.Actions0.Kind",
        ".D3.Actions1.Kind", ".D6.Actions0.Kind", ".D6.Actions1.Kind", ".Moment", ".Reopened0.Kind", ".Reopened1.Kind",
        // The name of an event and the question a cause answers are shown in words.
        ".Act", "occurrence",
    ];

    public static TheoryData<string> Kinds => ["nonconformity", "8d", "supplier"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task every_text_of_the_model_stands_in_html_and_in_pdf(string kind)
    {
        var (content, document) = Document(kind, path => path);
        var html = WebUtility.HtmlDecode(await ReportSample.HtmlAsync(document));
        var pdf = ReportSample.Joined(string.Concat(await ReportSample.PdfAsync(document)));
        var texts = ReportSample.TextsOf(content)
            .Where(text => !InJsonOnly.Any(text.Contains)).Distinct().ToList();
        texts.Count.ShouldBeGreaterThan(30);
        texts.Where(text => !html.Contains(text)).ShouldBeEmpty();
        texts.Where(text => !pdf.Contains(text)).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task whatever_people_wrote_stays_text_in_html(string kind)
    {
        const string Hostile =
            "</style><script>alert(1)</script>\"' onload=x & <img src=x onerror=alert(2)>\u202Eexe.txt\u0007\u2028";
        var (_, document) = Document(kind, path => path + Hostile);
        var html = await ReportSample.HtmlAsync(document);
        html.ShouldNotContain("<script");
        html.ShouldNotContain("<img");
        html.Split("</style>").Length.ShouldBe(2, "Only the style's own end ends the style.");
        html.Where(c => char.IsControl(c) && c is not '\n' and not '\r').ShouldBeEmpty();
        var read = WebUtility.HtmlDecode(html);
        read.ShouldNotContain("\u202E");
        read.ShouldContain("[U+202E]exe.txt[U+0007][U+2028]");
        read.ShouldContain("<script>alert(1)</script>\"' onload=x & <img src=x onerror=alert(2)>");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task html_needs_nothing_from_elsewhere_and_its_policy_allows_its_style_alone(string kind)
    {
        var html = await ReportSample.HtmlAsync(Document(kind, path => path).Document);
        foreach (var loading in new[] { "src=", "href=", "url(", "@import", "style=\"", "<script", "<link" })
            html.ShouldNotContain(loading);
        var style = html.Split("<style>")[1].Split("</style>")[0];
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)));
        HtmlReports.Policy.ShouldContain($"style-src 'sha256-{hash}'");
        html.ShouldContain("@media print");
        html.ShouldContain("<html lang=\"en\">");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task the_same_model_gives_the_same_page_and_the_same_hash(string kind)
    {
        var (first, again, other) = (Document(kind, path => path).Document, Document(kind, path => path).Document,
            Document(kind, path => path + "!").Document);
        (await ReportSample.HtmlAsync(again)).ShouldBe(await ReportSample.HtmlAsync(first));
        again.ContentHash.ShouldBe(first.ContentHash);
        other.ContentHash.ShouldNotBe(first.ContentHash);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task what_is_not_there_yet_is_said_to_be_open(string kind)
    {
        var document = Empty(kind);
        var html = await ReportSample.HtmlAsync(document);
        var pdf = string.Join('\n', await ReportSample.PdfAsync(document));
        string[] expected = kind switch
        {
            "8d" => ["not yet closed", "not yet started", "Not yet signed", "not yet answered", "not rated"],
            "supplier" => ["not yet decided", "Nothing is decided yet"],
            _ => ["not yet decided", "not yet closed", "Nothing is signed yet", "Nothing is decided yet"],
        };
        foreach (var words in expected)
        {
            html.ShouldContain(words);
            pdf.ShouldContain(words);
        }

        html.ShouldContain("class=\"open\"");
    }

    [Fact]
    public void the_hash_is_that_of_the_content_as_served()
    {
        var report = ReportSample.Frame(ReportSample.Full<NonconformityReport>(path => path + " äß€ 😀 <&>"));
        using var served = JsonDocument.Parse(JsonSerializer.Serialize(report, StrictJson.Requests));
        var content = served.RootElement.GetProperty("content").GetRawText();
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content))).ShouldBe(report.ContentHash);
        served.RootElement.GetProperty("contentHash").GetString().ShouldBe(report.ContentHash);
        var read = JsonSerializer.Deserialize<Report<NonconformityReport>>(
            JsonSerializer.Serialize(report, StrictJson.Requests), StrictJson.Requests)!;
        ReportPrinter.HashOf(read.Content).ShouldBe(report.ContentHash, "JSON is the model, whole.");
    }

    [Fact]
    public async Task a_superseded_signature_says_so_beside_its_name_time_and_meaning()
    {
        var signed = new ShownSignature(
            "nonconformity.closed.v1", "amira", "Amira A.", SignatureMeaning.Approved,
            new DateTimeOffset(2026, 3, 1, 9, 0, 0, TimeSpan.Zero), "nonconformity-1", 9, "ab",
            new Supersession(
                "nonconformity.corrected.v1", new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero), "quinn",
                "Wrong drawing."));
        var report = ReportSample.Full<NonconformityReport>() with { Signatures = [signed] };
        var document = NonconformityPages.Of(ReportSample.Frame(report));
        const string Words = "SUPERSEDED by nonconformity: corrected, quinn, 2026-03-02 09:00:00 UTC: Wrong drawing.";
        var html = await ReportSample.HtmlAsync(document);
        html.ShouldContain($"<td class=\"ended\">{Words}</td>");
        html.ShouldContain("<td>Amira A. (amira)</td><td>approved</td><td>2026-03-01 09:00:00 UTC</td>");
        ReportSample.Joined(string.Concat(await ReportSample.PdfAsync(document)))
            .ShouldContain(ReportSample.Joined(Words));
    }

    [Theory]
    [InlineData("NC-2026-000001", "NC-2026-000001")]
    [InlineData("a/../b\r\nSet-Cookie: x\"; filename=\"y.exe", "a-..-b--Set-Cookie--x---filename--y.exe")]
    [InlineData("ä ö", "---")]
    public void a_file_name_holds_nothing_that_a_header_or_a_file_system_could_misread(string name, string safe) =>
        CommonPages.FileNameOf(name).ShouldBe(safe);

    private static (object Content, ReportDocument Document) Document(string kind, Func<string, string> text)
    {
        switch (kind)
        {
            case "8d":
                var eightD = ReportSample.Full<EightDReport>(text);
                // Causes are shown by the question they answer.
                string[] questions = ["occurrence", "escape"];
                eightD = eightD with
                {
                    D4 = eightD.D4 with
                    {
                        Causes = [.. eightD.D4.Causes.Zip(questions, (cause, kind) => cause with { Kind = kind })],
                    },
                };
                return (eightD, EightDPages.Of(ReportSample.Frame(eightD)));
            case "supplier":
                var request = ReportSample.Full<SupplierRequest>(text);
                return (request, SupplierPages.Of(ReportSample.Frame(request)));
            default:
                var report = ReportSample.Full<NonconformityReport>(text);
                return (report, NonconformityPages.Of(ReportSample.Frame(report)));
        }
    }

    private static ReportDocument Empty(string kind) => kind switch
    {
        "8d" => EightDPages.Of(ReportSample.Frame(ReportSample.Empty<EightDReport>())),
        "supplier" => SupplierPages.Of(ReportSample.Frame(ReportSample.Empty<SupplierRequest>())),
        _ => NonconformityPages.Of(ReportSample.Frame(ReportSample.Empty<NonconformityReport>())),
    };
}
