using System.Text;
using UglyToad.PdfPig.Fonts.TrueType;
using UglyToad.PdfPig.Fonts.TrueType.Parser;

namespace CapaEngine.ReadModels.Reports.Pdf;

/// <summary>
/// A TrueType font as far as setting text needs it: which characters of the basic plane it has and how wide they are.
/// The PDF names characters by 16 bits, so those of other planes count as missing.
/// </summary>
internal sealed class FontFile
{
    private const int BasicPlane = 0x10000;

    // Relative to the size of the text; not a number where the font lacks the character.
    private readonly float[] widths = new float[BasicPlane];

    private FontFile(string path, byte[] bytes)
    {
        Path = path;
        Bytes = bytes;
        var font = TrueTypeFontParser.Parse(new TrueTypeDataBytes(bytes));
        var characters = font.WindowsUnicodeCMap ?? throw Unusable(path, "it maps no Unicode characters");
        var metrics = font.TableRegister.HorizontalMetricsTable;
        for (var character = 0; character < BasicPlane; character++)
        {
            var glyph = characters.CharacterCodeToGlyphIndex(character);
            widths[character] = glyph == 0 ? float.NaN : (float)metrics.GetAdvanceWidth(glyph) / font.GetUnitsPerEm();
        }

        if (Array.TrueForAll(widths, float.IsNaN)) throw Unusable(path, "it has no characters");
    }

    /// <summary>Where it lies; its name here.</summary>
    public string Path { get; }

    /// <summary>The whole file.</summary>
    public byte[] Bytes { get; }

    /// <summary>Reads a font. Throws <see cref="InvalidDataException"/> where it is none that can be used.</summary>
    public static FontFile Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        try
        {
            return new FontFile(path, bytes);
        }
        catch (Exception e) when (e is not (InvalidDataException or OutOfMemoryException))
        {
            // A parser of somebody else's files ends in many ways on a damaged one.
            throw Unusable(path, e.Message, e);
        }
    }

    /// <summary>Whether it can show a character.</summary>
    public bool Has(Rune character) => character.IsBmp && !float.IsNaN(widths[character.Value]);

    /// <summary>The width of a character it has, in relation to the size of the text.</summary>
    public double WidthOf(Rune character) => Has(character) ? widths[character.Value] : 0;

    private static InvalidDataException Unusable(string path, string why, Exception? cause = null) =>
        new($"The font {path} cannot be used: {why}.", cause);
}
