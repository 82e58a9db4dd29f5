using CapaEngine.Contracts;
using CapaEngine.ReadModels.Deadlines;
using Shouldly;

namespace CapaEngine.Specs.Deadlines;

/// <summary>Which steps of a deadline are due, and who is told.</summary>
public sealed class EscalationChainSpecs
{
    private static readonly DateTimeOffset DueAt = new(2026, 4, 2, 0, 0, 0, TimeSpan.Zero);

    private static readonly ValueList<EscalationRule> Rules =
    [
        Rule(1, -72) with { Urgency = Urgency.Digest }, Rule(2, 0), Rule(3, 24),
        Rule(2, 0) with { SeverityAtLeast = Severity.Major, Recipients = ["role:approver"] },
        Rule(2, 0) with { SeverityAtLeast = Severity.Critical, Recipients = ["person:ceo"] },
    ];

    [Theory]
    [InlineData(null, "owner")]
    [InlineData(Severity.Minor, "owner")]
    [InlineData(Severity.Major, "role:approver")]
    [InlineData(Severity.Critical, "person:ceo")]
    public void the_rule_for_the_gravest_severity_reached_counts(Severity? severity, string recipient)
    {
        var chain = EscalationChain.Of(Rules, DeadlineKind.ActionDue, severity);
        chain.Select(rule => rule.Level).ShouldBe([1, 2, 3]);
        chain[1].Recipients.ShouldBe([recipient]);
    }

    [Fact]
    public void rules_of_another_kind_do_not_count() =>
        EscalationChain.Of(Rules, DeadlineKind.WindowEnd, Severity.Critical).ShouldBeEmpty();

    [Theory]
    [InlineData(-73, "")]
    [InlineData(-72, "1 digest")]
    [InlineData(-1, "1 digest")]
    public void a_step_is_due_from_its_hour_on(int hours, string expected) =>
        Due(hours).ShouldBe(expected);

    [Fact]
    public void a_step_that_was_raised_is_not_due_again()
    {
        Due(-1, 1).ShouldBe("");
        Due(5, 1).ShouldBe("2 now");
        Due(30, 1, 2).ShouldBe("3 now");
        Due(900, 1, 2, 3).ShouldBe("");
    }

    [Fact]
    public void after_a_standstill_only_the_highest_step_is_told_at_once() =>
        Due(30).ShouldBe("1 digest superseded by 3, 2 digest superseded by 3, 3 now");

    [Fact]
    public void a_step_below_one_that_was_raised_goes_with_the_digest() =>
        Due(30, 1, 3).ShouldBe("2 digest superseded by 3");

    [Fact]
    public void a_clock_that_goes_back_makes_nothing_due() => Due(-100, 1, 2, 3).ShouldBe("");

    [Fact]
    public void a_role_is_who_holds_it_at_the_site_or_else_everywhere()
    {
        ValueList<Responsibility> held = [new("*", "approver", ["amira"]), new("plant-2", "approver", ["bo", "cy"])];
        Resolve(["role:approver"], "plant-1", held).ShouldBe("amira | ");
        Resolve(["role:approver"], "plant-2", held).ShouldBe("bo, cy | ");
    }

    [Fact]
    public void everybody_is_told_once_and_nobody_found_is_said()
    {
        ValueList<Responsibility> held = [new("*", "approver", ["oscar", "amira"])];
        Resolve(["owner", "role:approver", "person:oscar", "role:verifier"], "plant-1", held)
            .ShouldBe("oscar, amira | role:verifier");
        Resolve(["owner"], "plant-1", held, owner: null).ShouldBe(" | owner");
        Resolve(["owner"], "plant-1", held, owner: "service:nonconformities").ShouldBe(" | owner");
    }

    [Fact]
    public void another_due_date_or_level_is_another_escalation()
    {
        var subject = NameBasedId.From("subject");
        Guid[] ids =
        [
            EscalationClock.IdOf(DeadlineKind.ActionDue, subject, DueAt, 1),
            EscalationClock.IdOf(DeadlineKind.ActionDue, subject, DueAt, 2),
            EscalationClock.IdOf(DeadlineKind.ActionDue, subject, DueAt.AddDays(1), 1),
            EscalationClock.IdOf(DeadlineKind.WindowEnd, subject, DueAt, 1),
        ];
        ids.ShouldBeUnique();
        EscalationClock.IdOf(DeadlineKind.ActionDue, subject, DueAt.ToOffset(TimeSpan.FromHours(2)), 1)
            .ShouldBe(ids[0]);
    }

    private static string Due(int hours, params int[] raised) => string.Join(", ", EscalationChain
        .Due(EscalationChain.Of(Rules, DeadlineKind.ActionDue, null), DueAt, raised, DueAt.AddHours(hours))
        .Select(step => $"{step.Rule.Level} {(step.Urgency == Urgency.Now ? "now" : "digest")}"
            + (step.SupersededBy is { } by ? $" superseded by {by}" : "")));

    private static string Resolve(
        string[] recipients, string site, ValueList<Responsibility> held, string? owner = "oscar")
    {
        var (persons, unresolved) = Recipient.Resolve(recipients, owner, site, held);
        return $"{string.Join(", ", persons)} | {string.Join(", ", unresolved)}";
    }

    private static EscalationRule Rule(int level, int afterHours) =>
        new(DeadlineKind.ActionDue, null, level, afterHours, ["owner"], Urgency.Now);
}
