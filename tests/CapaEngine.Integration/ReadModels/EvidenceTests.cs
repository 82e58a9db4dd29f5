using System.Security.Cryptography;
using System.Text;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.ReadModels;
using Microsoft.Extensions.Options;
using Shouldly;
using static CapaEngine.Integration.ReadModels.ReadModelDatabase;

namespace CapaEngine.Integration.ReadModels;

/// <summary>The numbers a verdict rests on, on a set small enough to count by hand.</summary>
public sealed class EvidenceTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task counts_what_lies_in_the_period_and_belongs_to_the_subject()
    {
        var log = new History();
        // Days 0 to 19 of production, 100 each; a deviation on the days 0, 3, 9, 10 and 19.
        for (var day = 0; day < 20; day++) Produce(log, day, 100);
        int[] days = [0, 3, 9, 10, 19];
        foreach (var day in days)
            log.Add(Families.Deviation, WholeCase.DeviationId(day), WholeCase.Deviation(day, Start.AddDays(day)));
        log.Add(Families.Deviation, WholeCase.DeviationId(100), WholeCase.Deviation(100, Start.AddDays(1), "plant-2"));
        log.Add(Families.Deviation, WholeCase.DeviationId(101),
            WholeCase.Deviation(101, Start.AddDays(1)) with { Station = "m-2" });
        log.Add(Families.Deviation, WholeCase.DeviationId(102),
            WholeCase.Deviation(102, Start.AddDays(1)) with { Characteristic = "length" });
        log.Add(Families.Deviation, WholeCase.DeviationId(103), WholeCase.Deviation(103, Start.AddDays(2)));
        log.Add(Families.Deviation, WholeCase.DeviationId(103), new DeviationEvent.Dismissed("ada", "A test piece."));
        await using var database = await CreateAsync(Ct);
        await ApplyAsync(database.Projector(), log.Events, 10, Ct);
        var evidence = Evidence(database);

        var first = await evidence.CountAsync(WholeCase.Subject, Days(0, 10), ExposureUnit.Inspected, 0, Ct);
        first.Deviations.ShouldBe(3, "The end of the period is exclusive: day 10 is not in it.");
        first.Exposure.ShouldBe(1000);
        first.MissingParts.ShouldBeEmpty();
        first.DeviationIdsHash.ShouldBe(HashOf(0, 3, 9));
        first.DefinitionVersion.ShouldBe(2);

        var second = await evidence.CountAsync(WholeCase.Subject, Days(10, 20), ExposureUnit.Inspected, 0, Ct);
        second.Deviations.ShouldBe(2);
        (first.Exposure + second.Exposure).ShouldBe(2000, "Adjacent periods share no exposure and lose none.");

        var inDays = await evidence.CountAsync(WholeCase.Subject, Days(0, 30), ExposureUnit.Days, 0, Ct);
        (inDays.Deviations, inDays.Exposure, inDays.MissingParts.Count).ShouldBe((5L, 30d, 0));

        var nothing = await evidence.CountAsync(
            WholeCase.Subject with { Characteristic = null, DefectCode = "burr" }, Days(0, 20),
            ExposureUnit.Days, 0, Ct);
        (nothing.Deviations, nothing.DeviationIdsHash).ShouldBe((0L, HashOf()));
    }

    [Fact]
    public async Task names_the_parts_of_the_period_in_which_nothing_was_inspected()
    {
        var log = new History();
        foreach (var day in (int[])[0, 1, 2, 3, 6, 7, 8, 9, 12, 13, 16, 17, 18, 19]) Produce(log, day, 50);
        Produce(log, 4, 0);
        await using var database = await CreateAsync(Ct);
        await ApplyAsync(database.Projector(), log.Events, 10, Ct);
        var evidence = Evidence(database);

        var answer = await evidence.CountAsync(WholeCase.Subject, Days(0, 20), ExposureUnit.Inspected, 0, Ct);
        answer.MissingParts.ShouldBe([Days(4, 6), Days(10, 12), Days(14, 16)]);
        answer.Exposure.ShouldBe(14 * 50);

        // A week is cut in whole days, a day is one part.
        (await evidence.CountAsync(WholeCase.Subject, Days(3, 6), ExposureUnit.Inspected, 0, Ct)).MissingParts
            .ShouldBe([Days(4, 5), Days(5, 6)]);
        (await evidence.CountAsync(WholeCase.Subject, Days(5, 6), ExposureUnit.Inspected, 0, Ct)).MissingParts
            .ShouldBe([Days(5, 6)]);
    }

    [Fact]
    public async Task says_how_far_every_partition_has_been_counted()
    {
        await using var database = await CreateAsync(Ct);
        var evidence = Evidence(database);
        await database.ExecuteAsync("""
            insert into read_models.follower_position
            select family || '.' || partition, 50 + partition
            from unnest(array['deviation', 'production']) family, generate_series(0, 3) partition
            where not (family = 'production' and partition = 3)
            """, Ct);
        (await evidence.CountAsync(WholeCase.Subject, Days(0, 1), ExposureUnit.Days, 0, Ct)).LogPosition
            .ShouldBe(0, "A partition that was never heard of has reached nothing.");
        await database.ExecuteAsync("insert into read_models.follower_position values ('production.3', 51)", Ct);
        (await evidence.CountAsync(WholeCase.Subject, Days(0, 1), ExposureUnit.Days, 0, Ct)).LogPosition.ShouldBe(50);
    }

    [Fact]
    public async Task covers_a_wanted_position_where_the_log_holds_nothing_to_count_before_it()
    {
        await using var database = await CreateAsync(Ct);
        var log = new MemoryEventStore(TimeProvider.System);
        await AppendAsync("actionplan-1");
        await AppendAsync("actionplan-1");
        var evidence = Evidence(database, log);
        (await LogPositionAsync(wanted: 2)).ShouldBe(2, "Nothing is missing, so nobody needs to wait.");

        await AppendAsync("deviation-1");
        await AppendAsync("actionplan-1");
        (await LogPositionAsync(wanted: 2)).ShouldBe(2);
        (await LogPositionAsync(wanted: 4)).ShouldBe(0, "The deviation at 3 is not projected yet.");

        async Task<long> LogPositionAsync(ulong wanted) => (await evidence.CountAsync(
            WholeCase.Subject, Days(0, 1), ExposureUnit.Days, wanted, Ct)).LogPosition;

        Task<AppendResult> AppendAsync(string stream) => log.AppendAsync(
            stream, ExpectedRevision.Any,
            [new NewEvent(Guid.NewGuid(), "a.b.v1", "{}"u8.ToArray(), "{}"u8.ToArray())], Ct);
    }

    private static void Produce(History log, int day, double inspected) => log.Add(
        Families.Production, NameBasedId.From($"production of day {day}"),
        WholeCase.Production(day, Start.AddDays(day), Start.AddDays(day + 1), inspected));

    private static Period Days(int from, int to) => new(Start.AddDays(from), Start.AddDays(to));

    private static Evidence Evidence(ReadModelDatabase database, IEventStore? log = null) => new(
        database.Source, log ?? new MemoryEventStore(TimeProvider.System), Options.Create(new PipelineOptions()));

    private static string HashOf(params int[] days) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Concat(days.Select(day => $"{WholeCase.DeviationId(day):D}\n").Order(StringComparer.Ordinal)))));
}
