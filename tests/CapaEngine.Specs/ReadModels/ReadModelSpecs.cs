using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.ReadModels;
using CapaEngine.ReadModels.AsOf;
using CapaEngine.ReadModels.Deadlines;
using Shouldly;

namespace CapaEngine.Specs.ReadModels;

/// <summary>The parts of the read models that need no database.</summary>
public sealed class ReadModelSpecs
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public void every_family_is_projected_and_every_model_has_its_own_name()
    {
        Families.All.ShouldBeSubsetOf(Projections.All.SelectMany(model => model.Families));
        Projections.All.Select(model => model.Name).ShouldBeUnique();
        Projections.All.ShouldAllBe(model => model.Version >= 1);
    }

    [Fact]
    public void a_table_belongs_to_one_model() =>
        Projections.All.SelectMany(model => model.Tables).ShouldBeUnique();

    [Fact]
    public void a_cursor_is_read_back_only_in_its_own_order()
    {
        var cursor = new Cursor(PageRequest.NewestFirst, Start.AddTicks(1230), NameBasedId.From("a"));
        Cursor.TryParse(cursor.ToString(), PageRequest.NewestFirst, out var read).ShouldBeTrue();
        read.ShouldBe(cursor);
        Cursor.TryParse(cursor.ToString(), PageRequest.OldestFirst, out _).ShouldBeFalse();

        var past = cursor with { Moment = new Moment(Start.AddTicks(7), Start.AddDays(1)) };
        Cursor.TryParse(past.ToString(), PageRequest.NewestFirst, out read).ShouldBeTrue();
        read.ShouldBe(past);
    }

    [Theory]
    [InlineData("")]
    [InlineData("!")]
    [InlineData("YWJj")]
    [InlineData("LW9wZW5lZEF0fDl8eA")]
    [InlineData("LW9wZW5lZEF0fDk5OTk5OTk5OTk5OTk5OTk5OTl8MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA")]
    public void whatever_is_no_cursor_is_refused(string text) =>
        Cursor.TryParse(text, PageRequest.NewestFirst, out _).ShouldBeFalse();

    [Fact]
    public void a_stream_at_a_revision_names_both()
    {
        var id = NameBasedId.From("a");
        RevisionWait.Parse($"actionplan-{id:D}@7").ShouldBe((Families.ActionPlan, id, 7L));
        RevisionWait.Parse($"actionplan-{id:D}@-1").ShouldBeNull();
        RevisionWait.Parse($"actionplan-{id:D}").ShouldBeNull();
        RevisionWait.Parse("actionplan-7@7").ShouldBeNull();
        RevisionWait.Parse("numbering-nc-2026@7").ShouldBeNull("No row follows the revision of a numbering stream.");
        RevisionWait.Parse("other@7").ShouldBeNull();
    }

    [Theory]
    [InlineData(90, 10)]
    [InlineData(10, 10)]
    [InlineData(7.5, 7)]
    [InlineData(0.2, 1)]
    public void a_period_is_cut_in_equal_parts_that_leave_nothing_out(double days, int count)
    {
        var period = new Period(Start, Start.AddDays(days));
        var parts = Evidence.PartsOf(period);
        parts.Count.ShouldBe(count);
        parts[0].From.ShouldBe(period.From);
        parts[^1].To.ShouldBe(period.To);
        parts.Zip(parts.Skip(1)).ShouldAllBe(pair => pair.First.To == pair.Second.From);
    }

    [Fact]
    public void the_number_of_a_record_is_its_place_in_the_years_stream()
    {
        var id = NameBasedId.From("a");
        var statement = Numbers.Project(Event(
            Families.CapaNumbers, "numbering-capa-2026", 44, new NumberingEvent.Assigned(id, 9))).Single();
        statement.Values.ShouldContain("CAPA-2026-000045");
        statement.Values[0].ShouldBe(id);
    }

    [Fact]
    public void many_deviations_are_one_statement()
    {
        var events = Enumerable.Range(0, 100).Select(n => Event(
            Families.Deviation, Families.Deviation.Stream(NameBasedId.From($"{n}")), 0, new DeviationEvent.Received(
                "urn:test", $"{n}", "plant-1", "valve", null, null, "milling", null, null, "bore", null, null, null,
                null, null, null, Severity.Minor, Start, null, "hash"))).ToList();
        var statement = new DeviationRegister().Project(events).ShouldHaveSingleItem();
        ((Guid[])statement.Values[0]!).Length.ShouldBe(100);
    }

    private static IncomingEvent Event(Family family, string stream, long revision, object fact) => new(
        stream, family, revision, LogPosition.At(10), NameBasedId.From($"{stream}\n{revision}"),
        EventCatalog.NameOf(fact), fact, new EventMetadata(new EventActor("quinn", [], "*"), Start, Start, "hash"));
}
