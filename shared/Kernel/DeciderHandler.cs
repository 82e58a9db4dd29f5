using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using CapaEngine.Contracts;

namespace CapaEngine.Kernel;

/// <summary>
/// The one piece of code that loads, decides and appends. A conflict is decided again on the new state, a bounded
/// number of times; an append of unknown outcome is repeated under the same event ids, which the store recognises.
/// </summary>
public sealed class DeciderHandler<TState, TCommand, TEvent>(
    IEventStore store, Decider<TState, TCommand, TEvent> decider, TimeProvider clock, IProfiles profiles)
    where TState : notnull
    where TCommand : notnull
    where TEvent : notnull
{
    private const int AttemptCountMax = 8;
    private const int BackOffMsMax = 200;

    /// <summary>Carries out <paramref name="command"/> on the stream of <paramref name="id"/>.</summary>
    public async Task<CommandOutcome> HandleAsync(
        Guid id, TCommand command, CommandContext context, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var loaded = await LoadAsync(id, context, ct);
            context = await FillAsync(loaded, context, ct);
            var (outcome, facts) = Decide(id, command, loaded, context);
            outcome ??= await AppendAsync(id, facts, loaded, context, ct);
            if (outcome is not null) return outcome;
            if (attempt == AttemptCountMax)
                return new CommandOutcome.Unavailable("too-busy", "Others kept changing this record; try again.");
            await Task.Delay(TimeSpan.FromMilliseconds(Chance.Source.Next(1, BackOffMsMax)), clock, ct);
        }
    }

    /// <summary>
    /// What a command would come to on the stream as it stands, without writing anything: for whoever has to do
    /// something on another stream first.
    /// </summary>
    public async Task<Preview<TState>> PreviewAsync(
        Guid id, TCommand command, CommandContext context, CancellationToken ct)
    {
        var loaded = await LoadAsync(id, context, ct);
        var filled = await FillAsync(loaded, context, ct);
        return new Preview<TState>(loaded.State, filled, Decide(id, command, loaded, filled).Outcome);
    }

    /// <summary>The state as it stands and its revision, -1 where the stream does not exist.</summary>
    public async Task<(TState State, long Revision)> LoadAsync(Guid id, CancellationToken ct)
    {
        var loaded = await LoadAsync(id, null, ct);
        return (loaded.State, loaded.Revision);
    }

    // A record's site never changes, so its profile is known before the command is decided on.
    private async Task<CommandContext> FillAsync(Loaded loaded, CommandContext context, CancellationToken ct) =>
        loaded.Fill(context, clock.GetUtcNow()) with
        {
            Profile = await profiles.AtAsync(decider.SiteOf(loaded.State), ct),
        };

    // The outcome where nothing is to be written, else the facts that are.
    private (CommandOutcome? Outcome, ValueList<TEvent> Facts) Decide(
        Guid id, TCommand command, Loaded loaded, CommandContext context)
    {
        if (loaded.Answer(id, context, decider) is { } answer) return (answer, []);
        return decider.Decide(command, loaded.State, context) switch
        {
            Decision<TEvent>.Rejected refused => (new CommandOutcome.Rejected(refused.Code, refused.Reason), []),
            Decision<TEvent>.Missing => (new CommandOutcome.NotFound(), []),
            Decision<TEvent>.Accepted { Events.Count: 0 } =>
                (new CommandOutcome.Done(id, loaded.Revision, loaded.Position, 0), []),
            Decision<TEvent>.Accepted { Events: var facts }
                when context.Actor.IsAt(decider.SiteOf(facts.Aggregate(loaded.State, decider.Evolve))) => (null, facts),
            _ => (new CommandOutcome.Forbidden("You may not act at that site."), []),
        };
    }

    // Null: decide again on the stream as it is now.
    private async Task<CommandOutcome?> AppendAsync(
        Guid id, ValueList<TEvent> facts, Loaded loaded, CommandContext context, CancellationToken ct)
    {
        var events = facts.Select((fact, index) => NewEvent.Of(
            loaded.EventId(context, index), fact, hash => loaded.Describe(context, hash))).ToList();
        var expected = ExpectedRevision.At(loaded.Revision);
        switch (await store.AppendAsync(loaded.Stream, expected, events, ct))
        {
            case AppendResult.Appended done:
                return new CommandOutcome.Done(id, done.Revision, done.Position, events.Count);
            case AppendResult.WrongExpectedRevision wrong:
                return context.IfMatch is not null ? new CommandOutcome.Stale(wrong.Actual) : null;
            case AppendResult.OutcomeUnknown or AppendResult.ServerBusy:
                // The next round reads the stream again: had this append been written, its command id tells.
                return null;
            case AppendResult.TooLarge large:
                return new CommandOutcome.Rejected(
                    "too-large", $"The record would exceed the store's limit of {large.LimitBytes} bytes.");
            case AppendResult.StreamDeleted:
                return new CommandOutcome.NotFound();
            default:
                throw new InvalidOperationException($"The event store refuses writes to '{decider.Family.Name}'.");
        }
    }

    private async Task<Loaded> LoadAsync(Guid id, CommandContext? context, CancellationToken ct)
    {
        var loaded = new Loaded(decider.Family.Stream(id), decider.Initial);
        await foreach (var recorded in store.ReadStreamAsync(loaded.Stream, 0, long.MaxValue, ct))
        {
            var fact = (TEvent)EventCatalog.Deserialize(recorded.Type, recorded.Data.Span);
            loaded.State = decider.Evolve(loaded.State, fact);
            loaded.Note(recorded, context);
        }

        return loaded;
    }

    /// <summary>A stream as read: its state and what the rules of repetition, history and signing need of it.</summary>
    private sealed class Loaded(string stream, TState initial)
    {
        private readonly StringBuilder content = new(stream + "\n");
        private DateTimeOffset lastOccurredAt = DateTimeOffset.MinValue;
        private bool imported;
        private (long Revision, LogPosition Position, string? RequestHash)? repeated;
        private int repeatedCount;

        public string Stream { get; } = stream;
        public TState State { get; set; } = initial;
        public long Revision { get; private set; } = -1;
        public LogPosition Position { get; private set; }

        public void Note(RecordedEvent recorded, CommandContext? context)
        {
            Revision = recorded.Revision;
            Position = recorded.Position;
            content.Append(recorded.Type).Append('\n')
                .Append(Convert.ToHexStringLower(SHA256.HashData(recorded.Data.Span))).Append('\n');
            if (context is null) return;
            var metadata = EventCatalog.Metadata(recorded.Metadata.Span);
            if (recorded.Revision == 0) imported = metadata.Imported;
            lastOccurredAt = metadata.OccurredAt;
            if (recorded.Id != EventId(context, repeatedCount)) return;
            repeatedCount++;
            repeated = (recorded.Revision, recorded.Position,
                context.IdempotencyKey is null ? context.RequestHash : metadata.RequestHash);
        }

        /// <summary>The id of the command's n-th event: the same at every retry.</summary>
        public Guid EventId(CommandContext context, int index) =>
            NameBasedId.From($"{Stream}\n{context.CommandId}\n{index}");

        /// <summary>The answer that needs no decision, if there is one.</summary>
        public CommandOutcome? Answer(Guid id, CommandContext context, Decider<TState, TCommand, TEvent> decider)
        {
            if (!context.Actor.IsAt(decider.SiteOf(State))) return new CommandOutcome.NotFound();
            if (repeated is { } first)
                return first.RequestHash == context.RequestHash
                    ? new CommandOutcome.Done(id, first.Revision, first.Position, 0)
                    : new CommandOutcome.KeyReused();
            if (context.IfMatch is { } seen && seen != Revision) return new CommandOutcome.Stale(Revision);
            if (context.IsReaction || (context.StatedTime is null && context.OnBehalfOf is null)) return null;
            if (Revision >= 0 && !imported)
                return new CommandOutcome.Rejected(
                    "not-imported", "Times and persons can be stated only on a record that an import began.");
            if (context.StatedTime > context.RecordedAt)
                return new CommandOutcome.Rejected("in-the-future", "The stated time lies in the future.");
            if (context.StatedTime < lastOccurredAt)
                return new CommandOutcome.Rejected(
                    "not-ascending", $"The stated time lies before the record's last event, {lastOccurredAt:O}.");
            return null;
        }

        public CommandContext Fill(CommandContext context, DateTimeOffset now) => context with
        {
            RecordedAt = now,
            Now = Occurred(context, now),
            Seen = new StreamSeen(Stream, Revision, Convert.ToHexStringLower(
                SHA256.HashData(Encoding.UTF8.GetBytes(content.ToString())))),
        };

        public EventMetadata Describe(CommandContext context, string hash) => new(
            context.Actor.AsRecorded, context.Now, context.RecordedAt, hash, context.OnBehalfOf,
            IsImported(context), context.IdempotencyKey,
            context.IdempotencyKey is null ? null : context.RequestHash,
            context.CorrelationId ?? context.CommandId, context.CausationId,
            Activity.Current?.TraceId.ToHexString(), Activity.Current?.SpanId.ToHexString(),
            Activity.Current?.Recorded ?? false, Revision < 0 ? null : context.Profile.ToString());

        private bool IsImported(CommandContext context) => Revision >= 0 ? imported : context.StatedTime is not null;

        // A reaction inherits its cause's time only in a history, and never steps back behind what is recorded there.
        private DateTimeOffset Occurred(CommandContext context, DateTimeOffset now) =>
            context.StatedTime is not { } stated || !IsImported(context) ? now
            : stated < lastOccurredAt ? lastOccurredAt : stated;
    }
}
