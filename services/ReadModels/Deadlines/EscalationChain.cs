using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Deadlines;

/// <summary>A step that has to be raised now.</summary>
/// <param name="Urgency">The rule's own, but the digest where a higher level tells of the same deadline.</param>
/// <param name="SupersededBy">That higher level.</param>
public sealed record EscalationStep(EscalationRule Rule, Urgency Urgency, int? SupersededBy);

/// <summary>Which rules of a policy concern a deadline, and which of them are due.</summary>
public static class EscalationChain
{
    /// <summary>The rules in force for a kind and a severity, one for each level, lowest first.</summary>
    public static IReadOnlyList<EscalationRule> Of(
        IEnumerable<EscalationRule> rules, DeadlineKind kind, Severity? severity) =>
    [
        .. rules.Where(rule => rule.Kind == kind && (rule.SeverityAtLeast is not { } from || severity >= from))
            .GroupBy(rule => rule.Level)
            .Select(level => level.MaxBy(rule => rule.SeverityAtLeast is { } from ? (int)from : -1)!)
            .OrderBy(rule => rule.Level),
    ];

    /// <summary>
    /// The steps to raise, lowest first. After a standstill several may be due at once: only the highest is told at
    /// once, the others go with the digest of the day, so that nobody gets a pile of mails that were true last week.
    /// </summary>
    public static IReadOnlyList<EscalationStep> Due(
        IReadOnlyList<EscalationRule> chain, DateTimeOffset dueAt, IReadOnlyCollection<int> raisedLevels,
        DateTimeOffset now)
    {
        var due = chain.Where(rule => dueAt.AddHours(rule.AfterHours) <= now && !raisedLevels.Contains(rule.Level))
            .ToList();
        if (due.Count == 0) return [];
        var highest = Math.Max(due[^1].Level, raisedLevels.DefaultIfEmpty().Max());
        return
        [
            .. due.Select(rule => rule.Level == highest
                ? new EscalationStep(rule, rule.Urgency, null)
                : new EscalationStep(rule, Urgency.Digest, highest)),
        ];
    }
}

/// <summary>The words by which a rule names whom to tell.</summary>
public static class Recipient
{
    public const string Owner = "owner";
    public const string RolePrefix = "role:";
    public const string PersonPrefix = "person:";
    private const int PersonIdLengthMax = 200;

    /// <summary>Whether the text is one of the three forms.</summary>
    public static bool IsWellFormed(string recipient) =>
        recipient == Owner
        || (recipient.StartsWith(RolePrefix, StringComparison.Ordinal) && recipient.Length > RolePrefix.Length)
        || (recipient.StartsWith(PersonPrefix, StringComparison.Ordinal)
            && IsPersonId(recipient[PersonPrefix.Length..]));

    /// <summary>Whether the text can be the subject of a token.</summary>
    public static bool IsPersonId(string text) =>
        text.Length is > 0 and <= PersonIdLengthMax && text.All(character => character is > ' ' and not '\x7f');

    /// <summary>The persons, each once, and the words for which nobody was found.</summary>
    /// <param name="owner">Who is responsible for what is due; null where nobody is.</param>
    public static (ValueList<string> Persons, ValueList<string> Unresolved) Resolve(
        IEnumerable<string> recipients, string? owner, string site, IReadOnlyList<Responsibility> responsibilities)
    {
        List<string> persons = [];
        List<string> unresolved = [];
        foreach (var recipient in recipients)
        {
            var found = PersonsOf(recipient, owner, site, responsibilities);
            if (found.Count == 0) unresolved.Add(recipient);
            persons.AddRange(found);
        }

        return (persons.Distinct(StringComparer.Ordinal).ToValueList(), unresolved.ToValueList());
    }

    // A site's own entry replaces that of all sites; a service that opened a case is nobody to write to.
    private static ValueList<string> PersonsOf(
        string recipient, string? owner, string site, IReadOnlyList<Responsibility> responsibilities)
    {
        if (recipient == Owner)
            return owner is null || owner.StartsWith("service:", StringComparison.Ordinal) ? [] : [owner];
        if (recipient.StartsWith(PersonPrefix, StringComparison.Ordinal)) return [recipient[PersonPrefix.Length..]];
        var role = recipient[RolePrefix.Length..];
        var named = responsibilities.FirstOrDefault(entry => entry.Role == role && entry.Site == site)
            ?? responsibilities.FirstOrDefault(entry => entry.Role == role && entry.Site == "*");
        return named?.Persons ?? [];
    }
}
