using CapaEngine.Contracts;
using CapaEngine.ReadModels;
using Shouldly;
using static CapaEngine.Integration.ReadModels.ReadModelDatabase;

namespace CapaEngine.Integration.ReadModels;

/// <summary>Which cases are alike, point by point, and whether that would have found the repeats.</summary>
public sealed class SimilarityTests : IAsyncLifetime
{
    private static readonly Guid First = NameBasedId.From("first");
    private static readonly Guid Repeat = NameBasedId.From("repeat");
    private static readonly Guid SameMachine = NameBasedId.From("same machine");
    private static readonly Guid SameCause = NameBasedId.From("same cause");
    private static readonly Guid Unlike = NameBasedId.From("unlike");
    private static readonly Guid Refused = NameBasedId.From("refused");

    private ReadModelDatabase database = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        database = await CreateAsync(Ct);
        var log = new History();
        Report(log, First, "Bores too wide on the valve body", "valve", "milling", "bore");
        Explain(log, First, "machine.wear");
        log.Add(Families.Nonconformity, First, new NonconformityEvent.Closed("quinn", Signed()));
        Report(log, Unlike, "Label unreadable", "box", "packing", "label");
        Report(log, SameMachine, "Surface scratched", "valve", "milling", "surface");
        Report(log, SameCause, "Shaft vibrates", "shaft", "turning", "runout");
        Explain(log, SameCause, "machine.play");
        Report(log, Refused, "Bores too wide on the valve body", "valve", "milling", "bore");
        log.Add(Families.Nonconformity, Refused, new NonconformityEvent.Rejected("vera", "The gauge was off."));
        Report(log, Repeat, "Bores too wide again", "valve", "milling", "bore");
        await ApplyAsync(database.Projector(), log.Events, 20, Ct);
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task the_points_of_every_part_are_in_the_answer()
    {
        var similar = (await Queries().OfAsync(First, null, 10, Ct)).ShouldNotBeNull();
        similar.Items.Select(item => item.Id).ShouldBe([Repeat, SameMachine, SameCause]);
        similar.Items[0].Parts.ShouldBe(new SimilarityParts(40, 15, 15, 0, 0, similar.Items[0].Parts.Words));
        similar.Items[0].SharedWords.ShouldBe(["bores", "too", "wide"], ignoreOrder: true);
        similar.Items[1].Parts.ShouldBe(new SimilarityParts(0, 15, 15, 0, 0, similar.Items[1].Parts.Words));
        similar.Items[2].Parts.ShouldBe(new SimilarityParts(0, 0, 0, 0, 8, similar.Items[2].Parts.Words));
        similar.Items[2].SharedCauses.ShouldBe(["machine.play"]);
        similar.Items.ShouldAllBe(item => item.Points == item.Parts.Signature + item.Parts.Product
            + item.Parts.Process + item.Parts.Supplier + item.Parts.CauseCode + item.Parts.Words);
        similar.Items[0].Parts.Words.ShouldBeInRange(0.01m, 9.99m);
    }

    [Fact]
    public async Task the_same_case_twice_has_all_points_for_its_words()
    {
        await database.ExecuteAsync($"""
            update read_models.nonconformity r set title = f.title, description = f.description
            from read_models.nonconformity f where r.id = '{Repeat}' and f.id = '{First}'
            """, Ct);
        (await Queries().OfAsync(First, null, 1, Ct))!.Items.ShouldHaveSingleItem().Parts
            .ShouldBe(new SimilarityParts(40, 15, 15, 0, 0, 10));
    }

    [Fact]
    public async Task another_site_is_not_told_of()
    {
        (await Queries().OfAsync(First, "plant-2", 10, Ct)).ShouldBeNull();
        (await Queries().OfAsync(First, "plant-1", 10, Ct))!.Items.Count.ShouldBe(3);
    }

    [Fact]
    public async Task a_repeat_finds_the_closed_case_with_and_without_the_signature()
    {
        var from = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
        var test = await Queries().BackTestAsync(new Period(from, from.AddDays(9)), null, Ct);
        test.Cases.ShouldHaveSingleItem().NonconformityId.ShouldBe(First);
        (test.RepeatCount, test.ListedCount, test.ListedWithoutSignatureCount).ShouldBe((1, 1, 1));
        (await Queries().BackTestAsync(new Period(from.AddDays(9), from.AddDays(19)), null, Ct)).Cases.ShouldBeEmpty();
    }

    [Fact]
    public async Task a_repeat_asks_with_what_was_known_when_it_opened()
    {
        // Nothing had been reported before the first case, so whoever asked then was told nothing.
        (await database.ListAsync<Guid>($"""
            select nonconformity_id from reporting.similar_nonconformities('{Repeat}',
              (select opened_at from reporting.nonconformity where nonconformity_id = '{First}'))
            """, Ct)).ShouldBeEmpty();
    }

    [Fact]
    public async Task analysts_may_ask_without_rights_on_the_tables()
    {
        (await database.ScalarAsync<bool>($"""
            select has_function_privilege('capa_analyst',
              'reporting.similar_nonconformities(uuid, timestamptz, integer, boolean, text)', 'execute')
              and not has_schema_privilege('capa_analyst', 'read_models', 'usage')
            """, Ct)).ShouldBeTrue();
        await database.ExecuteAsync($"""
            set role capa_analyst; select count(*) from reporting.similar_nonconformities('{First}'); reset role
            """, Ct);
    }

    [Fact]
    public async Task what_another_system_states_counts_as_supplier_product_and_cause()
    {
        var (one, two, three) = (NameBasedId.From("one"), NameBasedId.From("two"), NameBasedId.From("three"));
        var log = new History();
        Import(log, one, "Leaks", "ABC", "machine.wear");
        Import(log, two, "Overheats", "ABC", "machine.wear");
        Import(log, three, "Vibrates", "XYZ", "machine.play");
        Report(log, First, "Bores too wide", "valve", "milling", "bore");
        Explain(log, First, "machine.wear");
        await using var imports = await CreateAsync(Ct);
        await ApplyAsync(imports.Projector(), log.Events, 20, Ct);
        var queries = new SimilarityQueries(imports.Source, new NonconformityQueries(imports.Source));

        var similar = (await queries.OfAsync(one, null, 10, Ct))!.Items;
        similar.Select(item => item.Id).ShouldBe([two, First, three]);
        similar[0].Parts.ShouldBe(new SimilarityParts(0, 15, 0, 15, 20, similar[0].Parts.Words));
        similar[0].SharedCauses.ShouldBe(["machine.wear"]);
        similar[0].StatedCauses.ShouldBe(["machine.wear"]);
        similar[1].Parts.CauseCode.ShouldBe(20, "What one states and another verified is the same cause.");
        similar[2].Parts.ShouldBe(new SimilarityParts(0, 0, 0, 15, 0, similar[2].Parts.Words));
        (await queries.OfAsync(First, null, 10, Ct))!.Items.Select(item => item.Id)
            .ShouldBe([two, one], ignoreOrder: true);
        (await queries.BackTestAsync(new Period(DateTimeOffset.UnixEpoch, log.Now.AddDays(1)), null, Ct))
            .Cases.ShouldBeEmpty("What another system closed has no signature that could repeat.");
    }

    private SimilarityQueries Queries() => new(database.Source, new NonconformityQueries(database.Source));

    private static void Report(
        History log, Guid id, string title, string product, string process, string characteristic) =>
        log.Add(Families.Nonconformity, id, new NonconformityEvent.Reported(
            "plant-1", title, title + ".", new RequirementRef("drawing", "C", "4.2"),
            NonconformitySource.ProcessMonitoring, DetectionStage.InProcess, product, process, [], 1, "pieces",
            Severity.Major, log.Now, "quinn",
            new DeviationSubject("plant-1", product, process, null, characteristic, null), 1, 1, null));

    private static void Import(History log, Guid id, string title, string productCode, string causeCode) =>
        log.Add(Families.Nonconformity, id, new NonconformityEvent.Imported(
            "urn:other", title, "plant-1", title, title + ".", null, productCode, null, "Maker", causeCode, causeCode,
            null, null, null, null, null, "Terminated", true, new DateOnly(2026, 3, 1), new DateOnly(2026, 3, 2),
            "hash"));

    private static void Explain(History log, Guid caseId, string code)
    {
        var capaId = NameBasedId.From($"capa {caseId}");
        var analysisId = NameBasedId.From($"analysis {caseId}");
        var causeId = NameBasedId.From($"cause {caseId}");
        log.Add(Families.ActionPlan, capaId, new ActionPlanEvent.Opened(
                "plant-1", "Why", "quinn", caseId, "It recurs.", null, null, false))
            .Add(Families.RootCause, analysisId,
                new RootCauseEvent.Started(capaId, caseId, "plant-1", "quinn", "Why", null, false),
                new RootCauseEvent.CauseProposed(causeId, CauseKind.Occurrence, code, "Worn", [], "quinn"),
                new RootCauseEvent.CauseVerified(causeId, VerificationMethod.Measurement, "0.4 mm", "vera"));
    }

    private static Signature Signed() => new(
        "amira", "Amira", SignatureMeaning.Approved, new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero), "s", 3,
        "ab");
}
