using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.ReadModels.Deadlines;
using Shouldly;

namespace CapaEngine.Specs.Deadlines;

/// <summary>The escalation policy is data: kept in every version, and refused where it contradicts itself.</summary>
public sealed class EscalationPolicySpecs
{
    private static readonly EscalationRule Remind = Rule(1, -72);
    private static readonly Responsibility Approvers = new("*", Roles.Approver, ["amira"]);

    private readonly DeciderSpec<EscalationPolicy, EscalationPolicyCommand, EscalationPolicyEvent> policy =
        new(EscalationPolicy.Decider);

    [Fact] public void the_first_policy_is_version_one() => policy
        .When(Set([Remind], [Approvers]), by: "adam")
        .Then(new EscalationPolicyEvent.Set(1, [Remind], [Approvers], "Because.", "adam"));

    [Fact] public void another_policy_is_the_next_version() => policy
        .Given(new EscalationPolicyEvent.Set(1, [Remind], [], "First.", "adam"))
        .When(Set([Remind, Rule(2, 0)], []), by: "berta")
        .Then(new EscalationPolicyEvent.Set(2, [Remind, Rule(2, 0)], [], "Because.", "berta"));

    [Fact] public void what_is_in_force_already_makes_no_version() => policy
        .Given(new EscalationPolicyEvent.Set(1, [Remind], [Approvers], "First.", "adam"))
        .When(Set([Remind], [Approvers]), by: "berta").ThenNothing();

    [Fact] public void only_an_administrator_sets_it() =>
        typeof(EscalationPolicyCommand.Set).GetCustomAttributes(typeof(AllowAttribute), false)
            .Cast<AllowAttribute>().Single().Roles.ShouldBe([Roles.Administrator]);

    [Fact] public void the_policy_of_a_new_installation_keeps_its_own_rules() => Errors(
        DefaultPolicy.Command.Rules, DefaultPolicy.Command.Responsibilities).ShouldBeEmpty();

    [Fact] public void every_kind_of_deadline_has_a_rule_in_a_new_installation() =>
        DefaultPolicy.Command.Rules.Select(rule => rule.Kind).Distinct()
            .ShouldBe(Enum.GetValues<DeadlineKind>(), ignoreOrder: true);

    [Theory]
    [InlineData("boss")]
    [InlineData("role:")]
    [InlineData("person:")]
    [InlineData("person:a b")]
    [InlineData("person:a\r\nBcc: b")]
    public void a_recipient_has_one_of_three_forms(string recipient) =>
        Errors([Remind with { Recipients = ["owner", recipient] }])
            .ShouldBe(["rules[0].recipients[1]: must be owner, role:NAME or person:ID"]);

    [Fact] public void a_role_is_one_that_tokens_carry() =>
        Errors([Remind with { Recipients = ["role:boss"] }], [new("plant-1", "boss", ["amira"])]).ShouldBe([
            "rules[0].recipients[0]: names no known role", "responsibilities[0].role: names no known role"]);

    [Fact] public void a_level_has_one_rule_for_each_severity() =>
        Errors([Remind, Remind with { SeverityAtLeast = Severity.Major }, Remind])
            .ShouldBe(["rules[2].level: has a rule for this kind and severity already"]);

    [Fact] public void a_chain_goes_forward_in_time_for_every_severity()
    {
        Errors([Rule(1, 0), Rule(2, 0)]).ShouldBe(["rules[1].afterHours: must be more than the 0 of level 1"]);
        Errors([Rule(1, 0), Rule(2, 24), Rule(1, 48) with { SeverityAtLeast = Severity.Critical }])
            .ShouldBe(["rules[1].afterHours: must be more than the 48 of level 1"]);
    }

    [Fact] public void numbers_stay_within_their_limits() =>
        ValueRules.Check(Set([Rule(0, 9_000)], [])).Select(error => error.Field)
            .ShouldBe(["rules[0].level", "rules[0].afterHours"]);

    [Fact] public void a_responsibility_stands_once_and_names_persons() =>
        Errors([Remind], [Approvers, Approvers with { Persons = ["a b"] }]).ShouldBe([
            "responsibilities[1].role: is named for this site already",
            "responsibilities[1].persons[0]: must be a person id of 1 to 200 visible characters"]);

    [Fact] public void no_family_hides_behind_the_prefix_of_another()
    {
        foreach (var family in Families.All)
            Families.All.Where(other => other != family)
                .ShouldAllBe(other => !other.Prefix.StartsWith(family.Prefix), family.Name);
    }

    private static EscalationPolicyCommand.Set Set(
        ValueList<EscalationRule> rules, ValueList<Responsibility> responsibilities) =>
        new(rules, responsibilities, "Because.");

    private static EscalationRule Rule(int level, int afterHours) =>
        new(DeadlineKind.ActionDue, null, level, afterHours, ["owner"], Urgency.Digest);

    private static IEnumerable<string> Errors(
        ValueList<EscalationRule> rules, ValueList<Responsibility>? responsibilities = null) =>
        PolicyRules.Check(rules, responsibilities ?? []).Select(error => $"{error.Field}: {error.Rule}");
}
