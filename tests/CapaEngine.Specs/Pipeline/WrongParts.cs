using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.ReadModels;

namespace CapaEngine.Specs.Pipeline;

/// <summary>Parts as they would be were they wrong, for <see cref="MutationSpecs"/>.</summary>
internal static class WrongParts
{
    /// <summary>The projector stores the position first and the rows after it, in another transaction.</summary>
    public static readonly Seams PositionBeforeRows = new()
    {
        Tables = (world, process, right) => new WrongTables(right, async (expected, through, parked, statements, ct) =>
        {
            if (!await right.CommitAsync(expected, through, parked, [], ct)) return false;
            await Task.Delay(TimeSpan.FromMilliseconds(50), process.Clock, ct);
            foreach (var statement in statements) world.Database.Carry(statement);
            return true;
        }),
    };

    /// <summary>The projector does not look whether another has moved the position.</summary>
    public static readonly Seams NoFence = new()
    {
        Tables = (_, _, right) => new WrongTables(right, async (believed, through, parked, statements, ct) =>
        {
            var stored = await right.StandingAsync(believed.RoutingKey, ct);
            return await right.CommitAsync(stored, Math.Max(stored.Through, through), parked, statements, ct);
        }),
    };

    /// <summary>Followers take every batch for the next one.</summary>
    public static readonly Seams NoGapCheck = new() { Batch = batch => batch with { After = 0 } };

    /// <summary>The relay does not wait for the confirm, so it checkpoints what may be lost.</summary>
    public static readonly Seams NoConfirm = new()
    {
        Publish = (world, publish) => (key, batch, ct) =>
        {
            _ = publish(key, batch, CancellationToken.None);
            return Task.CompletedTask;
        },
    };

    /// <summary>The relay leaves out what is not the first of its batch, and sends it afterwards.</summary>
    public static readonly Seams OutOfOrder = new()
    {
        Publish = (_, publish) => async (key, batch, ct) =>
        {
            await publish(key, batch with { Events = [.. batch.Events.TakeLast(1)] }, ct);
            await publish(key, batch, ct);
        },
    };

    /// <summary>Intake answers first and appends later, if it can.</summary>
    public static readonly Seams AnswerBeforeAppend = new()
    {
        IntakeStore = (world, store) => new WrongStore(store)
        {
            Append = (stream, expected, events, ct) =>
            {
                _ = store.AppendAsync(stream, expected, events, CancellationToken.None);
                return Task.FromResult<AppendResult>(new AppendResult.Appended(0, LogPosition.Start));
            },
        },
    };

    /// <summary>Checkpoints are written without looking who wrote the last.</summary>
    public static readonly Seams CheckpointWithoutExpectation = new()
    {
        RelayStore = (_, store) => new WrongStore(store)
        {
            Append = (stream, _, events, ct) => store.AppendAsync(stream, ExpectedRevision.Any, events, ct),
        },
    };

    /// <summary>The ids of effects do not follow from their causes.</summary>
    public static readonly Seams NoDerivedIds = new()
    {
        EffectStore = store => new WrongStore(store)
        {
            Append = (stream, expected, events, ct) => store.AppendAsync(
                stream, expected, [.. events.Select(effect => effect with { Id = Guid.NewGuid() })], ct),
        },
    };

    /// <summary>Reactions are called done while their effects are still on the way.</summary>
    public static readonly Seams EffectAfterDone = new()
    {
        Reactions = (world, reactions) => new WrongReactions(reactions)
        {
            React = (incoming, ct) =>
            {
                _ = reactions.ReactAsync(incoming, CancellationToken.None);
                return Task.FromResult<ReactionOutcome>(new ReactionOutcome.Done());
            },
        },
    };

    private delegate Task<bool> Commit(
        Standing expected, ulong through, int parkingCount, IReadOnlyList<SqlStatement> statements,
        CancellationToken ct);

    private sealed class WrongTables(IReadModelTables right, Commit commit) : IReadModelTables
    {
        public Task<IReadOnlyList<Standing>> LoadStandingsAsync(CancellationToken ct) => right.LoadStandingsAsync(ct);

        public Task<Standing> StandingAsync(string routingKey, CancellationToken ct) =>
            right.StandingAsync(routingKey, ct);

        public Task<IReadOnlyList<ParkedStream>> LoadParkedAsync(CancellationToken ct) => right.LoadParkedAsync(ct);

        public Task<IReadOnlyDictionary<string, int>> LoadVersionsAsync(CancellationToken ct) =>
            right.LoadVersionsAsync(ct);

        public Task<bool> CommitAsync(
            Standing expected, ulong through, int parkingCount, IReadOnlyList<SqlStatement> statements,
            CancellationToken ct) => commit(expected, through, parkingCount, statements, ct);

        public Task<IRehearsal> RehearseAsync(CancellationToken ct) => right.RehearseAsync(ct);
    }

    private sealed class WrongReactions(IReactions right) : IReactions
    {
        public required Func<IncomingEvent, CancellationToken, Task<ReactionOutcome>> React { get; init; }

        public IReadOnlyList<Family> Families => right.Families;

        public Task<ReactionOutcome> ReactAsync(IncomingEvent incoming, CancellationToken ct) => React(incoming, ct);
    }

    private sealed class WrongStore(IEventStore right) : StoreAround(right)
    {
        public required Func<string, ExpectedRevision, IReadOnlyList<NewEvent>, CancellationToken, Task<AppendResult>>
            Append { get; init; }

        public override Task<AppendResult> AppendAsync(
            string stream, ExpectedRevision expected, IReadOnlyList<NewEvent> events, CancellationToken ct) =>
            Append(stream, expected, events, ct);
    }
}
