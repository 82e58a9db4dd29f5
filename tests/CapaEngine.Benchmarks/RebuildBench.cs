using System.Diagnostics;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using CapaEngine.ReadModels;
using CapaEngine.ReadModels.Rebuilding;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace CapaEngine.Benchmarks;

/// <summary>
/// Rebuilds of read models, each beside what its parts do alone in the same round: reading the same log, and copying as
/// many rows into a table with the same keys and indexes. The log holds deviations, one stream each, and to every
/// hundred of them a case with four events.
/// </summary>
internal sealed class RebuildBench(EventLogUnderTest log, int deviations, int rounds)
{
    private const string LimitIs = "read the log, then copy the rows in";
    private const int CallersAtOnce = 200;
    private const int DeviationsToACase = 100;

    private static readonly DateTimeOffset Begin = new(2026, 1, 5, 6, 0, 0, TimeSpan.Zero);
    private static readonly string[] Prefixes = [.. Families.All.Select(family => family.Prefix)];

    /// <summary>Measures the rebuild of everything.</summary>
    public async Task<Measured> RunAsync(CancellationToken ct)
    {
        await FillAsync(ct);
        var connection = new NpgsqlConnectionStringBuilder(await TestServers.CreateDatabaseAsync(ct))
        {
            MaxAutoPrepare = 200, AutoPrepareMinUsages = 2, CommandTimeout = 0,
        }.ConnectionString;
        await Schema.MigrateAsync(connection, NullLogger.Instance, ct);
        await using var database = NpgsqlDataSource.Create(connection);
        // The first fills the live tables, which the limit copies from, and is thrown away.
        await RebuildAsync(database, ct);
        List<Round> measured = [];
        for (var round = 0; round < rounds; round++)
        {
            var limit = 1 / (1 / await ReadAsync(ct) + 1 / await CopyAsync(database, ct));
            var before = log.Cpu();
            var (events, seconds) = await RebuildAsync(database, ct);
            var after = log.Cpu();
            measured.Add(new Round(
                events / seconds, limit, null, null,
                (after.Client - before.Client).TotalMicroseconds / events,
                (after.Server - before.Server).TotalMicroseconds / events));
        }

        return Measured.MedianOf(measured, LimitIs);
    }

    private async Task<(long Events, double Seconds)> RebuildAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        var events = 0L;
        await new Rebuild(
            database, log.Client, Options.Create(new PipelineOptions()), TimeProvider.System,
            NullLogger<Rebuild>.Instance).RunAsync(Projections.All, progress => events = progress.Events, ct);
        return (events, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private async Task<double> ReadAsync(CancellationToken ct)
    {
        var (started, count) = (Stopwatch.GetTimestamp(), 0L);
        await foreach (var _ in log.Client.ReadAllAsync(LogPosition.Start, Prefixes, ct)) count++;
        return count / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    // Events a second, not rows: a case leaves more than one row.
    private async Task<double> CopyAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await ExecuteAsync(connection, "create schema bench", ct);
        await ExecuteAsync(connection, "create table bench.deviation (like read_models.deviation including all)", ct);
        await using (var dump = new NpgsqlCommand(
            "create unlogged table bench.source as select * from read_models.deviation", connection))
            await dump.ExecuteNonQueryAsync(ct);
        var started = Stopwatch.GetTimestamp();
        await PassAsync(database, connection, ct);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await ExecuteAsync(connection, "drop schema bench cascade", ct);
        return deviations / seconds;
    }

    private static async Task PassAsync(NpgsqlDataSource database, NpgsqlConnection target, CancellationToken ct)
    {
        await using var source = await database.OpenConnectionAsync(ct);
        await using var reading = await source.BeginRawBinaryCopyAsync(
            "copy bench.source to stdout (format binary)", ct);
        await using var writing = await target.BeginRawBinaryCopyAsync(
            "copy bench.deviation from stdin (format binary)", ct);
        await reading.CopyToAsync(writing, ct);
    }

    private async Task FillAsync(CancellationToken ct)
    {
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, CallersAtOnce).Select(async _ =>
        {
            for (var n = Interlocked.Increment(ref next); n < deviations; n = Interlocked.Increment(ref next))
            {
                var id = NameBasedId.From($"bench deviation {n}");
                await AppendAsync(Families.Deviation.Stream(id), [Deviation(n)], ct);
                if (n % DeviationsToACase == 0) await AppendCaseAsync(n, id, ct);
            }
        }));
    }

    private Task AppendCaseAsync(int n, Guid deviationId, CancellationToken ct) => AppendAsync(
        Families.Nonconformity.Stream(NameBasedId.From($"bench case {n}")),
        [
            new NonconformityEvent.Reported(
                "north", "Bores too wide", "Above the limit.", new RequirementRef("drawing", "C", "4.2"),
                NonconformitySource.ProcessMonitoring, DetectionStage.InProcess, "valve", "milling", ["L-1"], 10,
                "pieces", Severity.Major, Begin, "service:nonconformities", null, null, null, null),
            new NonconformityEvent.DeviationsAttached([deviationId], Begin, Begin),
            new NonconformityEvent.Accepted("quinn", Severity.Major, 24),
            new NonconformityEvent.ReviewCompleted("quinn"),
        ], ct);

    private async Task AppendAsync(string stream, IReadOnlyList<object> facts, CancellationToken ct)
    {
        var events = facts.Select(fact => NewEvent.Of(Guid.NewGuid(), fact, hash => new EventMetadata(
            new EventActor("bench", ["source-system"], "*"), Begin, Begin, hash))).ToList();
        if (await log.Client.AppendAsync(stream, ExpectedRevision.NoStream, events, ct) is not AppendResult.Appended)
            throw new InvalidOperationException($"{stream} could not be written.");
    }

    private static DeviationEvent.Received Deviation(int n) => new(
        $"urn:bench:line-{n % 16}", $"{n}", "north", $"P-{n % 50}", $"L-{n}", $"S-{n}", $"process-{n % 8}",
        $"E-{n % 20}", null, $"c-{n % 25}", null, 12.7, 11.9, 12.5, "mm", 1, Severity.Minor, Begin.AddSeconds(n), null,
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");

    private static async Task ExecuteAsync(NpgsqlConnection connection, string text, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
