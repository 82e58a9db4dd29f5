using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using CapaEngine.Nonconformities.Triage;
using Shouldly;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>The triage policy is data: changed at run time, kept in every version, tried on the past.</summary>
public sealed class TriagePolicySpecs
{
    private static readonly ValueList<TriageRule> Default =
        [new(Severity.Critical, 1, 1), new(Severity.Major, 3, 7), new(Severity.Minor, 10, 7)];

    private static readonly ValueList<TriageRule> Strict = [new(Severity.Minor, 3, 7)];

    private readonly TriageSimulation line = new();

    [Fact] public async Task a_new_version_counts_for_the_deviations_after_it()
    {
        await SendAsync(3);
        await line.RunAsync();
        (await line.CasesAsync()).ShouldBeEmpty();
        (await line.SetPolicyAsync(new(Strict, true, "Too late."))).ShouldBeOfType<CommandOutcome.Done>()
            .Revision.ShouldBe(1);
        await SendAsync(1);
        await line.RunAsync();
        (await line.CasesAsync()).ShouldHaveSingleItem().Reported.PolicyVersion.ShouldBe(2);
    }

    [Fact] public async Task what_a_person_set_stays_after_a_restart()
    {
        await line.RunAsync();
        await line.SetPolicyAsync(new(Strict, true, "Too late."));
        await line.RunAsync();
        var count = await line.EventCountAsync();
        await line.RunAsync();
        (await line.EventCountAsync()).ShouldBe(count);
    }

    [Fact] public async Task setting_what_is_in_force_makes_no_version()
    {
        await line.RunAsync();
        (await line.SetPolicyAsync(new(Strict, true, "Too late."))).ShouldBeOfType<CommandOutcome.Done>()
            .EventCount.ShouldBe(1);
        (await line.SetPolicyAsync(new(Strict, true, "Too late."))).ShouldBeOfType<CommandOutcome.Done>()
            .EventCount.ShouldBe(0);
    }

    [Fact] public async Task a_policy_may_count_the_stations_of_a_process_together()
    {
        await line.RunAsync();
        await line.SetPolicyAsync(new(Strict, GroupsByStation: false, "One coolant for all."));
        foreach (var station in (string[])["m-1", "m-2", "m-3"]) await line.SendAsync(station: station);
        await line.RunAsync();
        (await line.CasesAsync()).ShouldHaveSingleItem().Reported.Subject!.Station.ShouldBeNull();
    }

    [Fact] public async Task the_same_policy_opens_the_same_cases_again()
    {
        await SendAsync(12);
        await line.RunAsync();
        await line.GiveAsync((await line.CasesAsync())[0].Id, new NonconformityCommand.Reject("Unfounded."));
        await SendAsync(11);
        await line.SendAsync(Severity.Critical, product: "cover");
        await line.RunAsync();
        var again = await line.WhatIfAsync(Default);
        (again.WouldOpenCount, again.ActuallyOpenedCount, again.DeviationCount).ShouldBe((3, 3, 24));
        again.Opened.Select(open => (open.CountedCount, open.DeviationCount)).ShouldBe([(10, 12), (10, 11), (1, 1)]);
    }

    [Fact] public async Task another_policy_shows_what_it_would_have_opened_and_writes_nothing()
    {
        await SendAsync(3);
        await line.RunAsync();
        var before = await line.EventCountAsync();
        var answer = await line.WhatIfAsync(Strict);
        (answer.WouldOpenCount, answer.ActuallyOpenedCount).ShouldBe((1, 0));
        answer.Opened.ShouldHaveSingleItem().Subject.ShouldBe(TriageSimulation.Subject);
        (await line.EventCountAsync()).ShouldBe(before);
    }

    [Fact] public async Task what_lies_before_the_period_follows_the_policy_of_its_time()
    {
        for (var n = 0; n < 10; n++) await line.SendAsync(detectedDay: -20);
        await line.SendAsync(detectedDay: 1);
        await line.RunAsync();
        var answer = await line.WhatIfAsync([new(Severity.Minor, 1, 1)], fromDay: 0);
        (answer.DeviationCount, answer.WouldOpenCount).ShouldBe((1, 0), "The case of before was still open.");
    }

    [Theory]
    [InlineData(0, 7, "rules[0].countMin")]
    [InlineData(1, 0, "rules[0].windowDays")]
    [InlineData(1, 367, "rules[0].windowDays")]
    public void a_rule_that_means_nothing_is_refused(int countMin, double windowDays, string field) =>
        PolicyEndpoints.Check([new(Severity.Minor, countMin, windowDays)]).Single().Field.ShouldBe(field);

    [Fact] public void a_severity_has_one_rule() =>
        PolicyEndpoints.Check([new(Severity.Minor, 1, 1), new(Severity.Minor, 2, 2)]).Single().Field
            .ShouldBe("rules[1].severity");

    private async Task SendAsync(int count)
    {
        for (var n = 0; n < count; n++) await line.SendAsync();
    }
}
