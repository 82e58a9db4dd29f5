using System.IO.Compression;
using CapaEngine.Demo.Api;
using CapaEngine.Demo.Playing;
using CapaEngine.Demo.Recalls;
using CapaEngine.Integration.Infrastructure;
using CsvHelper;
using Shouldly;

namespace CapaEngine.Integration.Journeys;

/// <summary>The file of recalls as the demonstration hands it over, against what it says by itself.</summary>
[Collection(nameof(SystemFixture))]
public sealed class RecallsOfTheFda(SystemFixture system)
{
    private const string FileName = "fda_device_recalls_2002_2013.csv.gz";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task every_recall_is_a_case_or_in_quarantine_and_similarity_finds_the_groups()
    {
        var rows = Rows();
        rows.Count.ShouldBe(6_909);
        using var http = new HttpClient { BaseAddress = system.Running.Api, Timeout = TimeSpan.FromSeconds(100) };
        var analyst = new AnalystDesk(system.Running.Database);
        var play = new RecallPlay(
            new CapaApi(http, TimeProvider.System), analyst, new Report(TextWriter.Null, false, TimeProvider.System),
            TimeProvider.System);
        var recalls = RecallFile.Read(PathOfFile());

        var first = await play.HandOverAsync(recalls, Ct);
        (first.Imported, first.Duplicates, first.Conflicts, first.Quarantined.Count).ShouldBe((6_897, 0, 0, 12));
        var version = await VersionAsync();
        var second = await play.HandOverAsync(recalls, Ct);
        (second.Imported, second.Duplicates, second.Conflicts, second.Quarantined.Count).ShouldBe((0, 6_897, 0, 12));
        second.Quarantined.Select(kept => kept.Number).ShouldBe(
            rows.Where(row => row.Initiated.StartsWith("00", StringComparison.Ordinal)).Select(row => row.Number),
            ignoreOrder: true);

        (await VersionAsync()).ShouldBe(version, "The second run sets no version.");
        await ExpectCountsAsync(rows);
        await ExpectGroupsAsync(rows, new RecallSearch(analyst));
    }

    private async Task ExpectCountsAsync(List<Row> rows)
    {
        var held = rows.Where(row => !row.Initiated.StartsWith("00", StringComparison.Ordinal)).ToList();
        (await CountAsync("status = 'closed' and closed_by = 'by-source'"))
            .ShouldBe(held.Count(row => row.Status == "Terminated"));
        (await CountAsync("status = 'closed' and closed_at is null"))
            .ShouldBe(held.Count(row => row is { Status: "Terminated", Terminated: "" }));
        (await CountAsync("status = 'imported'")).ShouldBe(held.Count(row => row.Status != "Terminated"));
        (await CountAsync("number is not null")).ShouldBe(held.Count);
        (await CountAsync("stated_cause_code in (select code from reporting.cause_code)")).ShouldBe(held.Count);
        (await system.Running.ScalarAsync<long>($"""
            select count(*) from reporting.cause_code where version = {await VersionAsync()} and code like 'fda.%'
            """, Ct)).ShouldBe(43);
    }

    // The groups are counted from the file alone. One member of each is asked about, and of the recalls in none of them
    // every fiftieth; the demonstration asks about all.
    private static async Task ExpectGroupsAsync(List<Row> rows, RecallSearch search)
    {
        static Dictionary<string, List<string>> GroupsOf(IEnumerable<Row> some) => some
            .GroupBy(row => $"{row.Firm}|{row.Cause}|{row.ProductCode}", row => row.Number)
            .Where(group => group.Count() > 2).ToDictionary(group => group.Key, group => group.ToList());

        GroupsOf(rows).Count.ShouldBe(228);
        var held = rows.Where(row => !row.Initiated.StartsWith("00", StringComparison.Ordinal)).ToList();
        var groups = GroupsOf(held);
        groups.Count.ShouldBe(227);
        var members = groups.Values.SelectMany(numbers => numbers).ToHashSet();
        var others = held.Select(row => row.Number).Where(number => !members.Contains(number))
            .Where((_, place) => place % 50 == 0);

        var likenesses = await search.AskAsync(
            [.. groups.Values.Select(numbers => numbers[0]), .. others], (_, _) => { }, Ct);

        RecallSearch.Connected(likenesses).Select(found => string.Join(' ', found)).ShouldBe(
            groups.Values.Select(numbers => string.Join(' ', numbers.Order(StringComparer.Ordinal))),
            ignoreOrder: true);
        var listed = likenesses.ToLookup(like => like.Of, like => like.To);
        foreach (var numbers in groups.Values) listed[numbers[0]].ShouldBe(numbers.Skip(1), ignoreOrder: true);
    }

    private Task<int> VersionAsync() =>
        system.Running.ScalarAsync<int>("select max(version) from reporting.cause_code", Ct);

    private Task<long> CountAsync(string condition) => system.Running.ScalarAsync<long>(
        $"select count(*) from reporting.nonconformity where site = '{RecallCases.Site}' and {condition}", Ct);

    private static List<Row> Rows()
    {
        using var content = new GZipStream(File.OpenRead(PathOfFile()), CompressionMode.Decompress);
        using var csv = CsvReader.Create(content);
        var rows = new List<Row>();
        while (csv.Read())
            rows.Add(new Row(
                csv.GetString("recall_number"), csv.GetString("date_initiated"), csv.GetString("recall_status"),
                csv.GetString("date_terminated"), csv.GetString("recalling_firm"),
                csv.GetString("fda_determined_cause"), csv.GetString("product_code")));
        return rows;
    }

    private static string PathOfFile()
    {
        var path = Path.GetFullPath(Path.Combine(ServiceProcess.RepositoryRoot(), "../shared/data", FileName));
        return File.Exists(path) ? path : throw new FileNotFoundException($"The recalls are not at {path}.");
    }

    private sealed record Row(
        string Number, string Initiated, string Status, string Terminated, string Firm, string Cause,
        string ProductCode);
}
