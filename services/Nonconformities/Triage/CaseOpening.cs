using System.Globalization;
using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Domain;
using Command = CapaEngine.Nonconformities.Domain.NonconformityCommand;

namespace CapaEngine.Nonconformities.Triage;

/// <summary>
/// The second step of opening a case: begins the nonconformity that a signature cycle announces, from the deviations
/// the cycle names. It needs nothing but the log, so it can be redone after a crash between the two steps.
/// </summary>
public sealed class CaseOpening(
    IEventStore store, DeciderHandler<Nonconformity, NonconformityCommand, NonconformityEvent> decider)
{
    // Whoever takes over reads the deviations of many cases, and waits for one answer at a time otherwise.
    private const int ReadTogetherMax = 32;

    /// <summary>Begins the case of <paramref name="opened"/>; where it exists already nothing happens.</summary>
    public async Task BeginAsync(SignatureEvent.Opened opened, CancellationToken ct)
    {
        var counted = await CountedAsync(opened, ct);
        var trigger = counted.MaxBy(deviation => deviation.Position)!;
        var context = ReactionTo(
            trigger.Metadata, trigger.EventId, $"triage/{opened.Subject.SignatureId():D}/{opened.Cycle}");
        var outcome = await decider.HandleAsync(
            opened.NonconformityId, Compose(opened, [.. counted.Select(deviation => deviation.Fact)]), context, ct);
        if (outcome is not CommandOutcome.Done)
            throw new EventStoreUnavailableException(
                $"The case {opened.NonconformityId} could not be begun: {outcome}.");
    }

    /// <summary>The last place in the log of the deviations that a cycle counted: where it was decided.</summary>
    public async Task<LogPosition> DecidedAtAsync(SignatureEvent.Opened opened, CancellationToken ct) =>
        (await CountedAsync(opened, ct)).Max(deviation => deviation.Position);

    // In a history the case inherits the time of the deviation that opened it.
    private static CommandContext ReactionTo(EventMetadata metadata, Guid eventId, string commandId) => new(
        Actor.Service(ServiceNames.Nonconformities), commandId,
        StatedTime: metadata.Imported ? metadata.OccurredAt : null, CorrelationId: metadata.CorrelationId,
        CausationId: eventId.ToString("D"), IsReaction: true);

    private async Task<List<Counted>> CountedAsync(SignatureEvent.Opened opened, CancellationToken ct)
    {
        var counted = new List<Counted>(opened.Deviations.Count);
        foreach (var ids in opened.Deviations.Chunk(ReadTogetherMax))
            counted.AddRange((await Task.WhenAll(ids.Select(id => ReadAsync(id, ct)))).OfType<Counted>());
        return counted;
    }

    private async Task<Counted?> ReadAsync(Guid id, CancellationToken ct)
    {
        await foreach (var recorded in store.ReadStreamAsync(Families.Deviation.Stream(id), 0, 1, ct))
            return new Counted(
                id, (DeviationEvent.Received)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span),
                EventCatalog.Metadata(recorded.Metadata.Span), recorded.Id, recorded.Position);
        return null;
    }

    private static Command.OpenByPolicy Compose(SignatureEvent.Opened opened, List<DeviationEvent.Received> deviations)
    {
        var (subject, count) = (opened.Subject, deviations.Count);
        var (from, to) = (deviations.Min(d => d.DetectedAt), deviations.Max(d => d.DetectedAt));
        var what = subject.Characteristic ?? subject.DefectCode!;
        var place = subject.Station is null ? subject.Process : $"{subject.Process}, station {subject.Station}";
        var window = to - opened.WindowFrom!.Value;
        var noun = count == 1 ? "deviation" : "deviations";
        return new Command.OpenByPolicy(
            $"{count} {noun} of {what} at {place} within {Text(window.TotalDays)} days",
            $"Triage policy {opened.PolicyVersion} opened this case on {count} {noun} of {subject.Product}, detected "
                + $"from {from:yyyy-MM-dd HH:mm} to {to:yyyy-MM-dd HH:mm} UTC.{Measured(deviations)}",
            new RequirementRef("internal", "1", "specification", Specification(what, deviations)),
            subject, opened.Cycle, opened.PolicyVersion, opened.WindowFrom.Value, deviations.Max(d => d.Severity),
            deviations.Sum(d => d.Quantity ?? 0), null,
            deviations.Select(d => d.Lot).OfType<string>().Distinct(StringComparer.Ordinal).ToValueList(),
            deviations.Zip(opened.Deviations, (d, id) => new CountedDeviation(id, d.DetectedAt)).ToValueList());
    }

    private static string Measured(List<DeviationEvent.Received> deviations)
    {
        var measured = deviations.Select(d => d.Measured).OfType<double>().ToList();
        if (measured.Count == 0) return "";
        var unit = deviations.Select(d => d.Unit).FirstOrDefault(unit => unit is not null);
        return $" Measured from {Text(measured.Min())} to {Text(measured.Max())}{(unit is null ? "" : " " + unit)}.";
    }

    private static string Specification(string what, List<DeviationEvent.Received> deviations)
    {
        var limits = deviations[^1];
        return (limits.LowerLimit, limits.UpperLimit) switch
        {
            ({ } lower, { } upper) => $"{what} lies between {Text(lower)} and {Text(upper)}.",
            ({ } lower, null) => $"{what} is at least {Text(lower)}.",
            (null, { } upper) => $"{what} is at most {Text(upper)}.",
            _ when limits.Characteristic is null => $"The product is free of {what}.",
            _ => $"{what} lies within its specification.",
        };
    }

    private static string Text(double number) => number.ToString("0.######", CultureInfo.InvariantCulture);

    private sealed record Counted(
        Guid Id, DeviationEvent.Received Fact, EventMetadata Metadata, Guid EventId, LogPosition Position);
}
