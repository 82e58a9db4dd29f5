using System.Collections.Frozen;
using CapaEngine.Contracts;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>
/// A case of another system as it arrives. What it says is checked and never changed: a text that is too long or a date
/// that cannot be is a reason to keep the whole record in quarantine, not to mend it.
/// </summary>
public static class ImportedCase
{
    /// <summary>The type of such records.</summary>
    public const string Type = "capa.nonconformity-import.v1";

    // Indexes of the read models hold the product, so it is shorter than other texts.
    private const int ProductLengthMax = 400;

    // Somewhere on earth it is this much later than in UTC, and a date has no zone.
    private static readonly TimeSpan ZoneMax = TimeSpan.FromHours(14);

    private static readonly DateOnly Earliest = new(1900, 1, 1);

    private static readonly FrozenSet<string> Known = FrozenSet.ToFrozenSet(
    [
        "site", "title", "description", "product", "productCode", "process", "supplier", "cause", "causeCode", "action",
        "quantity", "unit", "severity", "remarks", "status", "isClosed", "openedOn", "closedOn",
    ]);

    /// <summary>The id of the case that a record of another system becomes.</summary>
    public static Guid IdOf(string source, string id) => NameBasedId.From($"imported-nonconformity\n{source}\n{id}");

    /// <summary>Understands <paramref name="envelope"/>, or throws <see cref="NotUnderstoodException"/>.</summary>
    public static MachineEvent Read(
        Envelope envelope, Sender sender, string source, string id, string hash, DateTimeOffset now)
    {
        if (!sender.StatesHistory)
            throw new NotUnderstoodException("importer-only", "type: only an importer hands over cases of others");
        var data = new IntakeData(envelope.Data, Known);
        var latest = DateOnly.FromDateTime((now.ToUniversalTime() + ZoneMax).DateTime);
        var openedOn = data.Date("openedOn", Earliest, latest);
        var closedOn = data.OptionalDate("closedOn", Earliest, latest);
        var isClosed = data.Flag("isClosed");
        if (closedOn < openedOn) throw IntakeData.Invalid("closedOn", "must not lie before openedOn");
        if (closedOn is not null && !isClosed)
            throw IntakeData.Invalid("closedOn", "must not be given where isClosed is false");
        var fact = new NonconformityEvent.Imported(
            source, id, data.SiteOf(sender), data.Name("title"), data.Text("description"),
            data.OptionalName("product", ProductLengthMax), data.OptionalName("productCode"),
            data.OptionalName("process"), data.OptionalName("supplier"), data.OptionalName("cause"),
            data.OptionalCode("causeCode"), data.OptionalText("action"), data.OptionalCount("quantity"),
            data.OptionalName("unit"), data.OptionalSeverity("severity"), data.OptionalText("remarks"),
            data.Name("status"), isClosed, openedOn, closedOn, hash);
        var opened = new DateTimeOffset(openedOn, TimeOnly.MinValue, TimeSpan.Zero);
        return new MachineEvent(
            Families.Nonconformity, IdOf(source, id), source, id, fact, opened < now ? opened : now, hash,
            envelope.Data);
    }
}
