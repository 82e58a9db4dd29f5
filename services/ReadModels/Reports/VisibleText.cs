using System.Globalization;
using System.Text;

namespace CapaEngine.ReadModels.Reports;

/// <summary>
/// Text in which nothing hides: control characters and marks that turn the direction of what follows are shown by their
/// code, because a print must not read otherwise than what was written.
/// </summary>
internal static class VisibleText
{
    /// <summary>The text with line ends and tabs as they are and everything invisible spelled out.</summary>
    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~')) return text;
        var shown = new StringBuilder(text.Length + 16);
        foreach (var rune in text.Replace("\r\n", "\n", StringComparison.Ordinal).EnumerateRunes())
        {
            if (rune.Value is '\n' or '\r') shown.Append('\n');
            else if (rune.Value is '\t') shown.Append(' ');
            else if (IsHidden(rune)) shown.Append(CultureInfo.InvariantCulture, $"[U+{rune.Value:X4}]");
            else shown.Append(rune.ToString());
        }

        return shown.ToString();
    }

    // Direction marks, embeddings, overrides and isolates, and what has no meaning in a text at all. Joiners stay:
    // some scripts are written with them.
    private static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => true,
        UnicodeCategory.Format => rune.Value is not (0x200C or 0x200D or 0xAD),
        _ => false,
    };
}
