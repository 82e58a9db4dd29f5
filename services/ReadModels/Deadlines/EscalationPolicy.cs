using System.ComponentModel.DataAnnotations;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using static CapaEngine.Contracts.EscalationPolicyEvent;
using static CapaEngine.Kernel.Decision<CapaEngine.Contracts.EscalationPolicyEvent>;

namespace CapaEngine.ReadModels.Deadlines;

/// <summary>
/// Who is told of a deadline and when, as data. Every version stays in the stream; an escalation names the one by which
/// it was raised.
/// </summary>
public sealed record EscalationPolicy
{
    /// <summary>Before the first event.</summary>
    public static readonly EscalationPolicy NotSet = new();

    /// <summary>The rules of the family; the policy concerns all sites.</summary>
    public static readonly Decider<EscalationPolicy, EscalationPolicyCommand, EscalationPolicyEvent> Decider = new(
        Families.EscalationPolicy, NotSet, Decide, Evolve, _ => "*");

    public int Version { get; init; }
    public ValueList<EscalationRule> Rules { get; init; } = [];
    public ValueList<Responsibility> Responsibilities { get; init; } = [];

    /// <summary>The state after one more fact.</summary>
    public static EscalationPolicy Evolve(EscalationPolicy policy, EscalationPolicyEvent fact) => fact switch
    {
        Set e => new EscalationPolicy
        {
            Version = e.Version, Rules = e.Rules, Responsibilities = e.Responsibilities,
        },
        _ => throw new InvalidOperationException($"{fact.GetType().Name} is no fact of the escalation policy."),
    };

    /// <summary>A version that says what is in force already is none.</summary>
    public static Decision<EscalationPolicyEvent> Decide(
        EscalationPolicyCommand command, EscalationPolicy policy, CommandContext context)
    {
        if (command is not EscalationPolicyCommand.Set c)
            throw new InvalidOperationException($"{command.GetType().Name} is no command on the escalation policy.");
        return policy.Version > 0 && c.Rules.Equals(policy.Rules) && c.Responsibilities.Equals(policy.Responsibilities)
            ? Accept()
            : Accept(new Set(policy.Version + 1, c.Rules, c.Responsibilities, c.Reason, context.Person));
    }
}

/// <summary>What may be asked of the escalation policy.</summary>
public abstract record EscalationPolicyCommand
{
    private EscalationPolicyCommand() { }

    /// <summary>Puts another version into force.</summary>
    [Allow(Roles.Administrator)]
    public sealed record Set(
        [property: MinLength(1), MaxLength(200)] ValueList<EscalationRule> Rules,
        [property: MaxLength(1_000)] ValueList<Responsibility> Responsibilities,
        [property: Required, StringLength(4_000)] string Reason) : EscalationPolicyCommand;
}

/// <summary>What of a policy no attribute can say: how its rules stand to one another.</summary>
public static class PolicyRules
{
    private static readonly string[] RoleNames =
    [
        Roles.Reporter, Roles.QualityEngineer, Roles.ActionOwner, Roles.Verifier, Roles.DispositionAuthority,
        Roles.Approver, Roles.Auditor, Roles.Analyst, Roles.Administrator,
    ];

    private static readonly Severity?[] Severities = [null, .. Enum.GetValues<Severity>().Cast<Severity?>()];

    /// <summary>Every rule and responsibility that does not fit, by its path in the JSON.</summary>
    public static ValueList<FieldError> Check(
        IReadOnlyList<EscalationRule> rules, IReadOnlyList<Responsibility> responsibilities) =>
    [
        .. rules.SelectMany((rule, index) => CheckRule(rules, rule, $"rules[{index}]", index)),
        .. Enum.GetValues<DeadlineKind>().SelectMany(kind => CheckOrder(rules, kind)).Distinct(),
        .. responsibilities.SelectMany((entry, index) =>
            CheckResponsibility(responsibilities, entry, $"responsibilities[{index}]", index)),
    ];

    private static IEnumerable<FieldError> CheckRule(
        IReadOnlyList<EscalationRule> rules, EscalationRule rule, string path, int index)
    {
        if (rules.Take(index).Any(other => other.Kind == rule.Kind && other.Level == rule.Level
            && other.SeverityAtLeast == rule.SeverityAtLeast))
            yield return new FieldError($"{path}.level", "has a rule for this kind and severity already");
        foreach (var (recipient, place) in rule.Recipients.Select((recipient, place) => (recipient, place)))
        {
            if (!Recipient.IsWellFormed(recipient))
                yield return new FieldError($"{path}.recipients[{place}]", "must be owner, role:NAME or person:ID");
            else if (recipient.StartsWith(Recipient.RolePrefix, StringComparison.Ordinal)
                && !RoleNames.Contains(recipient[Recipient.RolePrefix.Length..]))
                yield return new FieldError($"{path}.recipients[{place}]", "names no known role");
        }
    }

    // A chain that goes back in time would tell the higher level before the lower one.
    private static IEnumerable<FieldError> CheckOrder(IReadOnlyList<EscalationRule> rules, DeadlineKind kind)
    {
        foreach (var severity in Severities)
        {
            var chain = EscalationChain.Of(rules, kind, severity);
            foreach (var (lower, higher) in chain.Zip(chain.Skip(1)))
            {
                if (higher.AfterHours <= lower.AfterHours)
                    yield return new FieldError(
                        $"rules[{IndexOf(rules, higher)}].afterHours",
                        $"must be more than the {lower.AfterHours} of level {lower.Level}");
            }
        }
    }

    private static IEnumerable<FieldError> CheckResponsibility(
        IReadOnlyList<Responsibility> all, Responsibility entry, string path, int index)
    {
        if (!RoleNames.Contains(entry.Role)) yield return new FieldError($"{path}.role", "names no known role");
        if (all.Take(index).Any(other => other.Site == entry.Site && other.Role == entry.Role))
            yield return new FieldError($"{path}.role", "is named for this site already");
        foreach (var (person, place) in entry.Persons.Select((person, place) => (person, place)))
        {
            if (!Recipient.IsPersonId(person))
                yield return new FieldError(
                    $"{path}.persons[{place}]", "must be a person id of 1 to 200 visible characters");
        }
    }

    private static int IndexOf(IReadOnlyList<EscalationRule> rules, EscalationRule rule)
    {
        for (var index = 0; index < rules.Count; index++)
            if (ReferenceEquals(rules[index], rule)) return index;
        return -1;
    }
}
