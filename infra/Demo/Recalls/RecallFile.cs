namespace CapaEngine.Demo.Recalls;

/// <summary>A row of the file in its own words; empty where the source is silent.</summary>
public sealed record Recall(
    string Number, string EventId, string Initiated, string Status, string Terminated, string Firm, string Product,
    string ProductCode, string Panel, string Submission, string Reason, string Cause, string Action,
    string QuantityInWords, string Quantity, string Distribution);

/// <summary>The medical-device recalls that the US Food and Drug Administration published, 2002 to 2013.</summary>
public static class RecallFile
{
    private static readonly string[] Columns =
    [
        "recall_number", "recall_event_id", "date_initiated", "recall_status", "date_terminated", "recalling_firm",
        "product", "product_code", "review_panel", "submission_type", "reason_for_recall", "fda_determined_cause",
        "action", "quantity_in_commerce", "quantity", "distribution",
    ];

    /// <summary>Whether the table is that of the recalls.</summary>
    public static bool IsIn(CsvTable table) => table.Find(Columns[0]) >= 0;

    /// <summary>Reads a file, compressed or not. Throws <see cref="UnplayableFileException"/> for others.</summary>
    public static IReadOnlyList<Recall> Read(string path)
    {
        using var table = CsvTable.Open(path);
        return Read(table);
    }

    /// <summary>The rows in the order of the file; nothing is left out, whatever it says.</summary>
    public static IReadOnlyList<Recall> Read(CsvTable table)
    {
        var at = Columns.Select(table.Find).ToArray();
        if (Array.IndexOf(at, -1) is >= 0 and var missing)
            throw new UnplayableFileException($"The column '{Columns[missing]}' of the recalls is missing.");
        List<Recall> recalls = [.. table.Rows().Select(row => Of([.. at.Select(place => row.Cells[place])]))];
        return recalls.Count > 0 ? recalls : throw new UnplayableFileException("The file has no recalls.");
    }

    private static Recall Of(string[] cells) => new(
        cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], cells[7], cells[8], cells[9], cells[10],
        cells[11], cells[12], cells[13], cells[14], cells[15]);
}
