using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;

namespace CapaEngine.Nonconformities.Triage;

/// <summary>
/// Triage from one place in the log onwards. Its memory is thrown away with it: a run that starts at an earlier place
/// finds by the streams what earlier runs have done, and does what they have not.
/// </summary>
public sealed class TriageRun(
    LogPosition from, Signatures signatures, CaseOpening opening, TriagePolicies policies,
    DeciderHandler<Nonconformity, NonconformityCommand, NonconformityEvent> decider, TimeProvider clock)
{
    private const int AttachCountMax = 500;
    private const int AttachPerCommandMax = 5_000;
    private const int OpenAttemptCountMax = 5;
    private const int SubjectCountMax = 100_000;
    private static readonly TimeSpan AttachDelayMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ClockSkewMax = TimeSpan.FromHours(1);

    private readonly Dictionary<DeviationSubject, SubjectMemory> subjects = [];
    private readonly Dictionary<Guid, DeviationSubject> subjectOfCase = [];
    private readonly Dictionary<Guid, List<Sighting>> pending = [];

    // While old events are read again, most are attached already; asking the case about each would be slow.
    private HashSet<Guid>? attachedBefore = [];
    private LogPosition handled = from;

    // Of the monotonic clock: a wall clock that is set back must not keep deviations waiting.
    private long? pendingSince;

    /// <summary>Takes the next event of the log.</summary>
    public async Task HandleAsync(RecordedEvent recorded, CancellationToken ct)
    {
        switch (recorded.Type)
        {
            case "deviation.received.v1":
                await AssignAsync(ToSighting(recorded), ct);
                break;
            case "deviation.dismissed.v1":
                var dismissed = Families.Deviation.IdOf(recorded.Stream);
                foreach (var remembered in subjects.Values) remembered.Forget(dismissed);
                break;
            case "triage-policy.set.v1":
                policies.Note(recorded);
                break;
            case "signature.opened.v1":
                var opened = (SignatureEvent.Opened)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span);
                if (subjects.TryGetValue(opened.Subject, out var memory) && !memory.Knows(opened.NonconformityId))
                    await ReloadAsync(opened.Subject, ct);
                break;
            case "nonconformity.reported.v1":
                // A case opened by hand: until now its cycle had no case, and what came since may belong to it.
                var reported = (NonconformityEvent.Reported)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span);
                if (reported is { PolicyVersion: null, Subject: { } subject } && subjects.ContainsKey(subject))
                    await ReloadAsync(subject, ct);
                break;
            case "nonconformity.closed.v1" or "nonconformity.rejected.v1" or "nonconformity.withdrawn.v1"
                or "nonconformity.merged.v1":
                var caseId = Families.Nonconformity.IdOf(recorded.Stream);
                if (subjectOfCase.TryGetValue(caseId, out var owner) && subjects.TryGetValue(owner, out var known))
                    known.Close(caseId, recorded.Position);
                break;
        }

        handled = recorded.Position;
    }

    /// <summary>Nothing of interest lies before this place any more.</summary>
    public void Handled(LogPosition position) => handled = position;

    /// <summary>How far everything was handled; what is to be attached may still be gathering.</summary>
    public LogPosition Reached => handled;

    /// <summary>The log has been read to its end once: what comes now is new and attached to nothing.</summary>
    public void CaughtUp() => attachedBefore = null;

    /// <summary>Attaches what has gathered, when it is enough or has waited long enough.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        if (pendingSince is not { } since || (clock.GetElapsedTime(since) < AttachDelayMax
                && !pending.Values.Any(list => list.Count >= AttachCountMax))) return;
        foreach (var (caseId, sightings) in pending.ToList())
        {
            foreach (var chunk in sightings.Chunk(AttachPerCommandMax)) await AttachAsync(caseId, chunk, ct);
            pending.Remove(caseId);
        }

        pendingSince = null;
    }

    /// <summary>The place after which a new run must read to know all that this one knows.</summary>
    public LogPosition SafePosition()
    {
        var recordedBefore = clock.GetUtcNow() - policies.Horizon - ClockSkewMax;
        foreach (var memory in subjects.Values) memory.Forget(recordedBefore);
        if (subjects.Count > SubjectCountMax) DropIdleSubjects();
        return subjects.Values.SelectMany(memory => memory.Counting).Concat(pending.Values.SelectMany(list => list))
            .Select(sighting => sighting.After).Append(handled).Min();
    }

    private async Task AssignAsync(Sighting sighting, CancellationToken ct)
    {
        for (var attempt = 1; attempt <= OpenAttemptCountMax; attempt++)
        {
            var memory = subjects.GetValueOrDefault(sighting.Subject) ?? await LoadAsync(sighting.Subject, ct);
            switch (memory.Place(sighting.Position))
            {
                case (Belonging.ToCase, var caseId):
                    Attach(caseId, sighting);
                    return;
                case (Belonging.ToNone, _):
                    return;
                default:
                    if (await CountAsync(memory, sighting, ct)) return;
                    break;
            }

            await ReloadAsync(sighting.Subject, ct);
        }

        throw new EventStoreUnavailableException("Others keep changing a signature, or the store is busy.");
    }

    // False: the signature stream is not where this run thinks it is.
    private async Task<bool> CountAsync(SubjectMemory memory, Sighting sighting, CancellationToken ct)
    {
        var policy = policies.At(sighting.Position);
        if (CountWindow.Hit(policy.Rules, memory.Counting, sighting) is not { } hit)
        {
            memory.Remember(sighting);
            return true;
        }

        var cycle = (memory.Last?.Opened.Cycle ?? 0) + 1;
        var opened = new SignatureEvent.Opened(
            sighting.Subject, cycle, Signatures.CaseId(sighting.Subject, cycle), policy.Version, hit.WindowFrom,
            hit.Counted.Select(counted => counted.Id).ToValueList());
        var context = ReactionTo(sighting, $"triage/{opened.NonconformityId:D}");
        if (await signatures.OpenAsync(opened, memory.Last, context, ct) is not { } recorded) return false;
        await opening.BeginAsync(opened, ct);
        memory.Forget();
        memory.Add(recorded, sighting.Position, closedAt: null);
        subjectOfCase[opened.NonconformityId] = sighting.Subject;
        return true;
    }

    private async Task<SubjectMemory> LoadAsync(DeviationSubject subject, CancellationToken ct)
    {
        var memory = new SubjectMemory();
        foreach (var cycle in await signatures.CyclesAsync(subject, ct))
        {
            var isByPolicy = cycle.Opened.PolicyVersion > 0;
            var decidedAt = isByPolicy
                ? opening.DecidedAtAsync(cycle.Opened, ct) : Task.FromResult(cycle.Position);
            var seen = await signatures.CaseAsync(cycle.Opened.NonconformityId, ct);
            if (isByPolicy && !seen.Exists) await opening.BeginAsync(cycle.Opened, ct);
            // A person's cycle without a case is like one that ended where it began: what follows counts anew.
            memory.Add(
                cycle, await decidedAt, isByPolicy || seen.Exists ? seen.ClosedAt : cycle.Position);
            attachedBefore?.UnionWith(seen.Deviations);
            subjectOfCase[cycle.Opened.NonconformityId] = subject;
        }

        return subjects[subject] = memory;
    }

    private async Task ReloadAsync(DeviationSubject subject, CancellationToken ct)
    {
        subjects.Remove(subject, out var outdated);
        await LoadAsync(subject, ct);
        foreach (var sighting in outdated?.Forget() ?? []) await AssignAsync(sighting, ct);
    }

    private void Attach(Guid caseId, Sighting sighting)
    {
        if (attachedBefore?.Contains(sighting.Id) == true) return;
        if (!pending.TryGetValue(caseId, out var list)) pending[caseId] = list = [];
        list.Add(sighting);
        pendingSince ??= clock.GetTimestamp();
    }

    private async Task AttachAsync(Guid caseId, IReadOnlyList<Sighting> sightings, CancellationToken ct)
    {
        var deviations = sightings.Select(s => new CountedDeviation(s.Id, s.DetectedAt)).ToValueList();
        var ids = NameBasedId.From(string.Join('\n', sightings.Select(s => s.Id.ToString("D"))));
        var context = ReactionTo(sightings[^1], $"attach/{ids:D}");
        var outcome = await decider.HandleAsync(caseId, new Command.AttachDeviations(deviations), context, ct);
        if (outcome is not CommandOutcome.Done)
            throw new EventStoreUnavailableException($"Deviations could not be attached to {caseId}: {outcome}.");
    }

    private static CommandContext ReactionTo(Sighting sighting, string commandId) => new(
        Actor.Service(ServiceNames.Nonconformities), commandId,
        StatedTime: sighting.IsImported ? sighting.DetectedAt : null, CausationId: sighting.EventId.ToString("D"),
        IsReaction: true);

    private Sighting ToSighting(RecordedEvent recorded)
    {
        var fact = (DeviationEvent.Received)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span);
        var metadata = EventCatalog.Metadata(recorded.Metadata.Span);
        return new Sighting(
            Families.Deviation.IdOf(recorded.Stream), policies.At(recorded.Position).Group(fact.Subject()),
            fact.Severity, fact.DetectedAt, metadata.RecordedAt, metadata.Imported, recorded.Id, recorded.Position,
            After: handled);
    }

    private void DropIdleSubjects()
    {
        foreach (var (subject, memory) in subjects.Where(entry => entry.Value.IsIdle).ToList())
        {
            subjects.Remove(subject);
            foreach (var caseId in memory.CaseIds) subjectOfCase.Remove(caseId);
        }
    }
}
