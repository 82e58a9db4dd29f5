using CapaEngine.Contracts;
using CapaEngine.Integration.Infrastructure;

namespace CapaEngine.Integration.ReadModels;

/// <summary>Every stored type once, as its golden event has it, each in its own stream behind a first one.</summary>
public static class GoldenHistory
{
    /// <summary>The types of all families.</summary>
    public static IReadOnlyList<string> Types { get; } =
        [.. EventCatalog.Names.Where(name => FamilyOf(name) is not null)];

    /// <summary>The history of all types.</summary>
    public static History Tell()
    {
        var log = new History();
        foreach (var type in Types)
        {
            var (family, first) = (FamilyOf(type)!, FirstOf(type));
            log.Add(family, StreamOf(type), Golden(first));
            if (type != first) log.Add(family, StreamOf(type), Golden(type));
        }

        return log;
    }

    /// <summary>What the rows of a type's stream have in them.</summary>
    public static string KeyOf(string type) => type switch
    {
        "number.assigned.v1" => "NC-2026-000001",
        "triage-policy.set.v1" => "triage_policy",
        "escalation-policy.set.v1" => "escalation_policy",
        "cause-codes.set.v1" => "cause_code",
        "profile.set.v1" => "profile_version",
        "site.profile-chosen.v1" => "site_profile",
        _ => NameBasedId.From(type).ToString("D"),
    };

    /// <summary>The type of a stream's first event.</summary>
    /// <remarks>A case of another system begins its stream; what the system says of it later follows it.</remarks>
    public static string FirstOf(string type) => FamilyOf(type)!.Name switch
    {
        _ when type.StartsWith("nonconformity.import", StringComparison.Ordinal) => "nonconformity.imported.v1",
        "nonconformity" => "nonconformity.reported.v1",
        "actionplan" => "actionplan.opened.v1",
        "rootcause" => "rootcause.started.v1",
        "effectiveness" => "effectiveness.criteria-locked.v1",
        "numbering-nc" => "number.assigned.v1",
        "cause-codes" => "cause-codes.set.v1",
        "profile" => "profile.set.v1",
        "site" => "site.profile-chosen.v1",
        "concession" => "concession.requested.v1",
        "signature" => "signature.opened.v1",
        "triage-policy" => "triage-policy.set.v1",
        "escalation" => "escalation.raised.v1",
        "escalation-policy" => "escalation-policy.set.v1",
        "notification" => "notification.composed.v1",
        var intake => intake == "production" ? "production.recorded.v1" : $"{intake}.received.v1",
    };

    // Streams are named after an id but for a few, whose rows have a key of their own.
    private static string StreamOf(string type) => type switch
    {
        "number.assigned.v1" => "numbering-nc-2026",
        "triage-policy.set.v1" => "triage-policy",
        _ => FamilyOf(type)!.Stream(NameBasedId.From(type)),
    };

    private static object Golden(string type) => EventCatalog.Deserialize(type, File.ReadAllBytes(Path.Combine(
        ServiceProcess.RepositoryRoot(), "tests/CapaEngine.Specs/Contracts/Golden", $"{type}.json")));

    // The part before the dot names the family but for numbers; checkpoints and parked reactions belong to none.
    private static Family? FamilyOf(string type) => type.Split('.')[0] is var name && name == "number"
        ? Families.NonconformityNumbers : Families.All.FirstOrDefault(family => family.Name == name);
}
