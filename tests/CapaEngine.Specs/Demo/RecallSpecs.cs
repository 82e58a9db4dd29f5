using CapaEngine.Demo;
using CapaEngine.Demo.Cases;
using CapaEngine.Demo.Recalls;
using Shouldly;

namespace CapaEngine.Specs.Demo;

public sealed class RecallSpecs
{
    private static readonly Lazy<IReadOnlyList<Recall>> File = new(() =>
        RecallFile.Read(PublicData.File(PublicData.Recalls)));

    private static readonly Recall Pump = new(
        "Z-1", "7", "2011-05-06", "Terminated", "2012-01-02", "Maker", "Pump", "ABC", "Surgery", "510(k)",
        "It leaks.", "Software design", "Letters.", "1 kit/box, 20 boxes", "20", "Nationwide");

    [Fact]
    public void Every_row_of_the_file_is_a_recall_with_a_number_of_its_own()
    {
        File.Value.Count.ShouldBe(6_909);
        File.Value.DistinctBy(recall => recall.Number).Count().ShouldBe(6_909);
    }

    [Fact]
    public void Each_of_the_43_categories_has_a_code_of_its_own_below_one_of_the_source()
    {
        var codes = CauseTree.CodesOf(File.Value);

        codes.Count.ShouldBe(1 + 43);
        codes.Select(code => code.Code).Distinct().Count().ShouldBe(codes.Count);
        codes.Skip(1).ShouldAllBe(code => code.Code.StartsWith("fda.", StringComparison.Ordinal));
        RecallCases.CodeOf("Nonconforming Material/Component").ShouldBe("fda.nonconforming-material-component");
    }

    [Fact]
    public void The_file_holds_228_groups_of_one_firm_cause_and_product_code() =>
        RecallGroup.In(File.Value).Count.ShouldBe(228);

    [Fact]
    public void A_recall_is_told_in_the_words_of_the_source()
    {
        var record = RecallCases.Of(Pump);

        (record.Source, record.Id, record.Type).ShouldBe((RecallCases.Source, "Z-1", "capa.nonconformity-import.v1"));
        record.Data.ShouldBe(new ImportedData(
            RecallCases.Site, "Recall Z-1", "It leaks.", "Pump", "ABC", "Maker", "Software design",
            "fda.software-design", "Letters.", 20,
            "event: 7; panel: Surgery; submission: 510(k); in commerce: 1 kit/box, 20 boxes; distribution: Nationwide",
            "Terminated", true, "2011-05-06", "2012-01-02"));
    }

    [Fact]
    public void What_the_source_does_not_say_is_not_made_up()
    {
        var data = RecallCases.Of(Pump with { Terminated = "", Cause = "", Quantity = "", Action = "" }).Data;

        (data.IsClosed, data.ClosedOn).ShouldBe((true, null), "Terminated at a time that nobody knows.");
        (data.Cause, data.CauseCode, data.Quantity, data.Action).ShouldBe((null, null, null, null));
        RecallCases.Of(Pump with { Terminated = "", Status = "Completed" }).Data.IsClosed.ShouldBeFalse();
    }

    [Fact]
    public void A_date_that_cannot_be_is_handed_over_as_it_is() =>
        RecallCases.Of(Pump with { Initiated = "0010-08-17" }).Data.OpenedOn.ShouldBe("0010-08-17");

    [Fact]
    public void Cases_are_connected_by_what_lists_them_and_pairs_are_no_group()
    {
        Likeness[] likenesses = [new("b", "a", 1), new("c", "b", 9), new("x", "y", 1), new("y", "x", 1)];

        RecallSearch.Connected(likenesses).ShouldHaveSingleItem().ShouldBe(["a", "b", "c"]);
    }

    [Fact]
    public void A_group_counts_as_found_only_with_all_its_members_and_nobody_else()
    {
        RecallGroup[] groups = [new("M", "C", "P", ["a", "b", "c"]), new("M", "C", "Q", ["d", "e", "f"])];
        Likeness[] all =
        [
            new("a", "b", 1), new("a", "c", 2), new("b", "a", 1), new("b", "c", 2), new("c", "a", 1), new("c", "b", 2),
        ];

        GroupTally.Of(groups, all)
            .ShouldBe(new GroupTally(InFile: 2, Found: 1, Complete: 1, AtFirstGlance: 1, Others: 0));
        GroupTally.Of(groups, [.. all, new("z", "a", 1)])
            .ShouldBe(new GroupTally(InFile: 2, Found: 0, Complete: 0, AtFirstGlance: 0, Others: 1));
        GroupTally.Of(groups, [new("a", "b", 11), new("b", "c", 1), new("c", "a", 1)])
            .ShouldBe(new GroupTally(InFile: 2, Found: 1, Complete: 0, AtFirstGlance: 0, Others: 0));
    }

    [Fact]
    public void A_tree_has_all_codes_that_others_stand_below() =>
        CauseTree.WithParents([new("machine.wear.tool", "Tool"), new("machine", "Machines")])
            .ShouldBe([
                new("machine", "Machines"), new("machine.wear", "machine.wear"), new("machine.wear.tool", "Tool")]);

    [Fact]
    public void Its_site_is_none_of_a_user() => UserCases.IsOfDemonstration(RecallCases.Site).ShouldBeTrue();

    [Fact]
    public void A_file_that_lacks_a_column_is_refused_by_its_name() =>
        Should.Throw<UnplayableFileException>(() =>
                RecallFile.Read(CsvTable.Read(new StringReader("recall_number,product\nZ-1,Pump\n"))))
            .Message.ShouldContain("'recall_event_id' of the recalls is missing");
}
