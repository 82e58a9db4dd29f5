using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Kernel;

namespace CapaEngine.Nonconformities.Triage;

/// <summary>
/// New versions of the triage policy. Every version stays in the stream and in force for the deviations that came while
/// it was the last.
/// </summary>
public sealed class PolicyChanges(IEventStore store, TimeProvider clock)
{
    /// <summary>
    /// Puts a version in force for all deviations after it. What is in force already is answered as it is; null where
    /// somebody else was faster.
    /// </summary>
    public async Task<PolicyAnswer?> SetAsync(PolicyRequest asked, Actor actor, CancellationToken ct)
    {
        RecordedEvent? last = null;
        await foreach (var recorded in store.ReadStreamBackwardsAsync(Families.TriagePolicy.Prefix, 1, ct))
            last = recorded;
        var policy = last is null
            ? null : (TriagePolicyEvent.Set)EventCatalog.Deserialize(last.Type, last.Data.Span);
        var next = new TriagePolicyEvent.Set((policy?.Version ?? 0) + 1, asked.Rules, asked.Reason)
        {
            GroupsByStation = asked.GroupsByStation,
        };
        if (policy is not null && next with { Version = policy.Version } == policy)
            return new PolicyAnswer(policy.Version, last!.Position.Commit);

        var expected = last is null ? ExpectedRevision.NoStream : ExpectedRevision.At(last.Revision);
        return await store.AppendAsync(Families.TriagePolicy.Prefix, expected, [ToNewEvent(next, actor)], ct) switch
        {
            AppendResult.Appended done => new PolicyAnswer(next.Version, done.Position.Commit),
            AppendResult.WrongExpectedRevision => null,
            var refused => throw new EventStoreUnavailableException($"The policy could not be set: {refused}."),
        };
    }

    private NewEvent ToNewEvent(TriagePolicyEvent.Set policy, Actor actor)
    {
        var now = clock.GetUtcNow();
        return NewEvent.Of(Guid.NewGuid(), policy, hash => new EventMetadata(actor.AsRecorded, now, now, hash));
    }
}
