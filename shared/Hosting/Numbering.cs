using System.Globalization;
using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Hosting;

/// <summary>Which streams are numbered, where the numbers are kept and how they read.</summary>
/// <param name="Cases">The family whose streams get numbers.</param>
/// <param name="Numbers">The family of the numbering streams, one a year.</param>
/// <param name="Prefix">What a number begins with, such as <c>NC</c>.</param>
public sealed record NumberSeries(Family Cases, Family Numbers, string Prefix)
{
    /// <summary>No number is older than the product, so the search for the last one ends here.</summary>
    public const int YearMin = 2020;

    /// <summary>The stream of a year's numbers.</summary>
    public string Stream(int year) => string.Create(CultureInfo.InvariantCulture, $"{Numbers.Prefix}{year}");

    /// <summary>The number at a revision of a numbering stream, such as <c>NC-2026-000123</c>.</summary>
    public string Format(string stream, long revision) => string.Create(
        CultureInfo.InvariantCulture, $"{Prefix}-{stream.AsSpan(Numbers.Prefix.Length)}-{revision + 1:D6}");

    /// <summary>The last event of each year's numbering stream, latest year first.</summary>
    internal async Task<IReadOnlyList<RecordedEvent>> ReadLastAsync(
        IEventStore store, DateTimeOffset now, CancellationToken ct)
    {
        var found = new List<RecordedEvent>();
        for (var year = now.UtcDateTime.Year + 1; year >= YearMin; year--)
        {
            await foreach (var last in store.ReadStreamBackwardsAsync(Stream(year), 1, ct)) found.Add(last);
        }

        return found;
    }
}

/// <summary>
/// Gives cases their gap-free numbers, after they exist: the number is a revision, so a refused or repeated append
/// can leave no gap. Run by a <see cref="Leader"/>.
/// </summary>
public sealed class Numbering(string service, NumberSeries series, IEventStore store, TimeProvider clock)
{
    private const int AppendCountMax = 100;

    /// <summary>Numbers until cancelled. Throws where another leader assigned a number: this one is outdated.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var last = await series.ReadLastAsync(store, clock.GetUtcNow(), ct);
        var revisions = last.ToDictionary(recorded => recorded.Stream, recorded => recorded.Revision);

        // Numbers are assigned in the order of the log, over all years; so the highest position is where to go on.
        var after = last.Select(recorded => Assigned(recorded).Position).DefaultIfEmpty().Max();
        var waiting = new List<NewCase>();
        await using var log = new LogFeed(store, LogPosition.At(after), [series.Cases.Prefix], ct);
        while (true)
        {
            // What gathered is written before waiting for more, so nobody waits for a batch to fill.
            if (!log.Next.IsCompleted) await AssignAsync(waiting, revisions, ct);
            if (await log.TakeAsync() is LogMessage.Event { Recorded.Revision: 0 } first
                && NewCase.Of(first.Recorded, series) is { } newCase) waiting.Add(newCase);
            if (waiting.Count >= AppendCountMax) await AssignAsync(waiting, revisions, ct);
        }
    }

    private async Task AssignAsync(List<NewCase> waiting, Dictionary<string, long> revisions, CancellationToken ct)
    {
        foreach (var run in Runs(waiting))
        {
            var stream = run[0].NumberStream;
            var revision = revisions.GetValueOrDefault(stream, -1);
            var events = run.Select(one => ServiceEvent.Of(
                service, NameBasedId.From($"number\n{one.Id:D}"), new NumberingEvent.Assigned(one.Id, one.Position),
                clock.GetUtcNow(), one.CorrelationId, one.EventId.ToString("D"))).ToList();
            var result = await store.AppendAsync(stream, ExpectedRevision.At(revision), events, ct);

            // Whatever else it is, the work begins again from what the numbering streams say.
            if (result is not AppendResult.Appended done)
                throw new InvalidOperationException($"Numbers were not assigned in {stream}: {result}");
            revisions[stream] = done.Revision;
        }

        waiting.Clear();
    }

    // Cases of one year that follow each other share an append; the order of the log is kept across years.
    private static IEnumerable<List<NewCase>> Runs(List<NewCase> waiting)
    {
        for (var start = 0; start < waiting.Count;)
        {
            var run = waiting.Skip(start).TakeWhile(one => one.NumberStream == waiting[start].NumberStream).ToList();
            start += run.Count;
            yield return run;
        }
    }

    private static NumberingEvent.Assigned Assigned(RecordedEvent recorded) =>
        (NumberingEvent.Assigned)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span);

    private sealed record NewCase(Guid Id, ulong Position, string NumberStream, Guid EventId, string? CorrelationId)
    {
        // Null where the stream is not named after an id: it is none of ours and must not stop the numbering.
        public static NewCase? Of(RecordedEvent first, NumberSeries series)
        {
            var name = first.Stream.AsSpan(series.Cases.Prefix.Length);
            if (!Guid.TryParseExact(name, "D", out var id)) return null;
            var metadata = EventEnvelope.Of(first).Metadata;
            var year = (metadata?.RecordedAt ?? first.Created).UtcDateTime.Year;
            return new NewCase(
                id, first.Position.Commit, series.Stream(year), first.Id, metadata?.CorrelationId);
        }
    }
}
