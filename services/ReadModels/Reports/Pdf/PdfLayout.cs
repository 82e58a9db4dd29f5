using System.Globalization;

namespace CapaEngine.ReadModels.Reports.Pdf;

/// <summary>Sets one report in pages: headings, paragraphs, named values and tables that go on over pages.</summary>
internal sealed class PdfLayout(FontSet fonts, int pagesMax, CancellationToken ct)
{
    private const double TitleSize = 17;
    private const double HeadingSize = 12;
    private const double TextSize = 9;
    private const double CellSize = 7;
    private const double FootSize = 7;
    private const double Padding = 3;
    private const double NameWidth = 130;
    private const double LineHeightFactor = 1.28;
    private const double AscentFactor = 0.95;

    private readonly TextSetter setter = new(fonts);

    /// <summary>The bytes of the PDF.</summary>
    public byte[] Set(ReportDocument report)
    {
        using var pages = new PdfPages(pagesMax);
        pages.Break();
        Text(pages, report.Title, TitleSize, isBold: true, Ink.Black);
        Text(pages, report.Subject, HeadingSize, isBold: false, Ink.Grey);
        foreach (var section in report.Sections)
        {
            Heading(pages, section.Heading);
            foreach (var block in section.Blocks) Show(pages, block);
        }

        Heading(pages, "About this print");
        Values(pages, report.Colophon);
        foreach (var note in Notes()) Text(pages, note, TextSize, isBold: false, Ink.Black);
        pages.Foot(setter, $"{report.Title} {report.Subject}, {report.ContentHash}", FootSize);
        return pages.Save(
            VisibleText.Of($"{report.Title} {report.Subject}"), $"SHA-256 {report.ContentHash}", report.GeneratedAt);
    }

    private void Show(PdfPages pages, Block block)
    {
        switch (block)
        {
            case Block.Paragraph paragraph:
                Text(pages, paragraph.Text.Text, TextSize, isBold: false, InkOf(paragraph.Text.Tone));
                break;
            case Block.Lines lines:
                Values(pages, lines.Values);
                break;
            case Block.Grid grid:
                Table(pages, grid);
                break;
        }
    }

    // A heading alone at the foot of a page would announce what is elsewhere.
    private void Heading(PdfPages pages, string heading)
    {
        pages.Down(10);
        pages.Need(HeightOf(HeadingSize) + 4 * HeightOf(TextSize));
        Text(pages, heading, HeadingSize, isBold: true, Ink.Black);
        pages.Rule();
        pages.Down(4);
    }

    private void Text(PdfPages pages, string text, double size, bool isBold, Ink ink)
    {
        foreach (var line in setter.Lines(text, isBold, size, PdfPages.Width))
        {
            ct.ThrowIfCancellationRequested();
            pages.Need(HeightOf(size));
            pages.Write(line, 0, size * AscentFactor, size, ink);
            pages.Down(HeightOf(size));
        }
    }

    private void Values(PdfPages pages, IReadOnlyList<Line> values)
    {
        foreach (var value in values)
            Row(pages, [NameWidth, PdfPages.Width - NameWidth],
                [Cell(value.Name, NameWidth, TextSize, Ink.Grey),
                    Cell(value.Value.Text, PdfPages.Width - NameWidth, TextSize, InkOf(value.Value.Tone))],
                TextSize, hasFrame: false, onBreak: null);
        pages.Down(4);
    }

    private void Table(PdfPages pages, Block.Grid grid)
    {
        var total = grid.Weights.Sum();
        var widths = grid.Weights.Select(weight => PdfPages.Width * weight / total).ToArray();
        var heading = grid.Headings
            .Select((text, column) => Cell(text, widths[column], CellSize, Ink.Black, isBold: true)).ToArray();
        pages.Down(3);
        pages.Need(HeightOf(TextSize) + HeightOf(CellSize) * (heading.Max(cell => cell.Lines.Count) + 3));
        Text(pages, grid.Caption, TextSize, isBold: true, Ink.Black);
        void Head() => Row(pages, widths, heading, CellSize, hasFrame: true, onBreak: null, Ink.Light);
        Head();
        foreach (var row in grid.Rows)
            Row(pages, widths,
                [.. row.Select((said, column) => Cell(said.Text, widths[column], CellSize, InkOf(said.Tone)))],
                CellSize, hasFrame: true, Head);
        pages.Down(5);
    }

    private SetCell Cell(string text, double width, double size, Ink ink, bool isBold = false) =>
        new(setter.Lines(text, isBold, size, width - 2 * Padding), ink);

    // A row that does not fit goes to the next page; one that no page holds is cut between its lines.
    private void Row(
        PdfPages pages, double[] widths, SetCell[] cells, double size, bool hasFrame, Action? onBreak,
        Ink? fill = null)
    {
        var height = HeightOf(size);
        var count = cells.Max(cell => cell.Lines.Count);
        for (var from = 0; from < count;)
        {
            ct.ThrowIfCancellationRequested();
            var needed = (count - from) * height + 2 * Padding;
            var fitsOnOnePage = needed <= PdfPages.RoomMax * 0.8;
            if (pages.Room < (fitsOnOnePage ? needed : height + 2 * Padding))
            {
                pages.Break();
                onBreak?.Invoke();
            }

            var shown = Math.Clamp((int)((pages.Room - 2 * Padding) / height), 1, count - from);
            Part(pages, widths, cells, (from, shown), size, hasFrame, fill);
            from += shown;
        }
    }

    private static void Part(
        PdfPages pages, double[] widths, SetCell[] cells, (int From, int Count) part, double size, bool hasFrame,
        Ink? fill)
    {
        var height = part.Count * HeightOf(size) + (hasFrame ? 2 * Padding : 0);
        var left = 0d;
        for (var column = 0; column < cells.Length; column++)
        {
            if (hasFrame) pages.Frame(left, widths[column], height, fill);
            var down = (hasFrame ? Padding : 0) + size * AscentFactor;
            foreach (var line in cells[column].Lines.Skip(part.From).Take(part.Count))
            {
                pages.Write(line, left + (hasFrame ? Padding : 0), down, size, cells[column].Ink);
                down += HeightOf(size);
            }

            left += widths[column];
        }

        pages.Down(height);
    }

    private IEnumerable<string> Notes()
    {
        if (setter.Missing.Count > 0)
            yield return "Note: the fonts of this print lack the following characters, which are shown as boxes; HTML "
                + "and JSON have them: " + string.Join(", ", setter.Missing.Select(character =>
                    "U+" + character.ToString("X4", CultureInfo.InvariantCulture)));
        if (setter.HasRightToLeft)
            yield return "Note: text in scripts written from right to left stands in the order of its letters, from "
                + "left to right; HTML shows it as it is written.";
    }

    private static double HeightOf(double size) => size * LineHeightFactor;

    private static Ink InkOf(Tone tone) => tone switch
    {
        Tone.Open => Ink.Brown,
        Tone.Ended => Ink.Grey,
        _ => Ink.Black,
    };

    private readonly record struct SetCell(List<IReadOnlyList<Run>> Lines, Ink Ink);
}
