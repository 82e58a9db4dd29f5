using System.Text;
using Microsoft.Extensions.Options;

namespace CapaEngine.ReadModels.Reports.Pdf;

/// <summary>The fonts a PDF is set in are not installed.</summary>
public sealed class FontMissingException(string message) : Exception(message);

/// <summary>A font with the bold one that belongs to it.</summary>
internal sealed record FontPair(FontFile Regular, FontFile Bold);

/// <summary>The fonts of a PDF in the order in which they are asked for a character.</summary>
internal sealed class FontSet(IReadOnlyList<FontPair> pairs)
{
    /// <summary>The first font that has the character; null where none has.</summary>
    public FontFile? For(Rune character, bool isBold)
    {
        foreach (var pair in pairs)
        {
            if (isBold && pair.Bold.Has(character)) return pair.Bold;
            if (pair.Regular.Has(character)) return pair.Regular;
        }

        return null;
    }

    /// <summary>The font of everything that no font has.</summary>
    public FontFile First => pairs[0].Regular;
}

/// <summary>Finds the configured fonts. They may be installed while the service runs.</summary>
public sealed class ReportFonts(IOptions<ReportSettings> settings, ILogger<ReportFonts> logger)
{
    private readonly Lock gate = new();
    private FontSet? found;

    /// <summary>The fonts. Throws <see cref="FontMissingException"/> where none can be used.</summary>
    internal FontSet Load()
    {
        lock (gate)
        {
            return found ??= Find();
        }
    }

    private FontSet Find()
    {
        var pairs = new List<FontPair>();
        foreach (var (regularFile, boldFile) in settings.Value.FontFiles())
        {
            if (Read(regularFile) is not { } regular) continue;
            pairs.Add(new FontPair(regular, Read(boldFile) ?? regular));
        }

        if (pairs.Count == 0)
            throw new FontMissingException(
                $"No font for the PDF was found in {settings.Value.FontFolder}. Install the package "
                + "fonts-dejavu-core, or name fonts in Reports:FontFolder and Reports:Fonts. HTML and JSON need none.");
        return new FontSet(pairs);
    }

    private FontFile? Read(string path)
    {
        if (!File.Exists(path)) return null;
        try
        {
            return FontFile.Read(path);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            logger.LogWarning("A font is left out. {Reason}", e.Message);
            return null;
        }
    }
}
