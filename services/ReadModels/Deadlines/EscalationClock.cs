using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Hosting;
using CapaEngine.Kernel;

namespace CapaEngine.ReadModels.Deadlines;

/// <summary>
/// Raises every step of every deadline once. It may run twice, stop anywhere and begin again: the name of an
/// escalation's stream follows from what it says, and the log takes such a stream once. Run by a
/// <see cref="Leader"/>.
/// </summary>
public sealed class EscalationClock(
    IEventStore store, DeciderHandler<EscalationPolicy, EscalationPolicyCommand, EscalationPolicyEvent> policies,
    DeadlineQueries deadlines, ProjectedStreams projected, TimeProvider clock, ILogger<EscalationClock> logger)
{
    private const int KnownMax = 100_000;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    // What this process raised while the rows have not shown it yet; forgetting costs an append that is refused.
    private readonly HashSet<Guid> known = [];

    /// <summary>Watches until cancelled; the leader that runs it begins it again when it throws.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        known.Clear();
        using var timer = new PeriodicTimer(Period, clock);
        do
        {
            await TickAsync(ct);
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    /// <summary>The stream of a step: another due date begins another chain, another policy does not.</summary>
    public static Guid IdOf(DeadlineKind kind, Guid subjectId, DateTimeOffset dueAt, int level) =>
        NameBasedId.From($"escalation\n{Wire.Name(kind)}\n{subjectId:D}\n{dueAt.UtcDateTime:O}\n{level}");

    /// <summary>Raises what is due; how many steps that were.</summary>
    public async Task<int> TickAsync(CancellationToken ct)
    {
        var policy = await PolicyAsync(ct);
        var now = clock.GetUtcNow();
        var candidates = await DueAsync(policy, now, ct);
        if (candidates.Count == 0) return 0;

        // First whether the rows are level with the log, then the rows again: those show at least what was compared.
        var level = await projected.LevelAsync(
            candidates.SelectMany(entry => (string[])[entry.Deadline.Stream, entry.Deadline.CaseStream]), ct);
        var raised = 0;
        foreach (var (deadline, steps) in await DueAsync(policy, now, ct))
        {
            if (!level.Contains(deadline.Stream) || !level.Contains(deadline.CaseStream)) continue;
            foreach (var step in steps)
                if (await RaiseAsync(policy, deadline, step, ct)) raised++;
        }

        if (raised > 0) logger.LogInformation("{Count} escalations were raised.", raised);
        return raised;
    }

    private async Task<EscalationPolicy> PolicyAsync(CancellationToken ct)
    {
        var (policy, revision) = await policies.LoadAsync(Guid.Empty, ct);
        if (revision >= 0) return policy;
        var context = new CommandContext(
            Actor.Service(ServiceNames.ReadModels), "default policy", IfMatch: revision, IsReaction: true);
        await policies.HandleAsync(Guid.Empty, DefaultPolicy.Command, context, ct);
        // Whoever was faster set one as well.
        (policy, revision) = await policies.LoadAsync(Guid.Empty, ct);
        return revision >= 0 ? policy : throw new EventStoreUnavailableException("No escalation policy could be set.");
    }

    private async Task<List<(OpenDeadline Deadline, IReadOnlyList<EscalationStep> Steps)>> DueAsync(
        EscalationPolicy policy, DateTimeOffset now, CancellationToken ct)
    {
        var horizons = policy.Rules.GroupBy(rule => rule.Kind)
            .Select(rules => (rules.Key, now.AddHours(-rules.Min(rule => rule.AfterHours)))).ToList();
        List<(OpenDeadline, IReadOnlyList<EscalationStep>)> due = [];
        foreach (var deadline in await deadlines.DueAsync(horizons, ct))
        {
            var kind = Wire.Value<DeadlineKind>(deadline.Kind);
            var chain = EscalationChain.Of(policy.Rules, kind, Wire.OptionalValue<Severity>(deadline.Severity));
            int[] raised =
            [
                .. deadline.RaisedLevels,
                .. chain.Select(rule => rule.Level)
                    .Where(level => known.Contains(IdOf(kind, deadline.SubjectId, deadline.DueAt, level))),
            ];
            var steps = EscalationChain.Due(chain, deadline.DueAt, raised, now);
            if (steps.Count > 0) due.Add((deadline, steps));
        }

        return due;
    }

    // True where this call raised it, false where it had been raised before.
    private async Task<bool> RaiseAsync(
        EscalationPolicy policy, OpenDeadline deadline, EscalationStep step, CancellationToken ct)
    {
        var kind = step.Rule.Kind;
        var id = IdOf(kind, deadline.SubjectId, deadline.DueAt, step.Rule.Level);
        var (persons, unresolved) = Recipient.Resolve(
            step.Rule.Recipients, deadline.Owner, deadline.Site, policy.Responsibilities);
        var fact = new EscalationEvent.Raised(
            kind, deadline.SubjectId, deadline.Stream, deadline.CaseId, deadline.Site,
            Wire.OptionalValue<Severity>(deadline.Severity), step.Rule.Level, deadline.DueAt, persons, unresolved,
            step.Urgency, policy.Version, step.SupersededBy);
        var happened = ServiceEvent.Of(ServiceNames.ReadModels, Guid.NewGuid(), fact, clock.GetUtcNow());
        var result = await store.AppendAsync(
            Families.Escalation.Stream(id), ExpectedRevision.NoStream, [happened], ct);
        if (result is not (AppendResult.Appended or AppendResult.WrongExpectedRevision))
            throw new EventStoreUnavailableException($"An escalation could not be raised: {result}.");
        if (known.Count >= KnownMax) known.Clear();
        known.Add(id);
        return result is AppendResult.Appended;
    }
}
