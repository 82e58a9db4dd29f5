namespace CapaEngine.ReadModels.Reports;

/// <summary>How a text is meant: as it stands, as something still open, or as no longer in force.</summary>
public enum Tone { Plain, Open, Ended }

/// <summary>A text and how it is meant. Whatever people wrote stays text: renderings escape it.</summary>
public readonly record struct Said(string Text, Tone Tone = Tone.Plain)
{
    /// <summary>A value, or the words that it is not there yet.</summary>
    public static Said OrOpen(string? value, string open = "not yet decided") =>
        value is { Length: > 0 } ? new Said(value) : new Said(open, Tone.Open);

    /// <summary>A value, or a dash where there is nothing to expect.</summary>
    public static Said OrNone(string? value) => new(value is { Length: > 0 } ? value : "–");

    public static implicit operator Said(string text) => new(text);
}

/// <summary>A named value.</summary>
public sealed record Line(string Name, Said Value);

/// <summary>A report as both renderings, HTML and PDF, show it: sections of text, named values and tables.</summary>
/// <param name="Subject">What it is about, such as the number of the case.</param>
/// <param name="Colophon">When it was generated, of which state, and what else the reader must know.</param>
public sealed record ReportDocument(
    string Title, string Subject, string FileName, DateTimeOffset GeneratedAt, string ContentHash,
    IReadOnlyList<Section> Sections, IReadOnlyList<Line> Colophon);

/// <summary>A part of a report under its heading.</summary>
public sealed record Section(string Heading, IReadOnlyList<Block> Blocks);

/// <summary>What a section is made of.</summary>
public abstract record Block
{
    private Block() { }

    /// <summary>A paragraph.</summary>
    public sealed record Paragraph(Said Text) : Block;

    /// <summary>Named values, one below the other.</summary>
    public sealed record Lines(IReadOnlyList<Line> Values) : Block;

    /// <summary>A table with a caption; the weights are the widths of its columns relative to each other.</summary>
    public sealed record Grid(
        string Caption, IReadOnlyList<string> Headings, IReadOnlyList<int> Weights,
        IReadOnlyList<IReadOnlyList<Said>> Rows) : Block;
}

/// <summary>Gathers the blocks of sections.</summary>
internal sealed class Sections
{
    private readonly List<Section> sections = [];
    private List<Block> blocks = [];

    public IReadOnlyList<Section> All => sections;

    public Sections Begin(string heading)
    {
        blocks = [];
        sections.Add(new Section(heading, blocks));
        return this;
    }

    public Sections Text(Said text)
    {
        blocks.Add(new Block.Paragraph(text));
        return this;
    }

    /// <summary>What is not there yet, said before everything else.</summary>
    public Sections Open(IReadOnlyList<string> open)
    {
        foreach (var one in open) Text(new Said("Open: " + one, Tone.Open));
        return this;
    }

    public Sections Lines(params IReadOnlyList<Line> values)
    {
        blocks.Add(new Block.Lines(values));
        return this;
    }

    /// <summary>A table, or its caption with the words for an empty one.</summary>
    /// <param name="columns">The headings with their weights, such as <c>Evidence:3</c>; without one it is 1.</param>
    public Sections Table<T>(
        string caption, string[] columns, IEnumerable<T> rows, Func<T, IReadOnlyList<Said>> cells,
        string empty = "None recorded.")
    {
        var filled = rows.Select(cells).ToList();
        if (filled.Count == 0) return Text($"{caption}: {empty}");
        var named = columns.Select(column => column.Split(':')).ToList();
        blocks.Add(new Block.Grid(
            caption, [.. named.Select(column => column[0])],
            [.. named.Select(column => column.Length > 1 ? column[1][0] - '0' : 1)], filled));
        return this;
    }
}
