using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities;
using CapaEngine.Nonconformities.Domain;
using Shouldly;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>Many deviations are one case with a count, in any order, whenever the power fails.</summary>
public sealed class TriageSpecs
{
    private readonly TriageSimulation line = new();

    public static TheoryData<int, bool> Cuts =>
        [.. Enumerable.Range(0, 10).Select(cut => new TheoryDataRow<int, bool>(1 + (cut / 2), cut % 2 == 0))];

    [Fact] public async Task below_the_threshold_deviations_stay_recorded()
    {
        await SendAsync(9);
        await line.RunAsync();
        (await line.CasesAsync()).ShouldBeEmpty();
    }

    [Fact] public async Task the_tenth_minor_deviation_in_seven_days_opens_a_case_of_the_ten()
    {
        var sent = await SendAsync(10);
        await line.RunAsync();
        var opened = (await line.CasesAsync()).ShouldHaveSingleItem();
        opened.Attached.ShouldBe(sent);
        opened.Id.ShouldBe(Signatures.CaseId(TriageSimulation.Subject, 1));
        opened.Reported.Title.ShouldBe("10 deviations of width at milling, station m-1 within 7 days");
        (opened.Reported.SignatureCycle, opened.Reported.PolicyVersion, opened.Reported.AffectedQuantity)
            .ShouldBe((1, 1, 0));
        opened.Reported.CountWindowFrom.ShouldBe(opened.Reported.DetectedAt.AddDays(-7));
    }

    [Fact] public async Task a_critical_deviation_opens_a_case_at_once()
    {
        await line.SendAsync(Severity.Critical);
        await line.RunAsync();
        (await line.CasesAsync()).ShouldHaveSingleItem().Reported.Severity.ShouldBe(Severity.Critical);
    }

    [Fact] public async Task a_rule_counts_its_severity_and_above()
    {
        await SendAsync(8);
        await line.SendAsync(Severity.Major);
        await line.SendAsync(Severity.Major);
        await line.RunAsync();
        (await line.CasesAsync()).ShouldHaveSingleItem().Attached.Count.ShouldBe(10);
    }

    [Fact] public async Task what_lies_outside_the_window_does_not_count()
    {
        for (var day = 0; day < 12; day++) await line.SendAsync(Severity.Major, detectedDay: -4 * day);
        await line.RunAsync();
        (await line.CasesAsync()).ShouldBeEmpty();
    }

    [Fact] public async Task a_late_deviation_fills_the_window_it_belongs_to()
    {
        await line.SendAsync(Severity.Major, detectedDay: -9);
        await line.SendAsync(Severity.Major, detectedDay: -3);
        await line.SendAsync(Severity.Major, detectedDay: -5);
        await line.RunAsync();
        (await line.CasesAsync()).ShouldHaveSingleItem().Attached.Count.ShouldBe(3);
    }

    [Fact] public async Task a_dismissed_deviation_counts_no_further()
    {
        var sent = await SendAsync(9);
        await line.DismissAsync(sent[3]);
        await SendAsync(1);
        await line.RunAsync();
        (await line.CasesAsync()).ShouldBeEmpty();
        await SendAsync(1);
        await line.RunAsync();
        (await line.CasesAsync()).ShouldHaveSingleItem().Attached.ShouldNotContain(sent[3]);
    }

    [Fact] public async Task subjects_are_counted_apart()
    {
        await SendAsync(9);
        await line.SendAsync(product: "cover");
        await line.RunAsync();
        (await line.CasesAsync()).ShouldBeEmpty();
    }

    [Fact] public async Task further_deviations_are_attached_to_the_open_case()
    {
        var sent = await SendAsync(10);
        await line.RunAsync();
        sent.AddRange(await SendAsync(600));
        await line.RunAsync();
        (await line.CasesAsync()).ShouldHaveSingleItem().Attached.ShouldBe(sent);
    }

    [Fact] public async Task after_the_case_ended_the_count_begins_anew_and_the_next_case_is_the_second_of_its_subject()
    {
        await SendAsync(10);
        await line.RunAsync();
        var first = (await line.CasesAsync())[0].Id;
        await line.GiveAsync(first, new NonconformityCommand.Reject("A worn gauge."));
        await SendAsync(9);
        await line.RunAsync();
        (await line.CasesAsync()).Count.ShouldBe(1);
        await SendAsync(1);
        await line.RunAsync();
        var second = (await line.CasesAsync())[1];
        (second.Reported.SignatureCycle, second.Attached.Count).ShouldBe((2, 10));
    }

    [Fact] public async Task a_deviation_that_came_before_the_end_of_a_case_belongs_to_it()
    {
        await SendAsync(10);
        await line.RunAsync();
        var late = await SendAsync(1);
        var first = (await line.CasesAsync())[0].Id;
        await line.GiveAsync(first, new NonconformityCommand.Reject("A worn gauge."));
        await line.RunAsync();
        (await line.CasesAsync()).ShouldHaveSingleItem().Attached.ShouldContain(late[0]);
    }

    [Fact] public async Task a_case_opened_by_hand_takes_the_deviations_that_follow()
    {
        await SendAsync(2);
        var mine = NameBasedId.From("mine");
        (await ReportAsync(mine)).ShouldBeOfType<CommandOutcome.Done>();
        var following = await SendAsync(3);
        await line.RunAsync();
        var opened = (await line.CasesAsync()).ShouldHaveSingleItem();
        (opened.Id, opened.Reported.SignatureCycle).ShouldBe((mine, 1));
        opened.Attached.ShouldBe(following);
    }

    [Fact] public async Task a_subject_with_an_open_case_gets_no_second_one_by_hand()
    {
        await SendAsync(10);
        await line.RunAsync();
        var refused = (await ReportAsync(NameBasedId.From("mine"))).ShouldBeOfType<CommandOutcome.Rejected>();
        refused.Code.ShouldBe("case-already-open");
        refused.Reason.ShouldContain(Signatures.CaseId(TriageSimulation.Subject, 1).ToString("D"));
    }

    [Fact] public async Task a_report_that_is_repeated_keeps_its_cycle()
    {
        var mine = NameBasedId.From("mine");
        await ReportAsync(mine);
        (await ReportAsync(mine)).ShouldBeOfType<CommandOutcome.Done>().EventCount.ShouldBe(0);
        (await line.Signatures.CyclesAsync(TriageSimulation.Subject, default)).Count.ShouldBe(1);
    }

    [Fact] public async Task a_refused_report_reserves_nothing()
    {
        await ReportAsync(NameBasedId.From("mine"), new RequirementRef("", "", ""));
        (await line.Signatures.CyclesAsync(TriageSimulation.Subject, default)).ShouldBeEmpty();
    }

    [Fact] public async Task a_history_opens_its_cases_in_its_own_time()
    {
        for (var n = 0; n < 10; n++) await line.SendAsync(detectedDay: -900, imported: true);
        await line.RunAsync();
        var opened = (await line.CasesAsync()).ShouldHaveSingleItem();
        opened.Metadata.Imported.ShouldBeTrue();
        opened.Metadata.OccurredAt.ShouldBe(opened.Reported.DetectedAt);
    }

    [Fact] public async Task memory_is_rebuilt_after_a_restart()
    {
        var sent = await SendAsync(9);
        await line.RunAsync();
        line.Wait(TimeSpan.FromDays(6));
        sent.Add(await line.SendAsync(detectedDay: 6));
        await line.RunAsync();
        (await line.CasesAsync()).ShouldHaveSingleItem().Attached.ShouldBe(sent);
    }

    [Fact] public async Task what_arrived_beyond_the_horizon_is_forgotten_with_and_without_a_restart()
    {
        await SendAsync(9);
        await line.RunAsync();
        line.Wait(TimeSpan.FromDays(9));
        await line.SendAsync();
        await line.RunAsync(storeCheckpoint: false);
        await line.RunAsync();
        (await line.CasesAsync()).ShouldBeEmpty();
    }

    // Every place at which the power can fail in the life of two cases of one subject, before and after the write.
    [Theory, MemberData(nameof(Cuts))]
    public async Task a_power_cut_neither_misses_nor_doubles_a_deviation(int cutAtAppend, bool isWritten)
    {
        var first = await SendAsync(1_200);
        await line.RunAsync(cutAtAppend, isWritten);
        first.AddRange(await SendAsync(5));
        await line.RunAsync();
        await line.GiveAsync((await line.CasesAsync())[0].Id, new NonconformityCommand.Reject("A worn gauge."));
        var second = await SendAsync(700);
        await line.RunAsync(cutAtAppend, isWritten);
        await line.RunAsync();

        var cases = await line.CasesAsync();
        cases.Count.ShouldBe(2);
        cases[0].Attached.ShouldBe(first, ignoreOrder: true);
        cases[1].Attached.ShouldBe(second, ignoreOrder: true);
    }

    [Fact]
    public async Task a_case_that_was_announced_is_begun_before_the_memory_is_read_anew()
    {
        var sent = await SendAsync(10);
        await line.RunAsync(cutAtAppend: 2, isWritten: true);
        (await line.CasesAsync()).ShouldBeEmpty();

        await line.BeginAnnouncedAsync();
        (await line.CasesAsync()).ShouldHaveSingleItem().Attached.ShouldBe(sent, ignoreOrder: true);
        var events = await line.EventCountAsync();
        await line.BeginAnnouncedAsync();
        (await line.EventCountAsync()).ShouldBe(events);
    }

    private async Task<List<Guid>> SendAsync(int count)
    {
        var sent = new List<Guid>();
        for (var n = 0; n < count; n++) sent.Add(await line.SendAsync());
        return sent;
    }

    private async Task<CommandOutcome> ReportAsync(Guid id, RequirementRef? requirement = null)
    {
        var report = new NonconformityCommand.Report(
            "north", "Width drifts", "Seen at the gauge.", requirement ?? new RequirementRef("ISO 9001", "2015", "8.7"),
            NonconformitySource.Production, DetectionStage.InProcess, "housing", "milling", null, 0, null,
            Severity.Minor, TriageSimulation.Start, TriageSimulation.Subject);
        var context = new CommandContext(new Actor("rita", "Rita", [Roles.Reporter], "*", []), $"report {id}");
        return await line.Handler.Handle(new HandleNonconformity(id, report, context), default);
    }
}
