using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Verify;
using Shouldly;

namespace CapaEngine.Specs.Verify;

/// <summary>What the auditor finds in the log alone: order, content, effects, positions, what is parked.</summary>
public sealed class LogFoldSpecs
{
    private static readonly Guid CaseId = NameBasedId.From("case"), CapaId = NameBasedId.From("capa");
    private static readonly string Case = Families.Nonconformity.Stream(CaseId);
    private static readonly string Capa = Families.ActionPlan.Stream(CapaId);
    private static readonly string Analysis = Families.RootCause.Stream(NameBasedId.From("analysis"));
    private static readonly DateTimeOffset Day = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
    private readonly LogFold _fold = new(Partitions.CountDefault);
    private readonly Dictionary<string, long> _revisions = [];
    private ulong _position;

    [Fact]
    public void A_complete_case_holds()
    {
        TellCase();
        Inspect().ShouldBeEmpty();
    }

    [Fact]
    public void The_followers_of_reactions_are_those_the_services_have()
    {
        PipelineFold.Reactions[ServiceNames.RootCauses].ShouldBe(
            new CapaEngine.RootCauses.Reactions(null!).Families, ignoreOrder: true);
        PipelineFold.Reactions[ServiceNames.ActionPlans].ShouldBe(
            new CapaEngine.ActionPlans.Reactions(null!, null!, null!).Families, ignoreOrder: true);
        PipelineFold.Reactions[ServiceNames.Nonconformities].ShouldBe(
            new CapaEngine.Nonconformities.Reactions(null!, null!, null!, null!).Families, ignoreOrder: true);
    }

    [Fact]
    public void A_deviation_that_is_received_twice_is_found()
    {
        var received = Received("d-1");
        var stream = Families.Deviation.Stream(NameBasedId.From("deviation\nurn:line\nd-1"));
        Append(stream, received);
        Inspect().ShouldBeEmpty();
        Append(stream, received);
        Inspect().ShouldHaveSingleItem().ShouldBe(
            new Finding("deviation-once", stream, "was received again as revision 1"));
    }

    [Fact]
    public void A_deviation_in_a_stream_of_another_name_is_found()
    {
        Append(Families.Deviation.Stream(NameBasedId.From("elsewhere")), Received("d-1"));
        Inspect().ShouldHaveSingleItem().Detail.ShouldBe("is not the stream of urn:line, d-1");
    }

    [Fact]
    public void A_gap_in_a_stream_is_found()
    {
        TellCase();
        _revisions[Case]++;
        Append(Case, new NonconformityEvent.ContainmentNotNeeded("Nothing was made."));
        Inspect().ShouldHaveSingleItem().ShouldBe(new Finding("log-order", Case, "revision 3 follows 1 in the log"));
    }

    [Fact]
    public void Data_that_were_changed_after_they_were_written_are_found()
    {
        TellCase();
        Append(Case, new NonconformityEvent.ContainmentNotNeeded("Nothing was made."), hash: new string('0', 64));
        Inspect().ShouldHaveSingleItem().Check.ShouldBe("log-content");
    }

    [Fact]
    public void An_event_that_nobody_can_read_is_found()
    {
        TellCase();
        Append(Case, new NonconformityEvent.ContainmentNotNeeded("None."), type: "nonconformity.odd.v9");
        Inspect().ShouldHaveSingleItem().Detail.ShouldBe("revision 2, nonconformity.odd.v9, cannot be read");
    }

    [Theory]
    [InlineData("capa-linked", "actionplan.opened.v1")]
    [InlineData("analysis-started", "rootcause.started.v1")]
    [InlineData("number-assigned", "number.assigned.v1")]
    [InlineData("capa-stage-noted", "nonconformity.capa-stage-noted.v1")]
    public void A_missing_effect_is_found(string check, string missing)
    {
        TellCase(without: missing);
        if (check == "capa-stage-noted") Append(Capa, new ActionPlanEvent.Cancelled("amira", "No need."));
        Inspect().ShouldContain(finding => finding.Check == check);
    }

    [Fact]
    public void An_effect_that_came_twice_or_from_nothing_is_found()
    {
        TellCase();
        Append("numbering-nc-2026", new NumberingEvent.Assigned(CaseId, 9));
        Append(Families.RootCause.Stream(NameBasedId.From("other")), Started(NameBasedId.From("no capa")));
        Inspect().Select(finding => (finding.Check, finding.Subject)).ShouldBe(
            [
                ("number-assigned", "numbering-nc-2026"),
                ("analysis-started", Families.RootCause.Stream(NameBasedId.From("other"))),
            ],
            ignoreOrder: true);
    }

    [Fact]
    public void What_is_parked_is_listed_and_explains_its_missing_effect()
    {
        TellCase(without: "actionplan.opened.v1", also: "rootcause.started.v1");
        var inspection = new Inspection();
        _fold.Inspect(inspection);
        inspection.Findings.ShouldContain(finding => finding.Check == "capa-linked");

        Append($"parked-{ServiceNames.ActionPlans}", new ParkingEvent.Parked(
            Case, EventId(Case, 1), 1, 2, "nonconformity.corrective-action-required.v1", "not-yet", "too-early"));
        var after = new Inspection();
        _fold.Inspect(after);
        _fold.Pipeline.Inspect(after, AtEnd(), _position);
        after.Findings.ShouldNotContain(finding => finding.Check == "capa-linked");
        after.Findings.Single(finding => finding.Check == "parked-reaction").Detail
            .ShouldEndWith("is parked, not-yet: too-early");
    }

    [Fact]
    public void Positions_beyond_the_end_and_behind_are_found()
    {
        TellCase();
        Append($"relay-{ServiceNames.Nonconformities}", new CheckpointEvent.Relay(10_000, 10_000));
        Append($"follower-{ServiceNames.RootCauses}", new CheckpointEvent.Follower([new("actionplan.0", 20_000)]));
        var inspection = new Inspection();
        _fold.Pipeline.Inspect(inspection, AtEnd(), _position);
        inspection.Findings.ShouldContain(finding => finding.Check == "relay-position"
            && finding.Subject == "relay-nonconformities" && finding.Detail.StartsWith("stands at 10000, beyond"));
        inspection.Findings.ShouldContain(finding => finding.Check == "relay-position"
            && finding.Subject == "relay-action-plans" && finding.Detail == "stands at 0, and later events wait");
        inspection.Findings.ShouldContain(finding => finding.Check == "follower-position"
            && finding.Subject == "root-causes actionplan.0" && finding.Detail.Contains("beyond"));
    }

    [Fact]
    public void A_finding_counts_only_when_it_stays_the_same()
    {
        var suspects = new Suspects(TimeSpan.FromSeconds(10));
        var (stuck, moving) = (new Finding("c", "a", "at 1"), new Finding("c", "b", "at 1"));
        suspects.Take([stuck, moving], TimeSpan.Zero);
        suspects.Confirmed.ShouldBeEmpty();
        suspects.Take([stuck, moving with { Detail = "at 2" }], TimeSpan.FromSeconds(10));
        suspects.Confirmed.ShouldBe([stuck]);
        suspects.InFlight.ShouldBe([moving with { Detail = "at 2" }]);
        suspects.Take([], TimeSpan.FromSeconds(12));
        suspects.Confirmed.Concat(suspects.InFlight).ShouldBeEmpty();
    }

    private static Guid EventId(string stream, long revision) => NameBasedId.From($"{stream}\n{revision}");

    private static DeviationEvent.Received Received(string id) => new(
        "urn:line", id, "plant-1", "valve", null, null, "milling", null, null, "bore", null, 5.2, null, 5.1, "mm", null,
        Severity.Minor, Day, null, "hash");

    private static RootCauseEvent.Started Started(Guid capaId) =>
        new(capaId, CaseId, "plant-1", "quinn", "Bores too wide", null, false);

    private Dictionary<string, ulong> AtEnd() => Families.All.SelectMany(family => Enumerable.Range(0, 4)
        .Select(partition => Partitions.RoutingKey(family.Name, partition))).ToDictionary(key => key, _ => _position);

    private IReadOnlyList<Finding> Inspect()
    {
        var inspection = new Inspection();
        _fold.Inspect(inspection);
        return inspection.Findings;
    }

    private void TellCase(string? without = null, string? also = null)
    {
        (string Stream, object Fact)[] story =
        [
            (Case, new NonconformityEvent.Reported(
                "plant-1", "Bores too wide", "Two.", new RequirementRef("drawing", "C", "4.2"),
                NonconformitySource.ProcessMonitoring, DetectionStage.InProcess, "valve", "milling", [], 0, null,
                Severity.Minor,
                Day, "quinn", null, null, null, null)),
            (Case, new NonconformityEvent.CorrectiveActionRequired(
                CapaId, CapaLink.Open, 1, "quinn", "It recurs.", "plant-1", "Bores too wide", null, null, false)),
            ("numbering-nc-2026", new NumberingEvent.Assigned(CaseId, 1)),
            (Capa, new ActionPlanEvent.Opened(
                "plant-1", "Bores too wide", "quinn", CaseId, "It recurs.", null, null, false)),
            ("numbering-capa-2026", new NumberingEvent.Assigned(CapaId, 1)),
            (Analysis, Started(CapaId)),
        ];
        foreach (var (stream, fact) in story)
            if (EventCatalog.NameOf(fact) is var name && name != without && name != also) Append(stream, fact);
    }

    private void Append(string stream, object fact, string? hash = null, string? type = null)
    {
        var revision = _revisions[stream] = _revisions.GetValueOrDefault(stream, -1) + 1;
        var written = NewEvent.Of(EventId(stream, revision), fact, computed => new EventMetadata(
            new EventActor("quinn", ["quality-engineer"], "*"), Day, Day, hash ?? computed));
        _fold.Take(new RecordedEvent(
            stream, revision, LogPosition.At(++_position), written.Id, type ?? written.Type, Day, written.Data,
            written.Metadata));
    }
}
