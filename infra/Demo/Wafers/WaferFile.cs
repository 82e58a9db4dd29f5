using System.Globalization;

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
        using var table = CsvTable.Open(path);
        return Read(table);
    }

    /// <summary>Reads a table of numbers, times and labels.</summary>
    public static WaferFile Read(CsvTable table)
    {
        var columns = Columns.Of(table);
        var runs = table.Rows().Select(row => columns.RunOf(row.Cells, row.Line)).ToList();
        return runs.Count > 0
            ? new WaferFile([.. columns.Sensors.Select(column => table.Header[column])], runs)
            : throw new UnplayableFileException("The file has no runs.");
    }

    private sealed record Columns(int Row, int Timestamp, int Label, IReadOnlyList<int> Sensors)
    {
        public static Columns Of(CsvTable table)
        {
            var sensors = Enumerable.Range(0, table.Header.Count).Where(column => IsSensor(table.Header[column]))
                .ToList();
            return new Columns(
                Find(table, "row"), Find(table, "timestamp"), Find(table, "label"),
                sensors.Count > 0 ? sensors : throw Missing("s000", table));
        }

        public WaferRun RunOf(string[] cells, long line)
        {
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

        private static int Find(CsvTable table, string column) =>
            table.Find(column) is >= 0 and var found ? found : throw Missing(column, table);

        private static bool IsSensor(string column) =>
            column.Length == 4 && column[0] == 's' && column.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0;

        private static double? Reading(string cell, long line) =>
            cell.Length == 0 ? null
            : double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out var reading) ? reading
            : throw Unreadable(line, "s###", cell);
    }

    private static UnplayableFileException Missing(string column, CsvTable table) => new(
        $"The column '{column}' is missing. The demonstration plays the file of the SECOM wafer line "
        + "(secom_semiconductor_2008.csv.gz), whose columns are row, timestamp, label and one s### per sensor, and "
        + "that of the medical-device recalls (fda_device_recalls_2002_2013.csv.gz); "
        + $"this file begins with {string.Join(", ", table.Header.Take(4))}.");

    private static UnplayableFileException Unreadable(long line, string column, string cell) =>
        new($"Line {line}: '{cell}' in column '{column}' cannot be read.");
}
