using System.Globalization;
using System.IO.Compression;

namespace CapaEngine.Demo.Wafers;

/// <summary>One run of the wafer line.</summary>
/// <param name="Readings">One reading per sensor, in the order of the file; null where the cell is empty.</param>
public sealed record WaferRun(int Row, DateTimeOffset At, bool Passed, IReadOnlyList<double?> Readings);

/// <summary>The file as read: its sensors and its runs, both in the order of the file.</summary>
public sealed record WaferFile(IReadOnlyList<string> Sensors, IReadOnlyList<WaferRun> Runs)
{
    /// <summary>Reads a file, compressed or not. Throws <see cref="UnplayableFileException"/> for others.</summary>
    public static WaferFile Read(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            using Stream content = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)
                ? new GZipStream(file, CompressionMode.Decompress) : file;
            using var text = new StreamReader(content);
            return Read(text);
        }
        catch (Exception unreadable) when (unreadable is IOException or InvalidDataException
                                               or UnauthorizedAccessException)
        {
            throw new UnplayableFileException($"The file '{path}' cannot be read: {unreadable.Message}", unreadable);
        }
    }

    /// <summary>Reads the comma-separated text. Its cells are numbers, times and labels: none is ever quoted.</summary>
    public static WaferFile Read(TextReader text)
    {
        var header = text.ReadLine()?.Split(',') ?? throw new UnplayableFileException("The file is empty.");
        var columns = Columns.Of(header);
        var runs = new List<WaferRun>();
        for (var line = 2; text.ReadLine() is { } cells; line++) runs.Add(columns.RunOf(cells.Split(','), line));
        return runs.Count > 0
            ? new WaferFile([.. columns.Sensors.Select(column => header[column])], runs)
            : throw new UnplayableFileException("The file has no runs.");
    }

    private sealed record Columns(int Count, int Row, int Timestamp, int Label, IReadOnlyList<int> Sensors)
    {
        public static Columns Of(string[] header)
        {
            var sensors = Enumerable.Range(0, header.Length).Where(column => IsSensor(header[column])).ToList();
            return new Columns(
                header.Length, Find(header, "row"), Find(header, "timestamp"), Find(header, "label"),
                sensors.Count > 0 ? sensors : throw Missing("s000", header));
        }

        public WaferRun RunOf(string[] cells, int line)
        {
            if (cells.Length != Count)
                throw new UnplayableFileException($"Line {line} has {cells.Length} cells, its header {Count}.");
            var row = int.TryParse(cells[Row], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number : throw Unreadable(line, "row", cells[Row]);
            var at = DateTime.TryParseExact(
                cells[Timestamp], "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None,
                out var time)
                ? new DateTimeOffset(time, TimeSpan.Zero) : throw Unreadable(line, "timestamp", cells[Timestamp]);
            var passed = cells[Label] switch
            {
                "pass" => true,
                "fail" => false,
                var other => throw Unreadable(line, "label", other),
            };
            return new WaferRun(row, at, passed, [.. Sensors.Select(column => Reading(cells[column], line))]);
        }

        private static int Find(string[] header, string column) =>
            Array.IndexOf(header, column) is >= 0 and var found ? found : throw Missing(column, header);

        private static bool IsSensor(string column) =>
            column.Length == 4 && column[0] == 's' && column.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0;

        private static double? Reading(string cell, int line) =>
            cell.Length == 0 ? null
            : double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out var reading) ? reading
            : throw Unreadable(line, "s###", cell);
    }

    private static UnplayableFileException Missing(string column, string[] header) => new(
        $"The column '{column}' is missing. The demonstration plays the file of the SECOM wafer line "
        + "(secom_semiconductor_2008.csv.gz), whose columns are row, timestamp, label and one s### per sensor; "
        + $"this file begins with {string.Join(", ", header.Take(4))}.");

    private static UnplayableFileException Unreadable(int line, string column, string cell) =>
        new($"Line {line}: '{cell}' in column '{column}' cannot be read.");
}

/// <summary>The file is not one that the demonstration can play.</summary>
public sealed class UnplayableFileException(string message, Exception? inner = null) : Exception(message, inner);
