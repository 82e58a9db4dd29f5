using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Intake;
using CapaEngine.RootCauses.Domain;

namespace CapaEngine.Specs.Pipeline;

/// <summary>What must hold of a simulated world once it is quiet: all that was made of the log, against it.</summary>
internal sealed class Audit(SimulatedWorld world)
{
    /// <summary>Why the world is not quiet yet; null where nothing is left to do.</summary>
    public string? Unfinished()
    {
        if (!world.Clients.AreDone) return "somebody waits for an answer";
        if (world.Database.Positions.Count == 0) return "the projector has not begun";
        foreach (var (key, (service, last)) in world.Promises.LastOfKeys)
        {
            if (world.Promises.CheckpointOf(service) < last) return $"the relay of {service} has not saved {last}";
            if (world.Database.Positions.GetValueOrDefault(key) < last)
                return $"the projector is not at {last} of {key}";
        }

        if (Relayed().FirstOrDefault(e => Families.Of(e.Stream) == Families.ActionPlan && !IsReactedTo(e)) is { } cause)
            return $"nobody reacted to {cause.Stream} {cause.Revision}";

        return DeviationsWithoutCase().FirstOrDefault() is { } open ? $"{open} belongs to no case" : null;
    }

    /// <summary>Holds every promise against the world at rest.</summary>
    public void Check()
    {
        Messages();
        Rows();
        Reactions();
        Cases();
    }

    private IEnumerable<RecordedEvent> Relayed() => world.Log.Events.Where(recorded => Families.Of(recorded.Stream)
        is { Owner: ServiceNames.Nonconformities or ServiceNames.ActionPlans });

    // Every message is in the log once, and at most one sender of it was told that it was the first.
    private void Messages()
    {
        foreach (var copies in world.Clients.Messages.GroupBy(message => message.Machine.Stream))
        {
            var stored = world.Log.Read(copies.Key, 0, long.MaxValue);
            Require(stored.Count == copies.Count(), "message-once", $"{copies.Key} has {stored.Count} events.");
            foreach (var message in copies)
                Require(
                    stored.Count(e => IntakeLog.PayloadHashOf(e) == message.Machine.PayloadHash) == 1,
                    "message-once", $"{message.Number}.{message.Variant}");
            var accepted = copies.Sum(message => message.Receipts.Count(r => r.Outcome == IntakeOutcome.Accepted));
            Require(accepted <= 1, "accepted-once", $"{copies.Key} was accepted {accepted} times.");
        }
    }

    // A row is the fold of its stream: each revision once, in order, up to the last or to what it waits for.
    private void Rows()
    {
        foreach (var stream in Relayed().GroupBy(recorded => recorded.Stream))
        {
            var expected = stream.AsEnumerable();
            if (world.Database.Parked.TryGetValue(stream.Key, out var parked))
            {
                Require(
                    stream.Any(e => e.Revision == parked.Revision && !EventCatalog.Names.Contains(e.Type)),
                    "parked-is-poison", $"{stream.Key} waits at {parked.Revision} for nothing.");
                expected = stream.Where(recorded => recorded.Revision < parked.Revision);
            }

            var row = world.Database.Rows.GetValueOrDefault(stream.Key) ?? [];
            Require(
                row.Select(applied => applied.EventId).SequenceEqual(expected.Select(recorded => recorded.Id)),
                "row-is-fold", $"{stream.Key} applied {string.Join(' ', row.Select(applied => applied.Revision))}");
        }
    }

    // Every effect once, in the order of the causes; what is parked is poison, or waits behind it.
    private void Reactions()
    {
        foreach (var plan in Relayed().Where(e => Families.Of(e.Stream) == Families.ActionPlan).GroupBy(e => e.Stream))
        {
            var effects = EffectsOf(plan.Key).ToList();
            var poison = plan.FirstOrDefault(IsPoison);
            var possible = plan.TakeWhile(recorded => recorded != poison).Select(recorded => recorded.Id).ToList();
            Require(
                effects.SequenceEqual(possible), "effect-once",
                $"{plan.Key}: {possible.Count} causes, {effects.Count} effects.");
            var parked = plan.Where(e => world.Promises.StillParked.Contains(e.Id)).Select(e => e.Id);
            Require(
                parked.SequenceEqual(plan.Skip(possible.Count).Select(e => e.Id)), "parked-is-poison", plan.Key);
        }
    }

    // One case a subject, and every deviation that can belong to it does, once.
    private void Cases()
    {
        var attached = Attached().ToList();
        Require(attached.Count == attached.Distinct().Count(), "attached-once", "A deviation is in a case twice.");
        var subjects = world.Log.Events.Where(e => Families.Of(e.Stream) == Families.Signature)
            .GroupBy(e => e.Stream).ToList();
        Require(subjects.TrueForAll(cycles => cycles.Count() == 1), "one-case", "A subject has two cases.");
        var begun = world.Log.Events.Count(e => e.Type == "nonconformity.reported.v1");
        Require(begun == subjects.Count, "one-case", $"{subjects.Count} subjects, {begun} cases.");
    }

    private IEnumerable<Guid> EffectsOf(string plan)
    {
        var analysis = Families.RootCause.Stream(
            RootCauseAnalysis.IdFor(Families.ActionPlan.IdOf(plan)));
        return world.Log.Read(analysis, 0, long.MaxValue)
            .Select(effect => Guid.Parse(EventCatalog.Metadata(effect.Metadata.Span).CausationId!));
    }

    private bool IsReactedTo(RecordedEvent cause)
    {
        var isParked = world.Promises.StillParked.Contains(cause.Id);
        if (EffectsOf(cause.Stream).Contains(cause.Id)) return !isParked;
        var poison = world.Log.Read(cause.Stream, 0, long.MaxValue)
            .Find(IsPoison);
        return poison is not null && poison.Revision <= cause.Revision && isParked;
    }

    // A critical one opens the case of its subject, where there is none; so none of them stays alone.
    private IEnumerable<string> DeviationsWithoutCase()
    {
        var attached = Attached().ToHashSet();
        return world.Log.Events
            .Where(e => e.Type == "deviation.received.v1" && !attached.Contains(Families.Deviation.IdOf(e.Stream)))
            .Where(e => ((DeviationEvent.Received)EventCatalog.Deserialize(e.Type, e.Data.Span)).Severity
                == Severity.Critical)
            .Select(e => e.Stream);
    }

    private IEnumerable<Guid> Attached() => world.Log.Events
        .Where(e => e.Type == "nonconformity.deviations-attached.v1")
        .SelectMany(e => ((NonconformityEvent.DeviationsAttached)EventCatalog.Deserialize(e.Type, e.Data.Span))
            .Deviations);

    private static bool IsPoison(RecordedEvent recorded) =>
        recorded.Type is not ("actionplan.opened.v1" or "actionplan.owner-changed.v1");

    private static void Require(bool holds, string promise, string what)
    {
        if (!holds) throw new PromiseBrokenException(promise, what);
    }
}
