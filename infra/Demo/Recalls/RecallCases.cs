using System.Globalization;
using System.Text.Json.Serialization;

namespace CapaEngine.Demo.Recalls;

/// <summary>A case of another system as the import takes it: a CloudEvent with that system's source and id.</summary>
public sealed record ImportedRecord(string Source, string Id, ImportedData Data)
{
    /// <summary>The type of such records.</summary>
    [JsonPropertyName("type")]
    public string Type => "capa.nonconformity-import.v1";

    /// <summary>The version of the CloudEvents specification.</summary>
    [JsonPropertyName("specversion")]
    public string SpecVersion => "1.0";
}

/// <summary>What a record says. Dates stay as the source writes them; whether they can be, the import judges.</summary>
public sealed record ImportedData(
    string Site, string Title, string? Description, string? Product, string? ProductCode, string? Supplier,
    string? Cause, string? CauseCode, string? Action, double? Quantity, string? Remarks, string? Status, bool IsClosed,
    string? OpenedOn, string? ClosedOn);

/// <summary>The recalls as cases of another system. Nothing is mended and nothing is made up.</summary>
public static class RecallCases
{
    public const string Source = "urn:capaengine:demo:fda-recalls";
    public const string Site = "FDA-RECALLS";

    /// <summary>The code below which all causes of this source stand.</summary>
    public const string TopCode = "fda";

    /// <summary>The record of a recall.</summary>
    public static ImportedRecord Of(Recall recall) => new(Source, recall.Number, new ImportedData(
        Site, $"Recall {recall.Number}", Stated(recall.Reason), Stated(recall.Product), Stated(recall.ProductCode),
        Stated(recall.Firm), Stated(recall.Cause), recall.Cause.Length == 0 ? null : CodeOf(recall.Cause),
        Stated(recall.Action), QuantityOf(recall), RemarksOf(recall), Stated(recall.Status),
        recall.Status == "Terminated" || recall.Terminated.Length > 0, Stated(recall.Initiated),
        Stated(recall.Terminated)));

    /// <summary>The cause code of a category: <c>Software design</c> is <c>fda.software-design</c>.</summary>
    public static string CodeOf(string category)
    {
        var letters = category.Select(letter => char.IsAsciiLetterOrDigit(letter)
            ? char.ToLowerInvariant(letter) : ' ');
        var words = string.Concat(letters).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return $"{TopCode}.{string.Join('-', words)}";
    }

    private static string? Stated(string cell) => cell.Length == 0 ? null : cell;

    private static double? QuantityOf(Recall recall) =>
        double.TryParse(recall.Quantity, NumberStyles.Float, CultureInfo.InvariantCulture, out var quantity)
            ? quantity : null;

    // What the import has no member for is not lost.
    private static string RemarksOf(Recall recall)
    {
        (string Name, string Cell)[] others =
        [
            ("event", recall.EventId), ("panel", recall.Panel), ("submission", recall.Submission),
            ("in commerce", recall.QuantityInWords), ("distribution", recall.Distribution),
        ];
        return string.Join("; ", others.Where(other => other.Cell.Length > 0)
            .Select(other => $"{other.Name}: {other.Cell}"));
    }
}
