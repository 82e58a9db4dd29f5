using System.Globalization;
using CapaEngine.Contracts;
using Npgsql;

namespace CapaEngine.ReadModels.Rebuilding;

/// <summary>
/// Which events have their live rows: those up to the position of their routing key, but for the streams that wait,
/// which have theirs up to the event that they wait with.
/// </summary>
internal sealed class FollowedThrough
{
    private readonly Dictionary<string, ulong> _positions;
    private readonly Dictionary<string, long> _waiting;
    private readonly int _partitionCount;

    private FollowedThrough(
        Dictionary<string, ulong> positions, Dictionary<string, long> waiting, int partitionCount) =>
        (_positions, _waiting, _partitionCount) = (positions, waiting, partitionCount);

    /// <summary>The streams that wait.</summary>
    public IReadOnlyCollection<string> Waiting => _waiting.Keys;

    /// <summary>Reads it, in the caller's transaction.</summary>
    public static async Task<FollowedThrough> LoadAsync(
        NpgsqlConnection connection, int partitionCount, CancellationToken ct)
    {
        var standings = await connection.QueryAsync<Standing>(
            new SqlStatement($"select {Rows.ColumnsOf<Standing>()} from read_models.follower_position"), ct);
        var waiting = await connection.QueryAsync<ParkedStream>(
            new SqlStatement($"select {Rows.ColumnsOf<ParkedStream>()} from read_models.parked_stream"), ct);
        return new FollowedThrough(
            standings.ToDictionary(standing => standing.RoutingKey, standing => standing.Through),
            waiting.ToDictionary(stream => stream.Stream, stream => stream.Revision), partitionCount);
    }

    /// <summary>The routing key of a stream, as the follower names it.</summary>
    public static string KeyOf(Family family, string stream, int partitionCount) =>
        KeyOf(family, Partitions.Of(stream, partitionCount), partitionCount);

    /// <summary>The position that every partition of the families has reached.</summary>
    public ulong Least(IEnumerable<Family> families) => families
        .SelectMany(family => Enumerable.Range(0, _partitionCount).Select(
            partition => PositionOf(KeyOf(family, partition, _partitionCount))))
        .Min();

    /// <summary>The position that no partition of the families is beyond.</summary>
    public ulong Greatest(IEnumerable<Family> families) => families
        .SelectMany(family => Enumerable.Range(0, _partitionCount).Select(
            partition => PositionOf(KeyOf(family, partition, _partitionCount))))
        .Max();

    /// <summary>Whether an event has its rows.</summary>
    public bool Includes(Family family, string stream, long revision, ulong position) =>
        position <= PositionOf(KeyOf(family, stream, _partitionCount))
        && (!_waiting.TryGetValue(stream, out var first) || revision < first);

    private ulong PositionOf(string routingKey) => _positions.GetValueOrDefault(routingKey);

    private static string KeyOf(Family family, int partition, int partitionCount) =>
        Partitions.RoutingKey(family.Name, partition) + (partitionCount == Partitions.CountDefault
            ? "" : string.Create(CultureInfo.InvariantCulture, $".of{partitionCount}"));
}
