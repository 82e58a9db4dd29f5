using System.Collections.Concurrent;
using CapaEngine.Contracts;
using CapaEngine.Hosting;

namespace CapaEngine.ReadModels;

/// <summary>
/// Where the followed events become rows. One transaction holds the rows of a batch and the position it leads to, and
/// the position moves only from where this process believes it to be: of two projectors, one moves it and the other
/// sees that it has moved. The same holds for which streams wait: whoever parks or releases one counts it on the row of
/// the position, so that nobody skips the events of a released stream, or projects those behind a parked one.
/// </summary>
public sealed class Projector(
    IReadModelTables tables, IEnumerable<IReadModel> readModels, ParkedStreams parked, ILogger<Projector> logger)
    : IFollowerSink
{
    /// <summary>The name of this follower in queues and metrics.</summary>
    public const string FollowerName = ServiceNames.ReadModels;

    private const int AttemptCountMax = 5;

    private IReadOnlyDictionary<string, int>? versionsAtStart;

    private readonly ConcurrentDictionary<string, Standing> standings = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadModel[]> modelsByFamily = Contracts.Families.All.ToDictionary(
        family => family.Name, family => readModels.Where(model => model.Families.Contains(family)).ToArray());

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, ulong>> LoadPositionsAsync(CancellationToken ct)
    {
        var stored = await tables.LoadStandingsAsync(ct);
        await KeepAsync(stored, ct);
        return stored.ToDictionary(row => row.RoutingKey, row => row.Through);
    }

    /// <inheritdoc/>
    public async Task ApplyAsync(
        string routingKey, IReadOnlyList<IncomingEvent> events, ulong through, CancellationToken ct)
    {
        for (var attempt = 1; attempt <= AttemptCountMax; attempt++)
        {
            var expected = standings.GetValueOrDefault(routingKey) ?? new Standing(routingKey, 0, 0);
            if (through <= expected.Through) return;
            // Whoever moved the position meanwhile wrote the rows of the events up to it.
            var missing = events.Where(incoming => incoming.Position.Commit > expected.Through).ToList();
            if (await TryApplyAsync(missing, expected, through, ct)) return;
            await ReloadAsync(expected, ct);
        }

        throw new InvalidOperationException(
            $"Others keep changing the position of {routingKey}, or which of its streams wait.");
    }

    /// <summary>The statements of events of one family, in the order they must be carried out.</summary>
    public IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) =>
        events.Count == 0 ? [] : modelsByFamily[events[0].Family.Name].SelectMany(model => model.Project(events));

    private async Task<bool> TryApplyAsync(
        List<IncomingEvent> events, Standing expected, ulong through, CancellationToken ct)
    {
        var (known, parking) = parked.Divide(expected.RoutingKey, events);
        try
        {
            return await CommitAsync(parking, known, expected, through, ct);
        }
        catch (RowsRefusedException refused)
        {
            // One event that PostgreSQL cannot store must not hold up the others: find it, and park its stream.
            logger.LogWarning(
                refused, "Rows of {RoutingKey} were refused; its events are tried singly.", expected.RoutingKey);
            var good = await RehearseAsync(expected.RoutingKey, known, parking, ct);
            return await CommitAsync(parking, good, expected, through, ct);
        }
    }

    private async Task<bool> CommitAsync(
        List<SqlStatement> parking, List<IncomingEvent> events, Standing expected, ulong through, CancellationToken ct)
    {
        List<SqlStatement> statements = [.. parking, .. Project(events)];
        if (!await tables.CommitAsync(expected, through, parking.Count, statements, ct)) return false;

        // The number of parkings stays behind the stored one until the parked streams were read again.
        var reached = expected with { Position = checked((long)through) };
        standings[expected.RoutingKey] = reached;
        if (parking.Count > 0) await ReloadAsync(reached, ct);
        return true;
    }

    // Rolled back at the end: it only tells which events can be stored, and parks the streams of the others.
    private async Task<List<IncomingEvent>> RehearseAsync(
        string routingKey, List<IncomingEvent> events, List<SqlStatement> parking, CancellationToken ct)
    {
        List<IncomingEvent> good = [];
        HashSet<string> refusedStreams = [];
        await using var rehearsal = await tables.RehearseAsync(ct);
        foreach (var incoming in events.Where(incoming => !refusedStreams.Contains(incoming.Stream)))
        {
            if (await rehearsal.WhyRefusedAsync(Project([incoming]), ct) is not { } reason)
            {
                good.Add(incoming);
                continue;
            }

            refusedStreams.Add(incoming.Stream);
            parking.Add(ParkedStreams.Park(routingKey, incoming, reason));
        }

        return good;
    }

    private async Task ReloadAsync(Standing believed, CancellationToken ct)
    {
        var stored = await tables.StandingAsync(believed.RoutingKey, ct);
        if (stored.Position < believed.Position)
            throw new InvalidOperationException(
                $"The position of {believed.RoutingKey} went back from {believed.Position} to {stored.Position}: the "
                + "database was restored or emptied. Restart the service, which then reads what is missing from the "
                + "log.");
        await KeepAsync([stored], ct);
    }

    // A rebuild moves the number of parkings, so that a projector of another version comes here before it writes again.
    // At the start it may write: its own rebuild is due then.
    private async Task StopWhereOvertakenAsync(CancellationToken ct)
    {
        var stored = await tables.LoadVersionsAsync(ct);
        versionsAtStart ??= stored;
        foreach (var model in readModels)
        {
            if (stored.TryGetValue(model.Name, out var version) && version != model.Version
                && versionsAtStart.GetValueOrDefault(model.Name) != version)
                throw new InvalidOperationException(
                    $"{model.Name} was rebuilt by version {version} of its projection, and this process has version "
                    + $"{model.Version}. It writes no more rows and is to be replaced.");
        }
    }

    // The parked streams are read after the numbers of parkings and are known before these: a list that is newer than
    // its number is caught by the fence, one that is older would not be.
    private async Task KeepAsync(IReadOnlyList<Standing> stored, CancellationToken ct)
    {
        await parked.LoadAsync(ct);
        await StopWhereOvertakenAsync(ct);
        foreach (var standing in stored) standings[standing.RoutingKey] = standing;
    }
}
