using System.Text.RegularExpressions;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using Npgsql;

namespace CapaEngine.ReadModels.Rebuilding;

/// <summary>
/// Writes the rows of events into the tables of another schema, by the very statements that write the live ones. What
/// cannot be projected parks its stream there, as it would in the live tables.
/// </summary>
internal sealed partial class CopyWriter(
    IReadOnlyList<IReadModel> models, string target, IEnumerable<string> tables, int partitionCount)
{
    private readonly HashSet<string> _tables = [.. tables];
    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly HashSet<string> _parked = new(StringComparer.Ordinal);

    /// <summary>The families whose events it wants.</summary>
    public IReadOnlyList<Family> Families { get; } = [.. models.SelectMany(model => model.Families).Distinct()];

    /// <summary>Reads which streams wait in the target.</summary>
    public async Task LoadParkedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        _parked.Clear();
        _parked.UnionWith(await connection.ValuesAsync<string>(
            new SqlStatement($"select stream from {target}.parked_stream"), ct));
    }

    /// <summary>Writes the rows of events, which are in log order, in the caller's transaction.</summary>
    public async Task WriteAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IReadOnlyList<IncomingEvent> events,
        CancellationToken ct)
    {
        // No table is written from two families, so that their order among each other does not matter.
        var known = await ParkUnknownAsync(connection, events, ct);
        var families = known.GroupBy(incoming => incoming.Family)
            .Select(family => (IReadOnlyList<IncomingEvent>)[.. family]).ToList();
        if (await TryAsync(connection, transaction, families.SelectMany(Project), ct) is null) return;
        foreach (var family in families) await DivideAsync(connection, transaction, family, ct);
    }

    // Finds the event that PostgreSQL refuses by halves; the stream's later events wait with it.
    private async Task DivideAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IReadOnlyList<IncomingEvent> events,
        CancellationToken ct)
    {
        var waiting = events.Where(incoming => !_parked.Contains(incoming.Stream)).ToList();
        if (waiting.Count == 0) return;
        if (await TryAsync(connection, transaction, Project(waiting), ct) is not { } reason) return;
        if (waiting.Count == 1)
        {
            await ParkAsync(connection, waiting[0], reason, ct);
            return;
        }

        foreach (var half in waiting.Chunk((waiting.Count + 1) / 2))
            await DivideAsync(connection, transaction, half, ct);
    }

    private async Task<List<IncomingEvent>> ParkUnknownAsync(
        NpgsqlConnection connection, IReadOnlyList<IncomingEvent> events, CancellationToken ct)
    {
        List<IncomingEvent> known = new(events.Count);
        foreach (var incoming in events)
        {
            if (_parked.Count > 0 && _parked.Contains(incoming.Stream)) continue;
            if (incoming.Fact is UnknownFact unknown) await ParkAsync(connection, incoming, unknown.Reason, ct);
            else known.Add(incoming);
        }

        return known;
    }

    private Task<int> ParkAsync(
        NpgsqlConnection connection, IncomingEvent incoming, string reason, CancellationToken ct)
    {
        _parked.Add(incoming.Stream);
        var routingKey = FollowedThrough.KeyOf(incoming.Family, incoming.Stream, partitionCount);
        return connection.ExecuteAsync(Aimed(ParkedStreams.Park(routingKey, incoming, reason)), ct);
    }

    private IEnumerable<SqlStatement> Project(IReadOnlyList<IncomingEvent> events) => models
        .Where(model => model.Families.Contains(events[0].Family))
        .SelectMany(model => model.Project(events)).Select(Aimed);

    private static Task<string?> TryAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IEnumerable<SqlStatement> statements,
        CancellationToken ct) => PostgresTables.WhyRefusedAsync(connection, transaction, statements, ct);

    // The few texts there are come again with every chunk.
    private SqlStatement Aimed(SqlStatement statement)
    {
        if (!_texts.TryGetValue(statement.Text, out var text))
            _texts.Add(statement.Text, text = LiveTable().Replace(
                statement.Text, place => place.Groups["table"].Value is var table && _tables.Contains(table)
                    ? $"{target}.{table}" : place.Value));
        return new SqlStatement(text, [.. statement.Values]);
    }

    [GeneratedRegex(@"\bread_models\.(?<table>\w+)", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex LiveTable();
}
