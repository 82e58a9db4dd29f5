using CapaEngine.Contracts;
using CapaEngine.Verify;
using Shouldly;

namespace CapaEngine.Integration.Verify;

/// <summary>The auditor says clean of what is right, and finds and names what was put wrong.</summary>
public sealed class AuditorTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_system_at_rest_holds_at_the_first_look()
    {
        await using var system = await AuditedSystem.CreateAsync(Ct);
        var result = await system.AuditAsync(Ct);
        result.Findings.Concat(result.InFlight).ShouldBeEmpty();
        result.Rounds.ShouldBe(1);
        result.Last.Checks["deviation-once"].Examined.ShouldBe(4);
        result.Last.Checks["row-content"].Examined.ShouldBeGreaterThan(10);
        foreach (var check in (string[])["number-assigned", "capa-linked", "analysis-started", "case-begun"])
            result.Last.Checks[check].Examined.ShouldBeGreaterThan(0, check);
    }

    [Theory]
    [InlineData("delete from read_models.deviation where source_event_id = 'd-1'", "row-missing", "has no row")]
    [InlineData("update read_models.deviation set measured = 5 where source_event_id = 'd-1'", "row-content",
        "measured is '5', by the log '6.2'")]
    [InlineData("update read_models.deviation set conflict_count = 2 where source_event_id = 'd-3'", "row-content",
        "conflict_count is '2', by the log '1'")]
    [InlineData("update read_models.nonconformity set status = 'closed'", "row-content",
        "status is 'closed', by the log 'under-review'")]
    [InlineData("update read_models.nonconformity set revision = 2", "row-revision", "the stream is further")]
    [InlineData("update read_models.nonconformity set revision = 9", "row-revision", "the stream ends with 3")]
    [InlineData("delete from read_models.nonconformity_capa", "row-content", "capas is '0', by the log '1'")]
    [InlineData("delete from read_models.case_event where family = 'actionplan'", "row-missing", "has no row")]
    [InlineData("update read_models.capa_number set number = 'CAPA-2026-000002'", "row-content",
        "by the log 'CAPA-2026-000001'")]
    [InlineData(
        "insert into read_models.nonconformity_number (id, number, stream, revision, position, occurred_at, "
        + "recorded_at) select gen_random_uuid(), 'NC-2026-000007', stream, revision, position, occurred_at, "
        + "recorded_at from read_models.nonconformity_number",
        "row-extra", "no stream in the log")]
    [InlineData("update read_models.follower_position set position = 100000 where routing_key = 'deviation.0'",
        "follower-position", "beyond the end of the log")]
    [InlineData("update read_models.follower_position set position = 0 where routing_key like 'nonconformity.%'",
        "follower-position", "later events wait")]
    [InlineData(
        "insert into read_models.parked_stream values ('deviation-x', 'deviation.0', 3, 5, 'deviation.odd.v9', 'odd')",
        "parked-stream", "waits at revision 3")]
    public async Task A_wrong_state_of_the_read_models_is_found_and_named(string sabotage, string check, string detail)
    {
        await using var system = await AuditedSystem.CreateAsync(Ct);
        await system.Database.ExecuteAsync(sabotage, Ct);
        var result = await system.AuditAsync(Ct);
        result.Findings.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            finding => finding.Check.ShouldBe(check), finding => finding.Detail.ShouldContain(detail));
        result.Rounds.ShouldBeGreaterThan(1, "What is found counts only when it stays.");
    }

    [Fact]
    public async Task What_is_put_right_between_two_looks_was_in_flight()
    {
        await using var system = await AuditedSystem.CreateAsync(Ct);
        await system.AppendAsync(AuditedSystem.Deviation(0), Ct, new DeviationEvent.Dismissed("quinn", "A test."));
        var result = await system.AuditAsync(Ct, duringFirstLook: () => system.RestAsync(Ct));
        result.Findings.Concat(result.InFlight).ShouldBeEmpty();
        result.Rounds.ShouldBe(2);
    }
}
