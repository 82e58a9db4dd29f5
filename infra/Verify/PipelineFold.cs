using System.Globalization;
using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Verify;

/// <summary>
/// How far relays and followers say they have come, beside how far the log goes; and what reactions were set aside.
/// </summary>
internal sealed class PipelineFold(int partitionCount)
{
    private const string RelayCheck = "relay-position", FollowerCheck = "follower-position";
    private const string ParkedCheck = "parked-reaction";

    private readonly Dictionary<string, ulong> _heads = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ulong> _headsOfServices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ulong> _relays = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, ulong>> _followers = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Service, Guid EventId), ParkingEvent.Parked> _parked = [];
    private readonly string _layout = partitionCount == Partitions.CountDefault
        ? "" : string.Create(CultureInfo.InvariantCulture, $".of{partitionCount}");

    /// <summary>Which families the reactions of each service follow.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<Family>> Reactions { get; } =
        new Dictionary<string, IReadOnlyList<Family>>(StringComparer.Ordinal)
        {
            [ServiceNames.Nonconformities] = [Families.ActionPlan, Families.Concession, Families.Nonconformity],
            [ServiceNames.RootCauses] = [Families.ActionPlan],
            [ServiceNames.ActionPlans] =
                [Families.Nonconformity, Families.RootCause, Families.ActionPlan, Families.Effectiveness],
        };

    /// <summary>The events whose reactions are set aside now.</summary>
    public IReadOnlySet<Guid> ParkedEvents => _parked.Keys.Select(key => key.EventId).ToHashSet();

    /// <summary>The streams with such events.</summary>
    public IReadOnlySet<string> ParkedStreams =>
        _parked.Values.Select(parked => parked.Stream).ToHashSet(StringComparer.Ordinal);

    /// <summary>Takes the place of an event of a family.</summary>
    public void TakePlace(Family family, string stream, ulong position)
    {
        _heads[KeyOf(family, Partitions.Of(stream, partitionCount))] = position;
        _headsOfServices[family.Owner] = position;
    }

    /// <summary>Takes an event of a stream that the pipeline keeps for itself.</summary>
    public void TakeOperational(RecordedEvent recorded)
    {
        var service = recorded.Stream[(recorded.Stream.IndexOf('-', StringComparison.Ordinal) + 1)..];
        switch (EventCatalog.Deserialize(recorded.Type, recorded.Data.Span))
        {
            case CheckpointEvent.Relay relay:
                _relays[service] = relay.Commit;
                break;
            case CheckpointEvent.Follower follower:
                _followers[service] = follower.Positions.ToDictionary(
                    entry => entry.RoutingKey, entry => entry.Position, StringComparer.Ordinal);
                break;
            case ParkingEvent.Parked parked:
                _parked[(service, parked.EventId)] = parked;
                break;
            case ParkingEvent.Released released:
                _parked.Remove((service, released.EventId));
                break;
        }
    }

    /// <summary>Compares every position with the log, and lists what is parked.</summary>
    /// <param name="projected">The positions of the read models, by routing key.</param>
    /// <param name="end">The last position of the log.</param>
    public void Inspect(Inspection inspection, IReadOnlyDictionary<string, ulong> projected, ulong end)
    {
        foreach (var (service, head) in _headsOfServices)
        {
            inspection.Examined(RelayCheck, 1);
            Compare(inspection, RelayCheck, $"relay-{service}", _relays.GetValueOrDefault(service), head, end);
        }

        InspectFollower(inspection, ServiceNames.ReadModels, Families.All, projected, end);
        foreach (var (service, families) in Reactions)
            InspectFollower(inspection, service, families, _followers.GetValueOrDefault(service) ?? [], end);

        inspection.Examined(ParkedCheck, _parked.Count);
        foreach (var ((service, id), parked) in _parked)
            inspection.Found(
                ParkedCheck, parked.Stream,
                $"{service}: the reaction to {parked.Type} (revision {parked.Revision}, event {id:D}) is parked, "
                    + $"{parked.Code}: {parked.Reason}");
    }

    private void InspectFollower(
        Inspection inspection, string name, IReadOnlyList<Family> families,
        IReadOnlyDictionary<string, ulong> positions, ulong end)
    {
        foreach (var (key, position) in positions)
        {
            inspection.Examined(FollowerCheck, 1);
            if (position > end) inspection.Found(FollowerCheck, $"{name} {key}", Beyond(position, end));
        }

        var keys = families.SelectMany(
            family => Enumerable.Range(0, partitionCount).Select(partition => KeyOf(family, partition)));
        foreach (var key in keys)
        {
            if (_heads.TryGetValue(key, out var head) && positions.GetValueOrDefault(key) < head)
                inspection.Found(FollowerCheck, $"{name} {key}", Behind(positions.GetValueOrDefault(key)));
        }
    }

    private static void Compare(
        Inspection inspection, string check, string subject, ulong position, ulong head, ulong end)
    {
        if (position > end) inspection.Found(check, subject, Beyond(position, end));
        else if (position < head) inspection.Found(check, subject, Behind(position));
    }

    // While it stands at one place the finding stays the same, however fast the log grows.
    private static string Behind(ulong position) => $"stands at {position}, and later events wait";

    private static string Beyond(ulong position, ulong end) =>
        $"stands at {position}, beyond the end of the log, {end}";

    private string KeyOf(Family family, int partition) => Partitions.RoutingKey(family.Name, partition) + _layout;
}
