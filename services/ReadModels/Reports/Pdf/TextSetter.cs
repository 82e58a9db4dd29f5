using System.Text;

namespace CapaEngine.ReadModels.Reports.Pdf;

/// <summary>A piece of a line in one font.</summary>
internal readonly record struct Run(FontFile Font, string Text, double Width);

/// <summary>
/// Breaks text into lines of a given width, each piece in a font that has its characters, and remembers what no font
/// could show.
/// </summary>
internal sealed class TextSetter(FontSet fonts)
{
    private const int NotedMax = 60;
    private static readonly Rune Box = new('□');
    private static readonly Rune Question = new('?');

    private readonly SortedSet<int> missing = [];

    /// <summary>The characters that are shown as boxes, in their order; of very many only some.</summary>
    public IReadOnlyCollection<int> Missing => missing;

    /// <summary>Whether there was text in a script that is written from right to left.</summary>
    public bool HasRightToLeft { get; private set; }

    /// <summary>The lines of a text. An empty text has one empty line.</summary>
    public List<IReadOnlyList<Run>> Lines(string text, bool isBold, double size, double width)
    {
        var lines = new List<IReadOnlyList<Run>>();
        foreach (var paragraph in VisibleText.Of(text).Split('\n'))
            Break(Glyphs(paragraph, isBold, size), width, lines);
        return lines;
    }

    private List<Glyph> Glyphs(string paragraph, bool isBold, double size)
    {
        var glyphs = new List<Glyph>(paragraph.Length);
        foreach (var rune in paragraph.EnumerateRunes())
        {
            if (IsSilent(rune)) continue;
            HasRightToLeft |= IsRightToLeft(rune);
            var (shown, font) = fonts.For(rune, isBold) is { } has ? (rune, has) : Instead(rune, isBold);
            glyphs.Add(new Glyph(shown, font, font.WidthOf(shown) * size));
        }

        return glyphs;
    }

    private (Rune, FontFile) Instead(Rune rune, bool isBold)
    {
        if (missing.Count < NotedMax) missing.Add(rune.Value);
        return fonts.For(Box, isBold) is { } font ? (Box, font) : (Question, fonts.First);
    }

    // Greedy: at the last place where a line may end, and by force where a word is longer than a line.
    private static void Break(List<Glyph> glyphs, double width, List<IReadOnlyList<Run>> lines)
    {
        var start = 0;
        while (true)
        {
            while (start > 0 && start < glyphs.Count && glyphs[start].IsSpace) start++;
            if (start > 0 && start == glyphs.Count) return;
            var (end, used, after) = (start, 0d, 0);
            while (end < glyphs.Count && (used + glyphs[end].Width <= width || end == start))
            {
                used += glyphs[end].Width;
                end++;
                if (glyphs[end - 1].MayEndLine) after = end;
            }

            if (end < glyphs.Count && !glyphs[end].IsSpace && after > start) end = after;
            lines.Add(Runs(glyphs, start, end));
            if (end >= glyphs.Count) return;
            start = end;
        }
    }

    private static List<Run> Runs(List<Glyph> glyphs, int start, int end)
    {
        while (end > start && glyphs[end - 1].IsSpace) end--;
        var runs = new List<Run>();
        var text = new StringBuilder();
        for (var at = start; at < end;)
        {
            var font = glyphs[at].Font;
            var width = 0d;
            for (text.Clear(); at < end && ReferenceEquals(glyphs[at].Font, font); at++)
            {
                text.Append(glyphs[at].Character.ToString());
                width += glyphs[at].Width;
            }

            runs.Add(new Run(font, text.ToString(), width));
        }

        return runs;
    }

    // Soft hyphens, joiners and variation selectors say how others look and are nothing to see themselves.
    private static bool IsSilent(Rune rune) =>
        rune.Value is 0xAD or 0x200C or 0x200D or (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF);

    private static bool IsRightToLeft(Rune rune) => rune.Value is (>= 0x590 and <= 0x8FF)
        or (>= 0xFB1D and <= 0xFDFF) or (>= 0xFE70 and <= 0xFEFC) or (>= 0x10800 and <= 0x10FFF);

    private readonly record struct Glyph(Rune Character, FontFile Font, double Width)
    {
        public bool IsSpace => Character.Value is ' ';

        // East Asian scripts have no spaces: a line may end after each of their characters.
        public bool MayEndLine => Character.Value is ' ' or '-' or '/' or ','
            or (>= 0x2E80 and <= 0x9FFF) or (>= 0xAC00 and <= 0xD7AF) or (>= 0xF900 and <= 0xFAFF)
            or (>= 0x20000 and <= 0x3FFFF);
    }
}
