using System.Buffers;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>Who sends, and for which site and source they may speak.</summary>
/// <param name="Source">The one source of the caller; null where any is allowed.</param>
/// <param name="StatesHistory">Whether what they send is the history of another system.</param>
public sealed record Sender(Actor Actor, string? Source, bool StatesHistory);

/// <summary>A CloudEvent as it came: its attributes, its data and its bytes.</summary>
public sealed record Envelope(
    string? SpecVersion, string? Source, string? Id, string? Type, string? Subject, string? DataContentType,
    JsonElement Data, ReadOnlyMemory<byte> Raw);

/// <summary>
/// An event of a machine or a record of another system that was understood: the stream it belongs to and the fact that
/// begins it.
/// </summary>
/// <param name="OccurredAt">
/// When it was true: the detection, the end of the production period, the day on which the case was opened.
/// </param>
public sealed record MachineEvent(
    Family Family, Guid Id, string Source, string SourceEventId, object Fact, DateTimeOffset OccurredAt,
    string PayloadHash, JsonElement Data)
{
    /// <summary>The type of deviations.</summary>
    public const string DeviationType = "capa.deviation.v1";

    /// <summary>The type of production counts.</summary>
    public const string ProductionType = "capa.production.v1";

    private static readonly TimeSpan ClockSkewMax = TimeSpan.FromMinutes(5);

    private static readonly FrozenSet<string> DeviationMembers = FrozenSet.ToFrozenSet(
    [
        "site", "product", "lot", "serial", "process", "station", "supplier", "characteristic", "defectCode",
        "measured", "lowerLimit", "upperLimit", "unit", "quantity", "severity", "detectedAt", "description",
    ]);

    private static readonly FrozenSet<string> PeriodMembers = FrozenSet.ToFrozenSet(["from", "to"]);

    private static readonly FrozenSet<string> ProductionMembers = FrozenSet.ToFrozenSet(
        ["site", "product", "process", "station", "period", "produced", "inspected", "rejected"]);

    /// <summary>The stream of this event, fixed by its source and id.</summary>
    public string Stream => Family.Stream(Id);

    /// <summary>How it is kept where the stream holds another payload already.</summary>
    public object ToConflict() => Fact switch
    {
        DeviationEvent => new DeviationEvent.ConflictReceived(PayloadHash, Data.GetRawText()),
        ProductionEvent => new ProductionEvent.ConflictReceived(PayloadHash, Data.GetRawText()),
        _ => new NonconformityEvent.ImportConflictReceived(PayloadHash, Data.GetRawText()),
    };

    /// <summary>
    /// Understands <paramref name="envelope"/>, or throws <see cref="NotUnderstoodException"/>. Only
    /// <paramref name="types"/> are taken.
    /// </summary>
    public static MachineEvent Read(
        Envelope envelope, Sender sender, IReadOnlyCollection<string> types, DateTimeOffset now)
    {
        if (envelope.SpecVersion != "1.0") throw NotCloudEvent("specversion", "must be \"1.0\"");
        var source = Attribute("source", envelope.Source);
        var id = Attribute("id", envelope.Id);
        var type = Attribute("type", envelope.Type);
        if (envelope.DataContentType is { } media
            && !media.StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
            throw NotCloudEvent("datacontenttype", "must be application/json");
        if (sender.Source is { } own && own != source)
            throw new NotUnderstoodException("source-not-yours", $"source: you may send for {own} alone");
        if (!types.Contains(type))
            throw new NotUnderstoodException("unknown-type", $"type: must be one of {string.Join(", ", types)}");

        var hash = PayloadHashOf(envelope);
        return type switch
        {
            DeviationType => ReadDeviation(envelope, sender, source, id, hash, now),
            ProductionType => ReadProduction(envelope, sender, source, id, hash, now),
            _ => ImportedCase.Read(envelope, sender, source, id, hash, now),
        };
    }

    /// <summary>
    /// Understands the event that a mapping made of a message. The payload is that of the message, so that one that
    /// comes again is a duplicate also where the mapping was changed meanwhile.
    /// </summary>
    public static MachineEvent ReadMapped(
        Envelope made, Envelope message, MappingReference mapping, Sender sender, DateTimeOffset now)
    {
        var machine = Read(made, sender, MachineIntake.MachineTypes, now);
        var hash = PayloadHashOf(message);
        return machine with
        {
            PayloadHash = hash,
            Fact = machine.Fact switch
            {
                DeviationEvent.Received fact => fact with { PayloadHash = hash, Mapping = mapping },
                ProductionEvent.Recorded fact => fact with { PayloadHash = hash, Mapping = mapping },
                var other => other,
            },
        };
    }

    /// <summary>Whether data of a native type have such a member; a dot leads into one.</summary>
    public static bool HasMember(string type, string member) => type == DeviationType
        ? DeviationMembers.Contains(member)
        : member.Split('.') is ["period", var inner]
            ? PeriodMembers.Contains(inner)
            : member != "period" && ProductionMembers.Contains(member);

    private static MachineEvent ReadDeviation(
        Envelope envelope, Sender sender, string source, string id, string hash, DateTimeOffset now)
    {
        var data = new IntakeData(envelope.Data, DeviationMembers);
        var characteristic = data.OptionalName("characteristic");
        var defectCode = data.OptionalName("defectCode");
        if (characteristic is null && defectCode is null)
            throw IntakeData.Invalid("characteristic", "is required where no defectCode is given");
        var lower = data.OptionalNumber("lowerLimit");
        var upper = data.OptionalNumber("upperLimit");
        if (lower > upper) throw IntakeData.Invalid("lowerLimit", "must not exceed upperLimit");
        var fact = new DeviationEvent.Received(
            source, id, data.SiteOf(sender), data.Name("product"), data.OptionalName("lot"),
            data.OptionalName("serial"), data.Name("process"), data.OptionalName("station"),
            data.OptionalName("supplier"), characteristic, defectCode, data.OptionalNumber("measured"), lower, upper,
            data.OptionalName("unit"), data.OptionalCount("quantity"),
            data.Severity("severity"), data.Time("detectedAt", now + ClockSkewMax), data.OptionalText("description"),
            hash);
        return new MachineEvent(
            Families.Deviation, DeviationId(source, id), source, id, fact, fact.DetectedAt, hash,
            envelope.Data);
    }

    // More may be inspected than was produced, because goods are inspected again; rejected is part of inspected.
    private static MachineEvent ReadProduction(
        Envelope envelope, Sender sender, string source, string id, string hash, DateTimeOffset now)
    {
        var data = new IntakeData(envelope.Data, ProductionMembers);
        var period = data.Members("period", PeriodMembers);
        var from = period.Time("from", now + ClockSkewMax);
        var to = period.Time("to", now + ClockSkewMax);
        if (from >= to) throw IntakeData.Invalid("period.from", "must lie before period.to");
        var inspected = data.Count("inspected");
        var rejected = data.Count("rejected");
        if (rejected > inspected) throw IntakeData.Invalid("rejected", "must not exceed inspected");
        var fact = new ProductionEvent.Recorded(
            source, id, data.SiteOf(sender), data.Name("product"), data.Name("process"), data.OptionalName("station"),
            from, to, data.Count("produced"), inspected, rejected, hash);
        return new MachineEvent(
            Families.Production, NameBasedId.From($"production\n{source}\n{id}"), source, id, fact, to, hash,
            envelope.Data);
    }

    /// <summary>The id of the stream of a deviation.</summary>
    public static Guid DeviationId(string source, string id) => NameBasedId.From($"deviation\n{source}\n{id}");

    private static string PayloadHashOf(Envelope envelope)
    {
        var canonical = new ArrayBufferWriter<byte>(512);
        canonical.Write("{\"data\":"u8);
        CanonicalJson.Write(envelope.Data, canonical);
        if (envelope.Subject is { } subject)
        {
            canonical.Write(",\"subject\":"u8);
            CanonicalJson.WriteString(subject, canonical);
        }

        canonical.Write(",\"type\":"u8);
        CanonicalJson.WriteString(envelope.Type!, canonical);
        canonical.Write("}"u8);
        return Convert.ToHexStringLower(SHA256.HashData(canonical.WrittenSpan));
    }

    private static string Attribute(string name, string? value) => value switch
    {
        null or "" => throw NotCloudEvent(name, "is required"),
        { Length: > 500 } => throw NotCloudEvent(name, "must have at most 500 characters"),
        _ when value.AsSpan().ContainsAny(IntakeData.ControlCharacters) =>
            throw NotCloudEvent(name, "must not contain control characters"),
        _ => value,
    };

    private static NotUnderstoodException NotCloudEvent(string attribute, string rule) =>
        new("not-a-cloud-event", $"{attribute}: {rule}");
}
