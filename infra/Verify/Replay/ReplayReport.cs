using System.Globalization;
using System.Text.Json;

namespace CapaEngine.Verify.Replay;

/// <summary>What is parked and what a replay came to, for people and for programs.</summary>
internal static class ReplayReport
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Writes it.</summary>
    /// <param name="carriedOut">Null where nothing was tried.</param>
    public static void Write(TextWriter output, bool asJson, int? carriedOut, IReadOnlyList<ParkedEvent> parked)
    {
        if (!asJson)
        {
            WriteText(output, carriedOut, parked);
            return;
        }

        output.WriteLine(JsonSerializer.Serialize(
            new { CarriedOut = carriedOut, Remaining = parked.Count, Parked = parked }, Json));
    }

    private static void WriteText(TextWriter output, int? carriedOut, IReadOnlyList<ParkedEvent> parked)
    {
        if (parked.Count > 0)
        {
            List<string[]> rows =
            [
                ["SERVICE", "STREAM", "REVISION", "TYPE", "CODE", "EVENT", "REASON"],
                .. parked.Select(one => (string[])[
                    one.Service, one.Stream, one.Revision.ToString(CultureInfo.InvariantCulture), one.Type, one.Code,
                    one.EventId.ToString(), one.Reason]),
            ];
            foreach (var line in Align(rows)) output.WriteLine(line);
        }

        output.WriteLine(carriedOut is { } count
            ? string.Create(CultureInfo.InvariantCulture, $"{count} carried out, {parked.Count} remain")
            : string.Create(CultureInfo.InvariantCulture, $"{parked.Count} parked"));
    }

    private static IEnumerable<string> Align(List<string[]> rows)
    {
        foreach (var row in rows)
            for (var column = 0; column < row.Length; column++) row[column] = Plain(row[column]);
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToList();
        return rows.Select(
            row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }

    // Types and reasons are other people's words: what would steer a terminal or break the table is shown as a blank.
    private static string Plain(string text) =>
        string.Concat(text.Select(character => char.IsControl(character) ? ' ' : character));
}
