using System.ComponentModel.DataAnnotations;

namespace CapaEngine.ReadModels.Reports;

/// <summary>What an installation decides about its reports (section <c>Reports</c>).</summary>
public sealed class ReportSettings
{
    /// <summary>The section of the configuration.</summary>
    public const string Section = "Reports";

    private static readonly string[] FontsDefault = ["DejaVuSans"];

    /// <summary>How many days after its acceptance a supplier has to answer to a case.</summary>
    [Range(1, 365)]
    public int SupplierAnswerDays { get; set; } = 14;

    /// <summary>Where the TrueType fonts of the PDF lie.</summary>
    public string FontFolder { get; set; } = "/usr/share/fonts/truetype/dejavu";

    /// <summary>
    /// The fonts by the names of their files without <c>.ttf</c>; a character is set in the first that has it. Another
    /// file of the name with <c>-Bold</c> is used for headings where there is one. A name may hold a path.
    /// </summary>
    public string[]? Fonts { get; set; }

    /// <summary>How many PDFs are made at once; more wait, and after a while are refused.</summary>
    [Range(1, 16)]
    public int PdfConcurrency { get; set; } = 2;

    /// <summary>A PDF of more pages is refused.</summary>
    [Range(1, 5_000)]
    public int PagesMax { get; set; } = 1_000;

    /// <summary>The files of the fonts, in the order asked; the second is null where a font has no bold one.</summary>
    internal IEnumerable<(string Regular, string Bold)> FontFiles() =>
        (Fonts is { Length: > 0 } ? Fonts : FontsDefault).Select(name =>
            (Path.Combine(FontFolder, name + ".ttf"), Path.Combine(FontFolder, name + "-Bold.ttf")));
}
