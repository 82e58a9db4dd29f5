using System.Globalization;
using UglyToad.PdfPig.Content;
using UglyToad.PdfPig.Core;
using UglyToad.PdfPig.Writer;

namespace CapaEngine.ReadModels.Reports.Pdf;

/// <summary>The report would have more pages than the installation allows.</summary>
public sealed class ReportTooLongException(int pagesMax)
    : Exception($"The PDF would have more than {pagesMax} pages; ask for HTML or JSON.");

/// <summary>A colour of text or ground.</summary>
internal readonly record struct Ink(byte Red, byte Green, byte Blue)
{
    public static readonly Ink Black = new(0, 0, 0);
    public static readonly Ink Grey = new(90, 90, 90);
    public static readonly Ink Brown = new(138, 75, 0);
    public static readonly Ink Light = new(238, 238, 238);
}

/// <summary>The pages of a PDF and the place on the current one that is written next, from the top.</summary>
internal sealed class PdfPages(int pagesMax) : IDisposable
{
    // A4, in points.
    private const double PageWidth = 595;
    private const double PageHeight = 842;
    private const double Margin = 42;
    private const double FooterHeight = 24;
    private const double FrameWidth = 0.5;

    private readonly PdfDocumentBuilder document = new();
    private readonly EmbeddedFonts embedded = new();
    private readonly List<PdfPageBuilder> pages = [];
    private double top;

    /// <summary>The width that text may take.</summary>
    public static double Width => PageWidth - 2 * Margin;

    /// <summary>What a page holds.</summary>
    public static double RoomMax => PageHeight - 2 * Margin - FooterHeight;

    /// <summary>What is left of the page.</summary>
    public double Room => PageHeight - Margin - FooterHeight - top;

    /// <summary>Begins a new page.</summary>
    public void Break()
    {
        if (pages.Count == pagesMax) throw new ReportTooLongException(pagesMax);
        pages.Add(document.AddPage(PageSize.A4));
        top = Margin;
    }

    /// <summary>Begins a new page unless there is room for this much.</summary>
    public void Need(double height)
    {
        if (Room < height) Break();
    }

    /// <summary>Moves down.</summary>
    public void Down(double height) => top += height;

    /// <summary>Writes a line at a distance from the left margin and from the current place.</summary>
    public void Write(IReadOnlyList<Run> line, double left, double down, double size, Ink ink) =>
        Write(pages[^1], line, new PdfPoint(Margin + left, PageHeight - top - down), size, ink);

    /// <summary>Draws a frame, filled where an ink is given.</summary>
    public void Frame(double left, double width, double height, Ink? fill)
    {
        var page = pages[^1];
        var corner = new PdfPoint(Margin + left, PageHeight - top - height);
        if (fill is { } ground) page.SetTextAndFillColor(ground.Red, ground.Green, ground.Blue);
        page.SetStrokeColor(Ink.Grey.Red, Ink.Grey.Green, Ink.Grey.Blue);
        page.DrawRectangle(corner, width, height, FrameWidth, fill is not null);
        page.ResetColor();
        if (fill is not null) page.ResetColor();
    }

    /// <summary>Draws a line across the page.</summary>
    public void Rule() => pages[^1].DrawLine(
        new PdfPoint(Margin, PageHeight - top), new PdfPoint(PageWidth - Margin, PageHeight - top), FrameWidth);

    /// <summary>Writes at the foot of every page, once all are there: what is the same, and its number.</summary>
    public void Foot(TextSetter setter, string text, double size)
    {
        const double NumberWidth = 100;
        var same = setter.Lines(text, false, size, Width - NumberWidth)[0];
        for (var index = 0; index < pages.Count; index++)
        {
            var number = setter.Lines(
                string.Create(CultureInfo.InvariantCulture, $"page {index + 1} of {pages.Count}"), false, size,
                NumberWidth)[0];
            Write(pages[index], same, new PdfPoint(Margin, Margin), size, Ink.Grey);
            var left = PageWidth - Margin - number.Sum(run => run.Width);
            Write(pages[index], number, new PdfPoint(left, Margin), size, Ink.Grey);
        }
    }

    /// <summary>The bytes of the PDF.</summary>
    public byte[] Save(string title, string keywords, DateTimeOffset generatedAt)
    {
        var about = document.DocumentInformation;
        about.Title = title;
        about.Keywords = keywords;
        about.Creator = "CapaEngine";
        about.CreationDate = generatedAt.ToString("'D:'yyyyMMddHHmmss'Z'", CultureInfo.InvariantCulture);
        return document.Build();
    }

    /// <inheritdoc/>
    public void Dispose() => document.Dispose();

    private void Write(PdfPageBuilder page, IReadOnlyList<Run> line, PdfPoint at, double size, Ink ink)
    {
        if (line.Count == 0) return;
        page.SetTextAndFillColor(ink.Red, ink.Green, ink.Blue);
        foreach (var run in line)
        {
            foreach (var (text, font) in embedded.Split(document, run))
            {
                var written = page.AddText(text, size, at, font);
                at = new PdfPoint(written[^1].EndBaseLine.X, at.Y);
            }
        }

        page.ResetColor();
    }
}

/// <summary>
/// The fonts of one document. A font of a PDF holds 255 different characters at most, so one with more is embedded
/// again for the further ones.
/// </summary>
internal sealed class EmbeddedFonts
{
    private const int CharactersMax = 250;

    private readonly Dictionary<string, List<Part>> parts = new(StringComparer.Ordinal);

    /// <summary>The pieces of a run, each with an embedded font that has all its characters.</summary>
    public IEnumerable<(string Text, PdfDocumentBuilder.AddedFont Font)> Split(PdfDocumentBuilder document, Run run)
    {
        var start = 0;
        for (var at = 0; at < run.Text.Length;)
        {
            var part = PartOf(document, run.Font, run.Text[at]);
            for (at++; at < run.Text.Length && part.Takes(run.Text[at]);) at++;
            yield return (run.Text[start..at], part.Font);
            start = at;
        }
    }

    private Part PartOf(PdfDocumentBuilder document, FontFile font, char character)
    {
        if (!parts.TryGetValue(font.Path, out var known)) parts[font.Path] = known = [];
        if (known.Find(part => part.Takes(character)) is { } taker) return taker;
        var added = new Part(document.AddTrueTypeFont(font.Bytes));
        added.Takes(character);
        known.Add(added);
        return added;
    }

    private sealed class Part(PdfDocumentBuilder.AddedFont font)
    {
        private readonly HashSet<char> characters = [];

        public PdfDocumentBuilder.AddedFont Font => font;

        // Whether it has the character, or has room for it and has it from here on.
        public bool Takes(char character)
        {
            if (characters.Contains(character)) return true;
            return characters.Count < CharactersMax && characters.Add(character);
        }
    }
}
