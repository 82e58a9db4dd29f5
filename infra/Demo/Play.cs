using CapaEngine.Demo.Api;
using CapaEngine.Demo.Cases;
using CapaEngine.Demo.Playing;

namespace CapaEngine.Demo;

/// <summary>What is played: events of one source, the stories of its cases, what to look at afterwards.</summary>
/// <param name="Questions">The analyst's questions, once the cases are known.</param>
public sealed record Script(
    string Source, IReadOnlyList<CloudEvent> Events, IReadOnlyList<CaseStory> Stories,
    Func<IReadOnlyList<CaseResult>, IReadOnlyList<SqlQuestion>> Questions);

/// <summary>The result is not what the demonstration set out to show.</summary>
public sealed class NotAsExpectedException(string message) : Exception(message);

/// <summary>Plays a script against the running system and shows what came of it.</summary>
public sealed class Play(CapaApi api, AnalystDesk analyst, Report report, TimeProvider clock)
{
    /// <summary>Plays, waits, drives the cases to their ends and prints what to look at.</summary>
    public async Task RunAsync(Script script, CancellationToken ct)
    {
        var desk = new CaseDesk(api, clock);
        var results = new List<CaseResult>();
        report.Say("Machines report, triage opens cases, people work on them, all in the order of its times:");
        var tally = await new HistoryPlayer(api, report).PlayAsync(
            script.Events, script.Stories.SelectMany(story => PausesOf(story, desk, script.Source, results)), ct);
        if (tally.Conflicts + tally.Quarantined > 0)
            throw new NotAsExpectedException($"{tally.Conflicts} events conflict with others of the same id, "
                + $"{tally.Quarantined} were not understood.");

        var distinct = script.Events.Select(sent => sent.Id).Distinct().Count();
        await AreRowsAsync(script.Source, distinct, desk, ct);
        await ShowAsync(script, tally, distinct, results, ct);
    }

    private IEnumerable<Pause> PausesOf(CaseStory story, CaseDesk desk, string source, List<CaseResult> results)
    {
        var driver = new CaseDriver(desk, report, story);
        yield return new Pause(story.Times.Review, (_, ct) => driver.ReviewAsync(ct));
        yield return new Pause(story.EndsAt, async (sentCount, ct) =>
        {
            // People decide on counts, so what was sent must have been counted.
            await AreRowsAsync(source, sentCount, desk, ct);
            var result = await driver.FinishAsync(ct);
            results.Add(result);
            report.Say($"  {story.EndsAt:yyyy-MM-dd}  {story.Subject.What}: {Describe(result)}");
        });
    }

    private Task AreRowsAsync(string source, int count, CaseDesk desk, CancellationToken ct) =>
        desk.UntilAsync("All events are rows of the read models", async () =>
        {
            var rows = await analyst.RowCountAsync(source, ct);
            if (rows < count) report.Progress("rows in the read models", rows, count);
            return rows >= count;
        }, ct);

    private static string Describe(CaseResult result) =>
        (result.WasDecidedBefore, result.Story.End, result.Verdict) switch
    {
        (true, _, _) => "an earlier play has brought it to its end; left as it is",
        (_, StoryEnd.Reported, _) => "left for somebody to take up",
        (_, StoryEnd.ClosedWithoutCapa, _) => "closed without corrective action, with its reason",
        (_, StoryEnd.Decided, "effective") => "effective: its CAPA and the nonconformity are closed, signed",
        (_, StoryEnd.Decided, var verdict) => $"{verdict ?? "ineffective"}: its CAPA is in the next cycle",
        (_, var end, _) => $"left open while {end.ToString().ToLowerInvariant()}",
    };

    private async Task ShowAsync(
        Script script, Tally tally, int distinct, List<CaseResult> results, CancellationToken ct)
    {
        var rows = await analyst.RowCountAsync(script.Source, ct);
        report.Say();
        report.Say($"Sent {tally.Sent:N0} events: {tally.Accepted:N0} accepted, {tally.Duplicates:N0} repeats. "
            + $"{distinct:N0} different ones, {rows:N0} rows in the read models.");
        if (rows != distinct) throw new NotAsExpectedException("The rows do not agree with what was sent.");
        report.Say();
        report.Say("Look at");
        foreach (var result in results.Where(result => result.Story.End == StoryEnd.Decided))
        {
            var dossier = new Uri(api.Origin, $"/api/v1/cases/{result.NonconformityId:D}");
            report.Say($"  the dossier of {result.Story.Subject.What}: {dossier}");
        }

        report.Say("  (with the header \"Authorization: Bearer $(./capa token --role quality-engineer)\")");
        foreach (var question in script.Questions(results))
        {
            report.Say();
            report.Say($"  {question.About}");
            report.Say($"  ./capa sql -c \"{question.OnOneLine()}\"");
            foreach (var line in await analyst.AskAsync(question, ct)) report.Say($"    {line}");
        }
    }
}
