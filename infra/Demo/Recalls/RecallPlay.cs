using System.Text.Json.Nodes;
using CapaEngine.Demo.Api;
using CapaEngine.Demo.Cases;
using CapaEngine.Demo.Playing;

namespace CapaEngine.Demo.Recalls;

/// <summary>A record that the system keeps in quarantine, and why.</summary>
public sealed record Quarantined(string Number, string Detail);

/// <summary>What became of the recalls in one run.</summary>
public sealed record ImportTally(
    int Imported, int Duplicates, int Conflicts, IReadOnlyList<Quarantined> Quarantined)
{
    /// <summary>The recalls that the system holds as cases.</summary>
    public int Held => Imported + Duplicates;
}

/// <summary>Hands the recalls over to the running system and shows what it makes of them.</summary>
public sealed class RecallPlay(CapaApi api, AnalystDesk analyst, Report report, TimeProvider clock)
{
    private const int RecordsPerRequest = 1_000;

    /// <summary>Hands the recalls over, asks for the likeness of all of them, and prints the numbers.</summary>
    public async Task RunAsync(IReadOnlyList<Recall> recalls, CancellationToken ct)
    {
        var tally = await HandOverAsync(recalls, ct);
        await ShowAsync(recalls.Count, tally, ct);
        await ShowGroupsAsync(recalls, tally, ct);
    }

    /// <summary>Sets the cause codes, imports, and waits until the read models hold all of it.</summary>
    public async Task<ImportTally> HandOverAsync(IReadOnlyList<Recall> recalls, CancellationToken ct)
    {
        var desk = new CaseDesk(api, clock);
        report.Say(await new CauseTree(api, analyst, desk).SetAsync(recalls, ct));
        var started = clock.GetTimestamp();
        var tally = await ImportAsync(recalls, ct);
        report.Say($"Handed over {recalls.Count:N0} recalls in {Seconds(started)}: {tally.Imported:N0} imported, "
            + $"{tally.Duplicates:N0} held already, {tally.Quarantined.Count:N0} quarantined.");
        if (tally.Conflicts > 0)
            throw new NotAsExpectedException($"{tally.Conflicts} recalls say other than before; both are kept.");
        if (tally.Held + tally.Quarantined.Count != recalls.Count)
            throw new NotAsExpectedException("The receipts do not add up to the rows of the file.");
        await AreRowsAsync(tally, desk, ct);
        report.Say($"All are rows of the read models and numbered after {Seconds(started)}.");
        return tally;
    }

    private async Task<ImportTally> ImportAsync(IReadOnlyList<Recall> recalls, CancellationToken ct)
    {
        var receipts = new List<JsonNode>();
        foreach (var batch in recalls.Select(RecallCases.Of).Chunk(RecordsPerRequest))
        {
            receipts.AddRange((await api.ImportAsync(batch, ct))!);
            report.Progress("recalls handed over", receipts.Count, recalls.Count);
        }

        var byOutcome = receipts.ToLookup(receipt => (string)receipt["outcome"]!);
        return new ImportTally(
            byOutcome["imported"].Count(), byOutcome["duplicate"].Count(), byOutcome["conflict"].Count(),
            [.. byOutcome["quarantined"].Select(receipt =>
                new Quarantined((string)receipt["sourceId"]!, (string)receipt["detail"]!))]);
    }

    private Task AreRowsAsync(ImportTally tally, CaseDesk desk, CancellationToken ct) =>
        desk.UntilAsync("All recalls are rows of the read models, with numbers", async () =>
        {
            var rows = (await analyst.ListAsync("""
                select (select count(number) from reporting.nonconformity where source_system = $1)
                  + (select count(distinct source_event_id) from reporting.quarantine where source = $1)
                """, row => row.GetInt64(0), ct, RecallCases.Source))[0];
            report.Progress("recalls in the read models", rows, tally.Held + tally.Quarantined.Count);
            return rows >= tally.Held + tally.Quarantined.Count;
        }, ct);

    private async Task ShowAsync(int count, ImportTally tally, CancellationToken ct)
    {
        var held = (await analyst.ListAsync("""
            select count(*), count(*) filter (where status = 'closed'),
              count(*) filter (where status = 'closed' and closed_at is null),
              count(*) filter (where status = 'imported')
            from reporting.nonconformity where source_system = $1
            """,
            row => (Cases: row.GetInt64(0), Closed: row.GetInt64(1), Undated: row.GetInt64(2), Open: row.GetInt64(3)),
            ct, RecallCases.Source))[0];
        report.Say();
        report.Say($"{held.Cases:N0} imported + {tally.Quarantined.Count:N0} quarantined = {count:N0}.");
        if (held.Cases + tally.Quarantined.Count != count)
            throw new NotAsExpectedException($"{held.Cases} cases are held, the file has {count} recalls.");
        report.Say($"{held.Closed:N0} closed by the source ({held.Undated} of them it does not say when), "
            + $"{held.Open} still open there.");
        report.Say("In quarantine, because these dates cannot be:");
        foreach (var kept in tally.Quarantined) report.Say($"  {kept.Number}  {kept.Detail}");
        foreach (var question in Questions) await ShowAsync(question, ct);
    }

    private async Task ShowAsync(SqlQuestion question, CancellationToken ct)
    {
        report.Say();
        report.Say(question.About);
        report.Say($"  ./capa sql -c \"{question.OnOneLine()}\"");
        foreach (var line in await analyst.AskAsync(question, ct)) report.Say($"    {line}");
    }

    private async Task ShowGroupsAsync(IReadOnlyList<Recall> recalls, ImportTally tally, CancellationToken ct)
    {
        report.Say();
        report.Say("Is there more of it? The similarity of cases is asked for every recall:");
        var started = clock.GetTimestamp();
        var quarantined = tally.Quarantined.Select(kept => kept.Number).ToHashSet();
        IReadOnlyList<Recall> held = [.. recalls.Where(recall => !quarantined.Contains(recall.Number))];
        var likenesses = await new RecallSearch(analyst).AskAsync(
            [.. held.Select(recall => recall.Number)],
            (asked, all) => report.Progress("recalls asked about", asked, all), ct);
        var groups = GroupTally.Of(RecallGroup.In(held), likenesses);
        report.Say($"{RecallGroup.In(recalls).Count} groups of three or more recalls of one firm, one cause and one "
            + $"product code stand in the file, {groups.InFile} without the quarantined. In {Seconds(started)} "
            + $"similarity found {groups.Found} of them and {groups.Others} others; in {groups.Complete} every member "
            + $"lists all others, in {groups.AtFirstGlance} at least one among its first {GroupTally.FirstHits} hits.");
    }

    private string Seconds(long started) => $"{clock.GetElapsedTime(started).TotalSeconds:N1} s";

    private static SqlQuestion[] Questions { get; } =
    [
        new("The causes that the source determined, most frequent first:", $"""
            select stated_cause as cause, count(*) as recalls,
              round(100.0 * sum(count(*)) over (order by count(*) desc, stated_cause) / sum(count(*)) over (), 1)
                as percent_so_far
            from reporting.nonconformity where site = '{RecallCases.Site}'
            group by 1 order by 2 desc, 1 limit 10
            """),
        new("How long they were open, by year:", $"""
            select extract(year from opened_at)::int as year, count(*) as recalls,
              percentile_cont(0.5) within group (order by age_days) as median_days,
              count(*) filter (where status = 'imported') as still_open
            from reporting.nonconformity where site = '{RecallCases.Site}' group by 1 order by 1
            """),
    ];
}
