namespace CapaEngine.Contracts;

/// <summary>The services, as they name their queues, checkpoints and themselves in telemetry.</summary>
public static class ServiceNames
{
    public const string Nonconformities = "nonconformities";
    public const string RootCauses = "root-causes";
    public const string ActionPlans = "action-plans";
    public const string ReadModels = "read-models";
    public const string Gateway = "gateway";
}

/// <summary>A family of streams: those that begin with its prefix, owned by one service.</summary>
/// <param name="Name">Its name in routing keys, such as <c>nonconformity</c>.</param>
/// <param name="Prefix">How its streams begin; the whole name where there is one stream only.</param>
/// <param name="Owner">The service that decides on these streams, and alone writes and relays them.</param>
public sealed record Family(string Name, string Prefix, string Owner)
{
    /// <summary>The stream of <paramref name="id"/> in this family; the only one where there is one only.</summary>
    public string Stream(Guid id) => Prefix.EndsWith('-') ? $"{Prefix}{id:D}" : Prefix;

    /// <summary>The id in a stream's name. Throws where the name is not of this family.</summary>
    public Guid IdOf(string stream) => Guid.ParseExact(stream.AsSpan(Prefix.Length), "D");
}

/// <summary>Every stream family that is relayed and projected. Checkpoint streams are none.</summary>
public static class Families
{
    public static readonly Family Deviation = new("deviation", "deviation-", ServiceNames.Nonconformities);
    public static readonly Family Production = new("production", "production-", ServiceNames.Nonconformities);
    public static readonly Family Quarantine = new("quarantine", "quarantine-", ServiceNames.Nonconformities);
    public static readonly Family Signature = new("signature", "signature-", ServiceNames.Nonconformities);
    public static readonly Family Nonconformity = new("nonconformity", "nonconformity-", ServiceNames.Nonconformities);
    public static readonly Family Concession = new("concession", "concession-", ServiceNames.Nonconformities);
    public static readonly Family TriagePolicy = new("triage-policy", "triage-policy", ServiceNames.Nonconformities);
    public static readonly Family NonconformityNumbers =
        new("numbering-nc", "numbering-nc-", ServiceNames.Nonconformities);
    public static readonly Family RootCause = new("rootcause", "rootcause-", ServiceNames.RootCauses);
    public static readonly Family CauseCodes = new("cause-codes", "cause-codes", ServiceNames.RootCauses);
    public static readonly Family ActionPlan = new("actionplan", "actionplan-", ServiceNames.ActionPlans);
    public static readonly Family Effectiveness = new("effectiveness", "effectiveness-", ServiceNames.ActionPlans);
    public static readonly Family Profile = new("profile", "profile-", ServiceNames.Gateway);
    public static readonly Family Site = new("site", "site-", ServiceNames.Gateway);
    public static readonly Family CapaNumbers = new("numbering-capa", "numbering-capa-", ServiceNames.ActionPlans);
    public static readonly Family Escalation = new("escalation", "escalation-", ServiceNames.ReadModels);
    // Not "escalation-policy": a subscription to the prefix of the escalations would deliver it, too.
    public static readonly Family EscalationPolicy =
        new("escalation-policy", "policy-escalation", ServiceNames.ReadModels);
    public static readonly Family Notification = new("notification", "notification-", ServiceNames.ReadModels);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Family> All { get; } =
    [
        Deviation, Production, Quarantine, Signature, Nonconformity, Concession, TriagePolicy,
        NonconformityNumbers,
        RootCause, CauseCodes, ActionPlan, Effectiveness, CapaNumbers, Profile, Site,
        Escalation, EscalationPolicy, Notification,
    ];

    /// <summary>The family of a stream, or null for checkpoint and system streams.</summary>
    public static Family? Of(string stream) =>
        All.FirstOrDefault(family => stream.StartsWith(family.Prefix, StringComparison.Ordinal));

    /// <summary>The families that <paramref name="service"/> owns.</summary>
    public static IReadOnlyList<Family> OwnedBy(string service) => [.. All.Where(family => family.Owner == service)];
}

/// <summary>How streams are spread over partitions; consumers in other languages compute the same.</summary>
public static class Partitions
{
    /// <summary>Partitions of an installation unless configured otherwise.</summary>
    public const int CountDefault = 4;

    /// <summary>FNV-1a (32 bit) of the stream name's UTF-8 bytes, modulo <paramref name="count"/>.</summary>
    public static int Of(string stream, int count)
    {
        var hash = 2166136261u;
        foreach (var b in System.Text.Encoding.UTF8.GetBytes(stream)) hash = (hash ^ b) * 16777619u;
        return (int)(hash % (uint)count);
    }

    /// <summary>The topic exchange of an installation with <paramref name="count"/> partitions.</summary>
    public static string Exchange(int count) => $"capa.events.p{count}";

    /// <summary>The routing key of a family's partition.</summary>
    public static string RoutingKey(string family, int partition) => $"{family}.{partition}";
}
