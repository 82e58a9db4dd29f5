using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.ReadModels;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;

namespace CapaEngine.Specs.Pipeline;

/// <summary>What the simulation found in the projector, as the shortest way to it.</summary>
public sealed class ProjectorSpecs
{
    private const string Key = "actionplan.0";
    private static readonly string Stream = Families.ActionPlan.Stream(NameBasedId.From("a plan"));
    private readonly SimulatedDatabase database = new();

    [Fact] public async Task what_another_projector_parked_is_not_applied()
    {
        var (first, second) = (NewProjector(), NewProjector());
        await first.ApplyAsync(Key, [Event(0)], 1, default);
        await second.LoadPositionsAsync(default);
        await first.ApplyAsync(Key, [Event(1, isKnown: false)], 2, default);

        // The second still believes to be at 1, and that nothing is parked.
        await second.ApplyAsync(Key, [Event(1, isKnown: false), Event(2)], 3, default);

        database.Positions[Key].ShouldBe(3ul);
        database.Parked[Stream].Revision.ShouldBe(1);
        database.Rows[Stream].Select(applied => applied.Revision).ShouldBe([0]);
    }

    [Fact]
    public async Task a_projector_that_another_version_overtook_writes_no_more()
    {
        database.Versions["streams"] = 1;
        var overtaken = NewProjector();
        await overtaken.LoadPositionsAsync(default);
        await overtaken.ApplyAsync(Key, [Event(0)], 1, default);
        // A rebuild by another version, as every projector meets it.
        database.Versions["streams"] = 2;
        database.Parkings[Key]++;

        var refused = await Should.ThrowAsync<InvalidOperationException>(
            () => overtaken.ApplyAsync(Key, [Event(1)], 2, default));
        refused.Message.ShouldContain("version 2");
        database.Positions[Key].ShouldBe(1ul);

        // Started anew it writes until its own rebuild has made the rows again.
        var restarted = NewProjector();
        await restarted.LoadPositionsAsync(default);
        await restarted.ApplyAsync(Key, [Event(1)], 2, default);
        database.Positions[Key].ShouldBe(2ul);
    }

    private static IncomingEvent Event(long revision, bool isKnown = true) => new(
        Stream, Families.ActionPlan, revision, LogPosition.At((ulong)revision + 1), NameBasedId.From($"{revision}"),
        "actionplan.owner-changed.v1",
        isKnown ? new ActionPlanEvent.OwnerChanged($"owner {revision}", "quinn", "")
            : new UnknownFact("actionplan.weighed.v1", default, "unknown-event-type"),
        new EventMetadata(new EventActor("quinn", [], "*"), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, ""));

    private Projector NewProjector()
    {
        var tables = new TablesAtHand(database);
        return new Projector(
            tables, [new StreamRows()], new ParkedStreams(tables, NullLogger<ParkedStreams>.Instance),
            NullLogger<Projector>.Instance);
    }

    private sealed class TablesAtHand(SimulatedDatabase database) : IReadModelTables
    {
        public Task<IReadOnlyList<Standing>> LoadStandingsAsync(CancellationToken ct) =>
            Task.FromResult(database.Standings());

        public Task<Standing> StandingAsync(string routingKey, CancellationToken ct) =>
            Task.FromResult(database.Begin(routingKey));

        public Task<IReadOnlyList<ParkedStream>> LoadParkedAsync(CancellationToken ct) =>
            Task.FromResult<IReadOnlyList<ParkedStream>>([.. database.Parked.Values]);

        public Task<IReadOnlyDictionary<string, int>> LoadVersionsAsync(CancellationToken ct) =>
            Task.FromResult<IReadOnlyDictionary<string, int>>(database.Versions.ToDictionary());

        public Task<bool> CommitAsync(
            Standing expected, ulong through, int parkingCount, IReadOnlyList<SqlStatement> statements,
            CancellationToken ct) =>
            Task.FromResult(database.Commit(expected, through, parkingCount, statements));

        public Task<IRehearsal> RehearseAsync(CancellationToken ct) =>
            throw new NotSupportedException("Every value can be stored.");
    }
}
