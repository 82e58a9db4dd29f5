using CapaEngine.ReadModels.Reports;
using CapaEngine.ReadModels.Reports.Pdf;
using Microsoft.Extensions.Options;
using Shouldly;

namespace CapaEngine.Specs.ReadModels.Reports;

/// <summary>The pages of a PDF, as a reader of PDFs finds them.</summary>
public sealed class PdfLayoutSpecs
{
    private const string DejaVu = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";

    [Fact]
    public async Task a_table_goes_on_over_pages_under_its_headings_and_every_page_is_counted()
    {
        var rows = Enumerable.Range(0, 120).Select(n => new Said[] { $"row-{n:D3}", "Some words." });
        var pages = await PdfAsync(new Block.Grid("All rows", ["First heading", "Second heading"], [1, 3], [.. rows]));
        pages.Count.ShouldBe(3);
        for (var n = 0; n < pages.Count; n++)
        {
            pages[n].ShouldContain("First heading");
            pages[n].ShouldContain($"page {n + 1} of {pages.Count}");
        }

        var all = string.Concat(pages);
        var places = Enumerable.Range(0, 120)
            .Select(n => all.IndexOf($"row-{n:D3}", StringComparison.Ordinal)).ToList();
        places.ShouldAllBe(place => place >= 0);
        places.SequenceEqual(places.Order()).ShouldBeTrue("The rows keep their order.");
    }

    [Fact]
    public async Task a_row_that_no_page_holds_is_cut_between_lines_and_loses_nothing()
    {
        var words = string.Join(' ', Enumerable.Range(0, 6_000).Select(n => $"w{n}"));
        var pages = await PdfAsync(new Block.Grid("Long", ["Short", "Long"], [1, 1], [["x", words]]));
        pages.Count.ShouldBeGreaterThan(1);
        pages.ShouldAllBe(page => page.Contains("Short"));
        var found = string.Concat(pages.Select(page => page.Replace("ShortLong", " ")));
        Enumerable.Range(0, 6_000).Where(n => !found.Contains($"w{n}")).ShouldBeEmpty();
    }

    [Fact]
    public async Task words_longer_than_a_line_are_broken_by_force()
    {
        var word = string.Concat(Enumerable.Range(0, 2_500).Select(n => $"{n:D4}"));
        var pages = await PdfAsync(new Block.Paragraph(word));
        pages.Count.ShouldBe(2);
        var all = pages.Select((page, n) => page.Replace($"Title Subject, abcpage {n + 1} of 2", ""));
        ReportSample.Joined(string.Concat(all)).ShouldContain(word);
    }

    [Fact]
    public async Task characters_that_no_font_has_become_boxes_and_are_listed_at_the_end()
    {
        var pages = await PdfAsync(new Block.Paragraph("Ω Ж € 漢 😀 עברית"));
        pages[0].ShouldContain("Ω Ж € □ □");
        var end = ReportSample.Joined(pages[^1]);
        end.ShouldContain("U+6F22,U+1F600");
        end.ShouldNotContain("U+03A9");
        end.ShouldContain(ReportSample.Joined("written from right to left"));
        var plain = await PdfAsync(new Block.Paragraph("Plain."));
        string.Concat(plain).ShouldNotContain("Note:");
    }

    [Fact]
    public async Task without_a_font_it_says_what_to_install()
    {
        var refusal = await Should.ThrowAsync<FontMissingException>(() => ReportSample.PdfAsync(
            Document(new Block.Paragraph("x")), new ReportSettings { FontFolder = "/nonexistent" }));
        refusal.Message.ShouldContain("fonts-dejavu-core");
    }

    [Fact]
    public async Task a_report_that_would_be_too_long_is_refused_instead_of_filling_the_memory() =>
        await Should.ThrowAsync<ReportTooLongException>(() => ReportSample.PdfAsync(
            Document(new Block.Grid("Many", ["n"], [1],
                [.. Enumerable.Range(0, 500).Select(n => new Said[] { $"{n}" })])),
            new ReportSettings { PagesMax = 2 }));

    [Fact]
    public async Task several_prints_at_once_do_not_disturb_each_other()
    {
        using var printer = new PdfReports(
            ReportSample.Fonts, Options.Create(new ReportSettings { PdfConcurrency = 4 }));
        var prints = await Task.WhenAll(Enumerable.Range(0, 8).Select(async n =>
        {
            var bytes = await printer.RenderAsync(
                Document(new Block.Paragraph($"print number {n}")), TestContext.Current.CancellationToken);
            using var pdf = UglyToad.PdfPig.PdfDocument.Open(bytes);
            return pdf.GetPage(1).Text.Contains($"print number {n}");
        }));
        prints.ShouldAllBe(isRight => isRight);
    }

    [Fact]
    public void a_damaged_font_is_refused_whatever_is_wrong_with_it()
    {
        var good = FontFile.Read(DejaVu).Bytes;
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.ttf");
        try
        {
            var random = new Random(7);
            for (var n = 0; n < 60; n++)
            {
                var damaged = n % 2 == 0 ? good[..random.Next(good.Length)] : [.. good];
                for (var flip = 0; n % 2 == 1 && flip < 200; flip++)
                    damaged[random.Next(2_000)] = (byte)random.Next(256);
                File.WriteAllBytes(path, damaged);
                Usable(path);
            }
        }
        finally
        {
            File.Delete(path);
        }

        static void Usable(string path)
        {
            try
            {
                var font = FontFile.Read(path);
                if (font.Has(new('A'))) font.WidthOf(new('A')).ShouldBeGreaterThanOrEqualTo(0);
            }
            catch (InvalidDataException e)
            {
                e.Message.ShouldContain("cannot be used");
            }
        }
    }

    private static Task<IReadOnlyList<string>> PdfAsync(Block block) => ReportSample.PdfAsync(Document(block));

    private static ReportDocument Document(Block block) => new(
        "Title", "Subject", "file", new DateTimeOffset(2026, 3, 2, 8, 0, 0, TimeSpan.Zero), "abc",
        [new Section("Heading", [block])], [new Line("Persons", "by id")]);
}
