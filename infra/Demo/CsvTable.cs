using System.IO.Compression;
using CsvHelper;

namespace CapaEngine.Demo;

/// <summary>A comma-separated table in a file, compressed or not: its header, and its rows while it is open.</summary>
public sealed class CsvTable : IDisposable
{
    // The header is an ordinary record here, so that an empty file and a strange header can be told apart.
    private static readonly CsvReaderOptions Format = new()
    {
        Separator = ',', HasHeader = false, TrackLineNumbers = true, MalformedData = CsvMalformedDataHandling.Throw,
    };

    private readonly CsvReader csv;

    private CsvTable(TextReader text)
    {
        csv = CsvReader.Create(text, Format);
        Header = ReadNext() ?? throw new UnplayableFileException("The file is empty.");
    }

    /// <summary>The names of the columns.</summary>
    public IReadOnlyList<string> Header { get; }

    /// <summary>Opens a file. Throws <see cref="UnplayableFileException"/> where that cannot be done.</summary>
    public static CsvTable Open(string path)
    {
        Stream? content = null;
        try
        {
            content = File.OpenRead(path);
            if (path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
                content = new GZipStream(content, CompressionMode.Decompress);
            return new CsvTable(new StreamReader(content));
        }
        catch (UnplayableFileException)
        {
            content?.Dispose();
            throw;
        }
        catch (Exception unreadable) when (IsUnreadable(unreadable))
        {
            content?.Dispose();
            throw new UnplayableFileException($"The file '{path}' cannot be read: {unreadable.Message}", unreadable);
        }
    }

    /// <summary>Reads text.</summary>
    public static CsvTable Read(TextReader text) => new(text);

    /// <summary>The rows with the lines they begin on. Each has as many cells as the header.</summary>
    public IEnumerable<(long Line, string[] Cells)> Rows()
    {
        while (ReadNext() is { } cells)
        {
            if (cells.Length != Header.Count)
                throw new UnplayableFileException(
                    $"Line {csv.LineNumber} has {cells.Length} cells, its header {Header.Count}.");
            yield return (csv.LineNumber, cells);
        }
    }

    /// <summary>The place of a column; -1 where it is missing.</summary>
    public int Find(string column)
    {
        for (var place = 0; place < Header.Count; place++)
        {
            if (Header[place] == column) return place;
        }

        return -1;
    }

    /// <inheritdoc/>
    public void Dispose() => csv.Dispose();

    private static bool IsUnreadable(Exception why) =>
        why is IOException or InvalidDataException or UnauthorizedAccessException or CsvFormatException;

    private string[]? ReadNext()
    {
        try
        {
            return csv.Read() ? [.. Enumerable.Range(0, csv.FieldCount).Select(csv.GetString)] : null;
        }
        catch (Exception unreadable) when (IsUnreadable(unreadable))
        {
            throw new UnplayableFileException(
                $"The file cannot be read: {unreadable.Message}", unreadable);
        }
    }
}

/// <summary>The file is not one that the demonstration can play.</summary>
public sealed class UnplayableFileException(string message, Exception? inner = null) : Exception(message, inner);
