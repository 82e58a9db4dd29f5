using System.Threading.Channels;
using CapaEngine.Contracts;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>Who sends events, in which media type, and which native types are taken there.</summary>
public sealed record IntakeOrigin(Sender Sender, string ContentType, IReadOnlyCollection<string> Types)
{
    /// <summary>The key under which the sender may repeat the request; null where there is none.</summary>
    public string? RequestKey { get; init; }

    /// <summary>
    /// The id of an event of the request's n-th message: by it a repetition under the key finds what the first one
    /// recorded, and is answered as the first. Null where there is no key.
    /// </summary>
    public Guid? EventIdOf(MachineEvent machine, int message) => RequestKey is null ? null : NameBasedId.From(
        $"{machine.Stream}\n{Sender.Actor.PersonId}\n{RequestKey}\n{message}\n{machine.PayloadHash}");
}

/// <summary>Records one event; a way in may try again here where another answers that it failed.</summary>
public delegate Task<Receipt> Recording(Func<Task<Receipt>> record, CancellationToken ct);

/// <summary>
/// The events of one request or queue on their way into the log: a bounded number at the same time, which the store
/// gathers into few writes. Events are entered one by one, in the order in which they came.
/// </summary>
public sealed class IntakeWindow(MessageReader reader, IntakeLog log, Recording recording, TimeProvider clock)
{
    // Enough to fill the store's pipeline and its group commits; more only adds memory. A large event takes several
    // places, so that all of them together stay below 16 MiB.
    private const int PlacesMax = 512;
    private const int BytesOfPlace = 32 << 10;
    private const int NameLengthMax = 500;

    // A place is taken by writing and given back by reading; a request that was given up leaves nothing to dispose of.
    private readonly Channel<bool> places = Channel.CreateBounded<bool>(PlacesMax);
    private readonly StreamTurns turns = new();
    private volatile bool hasFailed;
    private int messageCount;

    /// <summary>Waits until the event may be entered; false once one could not be recorded.</summary>
    public async Task<bool> WaitForPlaceAsync(IntakeItem item, CancellationToken ct)
    {
        for (var place = PlacesOf(item); place > 0; place--) await places.Writer.WriteAsync(true, ct);
        return !hasFailed;
    }

    /// <summary>Enters an event, for which a place was waited for. The receipt is given when it is durable.</summary>
    public async Task<Receipt> TakeAsync(IntakeItem item, IntakeOrigin origin, CancellationToken ct)
    {
        var message = Interlocked.Increment(ref messageCount);
        try
        {
            var understood = reader.Read(item, origin.Sender, origin.Types, clock.GetUtcNow());
            var receipt = understood.Why is { } why ? await QuarantineAsync(item, why, origin, ct)
                : understood.Ignored is { } because ? Receipt.OfIgnored(item.Envelope!, because)
                : await RecordAsync(item, message, understood.Events, origin, ct);
            IntakeTelemetry.Count(receipt.Outcome);
            return receipt;
        }
        catch
        {
            hasFailed = true;
            throw;
        }
        finally
        {
            for (var place = PlacesOf(item); place > 0; place--) places.Reader.TryRead(out _);
        }
    }

    private static int PlacesOf(IntakeItem item) =>
        1 + (Math.Min(item.Raw.Length, IntakeBody.EventBytesMax) / BytesOfPlace);

    // What the log can never hold is kept like what is not understood; everything else that fails may be repeated.
    private async Task<Receipt> RecordAsync(
        IntakeItem item, int message, IReadOnlyList<MachineEvent> events, IntakeOrigin origin, CancellationToken ct)
    {
        try
        {
            return Receipt.OfAll(item.Envelope!, await Task.WhenAll(events.Select(machine => turns.InTurnAsync(
                machine.Stream, () => recording(
                    () => log.RecordAsync(machine, origin.Sender, ct, origin.EventIdOf(machine, message)), ct)))));
        }
        catch (NotUnderstoodException never)
        {
            return await QuarantineAsync(item, never, origin, ct);
        }
    }

    private Task<Receipt> QuarantineAsync(
        IntakeItem item, NotUnderstoodException why, IntakeOrigin origin, CancellationToken ct) =>
        recording(
            () => log.QuarantineAsync(
                item.Raw, origin.ContentType, why, Short(item.Envelope?.Source), Short(item.Envelope?.Id),
                origin.Sender, ct),
            ct);

    // What names the sender of a quarantined event is a help to people, not an id: it may be anything.
    private static string? Short(string? text) => text?.Length > NameLengthMax ? text[..NameLengthMax] : text;
}
