using System.Diagnostics;
using System.Security.Cryptography;
using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Kernel;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>What became of an event that arrived.</summary>
public enum IntakeOutcome { Accepted, Duplicate, Conflict, Quarantined, Ignored }

/// <summary>The answer for one event, given when it is durable.</summary>
/// <param name="Position">Commit position of the event that records it.</param>
/// <param name="Reason">Why it was quarantined or ignored.</param>
public sealed record Receipt(
    string? Source, string? Id, IntakeOutcome Outcome, Guid? DeviationId, Guid? ProductionId, ulong Position,
    Guid? QuarantineId = null, string? Reason = null, string? Detail = null, Guid? NonconformityId = null)
{
    /// <summary>What became of each part of a message that holds several.</summary>
    public IReadOnlyList<Receipt>? Parts { get; init; }

    /// <summary>The answer for a message that a mapping knows, and that says nothing to be recorded.</summary>
    public static Receipt OfIgnored(Envelope message, string because) =>
        new(message.Source, message.Id, IntakeOutcome.Ignored, null, null, 0, Reason: "ignored", Detail: because);

    /// <summary>
    /// The answer for a message: that of its only part; else a conflict where a part is one, and accepted where a part
    /// is new.
    /// </summary>
    public static Receipt OfAll(Envelope message, IReadOnlyList<Receipt> parts)
    {
        if (parts is [var only] && only.Id == message.Id) return only;
        var outcome = parts.Any(part => part.Outcome == IntakeOutcome.Conflict) ? IntakeOutcome.Conflict
            : parts.Any(part => part.Outcome == IntakeOutcome.Accepted) ? IntakeOutcome.Accepted
            : IntakeOutcome.Duplicate;
        return new Receipt(
            message.Source, message.Id, outcome, null, null, parts.Max(part => part.Position))
        {
            Parts = parts,
        };
    }
}

/// <summary>
/// Writes what arrived to the log. Every answer is durable before it is given; an event that comes again is found by
/// its stream, whose name follows from source and id.
/// </summary>
public sealed class IntakeLog(IEventStore store, TimeProvider clock)
{
    private const int AttemptCountMax = 6;

    /// <summary>Records an event that was understood.</summary>
    /// <param name="eventId">Known where the caller may repeat the request under a key; else new.</param>
    public async Task<Receipt> RecordAsync(
        MachineEvent machine, Sender sender, CancellationToken ct, Guid? eventId = null)
    {
        // The event id is new for each copy that arrives: were it derived from the payload, the store would take a copy
        // for a retry of the first and answer "appended", and the sender could not be told "duplicate". The retries
        // within this call keep the id, so an append of unknown outcome is written once.
        var first = ToNewEvent(machine.Fact, sender, machine.OccurredAt, eventId);
        var appended = await AppendAsync(machine.Stream, ExpectedRevision.NoStream, first, ct);
        return appended is { } position
            ? ReceiptOf(machine, IntakeOutcome.Accepted, position)
            : await CompareAsync(machine, sender, first.Id, ct);
    }

    /// <summary>Keeps an event that was not understood, with its bytes.</summary>
    public async Task<Receipt> QuarantineAsync(
        ReadOnlyMemory<byte> bytes, string contentType, NotUnderstoodException why, string? source, string? id,
        Sender sender, CancellationToken ct)
    {
        var quarantineId = NameBasedId.From(Convert.ToHexStringLower(SHA256.HashData(bytes.Span)));
        var stream = Families.Quarantine.Stream(quarantineId);
        var fact = new QuarantineEvent.Received(
            why.Reason, why.Message, source, id, contentType, Convert.ToBase64String(bytes.Span));
        var position = await AppendAsync(
            stream, ExpectedRevision.NoStream, ToNewEvent(fact, sender, clock.GetUtcNow()), ct);
        position ??= (await ReadAsync(stream, ct))[0].Position;
        return new Receipt(
            source, id, IntakeOutcome.Quarantined, null, null, position.Value.Commit, quarantineId, why.Reason,
            why.Message);
    }

    /// <summary>The events of a stream, oldest first; none where it does not exist.</summary>
    public async Task<IReadOnlyList<RecordedEvent>> ReadAsync(string stream, CancellationToken ct)
    {
        var events = new List<RecordedEvent>();
        await foreach (var recorded in store.ReadStreamAsync(stream, 0, long.MaxValue, ct)) events.Add(recorded);
        return events;
    }

    /// <summary>The hash of the payload of what a machine sent; null for what a person did.</summary>
    public static string? PayloadHashOf(RecordedEvent recorded) =>
        EventCatalog.Deserialize(recorded.Type, recorded.Data.Span) switch
        {
            DeviationEvent.Received e => e.PayloadHash,
            DeviationEvent.ConflictReceived e => e.PayloadHash,
            ProductionEvent.Recorded e => e.PayloadHash,
            ProductionEvent.ConflictReceived e => e.PayloadHash,
            NonconformityEvent.Imported e => e.PayloadHash,
            NonconformityEvent.ImportConflictReceived e => e.PayloadHash,
            DeviationEvent.Dismissed or NonconformityEvent => null,
            var other => throw new UnreachableException($"{other.GetType().Name} has no payload."),
        };

    // The stream exists: the same payload is a duplicate, another one a conflict that is kept once.
    private async Task<Receipt> CompareAsync(
        MachineEvent machine, Sender sender, Guid eventId, CancellationToken ct)
    {
        while (true)
        {
            var recorded = await ReadAsync(machine.Stream, ct);
            if (recorded[0].Id == eventId) return ReceiptOf(machine, IntakeOutcome.Accepted, recorded[0].Position);
            var same = recorded.FirstOrDefault(entry => PayloadHashOf(entry) == machine.PayloadHash);
            if (same is not null)
                return ReceiptOf(
                    machine, same.Revision == 0 ? IntakeOutcome.Duplicate : IntakeOutcome.Conflict, same.Position);
            var position = await AppendAsync(
                machine.Stream, ExpectedRevision.At(recorded[^1].Revision),
                ToNewEvent(machine.ToConflict(), sender, machine.OccurredAt), ct);
            if (position is { } kept) return ReceiptOf(machine, IntakeOutcome.Conflict, kept);
        }
    }

    // Null: the stream is not where the append expected it.
    private async Task<LogPosition?> AppendAsync(
        string stream, ExpectedRevision expected, NewEvent fact, CancellationToken ct)
    {
        var delays = new RetryDelays(delayMsMax: 1_600);
        for (var attempt = 1; ; attempt++)
        {
            switch (await store.AppendAsync(stream, expected, [fact], ct))
            {
                case AppendResult.Appended done: return done.Position;
                case AppendResult.WrongExpectedRevision: return null;
                case AppendResult.OutcomeUnknown or AppendResult.ServerBusy when attempt < AttemptCountMax:
                    await delays.WaitAsync(clock, ct);
                    break;
                case AppendResult.StreamDeleted:
                    throw new NotUnderstoodException("stream-deleted", "Its stream was deleted for ever");
                case AppendResult.TooLarge large:
                    throw new NotUnderstoodException(
                        "event-too-large", $"The event store takes at most {large.LimitBytes} bytes");
                case var refused:
                    throw new EventStoreUnavailableException($"The event store does not take '{stream}': {refused}.");
            }
        }
    }

    private NewEvent ToNewEvent(object fact, Sender sender, DateTimeOffset occurredAt, Guid? eventId = null)
    {
        var id = eventId ?? Guid.NewGuid();
        return NewEvent.Of(id, fact, hash => new EventMetadata(
            sender.Actor.AsRecorded, occurredAt, clock.GetUtcNow(), hash, Imported: sender.StatesHistory,
            CorrelationId: id.ToString("D"),
            TraceId: Activity.Current?.TraceId.ToHexString(), SpanId: Activity.Current?.SpanId.ToHexString(),
            TraceSampled: Activity.Current?.Recorded ?? false));
    }

    private static Receipt ReceiptOf(MachineEvent machine, IntakeOutcome outcome, LogPosition position) => new(
        machine.Source, machine.SourceEventId, outcome,
        machine.Family == Families.Deviation ? machine.Id : null,
        machine.Family == Families.Production ? machine.Id : null, position.Commit,
        NonconformityId: machine.Family == Families.Nonconformity ? machine.Id : null);
}
