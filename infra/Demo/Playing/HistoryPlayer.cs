using CapaEngine.Demo.Api;

namespace CapaEngine.Demo.Playing;

/// <summary>A moment at which the play stops for people to act, before anything later is sent.</summary>
/// <param name="At">Events up to here have been sent when it comes.</param>
/// <param name="Act">What people do; they are told how many different events have been sent.</param>
public sealed record Pause(DateTimeOffset At, Func<int, CancellationToken, Task> Act);

/// <summary>How the receipts of a play add up.</summary>
public sealed record Tally(int Sent = 0, int Accepted = 0, int Duplicates = 0, int Conflicts = 0, int Quarantined = 0)
{
    /// <summary>The tally with one more receipt.</summary>
    public Tally With(string outcome) => outcome switch
    {
        "accepted" => this with { Sent = Sent + 1, Accepted = Accepted + 1 },
        "duplicate" => this with { Sent = Sent + 1, Duplicates = Duplicates + 1 },
        "conflict" => this with { Sent = Sent + 1, Conflicts = Conflicts + 1 },
        "quarantined" => this with { Sent = Sent + 1, Quarantined = Quarantined + 1 },
        _ => throw new InvalidOperationException($"A receipt says '{outcome}'."),
    };
}

/// <summary>
/// Plays a history in the order of its times. It stops where people act on a case, because a record's history only goes
/// forwards: what a person did on a Saturday is refused once the case holds something of the Monday after.
/// </summary>
public sealed class HistoryPlayer(CapaApi api, Report report)
{
    /// <summary>Events in one request.</summary>
    public const int BatchCountMax = 500;

    /// <summary>Sends all events and acts at every pause on the way.</summary>
    public async Task<Tally> PlayAsync(
        IReadOnlyList<CloudEvent> events, IEnumerable<Pause> pauses, CancellationToken ct)
    {
        var tally = new Tally();
        var ordered = events.OrderBy(sent => sent.Time).ToList();
        var next = 0;
        foreach (var pause in pauses.OrderBy(pause => pause.At))
        {
            var later = ordered.FindIndex(next, sent => sent.Time > pause.At);
            var upTo = later < 0 ? ordered.Count : later;
            tally = await SendAsync(ordered, next, upTo, tally, ct);
            next = upTo;
            await pause.Act(ordered.Take(next).DistinctBy(sent => sent.Id).Count(), ct);
        }

        return await SendAsync(ordered, next, ordered.Count, tally, ct);
    }

    private async Task<Tally> SendAsync(List<CloudEvent> events, int from, int to, Tally tally, CancellationToken ct)
    {
        for (var next = from; next < to; next += BatchCountMax)
        {
            var batch = events.GetRange(next, Math.Min(BatchCountMax, to - next));
            foreach (var receipt in await api.SendAsync(batch, ct))
                tally = tally.With((string)receipt!["outcome"]!);
            report.Progress("machine events sent", tally.Sent, events.Count);
        }

        return tally;
    }
}
