using System.Security.Cryptography;
using System.Text;
using CapaEngine.Contracts;
using CapaEngine.Kernel;

namespace CapaEngine.Nonconformities;

/// <summary>One case of a subject, as its signature stream recorded it.</summary>
public sealed record SignatureCycle(
    SignatureEvent.Opened Opened, LogPosition Position, long Revision, EventMetadata Metadata);

/// <summary>Where the case of a cycle stands in the log.</summary>
/// <param name="ClosedAt">Position of its first end, by whatever way; null while it has had none.</param>
/// <param name="Deviations">The deviations attached to it.</param>
public sealed record CaseSeen(bool Exists, LogPosition? ClosedAt, HashSet<Guid> Deviations);

/// <summary>
/// The streams that say which case is open on a subject. A cycle is recorded here with the expected revision before its
/// case is begun, so that two who open at the same time cannot open two cases.
/// </summary>
public sealed class Signatures(IEventStore store, TimeProvider clock)
{
    // So long a case may be missing because whoever reserved its cycle is still at it.
    private static readonly TimeSpan OpeningTimeMax = TimeSpan.FromMinutes(1);

    /// <summary>The id of the case that triage opens as the n-th of a subject.</summary>
    public static Guid CaseId(DeviationSubject subject, int cycle) =>
        NameBasedId.From($"nonconformity\n{subject.SignatureId():D}\n{cycle}");

    /// <summary>The cycles of a subject, oldest first.</summary>
    public async Task<List<SignatureCycle>> CyclesAsync(DeviationSubject subject, CancellationToken ct)
    {
        var cycles = new List<SignatureCycle>();
        await foreach (var recorded in store.ReadStreamAsync(StreamOf(subject), 0, long.MaxValue, ct))
            cycles.Add(new SignatureCycle(
                (SignatureEvent.Opened)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span),
                recorded.Position, recorded.Revision, EventCatalog.Metadata(recorded.Metadata.Span)));
        return cycles;
    }

    /// <summary>What the log holds of a case.</summary>
    public async Task<CaseSeen> CaseAsync(Guid nonconformityId, CancellationToken ct)
    {
        var exists = false;
        LogPosition? closedAt = null;
        var deviations = new HashSet<Guid>();
        var stream = Families.Nonconformity.Stream(nonconformityId);
        await foreach (var recorded in store.ReadStreamAsync(stream, 0, long.MaxValue, ct))
        {
            exists = true;
            switch (EventCatalog.Deserialize(recorded.Type, recorded.Data.Span))
            {
                case NonconformityEvent.DeviationsAttached attached: deviations.UnionWith(attached.Deviations); break;
                case NonconformityEvent.Closed or NonconformityEvent.Rejected or NonconformityEvent.Withdrawn
                    or NonconformityEvent.Merged:
                    closedAt ??= recorded.Position;
                    break;
            }
        }

        return new CaseSeen(exists, closedAt, deviations);
    }

    /// <summary>
    /// Records that the next case of the subject is opened, after <paramref name="last"/>. Null where somebody else was
    /// first, or where nobody knows: read again then.
    /// </summary>
    public async Task<SignatureCycle?> OpenAsync(
        SignatureEvent.Opened opened, SignatureCycle? last, CommandContext context, CancellationToken ct)
    {
        var data = EventCatalog.Serialize(opened);
        var now = clock.GetUtcNow();
        var metadata = new EventMetadata(
            context.Actor.AsRecorded, context.StatedTime ?? now, now,
            Convert.ToHexStringLower(SHA256.HashData(data)), context.OnBehalfOf,
            Imported: context.StatedTime is not null, CorrelationId: context.CorrelationId ?? context.CommandId,
            CausationId: context.CausationId);
        // The id covers the content: another opener's different list must be a conflict, never a repetition of ours.
        var id = NameBasedId.From($"{StreamOf(opened.Subject)}\n{Encoding.UTF8.GetString(data)}");
        var fact = new NewEvent(id, EventCatalog.NameOf(opened), data, EventCatalog.Serialize(metadata));
        var expected = last is null ? ExpectedRevision.NoStream : ExpectedRevision.At(last.Revision);
        return await store.AppendAsync(StreamOf(opened.Subject), expected, [fact], ct) is AppendResult.Appended done
            ? new SignatureCycle(opened, done.Position, done.Revision, metadata)
            : null;
    }

    /// <summary>
    /// Reserves the subject of a case that a person opens, and says the cycle; or the answer to give instead, because a
    /// case is open already.
    /// </summary>
    public async Task<(int Cycle, CommandOutcome? Instead)> ReserveAsync(
        DeviationSubject subject, Guid nonconformityId, CommandContext context, CancellationToken ct)
    {
        var cycles = await CyclesAsync(subject, ct);
        if (cycles.FirstOrDefault(cycle => cycle.Opened.NonconformityId == nonconformityId) is { } mine)
            return (mine.Opened.Cycle, null);
        var last = cycles.LastOrDefault();
        if (last is not null && await RefuseAsync(last, ct) is { } refusal) return (0, refusal);
        var next = (last?.Opened.Cycle ?? 0) + 1;
        var opened = new SignatureEvent.Opened(subject, next, nonconformityId, PolicyVersion: 0, WindowFrom: null, []);
        return await OpenAsync(opened, last, context, ct) is not null
            ? (next, null)
            : (0, new CommandOutcome.Unavailable(
                "case-being-opened", "A case of this subject is being opened; try again."));
    }

    private async Task<CommandOutcome?> RefuseAsync(SignatureCycle last, CancellationToken ct)
    {
        var seen = await CaseAsync(last.Opened.NonconformityId, ct);
        if (seen.ClosedAt is not null) return null;
        // A cycle that a person reserved and never filled is passed over; triage fills its own for certain.
        var isAbandoned = !seen.Exists && last.Opened.PolicyVersion == 0
            && clock.GetUtcNow() - last.Metadata.RecordedAt > OpeningTimeMax;
        return isAbandoned
            ? null
            : new CommandOutcome.Rejected(
                "case-already-open", $"The nonconformity {last.Opened.NonconformityId} is open on this subject.");
    }

    private static string StreamOf(DeviationSubject subject) => Families.Signature.Stream(subject.SignatureId());
}
