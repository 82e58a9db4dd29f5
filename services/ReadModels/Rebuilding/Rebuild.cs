using CapaEngine.Hosting;
using CapaEngine.Kernel;
using Microsoft.Extensions.Options;
using Npgsql;

namespace CapaEngine.ReadModels.Rebuilding;

/// <summary>How far a rebuild has come.</summary>
/// <param name="Goal">The position of the live tables, which it has to reach.</param>
/// <param name="Events">How many events it took in, those of an interrupted run included.</param>
/// <param name="EventsPerSecond">Of this run.</param>
public sealed record RebuildProgress(string Phase, long Position, long Goal, long Events, double EventsPerSecond);

/// <summary>
/// Makes read models again from the log, beside the live ones, and lets the new tables take their place. The live ones
/// serve and follow meanwhile. It may end at any moment, by whatever cause: begun again, it goes on.
/// </summary>
public sealed class Rebuild(
    NpgsqlDataSource database, IEventStore store, IOptions<PipelineOptions> options, TimeProvider clock,
    ILogger<Rebuild> logger)
{
    // Below this, what is missing is read while the projectors wait.
    private const int FewEvents = 1_000;

    private const int ExchangeAttemptsMax = 60;

    private static readonly TimeSpan PauseBetweenAttempts = TimeSpan.FromSeconds(1);

    /// <summary>All read models, of which a rebuild makes some again.</summary>
    public IReadOnlyList<IReadModel> All { get; init; } = Projections.All;

    /// <summary>Rebuilds models. Throws <see cref="CopyInProgressException"/> where another one does.</summary>
    public async Task RunAsync(
        IReadOnlyList<IReadModel> models, Action<RebuildProgress>? told, CancellationToken ct)
    {
        await using var copy = await TableCopy.OpenAsync(
            database, store, models, CopySchemas.Next, options.Value, ct);
        var (taken, began) = (copy.State.EventCount, clock.GetTimestamp());
        logger.LogInformation(
            "Rebuilding {Composition} from position {Position}.", copy.State.Composition, copy.State.Position);
        var goal = await GoalAsync(ct);
        Tell(copy.State);
        await copy.CatchUpAsync(Tell, ct);
        await copy.EnterAsync(CopyPhases.Analyzing, ct);
        Tell(copy.State);
        await copy.AnalyzeAsync(ct);
        await copy.EnterAsync(CopyPhases.Copying, ct);
        await ExchangeAsync(new Exchange(copy, models, All), copy, Tell, ct);
        Tell(copy.State);
        logger.LogInformation(
            "Rebuilt {Composition} from {Events} events in {Seconds:F1} s.", copy.State.Composition,
            copy.State.EventCount, clock.GetElapsedTime(began).TotalSeconds);

        void Tell(CopyState state) => told?.Invoke(new RebuildProgress(
            state.Phase, state.Position, Math.Max(goal, state.Position), state.EventCount,
            (state.EventCount - taken) / Math.Max(0.001, clock.GetElapsedTime(began).TotalSeconds)));
    }

    private async Task ExchangeAsync(
        Exchange exchange, TableCopy copy, Action<CopyState> told, CancellationToken ct)
    {
        for (var attempt = 1; attempt <= ExchangeAttemptsMax; attempt++)
        {
            while (await copy.CatchUpAsync(told, ct) > FewEvents)
            {
                // More has come meanwhile than the projectors should wait for.
            }

            if (await exchange.TryAsync(ct)) return;
            logger.LogInformation("The tables are in use; the exchange is tried again ({Attempt}).", attempt);
            await Task.Delay(PauseBetweenAttempts, clock, ct);
        }

        throw new InvalidOperationException(
            "The tables were in use whenever they were to be exchanged; end long queries and begin again.");
    }

    private async Task<long> GoalAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return (await connection.ValuesAsync<long>(
            new SqlStatement("select coalesce(max(position), 0) from read_models.follower_position"), ct))[0];
    }
}
