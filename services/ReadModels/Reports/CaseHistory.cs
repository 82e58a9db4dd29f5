using System.Text;
using System.Text.Json;
using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Reports;

/// <summary>A fact with the event that told it.</summary>
internal sealed record Told<T>(T Fact, DossierEvent Event)
{
    /// <summary>Whose deed it was: the person an import names, else the actor.</summary>
    public string By => Event.OnBehalfOf ?? Event.Actor;

    /// <summary>When it was true.</summary>
    public DateTimeOffset At => Event.OccurredAt;
}

/// <summary>The events of a dossier as facts, in log order: what the rows of the read models leave out.</summary>
internal sealed class CaseHistory
{
    private readonly IReadOnlyList<Told<object>> told;

    public CaseHistory(IReadOnlyList<DossierEvent> events) => told =
    [
        .. events.Select(e => new Told<object>(
            EventCatalog.Deserialize(e.EventType, Encoding.UTF8.GetBytes(e.Data.GetRawText())), e)),
    ];

    /// <summary>All of it.</summary>
    public IReadOnlyList<Told<object>> All => told;

    /// <summary>The facts of one kind.</summary>
    public IEnumerable<Told<T>> Of<T>() =>
        told.Where(one => one.Fact is T).Select(one => new Told<T>((T)one.Fact, one.Event));

    /// <summary>The part of it that is told by the stream of an id.</summary>
    public CaseHistory In(Family family, Guid id) => new(told, family.Stream(id));

    /// <summary>The streams with their latest revisions, by name.</summary>
    public IReadOnlyList<ShownStream> Streams =>
    [
        .. told.GroupBy(one => one.Event.Stream, StringComparer.Ordinal)
            .Select(stream => new ShownStream(stream.Key, stream.Max(one => one.Event.Revision)))
            .OrderBy(stream => stream.Stream, StringComparer.Ordinal),
    ];

    /// <summary>The commit position of the latest event; 0 where nothing is told.</summary>
    public long Position => told.Count == 0 ? 0 : told[^1].Event.Position;

    /// <summary>The ids of the streams of a family, in the order of their first events.</summary>
    public IEnumerable<Guid> IdsOf(Family family) => told.Where(one => one.Event.Stream.StartsWith(
            family.Prefix, StringComparison.Ordinal))
        .Select(one => family.IdOf(one.Event.Stream)).Distinct();

    /// <summary>The revision that is told of a stream; -1 where nothing is.</summary>
    public long RevisionOf(Family family, Guid id)
    {
        var stream = family.Stream(id);
        return told.Where(one => one.Event.Stream == stream).Select(one => one.Event.Revision)
            .DefaultIfEmpty(-1).Max();
    }

    /// <summary>The signatures, each with what ended its force (EU Annex 11, 9).</summary>
    public IReadOnlyList<ShownSignature> Signatures() => SignaturesOf(_ => true);

    /// <summary>The signatures on some of the events.</summary>
    public IReadOnlyList<ShownSignature> SignaturesOf(Predicate<DossierEvent> isWanted) =>
    [
        .. told.Where(one => one.Event.Signature is not null && isWanted(one.Event)).Select(one =>
        {
            var signed = one.Event.Signature!.Value.Deserialize<Signature>(StrictJson.Stored)!;
            return new ShownSignature(
                one.Event.EventType, signed.PersonId, signed.PrintedName, signed.Meaning, signed.SignedAt,
                one.Event.Stream, signed.Revision, signed.ContentHash, SupersededBy(one));
        }),
    ];

    private CaseHistory(IReadOnlyList<Told<object>> all, string stream) =>
        told = [.. all.Where(one => one.Event.Stream == stream)];

    private Supersession? SupersededBy(Told<object> signed) => told
        .Where(later => later.Event.Stream == signed.Event.Stream && later.Event.Revision > signed.Event.Revision
            && EndsTheForceOf(signed.Fact, later.Fact))
        .Select(later => new Supersession(later.Event.EventType, later.At, later.By, later.Event.Reason))
        .FirstOrDefault();

    private static bool EndsTheForceOf(object signed, object later) => (signed, later) switch
    {
        (NonconformityEvent.Closed, NonconformityEvent.Corrected corrected) => corrected.SupersedesSignature,
        (NonconformityEvent.Closed, NonconformityEvent.Reopened) => true,
        (ConcessionEvent.Granted, ConcessionEvent.Revoked) => true,
        (RootCauseEvent.Approved, RootCauseEvent.Reopened) => true,
        (ActionPlanEvent.Approved, ActionPlanEvent.CycleStarted) => true,
        _ => false,
    };
}
